package demo

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aspis-platform/aspis/internal/sender"
)

// runFor runs the sector for a while of false time.
func runFor(t *testing.T, d time.Duration, cfg RunConfig) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	cfg.Log = quiet()
	if err := Run(ctx, cfg); err != nil {
		t.Fatal(err)
	}
}

func TestRunSendsEachMembersRecordsAsTheyHappen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		members := Members(6)
		fakes, doors := fakeDoors(6)
		opt := Options{Rate: 60, AttackEvery: -1, CampaignEvery: -1}
		began := time.Now()
		var stats Stats
		runFor(t, 120*time.Second, RunConfig{Members: members, Doors: doors, Options: opt, Stats: &stats})
		want := 10 * 120 * Rhythm(began.In(opt.withDefaults().Zone))
		total := 0
		for m, f := range fakes {
			total += len(f.lines)
			if n := float64(len(f.lines)); math.Abs(n-want) > 0.15*want+20 {
				t.Errorf("member %d sent %v records, want about %.0f", m, n, want)
			}
			for i, line := range f.lines {
				if behind := f.at[i].Sub(timeOf(t, line)); behind < 0 || behind > 3*time.Second {
					t.Fatalf("record sent %v after it happened", behind)
				}
			}
		}
		if got := stats.Accepted.Load(); got != int64(total) || stats.Failed.Load() != 0 {
			t.Errorf("stats: %d accepted, %d failed, want %d and none", got, stats.Failed.Load(), total)
		}
	})
}

// While the door is away nothing is sent; then at most a minute is made up.
func TestRunMakesUpForAMinuteAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fakes, doors := fakeDoors(1)
		fakes[0].wait = 10 * time.Minute
		runFor(t, 21*time.Minute, RunConfig{Members: Members(1), Doors: doors, Options: Options{Rate: 10, AttackEvery: -1, CampaignEvery: -1}})
		if len(fakes[0].lines) == 0 {
			t.Fatal("nothing was sent at all")
		}
		for i, line := range fakes[0].lines {
			if behind := fakes[0].at[i].Sub(timeOf(t, line)); behind > 12*time.Minute {
				t.Fatalf("record of %v ago was sent", behind)
			}
		}
	})
}

func TestRunSilencesOnlyTheMemberWhoseKeyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fakes, doors := fakeDoors(3)
		fakes[0].fail = func(int) error { return &sender.RefusedError{Status: 401} }
		fakes[1].fail = func(post int) error {
			if post%2 == 0 {
				return errors.New("door is away")
			}
			return nil
		}
		runFor(t, 30*time.Second, RunConfig{Members: Members(3), Doors: doors, Options: Options{Rate: 30}})
		if fakes[0].posts != 1 || fakes[1].posts < 25 || fakes[2].posts < 25 {
			t.Errorf("posts: %d, %d, %d; want 1 and about 29 of the others", fakes[0].posts, fakes[1].posts, fakes[2].posts)
		}
	})
}

func TestRunRefusesUnequalNumbers(t *testing.T) {
	_, doors := fakeDoors(2)
	if err := Run(t.Context(), RunConfig{Members: Members(3), Doors: doors, Log: quiet()}); err == nil {
		t.Error("three members ran through two doors")
	}
}

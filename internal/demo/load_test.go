package demo

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/rules"
	"github.com/aspis-platform/aspis/sigma"
)

func TestLoadKeepsItsRateAndPlantsNeedles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fakes, doors := fakeDoors(3)
		for _, f := range fakes {
			f.wait = 30 * time.Millisecond
		}
		got, err := Load(t.Context(), LoadConfig{Doors: doors, Rate: 1000, Lines: 100, Duration: 6 * time.Second, NeedleEvery: 4})
		if err != nil || got.Err != nil {
			t.Fatal(err, got.Err)
		}
		if got.Batches != 60 || got.Records != 60*100+15 || got.Accepted != got.Records || got.Failed != 0 {
			t.Errorf("result = %+v, want 60 batches of 100 and 15 needles", got)
		}
		if len(got.Needles) != 15 || got.Late != 0 || got.Answers[len(got.Answers)/2] != 30*time.Millisecond {
			t.Errorf("%d needles, late by %v, answers of %v", len(got.Needles), got.Late, got.Answers)
		}
		for _, n := range got.Needles {
			if n.Accepted.Sub(n.Sent) != 30*time.Millisecond || !holds(fakes[n.Door], n.Marker) {
				t.Errorf("needle %+v is not at its door", n)
			}
		}
	})
}

func holds(f *fakeDoor, marker string) bool {
	for _, line := range f.lines {
		if bytes.Contains(line, []byte(`"Hostname":"`+marker+`"`)) {
			return true
		}
	}
	return false
}

// Without a rate the connections send one batch after another; a slow door
// makes no backlog.
func TestLoadWithoutRateFollowsTheAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fakes, doors := fakeDoors(1)
		fakes[0].wait = 100 * time.Millisecond
		got, err := Load(t.Context(), LoadConfig{Doors: doors, Lines: 10, Connections: 3, Duration: time.Second, NeedleEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		if got.Batches != 30 || len(got.Needles) != 0 || got.Records != 300 {
			t.Errorf("%d batches, %d records, %d needles; want 30, 300, none", got.Batches, got.Records, len(got.Needles))
		}
	})
}

// An offer that the door cannot take in time is told, not hidden.
func TestLoadTellsHowLateItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fakes, doors := fakeDoors(1)
		fakes[0].wait = time.Second
		got, err := Load(t.Context(), LoadConfig{Doors: doors, Rate: 100, Lines: 10, Connections: 1, Duration: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if got.Late < 5*time.Second || got.Elapsed < 9*time.Second {
			t.Errorf("late by %v after %v, want ten batches of a second each on one connection", got.Late, got.Elapsed)
		}
	})
}

func TestLoadCountsFailuresAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fakes, doors := fakeDoors(1)
		broken := errors.New("broken")
		fakes[0].fail = func(post int) error {
			if post == 2 {
				return broken
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		got, err := Load(ctx, LoadConfig{Doors: doors, Rate: 100, Lines: 10, Duration: time.Hour, NeedleEvery: -1})
		if err != nil || got.Elapsed > 3*time.Second {
			t.Fatalf("error %v after %v", err, got.Elapsed)
		}
		if got.Failed != 10 || !errors.Is(got.Err, broken) || got.Accepted != got.Records-10 {
			t.Errorf("result = %+v, want one failed batch", got)
		}
	})
}

// The records of a load are of the present, all different, and fire nothing;
// the needles fire.
func TestLoadRecordsAreQuietNeedlesAreNot(t *testing.T) {
	set, problems := sigma.Load(rules.FS(), sigma.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	matcher := sigma.NewEngine(set.Rules(), sigma.EngineOptions{}).NewMatcher()
	now := time.Date(2026, 1, 15, 2, 3, 4, 567_000_000, time.UTC)
	p, seen := newPool(500), map[string]bool{}
	for n := range int64(2 * poolBatches) {
		for line := range bytes.Lines(p.fill(nil, n, now)) {
			line = bytes.TrimSpace(line)
			if seen[string(line)] || bytes.Contains(line, []byte("2002-02-03")) || bytes.Contains(line, []byte("@@")) {
				t.Fatalf("repeated or unfinished: %s", line)
			}
			seen[string(line)] = true
			if at := timeOf(t, line); !at.Equal(now) {
				t.Fatalf("time %v of %s", at, line)
			}
			if f := firings(t, set, matcher, line); len(f) != 0 {
				t.Fatalf("%v fired by %s", f, line)
			}
		}
	}
	f := firings(t, set, matcher, RecoveryNeedle("needle-1.bench.example", now))
	if len(f) != 1 || f[0] != "recovery-destroyed" {
		t.Errorf("needle fired %v", f)
	}
}

func firings(t *testing.T, set *sigma.Ruleset, m *sigma.Matcher, line []byte) (out []string) {
	t.Helper()
	ev, err := event.Decode(line, event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	m.Match(ev, func(r *sigma.Rule) bool {
		if set.Standalone(r) {
			out = append(out, folder(r))
		}
		return true
	})
	return out
}

func BenchmarkFill(b *testing.B) {
	p, now := newPool(500), time.Now()
	var body []byte
	var n int64
	for b.Loop() {
		body = p.fill(body[:0], n, now)
		n++
	}
	b.ReportMetric(float64(n*500)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(len(body))/500, "bytes/record")
}

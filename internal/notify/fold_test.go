package notify

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// mailed is a mail with the events that it tells of.
type mailed struct {
	at     time.Time
	events []int
}

// fold lets events happen and sends what is due, as the store does.
func fold(gaps []int, r Rules) []mailed {
	var f Fold
	var sent []mailed
	var collecting mailed
	now := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	send := func() {
		if f.Pending != "" && !collecting.at.After(now) {
			sent = append(sent, collecting)
			f = f.Close(collecting.at, r.Burst)
		}
	}
	for i, gap := range gaps {
		now = now.Add(time.Duration(gap) * time.Second)
		send()
		switch s := f.add(now, r.Window, r.Burst); {
		case s.pending != "":
			collecting.events = append(collecting.events, i)
		case s.collect:
			collecting, f.Pending = mailed{s.due, []int{i}}, fmt.Sprint("summary ", i)
		default:
			sent = append(sent, mailed{s.due, []int{i}})
		}
	}
	now = now.Add(r.Window)
	send()
	return sent
}

// Of the events of any window of time at most burst are mailed, the first at
// once, and every event is in one mail.
func TestBurstsAreFoldedAndNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(Table()).Draw(t, "topic")
		gaps := rapid.SliceOfN(rapid.IntRange(0, int(r.Window/time.Second)), 1, 200).Draw(t, "seconds between")
		sent := fold(gaps, r)
		seen := map[int]int{}
		for i, m := range sent {
			for _, e := range m.events {
				seen[e]++
			}
			n := 0
			for _, other := range sent[i:] {
				if other.at.Sub(m.at) < r.Window {
					n++
				}
			}
			if n > r.Burst {
				t.Fatalf("%d mails within %s, want at most %d", n, r.Window, r.Burst)
			}
		}
		for e := range gaps {
			if seen[e] != 1 {
				t.Fatalf("event %d is in %d mails", e, seen[e])
			}
		}
		if first := sent[0]; len(first.events) != 1 || first.events[0] != 0 {
			t.Fatalf("the first mail has %v", first.events)
		}
	})
}

func TestNextHour(t *testing.T) {
	for _, c := range []struct{ now, want string }{
		{"2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z"}, // 07:59:59 in Taipei
		{"2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"},
		{"2026-03-02T12:00:00Z", "2026-03-03T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := nextHour(now, 8).Format(time.RFC3339); got != c.want {
			t.Errorf("after %s: %s, want %s", c.now, got, c.want)
		}
	}
}

func TestPausesGrowAndStayWithinADay(t *testing.T) {
	var whole time.Duration
	attempts := 0
	for ; whole < patience; attempts++ {
		d := pause(attempts + 1)
		if d < 7*time.Second || d > 4*time.Hour {
			t.Fatalf("pause %d is %s", attempts+1, d)
		}
		whole += d
	}
	if attempts < 10 || attempts > 25 {
		t.Errorf("%d attempts in a day", attempts)
	}
}

func TestTheTableIsWhole(t *testing.T) {
	for _, r := range Table() {
		if r.Burst < 1 || r.Window <= 0 || r.Icon == "" {
			t.Errorf("%s has no folding or icon", r.Topic)
		}
		if r.Urgent && (r.Mailbox != Now || !r.Fixed) {
			t.Errorf("%s is urgent, and a member could be left without it", r.Topic)
		}
	}
}

package main

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tally is what senders know of their records, by marker, and what the
// history and the alerts hold of them.
type tally struct {
	acknowledged map[string]bool // the door said that it has them
	unanswered   map[string]bool // sent, but no answer came: there at most once
	needles      map[string]string
	history      map[string]int
	alerts       map[string][]int // counts of the alerts on a host
}

func newTally() *tally {
	return &tally{
		acknowledged: map[string]bool{}, unanswered: map[string]bool{}, needles: map[string]string{},
		history: map[string]int{}, alerts: map[string][]int{},
	}
}

// complaints are all breaches of the promise: what was acknowledged is in the
// history exactly once, nothing is there twice or came from nowhere, and each
// needle's host has one alert that counts its records.
func (y *tally) complaints() []string {
	var all []string
	for _, marker := range slices.Sorted(maps.Keys(y.acknowledged)) {
		if n := y.history[marker]; n != 1 {
			all = append(all, fmt.Sprintf("acknowledged %s is %d times in the history", marker, n))
		}
	}
	for _, marker := range slices.Sorted(maps.Keys(y.history)) {
		n := y.history[marker]
		switch {
		case y.acknowledged[marker]:
		case !y.unanswered[marker]:
			all = append(all, fmt.Sprintf("%s is in the history and was never sent", marker))
		case n > 1:
			all = append(all, fmt.Sprintf("unanswered %s is %d times in the history", marker, n))
		}
	}
	return append(all, y.alertComplaints()...)
}

func (y *tally) alertComplaints() []string {
	records := map[string]int{}
	for marker, host := range y.needles {
		records[host] += min(y.history[marker], 1)
	}
	var all []string
	for _, host := range slices.Sorted(maps.Keys(records)) {
		want := []int{records[host]}
		if records[host] == 0 {
			want = nil
		}
		if got := y.alerts[host]; !slices.Equal(got, want) {
			all = append(all, fmt.Sprintf("alerts on %s count %v records, want %v", host, got, want))
		}
	}
	for _, host := range slices.Sorted(maps.Keys(y.alerts)) {
		if _, known := records[host]; !known {
			all = append(all, fmt.Sprintf("alerts on %s, where no needle was", host))
		}
	}
	return all
}

// TestTally plants every fault that the crash test must notice.
func TestTally(t *testing.T) {
	for _, tc := range []struct {
		name  string
		plant func(*tally)
		want  []string
	}{
		{"nothing wrong", func(*tally) {}, nil},
		{"unanswered and there", func(y *tally) { y.history["c"] = 1 }, nil},
		{"lost", func(y *tally) { delete(y.history, "a") }, []string{"acknowledged a is 0 times in the history"}},
		{"doubled", func(y *tally) { y.history["a"] = 2 }, []string{"acknowledged a is 2 times in the history"}},
		{"unanswered and doubled", func(y *tally) { y.history["c"] = 2 }, []string{"unanswered c is 2 times in the history"}},
		{"from nowhere", func(y *tally) { y.history["x"] = 1 }, []string{"x is in the history and was never sent"}},
		{"needle lost", func(y *tally) { delete(y.history, "n1") },
			[]string{"acknowledged n1 is 0 times in the history", "alerts on h count [2] records, want [1]"}},
		{"no alert", func(y *tally) { delete(y.alerts, "h") }, []string{"alerts on h count [] records, want [2]"}},
		{"two alerts", func(y *tally) { y.alerts["h"] = []int{1, 1} }, []string{"alerts on h count [1 1] records, want [2]"}},
		{"counted twice", func(y *tally) { y.alerts["h"] = []int{3} }, []string{"alerts on h count [3] records, want [2]"}},
		{"alert of an unanswered needle that is not there", func(y *tally) { y.alerts["g"] = []int{1} },
			[]string{"alerts on g count [1] records, want []"}},
		{"alert from nowhere", func(y *tally) { y.alerts["x"] = []int{1} }, []string{"alerts on x, where no needle was"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			y := newTally()
			y.acknowledged = map[string]bool{"a": true, "b": true, "n1": true, "n2": true}
			y.unanswered = map[string]bool{"c": true, "n3": true}
			y.needles = map[string]string{"n1": "h", "n2": "h", "n3": "g"}
			y.history = map[string]int{"a": 1, "b": 1, "n1": 1, "n2": 1}
			y.alerts = map[string][]int{"h": {2}}
			tc.plant(y)
			if diff := cmp.Diff(tc.want, y.complaints()); diff != "" {
				t.Errorf("complaints (-want +got):\n%s", diff)
			}
		})
	}
}

package identity

import (
	"fmt"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

func fixed(now *time.Time) func() time.Time { return func() time.Time { return *now } }

func TestThrottleRecovers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	th := newThrottle(fixed(&now))
	pair := []budget{{"pair", 5, 30 * time.Second}}
	for i := range 5 {
		if err := th.check(pair); err != nil {
			t.Fatalf("failure %d: %v", i, err)
		}
		th.failed(pair)
	}
	if err := th.check(pair); !errs.Is(err, errs.TooMany) {
		t.Errorf("after five failures: %v", err)
	}
	now = now.Add(30 * time.Second)
	if err := th.check(pair); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestThrottleForgetsTheLongestUnused(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	th := newThrottle(fixed(&now))
	for i := range maxBudgets + 10 {
		th.failed([]budget{{fmt.Sprint(i), 1, time.Hour}})
	}
	if len(th.byKey) != maxBudgets || th.order.Len() != maxBudgets {
		t.Errorf("%d keys, %d in order", len(th.byKey), th.order.Len())
	}
	if th.check([]budget{{"0", 1, time.Hour}}) != nil {
		t.Error("the longest unused is remembered")
	}
}

func TestNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":           "192.0.2.7",
		"::ffff:192.0.2.7":    "192.0.2.7",
		"2001:db8:1:2:3::4":   "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::": "2001:db8:1:2::/64",
		"not an address":      "not an address",
	} {
		if got := network(address); got != want {
			t.Errorf("%s is in %s, want %s", address, got, want)
		}
	}
}

// A thousand failures are four entries, and memory is bounded.
func TestTallyFolds(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ta := newTally(fixed(&now))
	var written []int
	for range 1000 {
		if n, write := ta.add("mei"); write {
			written = append(written, n)
		}
	}
	if fmt.Sprint(written) != "[1 10 100 1000]" {
		t.Errorf("written at %v", written)
	}
	now = now.Add(2 * tallyWindow)
	if n, write := ta.add("mei"); n != 1 || !write {
		t.Errorf("a new window: %d, %v", n, write)
	}
	for i := range 3 * maxTally {
		ta.add(fmt.Sprint(i))
	}
	if len(ta.runs) > maxTally {
		t.Errorf("%d accounts are remembered", len(ta.runs))
	}
}

package ratelimit

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(2, 3, 10, time.Now)
		for i := range 3 {
			if wait := b.Take("a"); wait != 0 {
				t.Errorf("token %d of the burst: wait %v", i, wait)
			}
		}
		wait := b.Take("a")
		if wait <= 0 || wait > 500*time.Millisecond {
			t.Fatalf("the empty bucket says wait %v", wait)
		}
		if other := b.Take("b"); other != 0 {
			t.Errorf("another name waits %v", other)
		}
		time.Sleep(wait)
		if again := b.Take("a"); again != 0 {
			t.Errorf("after the wait that was named: wait %v", again)
		}
		if b.Take("a") == 0 {
			t.Error("asking gave a token")
		}
		time.Sleep(time.Hour)
		for range 3 {
			b.Take("a")
		}
		if b.Take("a") == 0 {
			t.Error("an hour gave more than a burst")
		}
	})
}

// TestRateHolds: many at once never get more than the burst and the rate.
func TestRateHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(10, 20, 10, time.Now)
		var passed atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 200 {
					if b.Take("one") == 0 {
						passed.Add(1)
					}
					time.Sleep(50 * time.Millisecond)
				}
			})
		}
		all.Wait()
		if n := passed.Load(); n < 115 || n > 121 { // 20 + 10 a second for 10 seconds
			t.Errorf("%d of 1,600 passed in ten seconds", n)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	b := New(1, 1, 100, time.Now)
	for i := range 10_000 {
		b.Take(fmt.Sprint(i))
	}
	if len(b.byName) != 100 || b.order.Len() != 100 {
		t.Errorf("%d names, %d buckets are remembered", len(b.byName), b.order.Len())
	}
}

func TestPlace(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::9": "2001:db8:1:2::/64",
	} {
		if got := Place(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
}

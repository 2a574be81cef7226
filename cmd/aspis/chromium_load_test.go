package main

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// What a first load may carry, in bytes as they travel, and how long its
// largest paint may take.
const (
	mostAtFirst    = 250 << 10
	longestToPaint = time.Second
)

// paintScript is when the largest paint was, in milliseconds after the start.
const paintScript = `new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime)).observe({type: "largest-contentful-paint", buffered: true}))`

// TestFirstLoad opens the homes and the inbox with nothing in the cache. Bytes
// are counted; the time of the largest paint is told, and held against the
// goal in the long suite, where nothing else runs.
func TestFirstLoad(t *testing.T) {
	look := openEyes(t)
	g := staff(t).guide(t)
	for _, first := range []stop{
		{sector.DutyManager, "", "/"}, {sector.Analyst, "", "/alerts"}, {sector.MemberStaff, "", "/"}, {sector.MemberStaff, "", "/inbox"},
		{sector.Supervisor, "", "/"}, {"", "", "/sign-in"},
	} {
		b := look.open(t, g.server.url, i18n.ZhHant)
		g.become(b, first.role)
		var bytes, files atomic.Int64
		err := chromedp.Listen(b.ctx, func(ev any) {
			if e, ok := ev.(*network.EventLoadingFinished); ok {
				bytes.Add(int64(e.EncodedDataLength))
				files.Add(1)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		command(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		b.do(chromedp.Navigate(b.base+first.path), chromedp.Sleep(300*time.Millisecond))
		ms, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](paintScript, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		painted := time.Duration(ms * float64(time.Millisecond)).Round(time.Millisecond)
		t.Logf("%v: %d files, %d bytes, largest paint after %v", first, files.Load(), bytes.Load(), painted)
		if n := bytes.Load(); n > mostAtFirst || n == 0 {
			t.Errorf("%v loads %d bytes, want at most %d", first, n, mostAtFirst)
		}
		if painted > longestToPaint && long() {
			t.Errorf("%v: the largest paint is after %v, want at most %v", first, painted, longestToPaint)
		}
	}
}

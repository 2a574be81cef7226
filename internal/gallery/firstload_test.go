package gallery

import (
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/aspis-platform/aspis/internal/sector"
)

// mostAtFirst is what a first load may carry, in bytes as they travel.
const mostAtFirst = 250 << 10

// TestBrowserFirstLoadIsSmall counts what a browser with nothing in its cache
// loads for the console's home and for a page with charts. A graph's library
// comes with a page that has a graph, and no other.
func TestBrowserFirstLoadIsSmall(t *testing.T) {
	for path, graph := range map[string]bool{"/": false, "/pulse": false, "/design": true} {
		v := newVisitor(t, sector.DutyManager)
		var bytes, files atomic.Int64
		err := chromedp.Listen(v.ctx, func(ev any) {
			if e, ok := ev.(*network.EventLoadingFinished); ok {
				bytes.Add(int64(e.EncodedDataLength))
				files.Add(1)
			}
		})
		if err == nil {
			_, err = chromedp.Call(v.ctx, network.Enable, network.EnableParams{})
		}
		if err != nil {
			t.Fatal(err)
		}
		ready := `new Promise((done) => new PerformanceObserver((list) => done(Math.round(list.getEntries().at(-1).startTime))).observe({type: "largest-contentful-paint", buffered: true}))`
		v.do(t, chromedp.Navigate(v.url+path), chromedp.WaitVisible(chromedp.CSS("h1")))
		if graph {
			v.do(t, chromedp.WaitVisible(chromedp.CSS(".graph canvas")))
		}
		t.Logf("%s: %d files, %d bytes, largest paint after %d ms", path, files.Load(), bytes.Load(), ask(t, v, chromedp.Evaluate[int](ready, chromedp.EvalAwaitPromise)))
		if n := bytes.Load(); !graph && n > mostAtFirst || n == 0 {
			t.Errorf("%s loads %d bytes, want at most %d", path, n, mostAtFirst)
		}
		loaded := ask(t, v, chromedp.Evaluate[bool](`performance.getEntriesByType("resource").some((e) => e.name.includes("/graphview-"))`))
		if loaded != graph {
			t.Errorf("%s loads the graph's library: %v", path, loaded)
		}
		v.content(t)
	}
}

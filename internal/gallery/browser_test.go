package gallery

import (
	"context"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/static"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// visitor is a real browser, signed in. It keeps what the browser complains
// about: refused by the policy, not found, thrown.
type visitor struct {
	ctx context.Context
	url string

	mu         sync.Mutex
	complaints []string
}

func newVisitor(t *testing.T, role sector.Role) *visitor {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on this machine: the islands are not tried in a browser")
	}
	if assets, err := static.Load(); err != nil || !assets.Built() {
		t.Skip("the assets are not built (npm run build): the islands are not tried in a browser")
	}
	kit := webtest.New(t)
	mount(t, kit)
	srv := httptest.NewServer(kit.Handler)
	t.Cleanup(srv.Close)
	alloc, stop := chromedp.NewExecAllocator(t.Context(), chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); end() })
	v := &visitor{ctx: ctx, url: srv.URL}
	cookie := kit.Cookie(t, role)
	set := network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: srv.URL}
	if _, err := chromedp.Call(ctx, network.SetCookie, set); err != nil {
		t.Fatal(err)
	}
	go v.listen()
	return v
}

// listen ends with the browser.
func (v *visitor) listen() {
	for m, err := range chromedp.Console(v.ctx) {
		if err != nil {
			return
		}
		v.mu.Lock()
		v.complaints = append(v.complaints, m.String()+" "+m.URL)
		v.mu.Unlock()
	}
}

func (v *visitor) content(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.complaints {
		t.Errorf("the browser says: %s", c)
	}
}

const patience = 15 * time.Second

func (v *visitor) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func (v *visitor) press(t *testing.T, keys ...string) {
	t.Helper()
	for _, k := range keys {
		v.do(t, chromedp.KeyEvent(k))
	}
}

func ask[T any](t *testing.T, v *visitor, a chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	answer, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestBrowserFollowsTheLoop(t *testing.T) {
	v := newVisitor(t, sector.Analyst)
	total := `document.querySelector(".loop-wide [data-stage=door] [data-part=total]").textContent`
	v.do(t, chromedp.Navigate(v.url+"/pulse"), chromedp.WaitVisible(chromedp.CSS(".u-wrap")))
	first := ask(t, v, chromedp.Evaluate[string](total))
	ask(t, v, chromedp.Poll[bool](total+` !== "`+first+`"`))
	if n := ask(t, v, chromedp.Evaluate[int](`document.querySelectorAll(".plot canvas").length`)); n != 2 {
		t.Errorf("%d charts are drawn, want 2", n)
	}
	if ask(t, v, chromedp.Evaluate[bool](`document.querySelector(".live").classList.contains("lost")`)) {
		t.Error("the page says that the connection is lost")
	}
	v.content(t)
}

func TestBrowserKeyboard(t *testing.T) {
	v := newVisitor(t, sector.Administrator)
	v.do(t, chromedp.Navigate(v.url+"/admin/members"), chromedp.WaitVisible(chromedp.CSS("table[data-island=rows]")))
	v.press(t, "j", "j", "j", "k")
	if at := ask(t, v, chromedp.Evaluate[int](`[...document.querySelectorAll("tbody tr")].findIndex(r => r.ariaSelected === "true")`)); at != 1 {
		t.Errorf("row %d is selected, want 1", at)
	}
	v.press(t, "?")
	if !ask(t, v, chromedp.Evaluate[bool](`document.querySelector("#keys").open`)) {
		t.Error("? opens no help")
	}
	v.press(t, kb.Escape, "f")
	if at := ask(t, v, chromedp.Evaluate[bool](`document.activeElement.name === "q" && document.activeElement.form.matches(".filter")`)); !at {
		t.Error("f does not lead to the filter")
	}
	// The protocol types the key although its keydown was prevented.
	ask(t, v, chromedp.Evaluate[int](`document.activeElement.value = "", 0`))
	v.press(t, "j", "a", "d", "e", kb.Enter)
	v.do(t, chromedp.WaitVisible(chromedp.CSS(".filter .clear")))
	if where := ask(t, v, chromedp.Location()); !strings.HasSuffix(where, "/admin/members?q=jade") {
		t.Errorf("filtered to %s", where)
	}
	v.press(t, "j", kb.Enter)
	v.do(t, chromedp.WaitVisible(chromedp.CSS("dl.facts")))
	if where := ask(t, v, chromedp.Location()); !strings.HasSuffix(where, "/admin/members/jade-bank") {
		t.Errorf("Enter opens %s", where)
	}
	v.content(t)
}

func TestBrowserCopiesAsItIs(t *testing.T) {
	v := newVisitor(t, sector.Analyst)
	v.do(t, chromedp.Navigate(v.url+"/design"), chromedp.WaitVisible(chromedp.CSS(".ioc")))
	ask(t, v, chromedp.Evaluate[int](`window.copied = []; Object.defineProperty(navigator, "clipboard", {value: {writeText: t => (copied.push(t), Promise.resolve())}}); 0`))
	v.do(t, chromedp.Click(chromedp.CSS(".ioc .copy")))
	ask(t, v, chromedp.Poll[bool](`window.copied.length > 0`))
	if got := ask(t, v, chromedp.Evaluate[[]string](`window.copied`)); len(got) != 1 || got[0] != "https://pay.example.com/login?a=1" {
		t.Errorf("copied %q", got)
	}
	v.content(t)
}

func TestBrowserSearch(t *testing.T) {
	v := newVisitor(t, sector.Analyst)
	v.do(t, chromedp.Navigate(v.url+"/design"), chromedp.WaitVisible(chromedp.CSS("#find")))
	v.press(t, "/")
	if id := ask(t, v, chromedp.Evaluate[string](`document.activeElement.id`)); id != "find" {
		t.Errorf("/ leads to %q", id)
	}
	ask(t, v, chromedp.Evaluate[int](`document.activeElement.value = "", 0`)) // see TestBrowserKeyboard
	v.do(t, chromedp.KeyEvent("malware"))
	ask(t, v, chromedp.Poll[bool](`document.querySelectorAll("#find-options [role=option]").length > 5`))
	v.press(t, kb.ArrowDown, kb.ArrowDown, kb.ArrowDown, kb.ArrowUp)
	if at := ask(t, v, chromedp.Evaluate[string](`document.querySelector("#find").getAttribute("aria-activedescendant")`)); at != "suggest-advisory-1" {
		t.Errorf("the arrows lead to %q", at)
	}
	v.press(t, kb.Escape)
	if !ask(t, v, chromedp.Evaluate[bool](`document.querySelector("#find-options").hidden && document.querySelector("#find").ariaExpanded === "false"`)) {
		t.Error("Escape does not close the list")
	}
	v.press(t, kb.ArrowDown)
	ask(t, v, chromedp.Evaluate[int](`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})), 0`))
	v.arrive(t, "/advisories/")
	v.do(t, chromedp.Navigate(v.url+"/design"), chromedp.WaitVisible(chromedp.CSS("#find")))
	ask(t, v, chromedp.Evaluate[int](`document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true})), 0`))
	v.press(t, "x", kb.Enter)
	v.arrive(t, "/search?q=x")
}

// arrive waits until the browser is at an address that begins so.
func (v *visitor) arrive(t *testing.T, path string) {
	t.Helper()
	at, err := "", error(nil)
	for range 100 {
		at, err = chromedp.Run(v.ctx, chromedp.Location())
		if err == nil && strings.HasPrefix(at, v.url+path) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the browser is at %s and not at %s (%v)", at, path, err)
}

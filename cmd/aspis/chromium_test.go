package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/web/static"
)

// The sizes at which every page is looked at.
const (
	wideWidth, wideHeight = 1440, 900
	phoneWidth            = 390
)

// maxShift is the layout shift that a page may have in its life; 0.1 is what
// the web at large calls good.
const maxShift = 0.02

// tabPatience is how long a page may take on a machine that does other things.
const tabPatience = 20 * time.Second

// chromium is the browser of the system, or a reason to skip.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no chromium on the path: the pages were not looked at in a browser")
	return ""
}

// browse starts a headless browser with an empty profile.
func browse(t *testing.T) context.Context {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(wideWidth, wideHeight),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-color-profile", "srgb"),
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	t.Cleanup(func() {
		closing, done := context.WithTimeout(ctx, 10*time.Second)
		defer done()
		_ = chromedp.Cancel(closing) // the process is killed below at the latest
		cancel()
		stop()
	})
	return ctx
}

// eyes are what looking at pages takes: a browser, and the words that pages
// are made of.
type eyes struct {
	browser context.Context
	texts   *i18n.Catalogue

	examined map[string]bool // kinds of page, by language
}

// openEyes skips the test where the pages cannot be looked at.
func openEyes(t *testing.T) eyes {
	t.Helper()
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	if !assets.Built() {
		t.Skip("the assets are not built (make assets): the pages were not looked at in a browser")
	}
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return eyes{browse(t), texts, map[string]bool{}}
}

// tab is a person's window: cookies of its own, and everything the browser
// complained about since the last look.
type tab struct {
	*testing.T
	ctx   context.Context
	shut  context.CancelFunc
	base  string
	wide  int64 // px, when it is not a phone's
	lang  i18n.Lang
	texts *i18n.Catalogue

	examined map[string]bool // shared by the windows of a test
	looked   int             // pages examined
	shapes   map[string]bool // see fresh; nil: each kind of page is examined once

	mu       sync.Mutex
	faults   []string
	expected string // in what the browser complains of: a refusal that is an answer
}

// watchScript counts what a page must not do, from its first moment on.
const watchScript = `
window.__shift = 0;
window.__policy = [];
new PerformanceObserver((list) => {
  for (const e of list.getEntries()) if (!e.hadRecentInput) window.__shift += e.value;
}).observe({ type: "layout-shift", buffered: true });
document.addEventListener("securitypolicyviolation", (e) => window.__policy.push(e.violatedDirective + " " + e.blockedURI));`

// open makes a window of a person whose browser prefers the language.
func (e eyes) open(t *testing.T, base string, lang i18n.Lang) *tab {
	t.Helper()
	b := &tab{T: t, base: base, wide: wideWidth, lang: lang, texts: e.texts, examined: e.examined}
	b.begin(e.browser, chromedp.WithNewBrowserContext())
	return b
}

// beside is another tab of the same person.
func (b *tab) beside() *tab {
	b.Helper()
	other := &tab{T: b.T, base: b.base, wide: b.wide, lang: b.lang, texts: b.texts, examined: b.examined}
	other.begin(b.ctx)
	return other
}

// begin opens the tab and starts to listen.
func (b *tab) begin(parent context.Context, options ...chromedp.ContextOption) {
	b.Helper()
	b.ctx, b.shut = chromedp.NewContext(parent, options...)
	b.Cleanup(func() {
		if b.Failed() {
			b.lastSight()
		}
		b.shut()
	})
	if err := chromedp.Do(b.ctx); err != nil {
		b.Fatal(err)
	}
	if err := chromedp.Listen(b.ctx, b.hear); err != nil {
		b.Fatal(err)
	}
	command(b, log.Enable, cdp.Empty{})
	command(b, network.Enable, network.EnableParams{})
	command(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": string(b.lang)}})
	command(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchScript})
	b.resize(b.wide)
}

// command sends one command of the protocol to the window.
func command[P, R any](b *tab, c cdp.Command[P, R], params P) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, c, params); err != nil {
		b.Fatalf("%s: %v", c.Method, err)
	}
}

func (b *tab) resize(width int64) {
	b.Helper()
	command(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: wideHeight, DeviceScaleFactor: 1})
}

// hear keeps errors of the console, of scripts and of the browser.
func (b *tab) hear(ev any) {
	var fault string
	switch e := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			fault = "console.error " + fmt.Sprint(e.Args)
		}
	case *runtime.EventExceptionThrown:
		fault = "exception " + e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !b.expects(e.Entry.Text) {
			fault = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if fault != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults = append(b.faults, fault)
	}
}

// expects tells an answer from a fault: a form that came back with a mistake is
// none, nor is what was said to come.
func (b *tab) expects(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(text, "status of 422") || b.expected != "" && strings.Contains(text, b.expected)
}

// expect says what will be complained of from now on.
func (b *tab) expect(complaint string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = complaint
}

// faultsSoFar hands over what was heard.
func (b *tab) faultsSoFar() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.faults
	b.faults = nil
	return list
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, tabPatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("at %s: %v", b.place(), err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](b *tab, expression string) T {
	b.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return got
}

// place is the page's path with its query.
func (b *tab) place() string {
	at, err := chromedp.Run(b.ctx, chromedp.Location())
	if err != nil {
		return "unknown: " + err.Error()
	}
	return strings.TrimPrefix(at, b.base)
}

func (b *tab) visit(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.base + path))
	b.look()
}

// turn does something that leads to another page, and looks at that page.
func (b *tab) turn(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ask[bool](b, "window.__old = true")
	b.do(steps...)
	eventually(b, tabPatience, func() string {
		there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`window.__old === undefined && document.readyState === "complete"`))
		if err != nil || !there {
			return fmt.Sprintf("still at %s (%v)", b.place(), err)
		}
		return ""
	})
	b.look()
}

// click follows a link or presses a button that leads to another page.
func (b *tab) click(selector string) {
	b.Helper()
	b.turn(chromedp.Click(chromedp.CSS(selector)))
}

// press is a key, as a keyboard sends it: what a page handles itself types
// nothing.
func press(key string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key}
		if key == "Enter" {
			down.Text, down.Code, down.WindowsVirtualKeyCode = "\r", key, 13
		}
		if key == "Escape" {
			down.Text, down.Code, down.WindowsVirtualKeyCode = "", key, 27
		}
		up := down
		up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
		for _, event := range []input.DispatchKeyEventParams{down, up} {
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event); err != nil {
				return err
			}
		}
		return nil
	})
}

// fill sets a field as if it had been typed.
func (b *tab) fill(selector, value string) {
	b.Helper()
	ask[bool](b, fmt.Sprintf(`(() => { const f = document.querySelector(%q); f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})); return true })()`, selector, value))
}

// check marks a box or a radio button, whatever it was.
func (b *tab) check(selector string) {
	b.Helper()
	ask[bool](b, fmt.Sprintf(`(() => { const f = document.querySelector(%q); if (!f.checked) f.click(); return true })()`, selector))
}

// word is a text in the window's language.
func (b *tab) word(key string, args ...any) string { return b.texts.T(b.lang, key, args...) }

// says expects texts of the page, by key.
func (b *tab) says(keys ...string) {
	b.Helper()
	for _, key := range keys {
		b.shows(b.word(key))
	}
}

// shows expects words on the page.
func (b *tab) shows(words ...string) {
	b.Helper()
	text := ask[string](b, "document.body.innerText")
	for _, w := range words {
		if !strings.Contains(text, w) {
			b.Errorf("%s at %s does not show %q:\n%.3000s", b.lang, b.place(), w, text)
		}
	}
}

// until waits for an expression to hold.
func (b *tab) until(expression string) {
	b.Helper()
	eventually(b, tabPatience, func() string {
		if ask[bool](b, "Boolean("+expression+")") {
			return ""
		}
		return "not so at " + b.place() + ": " + expression
	})
}

// sight is what look reads of a page.
type sight struct {
	Lang     string
	Heading  string
	Overflow int
	Shift    float64
	Policy   []string
	Labels   []string
	Keys     []string
}

// lookScript reads the page. Labels are the texts of everything that is words
// of ours: what the data says (links in rows, code, names) is left out.
const lookScript = `(() => {
  const shown = (e) => e.getClientRects().length > 0;
  const words = [...document.querySelectorAll("h1, h2, h3, th:not(.code), label > span:first-child, label:not(:has(span)), legend, dt, button, nav a, summary, .hint, .chart-title, .state p")]
    .filter((e) => shown(e) && !e.closest("[lang]:not(html), [translate=no], .crumbs, .pick-members, .reach-n") && !e.querySelector("code"))
    .map((e) => e.textContent.trim()).filter(Boolean);
  const keys = document.body.innerText.match(/\b[a-z]+(\.[a-z_0-9-]+)+\b/g) ?? [];
  return {
    Lang: document.documentElement.lang, Heading: document.querySelector("h1")?.textContent ?? "",
    Overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    Shift: window.__shift, Policy: window.__policy, Labels: words, Keys: [...new Set(keys)],
  };
})()`

// look checks what every page owes its readers: no complaint of the browser,
// nothing that moves, nothing beyond the edge, all words in one language. Where
// shapes are kept, a page without anything new is only glanced at.
func (b *tab) look() {
	b.Helper()
	at := b.place()
	fresh := b.fresh(at)
	if fresh || b.shapes == nil {
		time.Sleep(150 * time.Millisecond) // scripts run and the page has been painted
	}
	seen := ask[sight](b, lookScript)
	if seen.Lang != string(b.lang) || seen.Heading == "" {
		b.Errorf("%s is in %q with heading %q, want %q", at, seen.Lang, seen.Heading, b.lang)
	}
	if seen.Shift > maxShift {
		b.Errorf("%s (%s) moved by %.3f", at, b.lang, seen.Shift)
	}
	if seen.Overflow > 0 {
		b.Errorf("%s (%s) is %d px too wide for %d", at, b.lang, seen.Overflow, b.wide)
	}
	if fresh {
		b.examine(at)
	}
	if fresh || b.shapes == nil {
		b.onPhone(at)
	}
	for _, fault := range append(b.faultsSoFar(), seen.Policy...) {
		b.Errorf("%s (%s): %s", at, b.lang, fault)
	}
	b.translated(at, seen)
}

// onPhone expects the page to fit the width of a phone.
func (b *tab) onPhone(at string) {
	b.Helper()
	b.resize(phoneWidth)
	over := 0
	for range 10 { // pictures follow the width a moment later
		if over = ask[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over <= 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if over > 0 {
		b.Errorf("%s (%s) is %d px too wide for %d", at, b.lang, over, phoneWidth)
	}
	b.resize(b.wide)
	ask[int](b, "window.__shift = 0")
}

// axeScript asks axe-core, in both themes, for what breaks WCAG 2.2 A and AA,
// with everything opened that is folded up, and leaves the page as it was.
const axeScript = `(async () => {
  const root = document.documentElement, theme = root.dataset.theme, found = new Set();
  const folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((d) => d.open = true);
  for (root.dataset.theme of ["light", "dark"]) {
    const result = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], rules: {"target-size": {enabled: true}}, resultTypes: ["violations"]});
    for (const v of result.violations) found.add(v.id + " (" + root.dataset.theme + "): " + v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | "));
  }
  folded.forEach((d) => d.open = false);
  root.dataset.theme = theme;
  return [...found];
})()`

// examine looks for barriers.
func (b *tab) examine(at string) {
	b.Helper()
	for _, barrier := range b.barriers() {
		b.Errorf("%s (%s): %s", at, b.lang, barrier)
	}
}

// barriers are what axe finds and, where shapes are kept, what the keyboard
// does. The protocol evaluates the examination, so that the pages' policy stays
// as it is.
func (b *tab) barriers() []string {
	b.Helper()
	axe, err := os.ReadFile("../../node_modules/axe-core/axe.min.js")
	if err != nil {
		return nil // npm ci was not run
	}
	ask[bool](b, string(axe)+"; true")
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](axeScript, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("examining %s: %v", b.place(), err)
	}
	if b.shapes != nil {
		found = append(found, b.keyboard()...)
	}
	return found
}

// shapeScript is what kinds of elements the page has, and in what.
const shapeScript = `[...new Set([...document.querySelectorAll("body *:not(svg *)")]
  .map((e) => [e.parentElement.tagName, e.parentElement.className, e.tagName, e.className, e.type ?? ""].join(" ")))]`

// fresh reports whether the page is of a kind that was not examined yet or,
// where shapes are kept, has something that the pages of its kind did not.
func (b *tab) fresh(at string) bool {
	b.Helper()
	path, _, _ := strings.Cut(at, "?")
	kind := identifiers.ReplaceAllString(path, "{id}") + " " + string(b.lang)
	fresh := !b.examined[kind]
	b.examined[kind] = true
	if b.shapes == nil {
		return fresh
	}
	for _, shape := range ask[[]string](b, shapeScript) {
		fresh = fresh || !b.shapes[kind+shape]
		b.shapes[kind+shape] = true
	}
	if fresh {
		b.looked++
	}
	return fresh
}

var identifiers = regexp.MustCompile(`[0-9a-f-]{20,}(:\d+)?`)

// translated expects our words in the page's language.
func (b *tab) translated(at string, seen sight) {
	b.Helper()
	for _, key := range seen.Keys {
		if b.texts.Has(key) {
			b.Errorf("%s (%s) shows the key %s", at, b.lang, key)
		}
	}
	for _, label := range seen.Labels {
		if han := strings.ContainsFunc(label, func(r rune) bool { return unicode.Is(unicode.Han, r) }); han == (b.lang == i18n.ZhHant) {
			continue
		}
		if strings.ContainsFunc(label, unicode.IsLetter) && !slices.Contains(international(), label) && !strings.HasPrefix(label, "Aspis") {
			b.Errorf("%s (%s) says %q", at, b.lang, label)
		}
	}
}

// international are the words that are the same in both languages.
func international() []string { return []string{"SHA-256", "Go", "EN", "UTC", "中文"} }

// screenshots go to the folder that ASPIS_SCREENSHOTS names, if it names one;
// their names end with the language.
func (b *tab) screenshot(name string) {
	b.Helper()
	name += "-" + strings.ToLower(string(b.lang)[:2])
	dir := os.Getenv("ASPIS_SCREENSHOTS")
	if dir == "" {
		return
	}
	raw, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		raw, err = fewerColours(raw)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), raw, 0o600)
	}
	if err != nil {
		b.Fatalf("screenshot %s: %v", name, err)
	}
	if len(raw) > 200<<10 {
		b.Errorf("screenshot %s has %d bytes", name, len(raw))
	}
}

// lastSight keeps what a window showed when the test failed.
func (b *tab) lastSight() {
	dir := os.Getenv("ASPIS_SCREENSHOTS")
	if dir == "" {
		return
	}
	raw, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "failed-"+strings.NewReplacer("/", "-", "?", "-").Replace(b.place())+".png"), raw, 0o600)
	}
	if err != nil {
		b.Logf("a last screenshot: %v", err)
	}
}

// query is a path with a query.
func query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + q.Encode()
}

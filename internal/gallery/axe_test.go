package gallery

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// axeRun asks axe-core for what breaks WCAG 2.2 A and AA. The protocol
// evaluates it, so that the pages' policy stays as strict as it is.
const axeRun = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"]})
	.then((r) => r.violations.map((v) => v.id + ": " + v.nodes.slice(0, 4).map((n) => n.target.join(" ") + " " + n.failureSummary.split("\n").slice(1).join(";")).join(" | ")))`

// openAll opens what is folded up: axe does not look into it, and on wide
// screens the navigation is shown although it is.
const openAll = `;document.querySelectorAll("details").forEach((d) => d.open = true); true`

const closeAll = `document.querySelectorAll("details").forEach((d) => d.open = false); true`

func axe(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip("axe-core is not installed (npm ci): the pages are not examined")
	}
	return string(raw)
}

// prefer sets the cookies that keep language and theme.
func (v *visitor) prefer(t *testing.T, name, value string) {
	t.Helper()
	if _, err := chromedp.Call(v.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: v.url}); err != nil {
		t.Fatal(err)
	}
}

func (v *visitor) width(t *testing.T, px int64) {
	t.Helper()
	set := emulation.SetDeviceMetricsOverrideParams{Width: px, Height: 900, DeviceScaleFactor: 1}
	if _, err := chromedp.Call(v.ctx, emulation.SetDeviceMetricsOverride, set); err != nil {
		t.Fatal(err)
	}
}

// TestBrowserFindsNoBarriers examines every page that the kit serves, in both
// languages and both themes, and on a phone looks that no page scrolls
// sideways.
func TestBrowserFindsNoBarriers(t *testing.T) {
	script := axe(t)
	for role, paths := range map[sector.Role][]string{
		sector.DutyManager:   {"/", "/pulse", "/design", "/admin/health"},
		sector.Administrator: {"/admin/members", "/admin/members/jade-bank", "/admin/members/new", "/admin/people", "/nowhere"},
		sector.MemberStaff:   {"/", "/pulse"},
		sector.Supervisor:    {"/"},
		sector.Trainee:       {"/", "/pulse"},
	} {
		v := newVisitor(t, role)
		for _, lang := range i18n.Langs() {
			v.prefer(t, "lang", string(lang))
			for _, theme := range []string{"light", "dark"} {
				v.prefer(t, "theme", theme)
				for _, path := range paths {
					v.width(t, 1280)
					v.do(t, chromedp.Navigate(v.url+path), chromedp.WaitVisible(chromedp.CSS("h1")))
					ask(t, v, chromedp.Evaluate[bool](script+openAll))
					for _, found := range ask(t, v, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise)) {
						t.Errorf("%s as %s, %s, %s: %s", path, role, lang, theme, found)
					}
					ask(t, v, chromedp.Evaluate[bool](closeAll))
					if dir := os.Getenv("ASPIS_GALLERY_SHOTS"); dir != "" {
						v.shoot(t, fmt.Sprintf("%s/%s-%s-%s-%s.png", dir, role, strings.ReplaceAll(path[1:], "/", "-"), lang, theme))
					}
					v.width(t, 390)
					if over := ask(t, v, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`)); over > 0 {
						t.Errorf("%s as %s, %s: %d px wider than a phone", path, role, lang, over)
					}
					if dir := os.Getenv("ASPIS_GALLERY_SHOTS"); dir != "" && theme == "light" {
						v.shoot(t, fmt.Sprintf("%s/%s-%s-%s-phone.png", dir, role, strings.ReplaceAll(path[1:], "/", "-"), lang))
					}
				}
			}
		}
	}
}

func (v *visitor) shoot(t *testing.T, file string) {
	t.Helper()
	raw := ask(t, v, chromedp.FullScreenshot(100))
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBrowserFindsAPlantedBarrier proves that the examination can fail.
func TestBrowserFindsAPlantedBarrier(t *testing.T) {
	script := axe(t)
	v := newVisitor(t, sector.MemberStaff)
	v.do(t, chromedp.Navigate(v.url+"/"), chromedp.WaitVisible(chromedp.CSS("h1")))
	ask(t, v, chromedp.Evaluate[bool](script+`; document.querySelector("h1").style.color = "#eee"; document.querySelector("nav a").textContent = ""`+openAll))
	found := strings.Join(ask(t, v, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise)), "\n")
	for _, rule := range []string{"color-contrast: h1", "link-name: "} {
		if !strings.Contains(found, rule) {
			t.Errorf("%s is not found in:\n%s", rule, found)
		}
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// mishaps is what goes wrong between people and their browsers.
type mishaps struct {
	*guide
	look eyes
	lang i18n.Lang
}

// window is a window of its own of somebody who is signed in.
func (m *mishaps) window(role sector.Role) *tab {
	m.Helper()
	b := m.look.open(m.T, m.server.url, m.lang)
	m.become(b, role)
	return b
}

// TestMishapsInTheBrowser: two tabs, the back button, links that were used,
// closed tabs, two people at one form, files behind an old proof. Nothing is
// lost, nothing is shown to whom it must not be, and the words are the
// reader's.
func TestMishapsInTheBrowser(t *testing.T) {
	look := openEyes(t)
	for _, lang := range i18n.Langs() {
		if lang != i18n.ZhHant && !long() {
			continue
		}
		// A proof gives its session another cookie, which the people do not know:
		// each language has a centre of its own.
		m := &mishaps{guide: staff(t).guide(t), look: look, lang: lang}
		for name, mishap := range map[string]func(){
			"used link": m.usedLink, "closed tab": m.closedTab, "two people": m.twoPeople,
			"two tabs": m.twoTabs, "downloads": m.downloads, "back": m.back,
		} {
			began := time.Now()
			mishap()
			t.Logf("%s, %s: %v", name, lang, time.Since(began).Round(100*time.Millisecond))
		}
	}
}

// usedLink: a one-time link works once, and says so the second time; so does
// one that never was.
func (m *mishaps) usedLink() {
	m.Helper()
	var made struct{ Path string }
	aspisJSON(m, &made, "", "admin", "create-link", "--data", m.server.data, "--email", "analyst@centre.example")
	for i, path := range []string{made.Path, made.Path, "/enrol#never-was"} {
		b := m.look.open(m.T, m.server.url, m.lang)
		b.visit(path)
		b.expect("status of 4") // a refusal is an answer here
		b.click(`form[action="/enrol"] button`)
		if at := b.place(); i == 0 && at != "/" {
			m.Errorf("the link leads to %s", at)
		}
		if i > 0 {
			b.says("signin.link_invalid")
		}
	}
}

// draftKept: a draft lies in the browser's storage, for whom nobody else reads.
const draftKept = `Object.keys(localStorage).some((name) => name.startsWith("draft:"))`

// closedTab: what was written is there when the page is opened again, for
// whoever wrote it and for nobody else, and can be thrown away.
func (m *mishaps) closedTab() {
	m.Helper()
	again := m.window(sector.DutyManager)
	b := again.beside()
	path := "/alerts/" + m.alert
	text := "半夜三點寫到一半 / half written " + string(m.lang)
	b.visit(path)
	b.fill("#f-note", text)
	b.until(draftKept)
	if kept := ask[string](b, "JSON.stringify(localStorage)"); strings.Contains(kept, "half written") {
		m.Errorf("the draft lies there in the clear: %s", kept)
	}
	b.shut()
	again.visit(path)
	again.until(fmt.Sprintf(`document.querySelector("#f-note").value === %q`, text))
	again.says("common.form.draft")
	m.become(again, sector.SOCAnalyst)
	again.visit(path)
	if got := ask[string](again, `document.querySelector("#f-note").value`); got != "" {
		m.Errorf("somebody else is shown the draft %q", got)
	}
	m.become(again, sector.DutyManager)
	again.visit(path)
	again.click(".draft button")
	if got := ask[string](again, `document.querySelector("#f-note").value`); got != "" {
		m.Errorf("the draft that was thrown away is there: %q", got)
	}
}

// twoPeople write one advisory at the same time: the second is shown what the
// first has saved beside what they wrote, and nothing is overwritten unseen,
// nor by a draft from before.
func (m *mishaps) twoPeople() {
	m.Helper()
	id := m.draft("兩人同時修改", "Two write at once")
	path := "/advisories/" + id + "/edit"
	first, second := m.window(sector.Analyst), m.window(sector.IntelAnalyst)
	first.visit(path)
	second.visit(path)
	second.fill("#f-body_en", "The second person's words.")
	second.until(draftKept)
	first.fill("#f-title_en", "The first person's title")
	first.click(`button[name="then"][value="edit"]`)
	second.visit(path) // the page is newer than the draft
	second.until(`document.querySelector(".draft") !== null`)
	second.says("common.form.draft")
	second.expect("status of 409")
	second.click(`button[name="then"][value="edit"]`)
	second.says("common.versions.title")
	second.shows("The first person's title", "The second person's words.")
	var versions int
	for _, want := range []string{"first person", "second person"} {
		if strings.Contains(ask[string](second, `document.querySelector(".versions").innerText`), want) {
			versions++
		}
	}
	if versions != 2 {
		m.Error("the two versions are not beside each other")
	}
	if got := m.people[sector.Analyst].page(path).form(m, path).values.Get("title_en"); got != "The first person's title" {
		m.Errorf("what was saved first is now %q", got)
	}
}

// twoTabs: an alert that was changed in another tab is not changed again
// unseen, and the note that was written is kept for a second try.
func (m *mishaps) twoTabs() {
	m.Helper()
	one := m.window(sector.SOCAnalyst)
	path := "/alerts/" + m.alert
	one.visit(path)
	two := one.beside()
	two.visit(path)
	note := "寫於另一個分頁 / of another tab, " + string(m.lang)
	for _, b := range []*tab{one, two} {
		b.expect("status of 409")
		b.fill("#f-note", note+b.word("monitor.alert.save"))
		b.click(`form[action="` + path + `"] button.primary`)
	}
	two.says("monitor.alert_changed")
	two.click(`form[action="` + path + `"] button.primary`)
	two.says("monitor.alert.saved")
	if n := strings.Count(ask[string](two, "document.body.innerText"), note); n != 2 {
		m.Errorf("%d of two notes are there", n)
	}
}

// downloads: a proof from the ledger and a list as a file are given after the
// person has proved who it is, at once while that is fresh.
func (m *mishaps) downloads() {
	m.Helper()
	age(m, m.server.data)
	folder := m.TempDir()
	b := m.window(sector.Administrator)
	b.savesTo(folder)
	b.visit("/ledger?action=advisory.release")
	b.click("tbody tr td a")
	eventually(m, time.Minute, func() string { // the log's next checkpoint
		b.visit(b.place())
		if !ask[bool](b, `document.querySelector('form[action$="/proof"]') !== null`) {
			return "the entry is not in the log yet"
		}
		return ""
	})
	entry := b.place()
	b.click(`form[action$="/proof"] button.primary`)
	b.says("signin.prove.title")
	m.proves(b)
	proof := m.arrives(folder, ".tlog-proof")
	b.visit(entry)
	command := ask[string](b, `document.querySelector('form[action$="/proof"] pre').textContent`)
	_, pub, _ := strings.Cut(command, "--key ")
	if got := aspis(m, "", "ledger", "verify-proof", proof, "--key", strings.TrimSpace(pub)); got.code != 0 {
		m.Errorf("the proof does not verify: %s %s", got.out, got.err)
	}
	if err := os.Remove(proof); err != nil {
		m.Fatal(err)
	}
	b.do(chromedp.Click(chromedp.CSS(`form[action$="/proof"] button.primary`))) // fresh: no question
	m.arrives(folder, ".tlog-proof")
	age(m, m.server.data)
	b.visit("/admin/members?sector=banking")
	b.do(chromedp.Click(chromedp.CSS(".list-tools details:last-of-type summary")))
	b.turn(chromedp.Click(chromedp.CSS(`button[formaction*="format=csv"]`)))
	b.says("signin.prove.title")
	m.proves(b)
	raw, err := os.ReadFile(m.arrives(folder, ".csv"))
	if err != nil || !strings.Contains(string(raw), string(m.member.ID)) || strings.Contains(string(raw), string(m.members[1].ID)) {
		m.Errorf("the list of banks is %q (%v)", raw, err)
	}
}

// proves answers the question who is there; the answer is a file, so that the
// page stays.
func (m *mishaps) proves(b *tab) {
	m.Helper()
	code := wallets.code(m, m.people[sector.Administrator].who)
	b.do(chromedp.SendKeys(chromedp.CSS("#f-proof-password"), password), chromedp.SendKeys(chromedp.CSS("#f-proof-code"), code),
		chromedp.Click(chromedp.CSS(`form:has(#f-proof-code) button.primary`)))
}

// arrives waits for a file with the ending.
func (m *mishaps) arrives(folder, ending string) string {
	m.Helper()
	var found []string
	eventually(m, tabPatience, func() string {
		found, _ = filepath.Glob(filepath.Join(folder, "*"+ending)) // the pattern is ours
		if len(found) != 1 {
			return "no file *" + ending
		}
		return ""
	})
	return found[0]
}

// back: after signing out the back button shows the sign-in page and nothing
// of what was there, neither from a cache nor from the memory of the tab; drafts
// are gone with their writer.
func (m *mishaps) back() {
	m.Helper()
	var made struct{ Path string }
	aspisJSON(m, &made, "", "admin", "create-link", "--data", m.server.data, "--email", "duty@centre.example")
	b := m.look.open(m.T, m.server.url, m.lang)
	m.enter(b, m.server.url+made.Path)
	b.visit("/alerts/" + m.alert)
	b.shows("203[.]0[.]113[.]90")
	b.fill("#f-note", "left behind")
	b.until(draftKept)
	b.click(`form[action="/sign-out"] button`)
	b.until(`Object.keys(localStorage).length === 0`)
	for range 2 {
		b.do(chromedp.NavigateBack())
		b.until(`document.readyState === "complete"`)
		if text := ask[string](b, "document.documentElement.outerHTML"); strings.Contains(text, "203[.]0[.]113[.]90") || !strings.HasPrefix(b.place(), "/sign-in") {
			m.Errorf("the back button leads to %s:\n%.500s", b.place(), text)
		}
	}
}

// savesTo lets the window download.
func (b *tab) savesTo(folder string) {
	b.Helper()
	c := chromedp.FromContext(b.ctx)
	_, err := cdp.Call(b.ctx, c.Browser, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, BrowserContextID: c.BrowserContextID})
	if err != nil {
		b.Fatal(err)
	}
}

package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// print is the page on paper: the words of each sheet, without blanks.
func (b *tab) print(name string) []string {
	b.Helper()
	yes := true
	got, err := chromedp.Call(b.ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: &yes, PrintBackground: new(bool)})
	if err != nil {
		b.Fatal(err)
	}
	if dir := os.Getenv("ASPIS_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+"-"+string(b.lang)+".pdf"), got.Data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	doc := readPDF(b, got.Data)
	var sheets []string
	for _, p := range doc.pages {
		sheets = append(sheets, doc.words(p))
	}
	return sheets
}

// TestPrintedPages prints what people print: an advisory as the centre and as
// a member reads it, an alert, an entry of the ledger, recovery codes. What
// can only be pressed is not on the paper, the marking is on every sheet, and
// sheets are numbered.
func TestPrintedPages(t *testing.T) {
	look := openEyes(t)
	g := staff(t).guide(t)
	long := g.draft("分多頁列印的警訊", "A warning of several sheets")
	var indicators strings.Builder
	for i := range 120 {
		fmt.Fprintf(&indicators, "host-%d.printed.example.net\n", i)
	}
	at := "/advisories/" + long
	g.people[sector.Analyst].fill(at+"/edit", at+"/edit", url.Values{"indicators": {indicators.String()}})
	entry := ""
	for _, link := range g.people[sector.Administrator].page("/ledger?action=advisory.release").links(t) {
		if strings.HasPrefix(link, "/ledger/") {
			entry = link
		}
	}
	for _, lang := range i18n.Langs() {
		b := look.open(t, g.server.url, lang)
		zh := lang == i18n.ZhHant
		title := map[bool]string{true: "分多頁列印的警訊", false: "A warning of several sheets"}[zh]
		for _, c := range []struct {
			role   sector.Role
			path   string
			name   string
			sheets int // at least
			tlp    string
			shows  []string
		}{
			{sector.Analyst, at, "printed-advisory", 2, "TLP:AMBER+STRICT", []string{title, "host-119[.]printed[.]example[.]net"}},
			{sector.MemberStaff, "/inbox/" + g.sent, "printed-inbox", 1, "TLP:AMBER+STRICT", []string{"update[.]staged-depot[.]example[.]net", b.word("answer.false_alarm")}},
			{sector.SOCAnalyst, "/alerts/" + g.alert, "printed-alert", 1, "", []string{"203[.]0[.]113[.]90", b.word("monitor.alert.why")}},
			{sector.Administrator, entry, "printed-entry", 1, "", []string{b.word("ledger.proof"), b.word("ledger.checkpoint")}},
		} {
			g.become(b, c.role)
			b.visit(c.path)
			sheets := b.print(c.name)
			b.onPaper(c.name, sheets, c.sheets, c.tlp, c.shows)
		}
		g.become(b, codesOf(lang))
		b.visit("/account")
		b.click(`form[action="/account/codes"] button`)
		codes := ask[[]string](b, `[...document.querySelectorAll(".recovery-codes code")].map((c) => c.textContent)`)
		b.onPaper("codes", b.print("printed-codes"), 1, "", append(codes, b.word("account.codes.title")))
	}
}

// codesOf is whose recovery codes are made anew in a language; it is not asked
// for a proof, having just given one.
func codesOf(lang i18n.Lang) sector.Role {
	if lang == i18n.En {
		return sector.Executive
	}
	return sector.IncidentHandler
}

// onPaper checks sheets.
func (b *tab) onPaper(name string, sheets []string, least int, tlp string, shows []string) {
	b.Helper()
	if len(sheets) < least {
		b.Errorf("%s (%s) has %d sheets, want %d at least", name, b.lang, len(sheets), least)
	}
	for i, sheet := range sheets {
		if tlp != "" && !strings.Contains(sheet, tlp) {
			b.Errorf("sheet %d of %s (%s) is not marked %s: %s", i+1, name, b.lang, tlp, sheet)
		}
		if number := fmt.Sprintf("%d/%d", i+1, len(sheets)); !strings.Contains(sheet, number) {
			b.Errorf("sheet %d of %s (%s) does not say %s: %s", i+1, name, b.lang, number, sheet)
		}
	}
	all := strings.Join(sheets, "")
	for _, want := range shows {
		if !strings.Contains(all, squeezed(want)) {
			b.Errorf("%s (%s) does not show %q: %s", name, b.lang, want, all)
		}
	}
	for _, key := range []string{"common.sign_out", "home.nav", "common.skip", "common.menu", "monitor.alert.save", "ledger.download_all", "account.codes.done", "account.codes.copy", "common.copy"} {
		if word := squeezed(b.word(key)); strings.Contains(all, word) {
			b.Errorf("%s (%s) has %q on paper", name, b.lang, word)
		}
	}
}

package intel

import (
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// show writes figures as they are shown.
func show(f Figures) string {
	parts := []string{f.Recipients.String(), f.Opened.String(), f.Answered.String()}
	for _, k := range AnswerKinds() {
		parts = append(parts, f.ByAnswer[k].String())
	}
	return strings.Join(parts, " ")
}

func TestFiguresWithholdSmallNumbers(t *testing.T) {
	tests := []struct {
		name                 string
		recipients, opened   int64
		not, affected, block int64
		want                 string
	}{
		{"nothing small", 20, 10, 4, 3, 3, "20 10 10 4 3 3 0 0 0"},
		{"nobody answered", 20, 0, 0, 0, 0, "20 0 0 0 0 0 0 0 0"},
		{"one small answer", 20, 13, 5, 1, 4, "20 13 10 * * * * * *"},
		{"two opened it without an answer", 20, 12, 5, 0, 5, "20 * 10 5 0 5 0 0 0"},
		{"and one small answer", 20, 12, 5, 1, 4, "20 * 10 * * * * * *"},
		{"one answer", 20, 12, 1, 0, 0, "20 12 * * * * * * *"},
		{"one opened it", 20, 1, 1, 0, 0, "20 * * * * * * * *"},
		{"all but one opened", 20, 19, 4, 3, 3, "20 * 10 4 3 3 0 0 0"},
		{"all but one answered", 20, 20, 12, 4, 3, "20 20 * * * * * * *"},
		{"a few recipients", 2, 1, 1, 0, 0, "* * * * * * * * *"},
	}
	authority := sector.Gate{}.Counts(sector.Viewer{Org: sector.Authority})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := show(newFigures(totals(test.recipients, test.opened, test.not, test.affected, test.block), authority))
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	if got := show(newFigures(totals(2, 1, 1, 0, 0), sector.Gate{}.Counts(sector.System()))); got != "2 1 1 1 0 0 0 0 0" {
		t.Errorf("the centre is shown %s", got)
	}
}

func totals(recipients, opened, not, affected, blocked int64) Totals {
	var t Totals
	t = t.Plus("", recipients-not-affected-blocked, opened)
	t = t.Plus(NotAffected, not, 0)
	t = t.Plus(Affected, affected, 0)
	return t.Plus(Blocked, blocked, 0)
}

func TestMailTextsAreHarmless(t *testing.T) {
	texts, err := loadMailTexts("https://centre.example/")
	if err != nil {
		t.Fatal(err)
	}
	ind, err := ParseIndicator("https://evil.example/x")
	if err != nil {
		t.Fatal(err)
	}
	due := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	r := ReleasedAdvisory{ID: "an-id", Revision: 1, Message: Message{
		Title: Text{Zh: "標題\r\nBcc: x@y.example", En: "Title\nX: y"}, Body: Text{Zh: "見 https://evil.example/x", En: "secret words"},
		Category: EWA, AnswerDue: due, Indicators: []Indicator{ind},
	}}
	for _, tlp := range append(sector.TLPs(), "") {
		for _, kind := range []NoticeKind{NoticeReleased, NoticeWithdrawn, NoticeOverdue} {
			r.Marking.TLP = tlp
			m, err := texts.compose(r, kind, false)
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(m.Subject, "\r\n") || !strings.Contains(m.Text, "https://centre.example/inbox/an-id") {
				t.Errorf("%s: subject %q, text %q", tlp, m.Subject, m.Text)
			}
			if strings.Contains(m.Text, "https://evil") {
				t.Errorf("%s: a live link: %s", tlp, m.Text)
			}
			full := !NoticeOnly(r.Marking)
			if told := strings.Contains(m.Text+m.Subject, "標題"); told != full {
				t.Errorf("%s, %s: holds the title: %v", tlp, kind, told)
			}
			if told := strings.Contains(m.Text, "secret words"); told != (full && kind == NoticeReleased) {
				t.Errorf("%s, %s: holds the body: %v", tlp, kind, told)
			}
			if (m.Title != Text{}) != full {
				t.Errorf("%s, %s: a machine is given the title %q", tlp, kind, m.Title)
			}
			if kind != NoticeWithdrawn && !strings.Contains(m.Text, "2026-03-02 12:00 (UTC+8)") {
				t.Errorf("%s: no due time: %s", tlp, m.Text)
			}
		}
		if m, err := texts.compose(r, NoticeReleased, true); err != nil || !strings.Contains(m.Text, "secret words") {
			t.Errorf("%s, encrypted: no body: %v", tlp, err)
		}
	}
}

func TestMailTextsNeedAnAddress(t *testing.T) {
	for _, base := range []string{"", "centre.example", "ftp://x", "javascript:alert(1)"} {
		if _, err := loadMailTexts(base); err == nil {
			t.Errorf("%q passed for the portal's address", base)
		}
	}
}

// FuzzReadAnswer: whatever is sent, the answer is one of ours to judge or an
// error of a kind that the edge explains.
func FuzzReadAnswer(f *testing.F) {
	f.Fuzz(func(t *testing.T, body string) {
		in, err := readAnswer(strings.NewReader(body))
		if err != nil && !errs.Is(err, errs.Invalid) {
			t.Fatalf("%q: %v", body, err)
		}
		r := ReleasedAdvisory{Message: Message{Category: INT}}
		if err == nil && checkAnswer(r, in.Answer, in.Reason) == nil && in.Answer.NeedsReason() {
			t.Fatalf("%q: an EWA answer to an INT advisory passes", body)
		}
	})
}

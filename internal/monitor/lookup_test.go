package monitor_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// Whoever pastes a piece of a command line finds it, and whoever takes signs
// for operators is told that they are none.
func TestALookUpIsLiteralAndSaysSo(t *testing.T) {
	s := newScene(t)
	at := webtest.Now().Add(-time.Hour)
	s.send(t, "jade-bank", "", `{"EventID":1,"CommandLine":"iex(New-Object Net.WebClient) AND *","Computer":"a.example"}`+"\n"+conn(at, "203.0.113.9"))
	stop := s.start(10)
	s.settle(t)
	stop()
	for query, want := range map[string]struct{ rows, hint bool }{
		"iex(new-object": {true, false}, "webclient) and *": {true, false}, "203[.]0[.]113[.]9": {true, false}, `"iex(New"`: {true, false},
		"foo(bar": {false, true}, `"203[.]0[.]113[.]9"`: {false, true}, "iex AND nothing": {false, true}, `c:\temp`: {false, true},
		"nothing": {false, false}, "host:a(b": {false, false},
	} {
		for _, lang := range i18n.Langs() {
			page := s.kit.Get(t, sector.Analyst, lang, "/events?q="+url.QueryEscape(query))
			webtest.Check(t, page)
			text := webtest.Text(page.Doc(t))
			phrase := strings.Trim(query, `"`)
			hint := s.kit.Texts.T(lang, "monitor.events.none_literal", phrase)
			if rows := picture(t, page) != ""; rows != want.rows || strings.Contains(text, hint) != want.hint {
				t.Errorf("%s in %s: rows %v, hint %v; want %+v", query, lang, rows, strings.Contains(text, hint), want)
			}
		}
	}
}

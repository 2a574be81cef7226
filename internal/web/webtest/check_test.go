package webtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

const good = `<!doctype html><html lang="en"><head><title>Alerts</title></head><body><h1>Alerts</h1>BODY</body></html>`

func TestProblemsAreFound(t *testing.T) {
	tests := map[string]string{
		`<p>fine &amp; well</p><label for="q">Find</label><input id="q" name="q"><button>Go</button>`: "",
		`<h1>again</h1>`:                               "2 <h1>",
		`<input name="q">`:                             `input "q" without a label`,
		`<label>Find <input name="q"></label>`:         "",
		`<p style="color:red">x</p>`:                   "inline style on <p>",
		`<button onclick="x()">x</button>`:             "inline handler onclick",
		`<script>x()</script>`:                         "inline <script>",
		`<script src="/x.js"></script>`:                "",
		`<style>p{}</style>`:                           "inline <style>",
		`<p>⟦no.key⟧</p>`:                              "⟦",
		`<p>&amp;lt;b&amp;gt;</p>`:                     "&lt;",
		`<p>%!d(string=x)</p>`:                         "%!",
		`<button></button>`:                            "button without a name",
		`<a href="/x"><svg></svg></a>`:                 `link to "/x" without a name`,
		`<a href="https://evil.example">x</a>`:         "without rel",
		`<p id="a"></p><p id="a"></p>`:                 `"a" is given 2 times`,
		`<input aria-label="x" aria-describedby="no">`: `"no", which is not there`,
		`<form><button>x</button></form>`:              "form without a method",
		`<img src="/x.png">`:                           "image without alt",
	}
	for body, want := range tests {
		got := Problems(Page{Lang: i18n.En, Body: strings.Replace(good, "BODY", body, 1)})
		switch {
		case want == "" && len(got) > 0:
			t.Errorf("%s: %q", body, got)
		case want != "" && !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, want) }):
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestLanguageIsChecked(t *testing.T) {
	if got := Problems(Page{Lang: i18n.ZhHant, Body: good}); len(got) != 2 {
		t.Errorf("an English page for a Chinese reader: %q, want its lang and its title", got)
	}
}

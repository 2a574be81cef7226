package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/static"
)

var noon = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

// bare is a shell with words and a clock only: enough for functions and
// templates.
func bare(t testing.TB) *Shell {
	t.Helper()
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	assets, err := static.LoadFS(fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	return &Shell{texts: texts, assets: assets, now: func() time.Time { return noon }}
}

func TestDefang(t *testing.T) {
	tests := map[string]string{
		"https://a.example.com/x.html?y=1.2": "hxxps://a[.]example[.]com/x.html?y=1.2",
		"http://user@a.example":              "hxxp://user[@]a[.]example",
		"FTP://a.example":                    "fxp://a[.]example",
		"a.example.com":                      "a[.]example[.]com",
		"192.0.2.1":                          "192[.]0[.]2[.]1",
		"2001:db8::1":                        "2001[:]db8::1",
		"2001:db8::/32":                      "2001[:]db8::/32",
		"::1":                                "[:]:1",
		"64:ff9b::192.0.2.1":                 "64[:]ff9b::192[.]0[.]2[.]1",
		"http://[2001:db8::1]:8080/a:b:c":    "hxxp://[2001[:]db8::1]:8080/a:b:c",
		"http://a.example:8080/a:b":          "hxxp://a[.]example:8080/a:b",
		"x@a.example":                        "x[@]a[.]example",
		"44d88612fea8a8f36de82e1278abb02f":   "44d88612fea8a8f36de82e1278abb02f",
		"":                                   "",
	}
	for value, want := range tests {
		if got := Defang(value); got != want {
			t.Errorf("%q becomes %q, want %q", value, got, want)
		}
	}
}

func TestDefangedIsNeverLive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.StringMatching(`[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){1,3}`).Draw(t, "host")
		scheme := rapid.SampledFrom([]string{"http://", "https://", "HTTPS://", ""}).Draw(t, "scheme")
		got := Defang(scheme + host)
		if strings.Contains(strings.ToLower(got), "http") || strings.Contains(got, host) {
			t.Fatalf("%q stays live as %q", scheme+host, got)
		}
	})
}

func TestTimes(t *testing.T) {
	s := bare(t)
	at := noon.Add(-3 * time.Minute)
	tests := []struct {
		lang i18n.Lang
		zone string
		want string
	}{
		{i18n.En, zoneTaipei, `<time class="at" datetime="2026-11-24T03:57:00.000Z" title="3 minutes ago">2026-11-24 11:57:00</time>`},
		{i18n.ZhHant, zoneTaipei, `<time class="at" datetime="2026-11-24T03:57:00.000Z" title="3 分鐘前">2026-11-24 11:57:00</time>`},
		{i18n.En, zoneUTC, `<time class="at" datetime="2026-11-24T03:57:00.000Z" title="3 minutes ago">2026-11-24 03:57:00</time>`},
	}
	for _, test := range tests {
		f := words{s, locale{test.lang, test.zone}}
		if got, err := f.time(at); err != nil || string(got) != test.want {
			t.Errorf("%s, %v; want %s", got, err, test.want)
		}
	}
	f := words{s, locale{i18n.En, zoneUTC}}
	distances := map[time.Duration]string{
		0: "just now", -time.Second: "just now", time.Minute: "in 1 minute", -time.Hour: "1 hour ago", -49 * time.Hour: "2 days ago",
	}
	for d, want := range distances {
		if got, err := f.distance(noon.Add(d)); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", d, got, err, want)
		}
	}
	if got, _ := f.time(time.Time{}); got != noValue {
		t.Errorf("the zero time is %s", got)
	}
}

func TestNumbers(t *testing.T) {
	f := words{shell: bare(t)}
	for _, test := range []struct{ got, want string }{
		{f.num(1234567), "1,234,567"}, {f.num(int64(-1000)), "-1,000"}, {f.num(uint64(12)), "12"}, {f.num(1234.56), "1,234.6"},
		{f.bytes(1023), "1023 B"}, {f.bytes(1536), "1.5 KiB"}, {f.bytes(5 << 30), "5.0 GiB"}, {f.bytes(3 << 60), "3072.0 PiB"},
		{f.rate(0.04), "0.0"}, {f.rate(9.94), "9.9"}, {f.rate(12345.6), "12,346"}, {f.percent(0.1234), "12.3%"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestMarksRefuseUnknownWords(t *testing.T) {
	f := words{bare(t), locale{i18n.En, zoneUTC}}
	for _, tlp := range sector.TLPs() {
		if html, err := f.tlp(tlp); err != nil || !strings.Contains(string(html), "TLP:"+string(tlp)) {
			t.Errorf("%s: %s, %v", tlp, html, err)
		}
	}
	if html, err := f.tlp("WHITE"); err == nil {
		t.Errorf("TLP:WHITE gives %s", html)
	}
	if html, err := f.severity("terrible"); err == nil {
		t.Errorf("severity gives %s", html)
	}
	if html, err := f.badge("pink", "common.live"); err == nil {
		t.Errorf("badge gives %s", html)
	}
	if html, err := f.marking(sector.Marking{}); err != nil || !strings.Contains(string(html), "TLP:AMBER") {
		t.Errorf("unmarked is %s, %v", html, err)
	}
}

func TestIndicatorEscapes(t *testing.T) {
	f := words{bare(t), locale{i18n.En, zoneUTC}}
	html, err := f.indicator(`http://a.example/"><img src=x>`)
	if err != nil || strings.Contains(string(html), "<img") || !strings.Contains(string(html), `data-copy="http://a.example/&#34;&gt;`) {
		t.Errorf("%s, %v", html, err)
	}
}

func TestViewsRefuseBrokenTemplates(t *testing.T) {
	tests := map[string]struct{ page, says string }{
		"unknown key":       {`{{t "no.such"}}`, `no text for "no.such"`},
		"key in a branch":   {`{{if true}}{{else}}{{badge "good" "no.such"}}{{end}}`, `no text for "no.such"`},
		"key in an operand": {`{{or "" (t "no.such")}}`, `no text for "no.such"`},
		"unknown part":      {`{{template "nope" .}}`, `no part "nope"`},
		"unknown function":  {`{{shout .}}`, "shout"},
		"open block":        {`{{if true}}`, "EOF"},
	}
	for name, test := range tests {
		_, err := bare(t).Views(fstest.MapFS{"x/a.html": {Data: []byte(test.page)}}, "x")
		if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "a.html") {
			t.Errorf("%s: %v, want %q and the file", name, err, test.says)
		}
	}
	if _, err := bare(t).Views(fstest.MapFS{}, "x"); err == nil {
		t.Error("a folder without pages is taken")
	}
	good := fstest.MapFS{"x/a.html": {Data: []byte(`{{template "row" .}}`)}, "x/_row.html": {Data: []byte(`{{define "row"}}{{t "common.live"}}{{end}}`)}}
	if _, err := bare(t).Views(good, "x"); err != nil {
		t.Errorf("a page with a part: %v", err)
	}
}

func listSpec() ListSpec {
	return ListSpec{
		Path:    "/things",
		Columns: []Column{{Key: "a", Sort: "time"}, {Key: "b", Sort: "name"}, {Key: "c"}},
		Filters: []Filter{{Name: "q", Kind: "text"}, {Name: "state", Kind: "select", Options: []Option{{Value: ""}, {Value: "open"}}}, {Name: "from", Kind: "time"}},
		Sort:    "time", Desc: true,
	}
}

func readList(t testing.TB, query string) List {
	t.Helper()
	return bare(t).ReadList(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/things?"+query, nil), listSpec())
}

func TestListState(t *testing.T) {
	l := readList(t, "q=+x+&state=open&sort=name&dir=desc&after=k9&evil=1")
	if l.Get("q") != "x" || l.Get("state") != "open" || l.Sorted != "name" || !l.Down || l.After != "k9" || l.Limit != 50 || !l.Filtered() {
		t.Errorf("%+v", l)
	}
	l.Next = "k10"
	for name, pair := range map[string][2]string{
		"next":       {l.NextURL(), "/things?after=k10&dir=desc&q=x&sort=name&state=open"},
		"first":      {l.FirstURL(), "/things?dir=desc&q=x&sort=name&state=open"},
		"turn round": {l.SortURL(l.Columns[1]), "/things?dir=asc&q=x&sort=name&state=open"},
		"by default": {l.SortURL(l.Columns[0]), "/things?dir=asc&q=x&sort=time&state=open"},
		"clear":      {l.ClearURL(), "/things"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s, want %s", name, pair[0], pair[1])
		}
	}
}

func TestListDropsWhatItDoesNotKnow(t *testing.T) {
	l := readList(t, "state=';drop&sort=password&dir=desc&q="+strings.Repeat("字", 400))
	if l.Get("state") != "" || l.Sorted != "time" || !l.Down || len(l.Get("q")) > maxValue {
		t.Errorf("%+v", l)
	}
	plain := readList(t, "")
	if plain.NextURL() != "" || plain.FirstURL() != "" || plain.Filtered() {
		t.Errorf("%+v", plain)
	}
}

func TestListTimesAreInTheViewersZone(t *testing.T) {
	want := time.Date(2026, 11, 24, 1, 30, 0, 0, time.UTC)
	if got := readList(t, "from=2026-11-24T09:30").Time("from"); !got.Equal(want) {
		t.Errorf("%s, want %s", got.UTC(), want)
	}
	if got := readList(t, "from=yesterday").Time("from"); !got.IsZero() {
		t.Errorf("nonsense is %s", got)
	}
}

// TestListRoundTrip: following a list's own links keeps its filters.
func TestListRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		q := strings.TrimSpace(rapid.StringN(0, 60, 200).Draw(rt, "q"))
		first := readList(t, url.Values{"q": {q}, "sort": {"name"}}.Encode())
		first.Next = rapid.StringMatching(`[a-zA-Z0-9_-]{1,20}`).Draw(rt, "next")
		u, err := url.Parse(first.NextURL())
		if err != nil {
			rt.Fatal(err)
		}
		second := readList(t, u.RawQuery)
		if second.Get("q") != first.Get("q") || second.Sorted != first.Sorted || second.After != first.Next {
			rt.Fatalf("%+v became %+v", first, second)
		}
	})
}

func TestForm(t *testing.T) {
	form := func() *Form {
		return NewForm(
			Field{Name: "a", Required: true, MaxLength: 3}, Field{Name: "p", Kind: "password"},
			Field{Name: "s", Kind: "select", Options: []Option{{Value: "x"}}},
			Field{Name: "c", Kind: "checks", Options: []Option{{Value: "x"}, {Value: "y"}}},
		)
	}
	tests := []struct {
		name, body, wrong string
	}{
		{"good", "a=+字字字+&p=+x+&s=x&c=x&c=y", ""},
		{"missing", "a=+", "a"},
		{"too long", "a=字字字字", "a"},
		{"unknown option", "a=1&s=z", "s"},
		{"unknown check", "a=1&c=x&c=z", "c"},
		{"not UTF-8", "a=%ff", "a"},
	}
	for _, test := range tests {
		f := form()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(test.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := f.Read(httptest.NewRecorder(), r); err != nil {
			t.Fatal(err)
		}
		if f.OK() != (test.wrong == "") {
			t.Errorf("%s: ok is %v", test.name, f.OK())
		}
		for name, field := range f.fields {
			if (field.Error != nil) != (name == test.wrong) {
				t.Errorf("%s: field %s: %v", test.name, name, field.Error)
			}
		}
		if test.wrong == "" && (f.Get("a") != "字字字" || f.Get("p") != " x " || len(f.All("c")) != 2) {
			t.Errorf("%s: %q %q %q", test.name, f.Get("a"), f.Get("p"), f.All("c"))
		}
	}
}

func TestFormIsBounded(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("a="+strings.Repeat("x", maxForm)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := NewForm().Read(httptest.NewRecorder(), r); err == nil || !strings.Contains(err.Error(), "error.form_size") {
		t.Errorf("%v", err)
	}
}

func TestHeatFollowsTheViewersDays(t *testing.T) {
	h := Heat{Start: time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC), Counts: []int64{1, 2, 100, 0}}
	taipei := words{bare(t), locale{i18n.En, zoneTaipei}}.heat(h)
	if len(taipei.Days) != 2 || len(taipei.Days[0].Cells) != 2 || taipei.Days[1].Label != "11-24" {
		t.Errorf("%+v", taipei.Days)
	}
	if utc := (words{bare(t), locale{i18n.En, zoneUTC}}).heat(h); len(utc.Days) != 1 {
		t.Errorf("%d days in UTC, want 1", len(utc.Days))
	}
	var levels []int
	for _, d := range taipei.Days {
		for _, c := range d.Cells {
			levels = append(levels, c.Level)
		}
	}
	if levels[0] != 1 || levels[2] != heatMax || levels[3] != 0 {
		t.Errorf("levels %v", levels)
	}
}

func TestChartTwinNeedsEqualLengths(t *testing.T) {
	c := Chart{ID: "x", Times: []time.Time{noon, noon.Add(time.Minute)}, Series: []Series{{Key: "a", Values: []int64{1, 2}}}}
	rows, err := c.Rows()
	if err != nil || len(rows) != 2 || rows[0].Cells[0] != "2" {
		t.Errorf("%+v, %v", rows, err)
	}
	c.Series[0].Values = []int64{1}
	if _, err := c.Rows(); err == nil {
		t.Error("a short series is taken")
	}
	c.Series[0] = Series{Key: "a", Withheld: true}
	if rows, err := c.Rows(); err != nil || rows[0].Cells[0] != "*" {
		t.Errorf("a withheld series: %+v, %v", rows, err)
	}
}

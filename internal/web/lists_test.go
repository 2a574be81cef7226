package web_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// things is a list with a column that is always there, two that may be left
// out, and a file of n rows.
func things(t *testing.T, n int) *webtest.Kit {
	t.Helper()
	kit := webtest.New(t)
	spec := web.ListSpec{Path: "/things", Export: true, Sort: "age", Columns: []web.Column{
		{Key: "admin.members.name"}, {Key: "admin.members.since", Name: "age", Sort: "age"}, {Key: "admin.members.mail", Name: "size"},
	}, Filters: []web.Filter{{Name: "q", Key: "admin.members.find", Kind: "text"}}}
	views, err := kit.Shell.Views(fstest.MapFS{"things.html": {Data: []byte(`<h1>{{t "admin.members.title"}}</h1>{{template "list-filter" .}}{{template "list-tools" .}}<table>{{template "list-head" .}}</table>`)}}, ".")
	if err != nil {
		t.Fatal(err)
	}
	kit.Shell.Nav(web.NavItem{Phase: web.Before, Key: "admin.members.title", Href: "/things", Icon: "bell", Need: sector.SignedIn})
	kit.Shell.Page(kit.Routes, "GET /things", sector.SignedIn, func(w http.ResponseWriter, r *http.Request) error {
		l, done, err := kit.Shell.Table(w, r, spec)
		if err != nil || done {
			return err
		}
		return views.Page(w, r, "things", web.Page{Title: "admin.members.title", Data: l})
	})
	kit.Shell.Page(kit.Routes, "POST /export/things", sector.SignedIn, kit.Shell.StepUp(func(w http.ResponseWriter, r *http.Request) error {
		l := kit.Shell.ReadList(r, spec)
		return kit.Shell.Export(w, r, l, "things", func(_ context.Context, after string) ([][]any, string, error) {
			var from int
			_, _ = fmt.Sscan(after, &from)
			var rows [][]any
			for i := from; i < min(n, from+1000); i++ {
				rows = append(rows, []any{fmt.Sprintf("=HYPERLINK(%d)", i), webtest.Now(), i})
			}
			if from+1000 < n {
				return rows, fmt.Sprint(from + 1000), nil
			}
			return rows, "", nil
		})
	}))
	return kit
}

func save(name, query string, preferred bool) url.Values {
	form := url.Values{"list": {"/things"}, "name": {name}, "query": {query}}
	if preferred {
		form.Set("preferred", "1")
	}
	return form
}

func TestListToolsInBothLanguages(t *testing.T) {
	kit := things(t, 0)
	kit.Post(t, sector.Analyst, i18n.En, "/views", save("Mine", "q=x&col=age", false))
	for _, lang := range i18n.Langs() {
		page := kit.Get(t, sector.Analyst, lang, "/things?q=a&col=size")
		webtest.Check(t, page)
		for _, want := range []string{`href="/things?col=age&amp;q=x"`, `formaction="/export/things?col=size&amp;format=xlsx&amp;q=a"`, `value="size" checked`} {
			if !strings.Contains(page.Body, want) {
				t.Errorf("%s is missing", want)
			}
		}
	}
}

func TestColumnsAreChosen(t *testing.T) {
	kit := things(t, 0)
	for query, want := range map[string]int{"?col=age&col=size": 3, "?col=size": 2, "": 3, "?col=nonsense": 3} {
		doc := kit.Get(t, sector.Analyst, i18n.En, "/things"+query).Doc(t)
		if n := len(webtest.Find(doc, func(n *html.Node) bool { return n.Data == "th" })); n != want {
			t.Errorf("%q shows %d columns, want %d", query, n, want)
		}
	}
}

func TestPreferredViewOpensFirst(t *testing.T) {
	kit := things(t, 0)
	saved := kit.Post(t, sector.Analyst, i18n.En, "/views", save("Mine", "q=x&after=secret&view=y", true))
	if saved.Header.Get("Location") != "/things?q=x" {
		t.Fatalf("saving led to %q (%d)", saved.Header.Get("Location"), saved.Status)
	}
	if page := kit.Get(t, sector.Analyst, i18n.En, "/things"); page.Header.Get("Location") != "/things?q=x" {
		t.Errorf("the list opened at %q", page.Header.Get("Location"))
	}
	if page := kit.Get(t, sector.Analyst, i18n.En, "/things?view=all"); page.Status != http.StatusOK {
		t.Errorf("past the preferred view: status %d", page.Status)
	}
	if page := kit.Get(t, sector.DutyManager, i18n.En, "/things"); page.Status != http.StatusOK || strings.Contains(page.Body, "Mine") {
		t.Errorf("somebody else is given the view: status %d", page.Status)
	}
	if stolen := kit.Post(t, sector.DutyManager, i18n.En, "/views/v0/drop", url.Values{"list": {"/things"}}); stolen.Status != http.StatusNotFound {
		t.Errorf("somebody else forgets the view: status %d", stolen.Status)
	}
	kit.Post(t, sector.Analyst, i18n.En, "/views/v0/drop", url.Values{"list": {"/things"}})
	if page := kit.Get(t, sector.Analyst, i18n.En, "/things"); page.Status != http.StatusOK {
		t.Errorf("a forgotten view opens first: status %d", page.Status)
	}
	if len(kit.Lists.Entries) != 2 || kit.Lists.Entries[0].Action != "view.save" || kit.Lists.Entries[1].Action != "view.drop" {
		t.Errorf("the ledger has %v", kit.Lists.Entries)
	}
}

func TestBadViewsAreRefused(t *testing.T) {
	kit := things(t, 0)
	for what, form := range map[string]url.Values{
		"no name":           save("", "q=x", false),
		"a name turned":     save("a\u202eb", "q=x", false),
		"a long name":       save(strings.Repeat("名", 61), "q=x", false),
		"another's address": {"list": {"https://evil.example"}, "name": {"x"}, "query": {""}},
		"no list":           {"list": {"/nowhere"}, "name": {"x"}, "query": {""}},
		"a bad query":       save("x", "q=%zz", false),
		"a long query":      save("x", "q="+strings.Repeat("x", 3000), false),
	} {
		if page := kit.Post(t, sector.Analyst, i18n.ZhHant, "/views", form); page.Status != http.StatusBadRequest && page.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", what, page.Status)
		}
	}
	if len(kit.Lists.Entries) != 0 {
		t.Errorf("the ledger has %v", kit.Lists.Entries)
	}
}

func TestExportIsWhatTheListShows(t *testing.T) {
	kit := things(t, 2500)
	page := kit.Post(t, sector.Analyst, i18n.En, "/export/things?format=csv&col=size&q=secret", nil)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(page.Body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2501 || len(rows[0]) != 2 || rows[2500][0] != "'=HYPERLINK(2499)" || rows[2500][1] != "2499" {
		t.Errorf("%d rows, the last %q", len(rows), rows[len(rows)-1])
	}
	if !strings.HasPrefix(page.Header.Get("Content-Disposition"), `attachment; filename="things-20261124-`) {
		t.Errorf("it is called %q", page.Header.Get("Content-Disposition"))
	}
	want := `{"columns":["size"],"filters":{"q":"…"},"format":"csv"}`
	if e := kit.Lists.Entries; len(e) != 1 || e[0].Action != "list.export" || e[0].Object != "list:/things" || e[0].Detail != want {
		t.Errorf("the ledger has %v", e)
	}
}

func TestExportIsCutAndSaysSo(t *testing.T) {
	page := things(t, 50_001).Post(t, sector.Analyst, i18n.En, "/export/things?format=csv", nil)
	if n := strings.Count(page.Body, "\r\n"); n != 50_002 || !strings.HasSuffix(page.Body, "\"Cut after 50,000 rows: narrow the filter for the rest.\"\r\n") {
		t.Errorf("%d lines, the last of %q", n, page.Body[max(0, len(page.Body)-80):])
	}
}

func TestExportAsExcel(t *testing.T) {
	page := things(t, 3).Post(t, sector.Analyst, i18n.ZhHant, "/export/things?format=xlsx", nil)
	book, err := excelize.OpenReader(bytes.NewReader([]byte(page.Body)))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err := book.GetRows("Sheet1")
	if err != nil || len(rows) != 4 || rows[1][0] != "'=HYPERLINK(0)" || rows[1][1] != webtest.Now().In(time.FixedZone("", 8*3600)).Format(time.RFC3339) {
		t.Errorf("the sheet holds %q, %v", rows, err)
	}
	if formula, err := book.GetCellFormula("Sheet1", "A2"); err != nil || formula != "" {
		t.Errorf("A2 is the formula %q, %v", formula, err)
	}
	if bad := things(t, 3).Post(t, sector.Analyst, i18n.ZhHant, "/export/things?format=exe", nil); bad.Status != http.StatusBadRequest && bad.Status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown format: status %d", bad.Status)
	}
}

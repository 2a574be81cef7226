// Package gallery is the design system on one page: every component in every
// state, with texts that are too long, empty, hostile or turned around. It is
// part of development builds only (go build -tags gallery) and of the tests,
// which also serve the other pages with invented figures, for looking at:
//
//	ASPIS_GALLERY=127.0.0.1:8099 go test -tags gallery -run Gallery -timeout 0 ./internal/gallery
//
// and then, for instance, /as/analyst?lang=zh-Hant&theme=dark&next=/.
package gallery

import (
	"embed"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

// Mount adds the page at /design.
func Mount(routes *access.Routes, sh *web.Shell, now func() time.Time) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	sh.Page(routes, "GET /design", sector.Public, func(w http.ResponseWriter, r *http.Request) error {
		m := designModel(now())
		l, done, err := sh.Table(w, r, designList())
		if err != nil || done {
			return err
		}
		l.Next = "more"
		m.List = l
		return views.Page(w, r, "design", web.Page{Title: "design.title", Data: m, Wide: true})
	})
	return nil
}

// design is one of each component.
type design struct {
	Now      time.Time
	TLPs     []sector.TLP
	PAPs     []sector.PAP
	Form     *web.Form
	Heat     web.Heat
	Chart    web.Chart
	Graph    web.Graph
	States   []web.State
	Values   []string
	Texts    []hostile
	List     web.List
	Flashes  []web.Flash
	Work     []web.Progress
	Versions *web.Versions
}

// hostile is a text that must not break what is around it.
type hostile struct{ Kind, Text string }

func texts() []hostile {
	return []hostile{
		{"design.text.long", strings.Repeat("冒用銀行名義之釣魚簡訊與偽冒網站持續擴散", 8)},
		{"design.text.word", strings.Repeat("unbroken", 30)},
		{"design.text.turned", "invoice\u202efdp.exe\u202c and \u2067אבג\u2069 \u061cالعربية"},
		{"design.text.hidden", "pay\u200bpal\u00ad.exa\u2060mple"},
		{"design.text.alike", "ｐａｙ．ｅｘａｍｐｌｅ раураl.example"},
		{"design.text.markup", `<script>alert(1)</script> "' &amp; {{.}}`},
		{"design.text.stacked", "Z̸̛̗͇a̵l̷g̸o̶ 👩‍👩‍👧‍👦"},
		{"design.text.empty", ""},
	}
}

func designForm() *web.Form {
	f := web.NewForm(
		web.Field{Name: "title", Label: "admin.members.name_zh", Lang: i18n.ZhHant, Hint: "admin.members.id_hint", Required: true},
		web.Field{Name: "text", Label: "admin.members.name_en", Kind: "textarea", Value: "…"},
		web.Field{Name: "sector", Label: "admin.members.sector", Kind: "select", Options: []web.Option{{Key: "common.sector.banking", Value: "banking"}}},
		web.Field{Name: "one", Label: "admin.people.role", Kind: "radio", Value: "a", Options: []web.Option{{Key: "common.role.analyst", Value: "a"}, {Key: "common.role.member", Value: "b"}}},
		web.Field{Name: "many", Label: "machine.scopes", Kind: "checks", Values: []string{"b"}, Options: []web.Option{{Key: "common.scope.records", Value: "a"}, {Key: "common.scope.taxii", Value: "b"}}},
		web.Field{Name: "when", Label: "design.when", Kind: "datetime-local"},
	)
	f.Fail("title", "common.form.required")
	return f
}

func designGraph() web.Graph {
	g := web.Graph{ID: "design-graph", Title: "design.graph"}
	g.Node(web.GraphNode{ID: "alert", Kind: "alert", Label: "告警 Alert", Href: "/design"})
	g.Node(web.GraphNode{ID: "advisory", Kind: "advisory", Label: "警訊 Advisory"})
	g.Node(web.GraphNode{ID: "indicator", Kind: "indicator", Label: "203[.]0[.]113[.]7"})
	g.Edge("alert", "advisory", "common.graph.drafted")
	g.Edge("indicator", "alert", "common.graph.raised")
	for i := range 4 {
		r, o := fmt.Sprint("r", i), fmt.Sprint("o", i%2)
		g.Node(web.GraphNode{ID: r, Kind: "record", Label: fmt.Sprintf("2026-11-23 19:0%d", i)})
		g.Node(web.GraphNode{ID: o, Kind: "observable", Label: fmt.Sprintf("evil-%d[.]example", i%2)})
		g.Edge("alert", r, "common.graph.from_record")
		g.Edge(r, o, "common.graph.mentions")
	}
	return g
}

func designModel(now time.Time) design {
	d := design{
		Now: now, TLPs: sector.TLPs(), PAPs: sector.PAPs(), Form: designForm(), Graph: designGraph(), Texts: texts(),
		Heat:    web.Heat{ID: "week", Title: "design.heat", Unit: "design.unit", Start: now.Add(-7 * 24 * time.Hour)},
		Values:  []string{"https://pay.example.com/login?a=1", "203.0.113.7", "2001:db8::7", "a@evil.example", "44d88612fea8a8f36de82e1278abb02f"},
		Flashes: []web.Flash{{Tone: "good", Key: "design.flash", Undo: "/design"}, {Tone: "bad", Key: "design.flash"}, {Tone: "note", Key: "design.flash"}},
		Work:    []web.Progress{{Key: "common.export.busy"}, {Key: "common.export.busy", Done: 12_000, Of: 50_000}},
		Versions: &web.Versions{By: "analyst@centre.example", At: now.Add(-2 * time.Minute), Fields: []web.Version{
			{Label: "admin.members.name_zh", Theirs: "翠玉銀行", Yours: "翠玉商業銀行"}, {Label: "admin.members.name_en", Theirs: "", Yours: texts()[0].Text}}},
	}
	for i := range 7 * 24 {
		d.Heat.Counts = append(d.Heat.Counts, int64(math.Max(0, 40*math.Sin(float64(i)/24*2*math.Pi)+float64(i%5)*8)))
	}
	d.Chart = web.Chart{ID: "series", Title: "design.chart", Unit: "design.unit", Series: []web.Series{{Key: "design.unit", Tone: "a"}, {Key: "design.withheld", Tone: "b", Withheld: true}}}
	for i := range 60 {
		d.Chart.Times = append(d.Chart.Times, now.Add(time.Duration(i-60)*time.Minute))
		d.Chart.Series[0].Values = append(d.Chart.Series[0].Values, int64(30+20*math.Sin(float64(i)/6)))
	}
	for _, kind := range []string{"empty", "loading", "partial", "error", "forbidden"} {
		d.States = append(d.States, web.State{Kind: kind, Title: "design.state." + kind, Text: "design.state.text", Actions: []web.Link{{Key: "design.state.act", Href: "/design"}}})
	}
	return d
}

func designList() web.ListSpec {
	return web.ListSpec{Path: "/design", Sort: "when", Desc: true, Export: true,
		Columns: []web.Column{
			{Key: "design.col.kind", Sort: "kind"}, {Key: "design.col.text", Name: "text"},
			{Key: "design.col.n", Name: "n", Sort: "n", Class: "num"}, {Key: "design.when", Name: "when", Sort: "when", Class: "time"},
		},
		Filters: []web.Filter{
			{Name: "q", Key: "admin.members.find", Kind: "text"}, {Name: "at", Key: "design.when", Kind: "time"},
			{Name: "sector", Key: "admin.members.sector", Kind: "select", Options: []web.Option{{Key: "common.all"}, {Value: "banking", Key: "common.sector.banking"}}},
		}}
}

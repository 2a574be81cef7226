package gallery

import (
	"math"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// design is one of each component.
type design struct {
	Now    time.Time
	TLPs   []sector.TLP
	PAPs   []sector.PAP
	Form   *web.Form
	Heat   web.Heat
	States []web.State
	Values []string
}

func designModel() design {
	f := web.NewForm(
		web.Field{Name: "title", Label: "admin.members.name_zh", Lang: i18n.ZhHant, Hint: "admin.members.id_hint", Required: true},
		web.Field{Name: "text", Label: "admin.members.name_en", Kind: "textarea", Value: "…"},
		web.Field{Name: "sector", Label: "admin.members.sector", Kind: "select", Options: []web.Option{{Key: "common.sector.banking", Value: "banking"}}},
	)
	f.Fail("title", "common.form.required")
	d := design{
		Now: webtest.Now(), TLPs: sector.TLPs(), PAPs: sector.PAPs(), Form: f,
		Heat:   web.Heat{ID: "week", Title: "pulse.chart.accepted", Unit: "pulse.series.accepted", Start: webtest.Now().Add(-7 * 24 * time.Hour)},
		Values: []string{"https://pay.example.com/login?a=1", "203.0.113.7", "2001:db8::7", "a@evil.example", "44d88612fea8a8f36de82e1278abb02f"},
	}
	for i := range 7 * 24 {
		d.Heat.Counts = append(d.Heat.Counts, int64(math.Max(0, 40*math.Sin(float64(i)/24*2*math.Pi)+float64(i%5)*8)))
	}
	for _, kind := range []string{"empty", "error", "forbidden", "partial"} {
		d.States = append(d.States, web.State{Kind: kind, Title: "admin.members.none", Text: "admin.members.none_text", Actions: []web.Link{{Key: "admin.members.new", Href: "/"}}})
	}
	return d
}

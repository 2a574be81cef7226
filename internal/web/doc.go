// Package web is the frame of all pages: layout, navigation, the browser's
// session, components and islands. Who people are is known to a [Keeper]. It
// knows no domain; a domain mounts its pages on it:
//
//	//go:embed all:templates
//	var templates embed.FS
//
//	type pages struct {
//		shell *web.Shell
//		views *web.Views
//		svc   *Service
//	}
//
//	// Mount adds the alert pages.
//	func Mount(routes *access.Routes, sh *web.Shell, svc *Service) error {
//		views, err := sh.Views(templates, "templates")
//		if err != nil {
//			return fmt.Errorf("monitor: pages: %w", err)
//		}
//		p := pages{sh, views, svc}
//		sh.Nav(web.NavItem{Phase: web.During, Key: "monitor.nav.alerts", Href: "/alerts",
//			Icon: "bell", Need: sector.ReadAlerts})
//		sh.Page(routes, "GET /alerts", sector.ReadAlerts, p.list)
//		sh.Page(routes, "POST /alerts/{id}/close", sector.TriageAlerts, p.close)
//		return nil
//	}
//
//	func (p pages) list(w http.ResponseWriter, r *http.Request) error {
//		l := p.shell.ReadList(r, alertList)              // filters, sort, cursor from the URL
//		alerts, next, err := p.svc.Alerts(r.Context(), sector.ViewerFrom(r.Context()), …)
//		if err != nil {
//			return err                                   // becomes an error page by its errs.Kind
//		}
//		l.Next = next
//		return p.views.Page(w, r, "alerts", web.Page{
//			Title: "monitor.alerts.title", Data: listModel{List: l, Alerts: alerts},
//		})
//	}
//
// A POST that cannot be taken back or lets data or a secret out (release,
// withdrawal, keys, files of lists) is wrapped in Shell.StepUp: people prove who they are again unless they have
// just done so, and what they sent is kept. Operations of the API say
// Proof: true in their access.Doc, which asks [Fresh].
//
// After a POST that changed something: Shell.Flash, then http.Redirect with
// 303. A form with a mistake is shown again with Status: form.Status().
//
// # Templates
//
// Each templates/NAME.html is the content of a page (it holds the page's one
// <h1>); files called _NAME.html hold {{define}}d parts that the folder
// shares (embed with all:templates, or Go leaves them out). The dot is Page.Data; use structs, not maps. Every error, such as a
// missing key of the catalogue, fails the page, and a test should visit it; parts, keys and icons
// written out in a template are checked when it is parsed.
// Nothing inline: no style="", no <script>, no on…="". Sizes and colours come
// from classes and the tokens in assets/css.
//
// Functions:
//
//	t KEY ARGS…            a text; one []any argument is spread; has KEY asks whether it exists
//	time T, timeShort T, date T, ago T    <time> in the viewer's zone; the zero time is a dash
//	duration D, input T    "3 minutes"; a time for <input type=datetime-local>
//	num N, bytes N, percent SHARE, rate PER_SECOND
//	indicator VALUE        defanged, with a button that copies the value as it is
//	defang VALUE, copy VALUE
//	tlp, pap, marking      FIRST's labels
//	severity LEVEL         critical, high, medium, low, informational: mark and word
//	badge TONE KEY ARGS…   a state; TONE is good, bad, warn, note, quiet
//	sector S, role R, roles LIST, member M   names
//	icon NAME              listed in assets/icons.json
//	url PATH NAME VALUE…   a path with a query; empty values are left out
//	link KEY HREF, tuple …, join, json, lang, zone
//
// Parts (see templates/layout):
//
//	{{template "list-filter" .List}}  the form above a table
//	{{template "list-head" .List}}    <thead> with links that sort
//	{{template "list-next" .List}}    first and next page
//	{{template "state" .State}}       empty, loading, partial, error, forbidden: a web.State
//	{{template "field" (.Form.Field "name")}}, {{template "form-error" .Form}}
//	{{template "chart" .Chart}}, {{template "heat" .Heat}}: web.Chart, web.Heat
//	{{template "graph" .Graph}}       web.Graph, drawn by an island, with its table twin
//	{{template "progress" .Work}}     web.Progress: work that takes a while
//	{{template "versions" .Versions}} web.Versions: two people saved at once
//	{{template "link-text" .}}        of a web.Link
//
// A table:
//
//	<div class="scroll"><table class="table" data-island="rows">{{template "list-head" .List}}<tbody>
//	{{range .Alerts}}<tr data-href="/alerts/{{.ID}}"><td class="time">{{time .At}}</td>
//	  <td><a href="/alerts/{{.ID}}">{{.Title}}</a></td><td>{{severity .Level}}</td></tr>{{end}}
//	</tbody></table></div>
//
// A list whose columns have names, read with Shell.Table instead of
// Shell.ReadList, has saved views and a choice of columns ({{template
// "list-tools" .List}} below the filter; each cell stands in {{if $l.Shows
// "name"}}). With Export: true and a page POST /export + Path, in
// Shell.StepUp, that calls Shell.Export with the same query as the list, it has
// files.
//
// Rows get j, k, Enter and (with a checkbox) x. Cell classes: time, num, fit,
// code, quiet. Columns that a phone may do without have class "from-wide".
//
// A page head: <div class="head"><h1>…</h1><p class="lead">…</p><div
// class="actions">…</div></div>. Boxes: <section class="panel"><h2>…</h2>.
// Facts: <dl class="facts"><div><dt>…</dt><dd>…</dd></div></dl>. Layouts:
// "columns" (main and aside), "grid" (cards). Buttons: <button
// class="primary">, plain, "danger", "quiet"; a link that looks like one is
// <a class="button">.
//
// # Islands
//
// An element with data-island="NAME" (and data-props, JSON) is taken over by
// assets/islands/NAME.ts, which exports mount(el, data) and may return a
// function that undoes it. Pages work without scripts. There are: chart, graph, export, rows
// (keyboard in tables), filter, copy (any [data-copy]), live (counters over
// server-sent events: data-stream=URL on a parent, data-live=NAME on each),
// draft (autosave of a form in this browser: data-draft=KEY), menu, search (the
// box in the header; package search answers it), part (what
// htmx fetches on its own: [data-part=wait] until it comes, [data-part=failed]
// when nothing does). htmx is
// there for partial updates (hx-get, hx-target …); a handler answers these
// with Views.Part, or with Views.Page, which then leaves the layout out.
//
// Domain styles go to assets/css/DOMAIN.css, domain islands to
// assets/islands/, icons by name to assets/icons.json; then `npm run build`.
//
// # Words
//
// Add keys to platform/i18n/catalogue/{zh-Hant,en}/AREA.json, both at once.
// Every errs.Error key needs a text too.
//
// # Tests
//
// Package webtest signs fake people in and reads pages:
//
//	kit := webtest.New(t)
//	monitor.Mount(kit.Routes, kit.Shell, fake)
//	page := kit.Get(t, sector.Analyst, i18n.ZhHant, "/alerts")
//	webtest.Check(t, page) // one h1, labels, nothing inline, nothing untranslated
package web

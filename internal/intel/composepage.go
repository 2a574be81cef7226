package intel

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// composeModel is the page where an advisory is written.
type composeModel struct {
	Advisory Advisory
	Name     string
	Form     *web.Form
	Reach    []reachOption
	Proposed []proposal
	Evidence Evidence
	Sources  []sector.Member // whose records the evidence is
	Check    checkModel
	Versions *web.Versions // somebody else has saved meanwhile
}

// reachOption is a checkbox of the audience.
type reachOption struct {
	Value, Key string
	Checked    bool
	Members    int // how many it reaches; -1: not members
}

// proposal is an observable of the evidence that may become an indicator.
type proposal struct {
	ProposedIndicator
	Line   string
	Chosen bool
}

// checkModel is what stands in the way, found while writing.
type checkModel struct {
	Problems []Problem
	Blocks   []Leak
	Warnings []Leak
}

func newCheckModel(found []Problem, leaks []Leak) checkModel {
	m := checkModel{}
	for _, f := range found {
		if f.Leak == nil {
			m.Problems = append(m.Problems, f)
		}
	}
	for _, l := range leaks {
		if l.Block {
			m.Blocks = append(m.Blocks, l)
		} else {
			m.Warnings = append(m.Warnings, l)
		}
	}
	return m
}

// Clear reports whether nothing was found.
func (m checkModel) Clear() bool { return len(m.Problems)+len(m.Blocks)+len(m.Warnings) == 0 }

func (p pages) form(r *http.Request, members []sector.Member, groups []sector.Group) *web.Form {
	lang := p.lang(r)
	return web.NewForm(
		web.Field{Name: "title_zh", Label: "field.title.zh", Required: false, MaxLength: maxTitle, Lang: i18n.ZhHant},
		web.Field{Name: "title_en", Label: "field.title.en", MaxLength: maxTitle, Lang: i18n.En},
		web.Field{Name: "body_zh", Label: "field.body.zh", Kind: "textarea", Rows: 10, MaxLength: maxBody, Lang: i18n.ZhHant},
		web.Field{Name: "body_en", Label: "field.body.en", Kind: "textarea", Rows: 10, MaxLength: maxBody, Lang: i18n.En},
		web.Field{Name: "tlp", Label: "advisory.tlp", Kind: "select", Options: keyed("advisory.tlp.", sector.TLPs()), Required: true},
		web.Field{Name: "pap", Label: "advisory.pap", Kind: "select", Options: keyed("advisory.pap.", sector.PAPs()), Required: true},
		web.Field{Name: "category", Label: "advisory.category", Kind: "select", Options: keyed("advisory.category.", Categories()), Required: true},
		web.Field{Name: "rsit", Label: "advisory.rsit", Kind: "select", Options: p.rsitOptions(lang)},
		web.Field{Name: "answer_due", Label: "advisory.answer_due", Kind: "datetime-local", Hint: "advisory.answer_due_hint"},
		web.Field{Name: "indicators", Label: "advisory.indicators", Kind: "textarea", Rows: 8, Class: "mono", Hint: "advisory.indicators_hint"},
		web.Field{Name: "reach", Kind: "checks", Label: "advisory.audience", Options: keyed("advisory.reach.", reachValues())},
		web.Field{Name: "members", Kind: "checks", Label: "advisory.members", Options: memberOptions(lang, members)},
		web.Field{Name: "groups", Kind: "checks", Label: "advisory.groups", Options: groupOptions(lang, groups)},
	)
}

func (p pages) formFor(r *http.Request, members []sector.Member) (*web.Form, error) {
	groups, err := p.svc.groups(r.Context())
	return p.form(r, members, groups), err
}

// reachValues are the parts of an audience besides named members, as form
// values.
func reachValues() []string {
	values := []string{"all"}
	for _, s := range sector.SubSectors() {
		values = append(values, string(s))
	}
	return append(values, "authority", "public")
}

func memberOptions(lang string, members []sector.Member) []web.Option {
	options := make([]web.Option, len(members))
	for i, m := range members {
		options[i] = web.Option{Value: string(m.ID), Text: memberName(lang, m)}
	}
	return options
}

func groupOptions(lang string, groups []sector.Group) []web.Option {
	options := make([]web.Option, len(groups))
	for i, g := range groups {
		options[i] = web.Option{Value: string(g.ID), Text: Text{g.NameZh, g.Name}.In(lang)}
	}
	return options
}

func memberName(lang string, m sector.Member) string { return Text{m.NameZh, m.Name}.In(lang) }

func (p pages) rsitOptions(lang string) []web.Option {
	options := []web.Option{{Value: "", Key: "common.none"}}
	for _, c := range p.svc.Rules.RSIT() {
		for _, t := range c.Types {
			tag := c.Name + ":" + t.Name
			options = append(options, web.Option{Value: tag, Text: p.svc.Rules.RSITLabel(tag).In(lang)})
		}
	}
	return options
}

// fill puts an advisory into the form.
func fill(f *web.Form, a Advisory, zone *time.Location) {
	set := func(name, value string) {
		if field, err := f.Field(name); err == nil {
			field.Value = value
		}
	}
	set("title_zh", a.Title.Zh)
	set("title_en", a.Title.En)
	set("body_zh", a.Body.Zh)
	set("body_en", a.Body.En)
	m := a.Marking.OrDefault()
	set("tlp", string(m.TLP))
	set("pap", string(m.PAP))
	set("category", string(a.Category))
	set("rsit", a.RSIT)
	if !a.AnswerDue.IsZero() {
		set("answer_due", a.AnswerDue.In(zone).Format(formTime))
	}
	var lines []string
	for _, i := range a.Indicators {
		lines = append(lines, i.Line())
	}
	set("indicators", strings.Join(lines, "\n"))
	choose(f, a.Audience)
}

// formTime is what <input type=datetime-local> sends.
const formTime = "2006-01-02T15:04"

func choose(f *web.Form, a sector.Audience) {
	reach, err1 := f.Field("reach")
	members, err2 := f.Field("members")
	groups, err3 := f.Field("groups")
	if err1 != nil || err2 != nil || err3 != nil {
		return
	}
	reach.Values, members.Values, groups.Values = nil, nil, sector.Names(a.Groups)
	flags := map[string]bool{"all": a.All, "authority": a.Authority, "public": a.Public}
	for _, v := range reachValues() {
		if flags[v] || slices.Contains(a.Sectors, sector.SubSector(v)) {
			reach.Values = append(reach.Values, v)
		}
	}
	for _, m := range a.Members {
		members.Values = append(members.Values, string(m))
	}
}

// contentOf reads the content from a form that was sent. What cannot be read
// is put beside its field.
func contentOf(f *web.Form, r *http.Request, zone *time.Location) Content {
	var c Content
	c.Title = Text{Zh: f.Get("title_zh"), En: f.Get("title_en")}
	c.Body = Text{Zh: unixLines(f.Get("body_zh")), En: unixLines(f.Get("body_en"))}
	c.Marking = sector.Marking{TLP: sector.TLP(f.Get("tlp")), PAP: sector.PAP(f.Get("pap"))}
	c.Category, c.RSIT = Category(f.Get("category")), f.Get("rsit")
	if due := f.Get("answer_due"); due != "" {
		at, err := time.ParseInLocation(formTime, due, zone)
		if err != nil {
			f.Fail("answer_due", "advisory.due_unreadable")
		}
		c.AnswerDue = at.UTC()
	}
	c.Audience = audienceOf(f)
	lines := strings.Split(unixLines(f.Get("indicators")), "\n")
	c.Indicators = indicatorsOf(f, append(lines, r.PostForm["propose"]...))
	return c
}

func unixLines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

func audienceOf(f *web.Form) sector.Audience {
	var a sector.Audience
	for _, v := range f.All("reach") {
		switch v {
		case "all":
			a.All = true
		case "authority":
			a.Authority = true
		case "public":
			a.Public = true
		default:
			a.Sectors = append(a.Sectors, sector.SubSector(v))
		}
	}
	for _, m := range f.All("members") {
		a.Members = append(a.Members, sector.MemberID(m))
	}
	for _, g := range f.All("groups") {
		a.Groups = append(a.Groups, sector.GroupID(g))
	}
	return a
}

func indicatorsOf(f *web.Form, lines []string) []Indicator {
	var all []Indicator
	for n, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(all) >= MaxIndicators {
			f.Fail("indicators", "advisory.indicators_many", MaxIndicators)
			return all
		}
		ind, err := ParseIndicator(line)
		if err != nil {
			f.Fail("indicators", "advisory.indicator_line", n+1, clip(line))
			continue
		}
		all = append(all, ind)
	}
	return all
}

// failWith puts the domain's problems beside the fields they are about.
func failWith(f *web.Form, err error) error {
	found := ProblemsOf(err)
	if found == nil {
		return f.FailWith(err)
	}
	for _, pr := range found {
		name := strings.ReplaceAll(pr.Field, ".", "_")
		if name == "marking" {
			name = "tlp"
		}
		if name == "audience" {
			name = "reach"
		}
		f.Fail(name, pr.Err.Key, pr.Err.Args...)
	}
	return nil
}

// composing is an advisory with the form it is written on.
type composing struct {
	advisory Advisory
	members  []sector.Member
	form     *web.Form // empty
	versions *web.Versions
}

// composing loads the advisory that the request names, for its viewer.
func (p pages) composing(r *http.Request) (composing, error) {
	ctx := r.Context()
	a, err := p.svc.Advisory(ctx, sector.ViewerFrom(ctx), idOf(r))
	if err != nil {
		return composing{}, err
	}
	members, err := p.svc.Members.Members(ctx)
	if err != nil {
		return composing{}, err
	}
	f, err := p.formFor(r, members)
	return composing{advisory: a, members: members, form: f}, err
}

func (p pages) compose(w http.ResponseWriter, r *http.Request) error {
	d, err := p.composing(r)
	if err != nil {
		return err
	}
	fill(d.form, d.advisory, p.shell.Zone(r))
	return p.showCompose(w, r, d, Content{d.advisory.Message, d.advisory.Audience})
}

func (p pages) showCompose(w http.ResponseWriter, r *http.Request, d composing, c Content) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	a, f := d.advisory, d.form
	m := composeModel{Advisory: a, Name: p.titleOf(r, a.Title), Form: f, Reach: reachOptions(f, d.members), Versions: d.versions}
	var err error
	if m.Evidence, err = p.svc.EvidenceFor(ctx, v, a); err != nil {
		return err
	}
	m.Proposed = proposals(m.Evidence, c.Indicators)
	for _, member := range d.members {
		if slices.Contains(m.Evidence.Members, member.ID) {
			m.Sources = append(m.Sources, member)
		}
	}
	found, leaks, err := p.svc.Check(ctx, v, a.ID, c)
	if err != nil {
		return err
	}
	m.Check = newCheckModel(found, leaks)
	status := f.Status()
	if d.versions != nil {
		status = http.StatusConflict
	}
	return p.views.Page(w, r, "compose", web.Page{
		Title: "advisory.compose", Data: m, Status: status, Wide: true, TLP: a.Marking.OrDefault().TLP, Crumbs: p.crumbs(r, a),
	})
}

func (p pages) crumbs(r *http.Request, a Advisory) []web.Link {
	return []web.Link{
		{Key: "advisory.list", Href: "/advisories"},
		{Text: p.titleOf(r, a.Title), Href: "/advisories/" + string(a.ID)},
	}
}

func reachOptions(f *web.Form, members []sector.Member) []reachOption {
	field, err := f.Field("reach")
	if err != nil {
		return nil
	}
	count := map[string]int{"all": len(members), "public": -1, "authority": -1}
	for _, m := range members {
		count[string(m.Sector)]++
	}
	var options []reachOption
	for _, v := range reachValues() {
		options = append(options, reachOption{v, "advisory.reach." + v, slices.Contains(field.Values, v), count[v]})
	}
	return options
}

func proposals(ev Evidence, chosen []Indicator) []proposal {
	var all []proposal
	for _, o := range ev.Observables {
		ind, err := ParseIndicator(o.Value)
		if err != nil {
			continue // internal, or of a kind that is no indicator
		}
		all = append(all, proposal{o, ind.Line(), slices.ContainsFunc(chosen, ind.same)})
	}
	return all
}

func (p pages) save(w http.ResponseWriter, r *http.Request) error {
	d, err := p.composing(r)
	if err != nil {
		return err
	}
	if err := d.form.Read(w, r); err != nil {
		return err
	}
	c := contentOf(d.form, r, p.shell.Zone(r))
	version, err := strconv.Atoi(r.PostForm.Get("version"))
	if err != nil {
		version = -1
	}
	read := d.advisory
	d.advisory.Version = version // what the form was made of, for a second try
	if d.form.OK() {
		saved, err := p.svc.Edit(r.Context(), sector.ViewerFrom(r.Context()), d.advisory.ID, version, c)
		switch {
		case err == nil:
			return p.saved(w, r, saved)
		case errs.Is(err, errs.Conflict) && read.Version != version:
			if d.versions, err = p.versions(r, read, c); err != nil {
				return err
			}
			d.advisory = read
		default:
			if err := failWith(d.form, err); err != nil {
				return err
			}
		}
	}
	return p.showCompose(w, r, d, c)
}

// versions tells what somebody else has saved and what the viewer wrote. The
// form then holds the viewer's and goes on from the other's version: what it
// replaces has been shown.
func (p pages) versions(r *http.Request, theirs Advisory, yours Content) (*web.Versions, error) {
	names, err := p.names(r.Context())
	if err != nil {
		return nil, err
	}
	v := &web.Versions{By: names(theirs.Author), At: theirs.ChangedAt}
	lines := func(all []Indicator) string {
		var b strings.Builder
		for _, i := range all {
			b.WriteString(i.Line() + "\n")
		}
		return b.String()
	}
	v.Differ("field.title.zh", theirs.Title.Zh, yours.Title.Zh)
	v.Differ("field.title.en", theirs.Title.En, yours.Title.En)
	v.Differ("field.body.zh", theirs.Body.Zh, yours.Body.Zh)
	v.Differ("field.body.en", theirs.Body.En, yours.Body.En)
	v.Differ("advisory.indicators", lines(theirs.Indicators), lines(yours.Indicators))
	v.Differ("advisory.tlp", string(theirs.Marking.OrDefault().TLP), string(yours.Marking.OrDefault().TLP))
	v.Differ("advisory.category", string(theirs.Category), string(yours.Category))
	return v, nil
}

func (p pages) saved(w http.ResponseWriter, r *http.Request, a Advisory) error {
	to := "/advisories/" + string(a.ID)
	switch r.PostForm.Get("then") {
	case "preview":
		to += "/preview"
	default:
		to += "/edit"
		p.shell.Flash(r, web.Flash{Tone: "good", Key: "advisory.saved"})
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// check answers the form while it is being filled in, without saving.
func (p pages) check(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	members, err := p.svc.Members.Members(ctx)
	if err != nil {
		return err
	}
	f, err := p.formFor(r, members)
	if err != nil {
		return err
	}
	if err := f.Read(w, r); err != nil {
		return err
	}
	c := contentOf(f, r, p.shell.Zone(r))
	found, leaks, err := p.svc.Check(ctx, v, idOf(r), c)
	if err != nil {
		return err
	}
	if field, err := f.Field("indicators"); err == nil && field.Error != nil {
		var extra problems
		extra.add("indicators", field.Error.Key, field.Error.Args...)
		found = append(found, extra...)
	}
	return p.views.Part(w, r, "compose", "check", newCheckModel(found, leaks))
}

// membersByID finds members for a page.
func (p pages) membersByID(ctx context.Context) (map[sector.MemberID]sector.Member, error) {
	members, err := p.svc.Members.Members(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[sector.MemberID]sector.Member{}
	for _, m := range members {
		byID[m.ID] = m
	}
	return byID, nil
}

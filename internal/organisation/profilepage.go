package organisation

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// profileForm has a field for each part of a profile; the fields of a contact
// are named contact_DUTY_name, _mail, _phone and _round.
func profileForm() *web.Form {
	var sizes []web.Option
	for _, s := range SizeClasses() {
		sizes = append(sizes, web.Option{Value: string(s), Key: sizeKey(s)})
	}
	fields := []web.Field{
		{Name: "name_zh", Label: "profile.name_zh", MaxLength: maxName, Lang: i18n.ZhHant, Autocomplete: "off"},
		{Name: "name", Label: "profile.name", MaxLength: maxName, Lang: i18n.En, Autocomplete: "off"},
		{Name: "size", Label: "profile.size", Kind: "select", Options: sizes},
		{Name: "stock_code", Label: "profile.stock_code_label", MaxLength: 8, Class: "mono", Autocomplete: "off"},
		{Name: "bic", Label: "profile.bic_label", MaxLength: 20, Class: "mono", Autocomplete: "off"},
	}
	for _, list := range []string{"networks", "domains", "brands", "products", "suppliers"} {
		fields = append(fields, web.Field{Name: list, Label: "profile." + list, Hint: "profile." + list + "_hint", Kind: "textarea", Rows: 5, Class: "mono"})
	}
	for _, d := range Duties() {
		at := "contact_" + string(d)
		fields = append(fields,
			web.Field{Name: at + "_name", Label: "profile.contact_name", MaxLength: maxName, Autocomplete: "off"},
			web.Field{Name: at + "_mail", Label: "profile.contact_mail", MaxLength: 254, Autocomplete: "off"},
			web.Field{Name: at + "_phone", Label: "profile.contact_phone", MaxLength: 40, Autocomplete: "off"},
			web.Field{Name: at + "_round", Label: "profile.contact_hours", Kind: "checks", Options: []web.Option{{Value: "yes", Key: "profile.contact_round"}}},
		)
	}
	return web.NewForm(fields...)
}

func sizeKey(s SizeClass) string {
	if s == "" {
		s = "none"
	}
	return "profile.size." + string(s)
}

func fillProfile(f *web.Form, p Profile) {
	for name, value := range map[string]string{
		"name_zh": p.NameZh, "name": p.Name, "size": string(p.Size), "stock_code": p.StockCode, "bic": p.BIC,
		"networks": strings.Join(p.Networks, "\n"), "domains": strings.Join(p.Domains, "\n"), "brands": strings.Join(p.Brands, "\n"),
		"products": strings.Join(p.Products, "\n"), "suppliers": strings.Join(p.Suppliers, "\n"),
	} {
		fill(f, name, value)
	}
	for d, c := range p.Contacts {
		at := "contact_" + string(d)
		fill(f, at+"_name", c.Name)
		fill(f, at+"_mail", c.Mail)
		fill(f, at+"_phone", c.Phone)
		if field, err := f.Field(at + "_round"); err == nil && c.Round {
			field.Values = []string{"yes"}
		}
	}
}

func readProfile(f *web.Form) Profile {
	lines := func(name string) []string {
		return strings.Split(strings.ReplaceAll(f.Get(name), "\r\n", "\n"), "\n")
	}
	p := Profile{
		NameZh: f.Get("name_zh"), Name: f.Get("name"), Size: SizeClass(f.Get("size")), StockCode: f.Get("stock_code"), BIC: f.Get("bic"),
		Networks: lines("networks"), Domains: lines("domains"), Brands: lines("brands"), Products: lines("products"),
		Suppliers: lines("suppliers"), Contacts: map[Duty]Contact{},
	}
	for _, d := range Duties() {
		at := "contact_" + string(d)
		p.Contacts[d] = Contact{Name: f.Get(at + "_name"), Mail: f.Get(at + "_mail"), Phone: f.Get(at + "_phone"), Round: len(f.All(at+"_round")) > 0}
	}
	return p
}

// contactRow is a duty on the page.
type contactRow struct {
	Duty                     Duty
	Contact                  Contact
	Name, Mail, Phone, Round *web.Field
}

// confirmRow is a part that is to be confirmed.
type confirmRow struct {
	Part Part
	At   time.Time
	Due  time.Time
	Late bool
}

type profileModel struct {
	Member     sector.Member
	Kept       Kept
	Form       *web.Form // nil: only to be read
	Version    int       // that the form was made of
	Contacts   []contactRow
	Confirm    []confirmRow
	MayConfirm bool
	Collisions []Collision
	// For the centre.
	Centre    bool
	MayChange bool
	State     *web.Form
	Overlaps  []overlapRow
}

type overlapRow struct {
	Overlap
	Name string
}

// SizeKey is the catalogue key of the size class.
func (m profileModel) SizeKey() string { return sizeKey(m.Kept.Profile.Size) }

// Empty reports whether nothing was ever saved.
func (m profileModel) Empty() bool { return m.Kept.Version == 0 }

func newProfileModel(m sector.Member, k Kept, f *web.Form, now time.Time) profileModel {
	model := profileModel{Member: m, Kept: k, Form: f, Version: k.Version}
	for _, d := range Duties() {
		row := contactRow{Duty: d, Contact: k.Profile.Contacts[d]}
		if f != nil {
			at := "contact_" + string(d)
			row.Name, _ = f.Field(at + "_name") // they are there: profileForm made them
			row.Mail, _ = f.Field(at + "_mail")
			row.Phone, _ = f.Field(at + "_phone")
			row.Round, _ = f.Field(at + "_round")
		}
		model.Contacts = append(model.Contacts, row)
	}
	for part, at := range map[Part]time.Time{Contacts: k.ContactsAt, Networks: k.NetworksAt} {
		due := k.Due(part, m.CreatedAt)
		model.Confirm = append(model.Confirm, confirmRow{part, at, due, due.Before(now)})
	}
	if model.Confirm[0].Part != Contacts {
		model.Confirm[0], model.Confirm[1] = model.Confirm[1], model.Confirm[0]
	}
	return model
}

func (p pages) profile(w http.ResponseWriter, r *http.Request) error {
	k, err := p.svc.Profile(r.Context(), viewer(r))
	if err != nil {
		return err
	}
	if !viewer(r).May(sector.WriteProfile) {
		return p.showProfile(w, r, k, nil, nil)
	}
	f := profileForm()
	fillProfile(f, k.Profile)
	return p.showProfile(w, r, k, f, nil)
}

func (p pages) showProfile(w http.ResponseWriter, r *http.Request, k Kept, f *web.Form, collided *CollisionError) error {
	member, err := p.svc.Members.Member(r.Context(), k.Member)
	if err != nil {
		return err
	}
	m := newProfileModel(member, k, f, p.svc.Now())
	m.MayConfirm = f != nil && k.Version > 0
	page := web.Page{Title: "profile.title", Wide: true}
	if f != nil {
		page.Status = f.Status()
		if v, err := strconv.Atoi(r.PostFormValue("version")); err == nil {
			m.Version = v // what the form was made of, for a second try
		}
	}
	if collided != nil {
		m.Version, m.Collisions, page.Status = collided.Version, collided.Fields, http.StatusConflict
	}
	page.Data = m
	return p.views.Page(w, r, "profile", page)
}

func (p pages) saveProfile(w http.ResponseWriter, r *http.Request) error {
	f := profileForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	version, err := strconv.Atoi(r.PostForm.Get("version"))
	if err != nil {
		version = -1
	}
	if f.OK() {
		if _, err = p.svc.SaveProfile(r.Context(), viewer(r), version, readProfile(f)); err == nil {
			return p.done(w, r, "profile.saved", "/profile")
		}
	}
	k, readErr := p.svc.Profile(r.Context(), viewer(r))
	if readErr != nil {
		return readErr
	}
	if collided, ok := errors.AsType[*CollisionError](err); ok {
		f = profileForm()
		fillProfile(f, collided.Merged)
		return p.showProfile(w, r, k, f, collided)
	}
	if err := failWith(f, err); err != nil {
		return err
	}
	return p.showProfile(w, r, k, f, nil)
}

func (p pages) confirm(w http.ResponseWriter, r *http.Request) error {
	return p.act(w, r, "confirm.done", "/profile", func() error {
		version, err := strconv.Atoi(r.PostFormValue("version"))
		if err != nil {
			version = 0
		}
		return p.svc.Confirm(r.Context(), viewer(r), version, Part(r.PostFormValue("part")))
	})
}

func stateForm(now sector.MemberState) *web.Form {
	state := web.Field{Name: "state", Label: "organisation.state", Kind: "radio", Required: true}
	for _, s := range sector.MemberStates() {
		if s != now {
			state.Options = append(state.Options, web.Option{Value: s.Name(), Key: "organisation.state." + s.Name()})
		}
	}
	return web.NewForm(state, web.Field{Name: "reason", Label: "organisation.reason", Hint: "organisation.reason_hint", Kind: "textarea", Rows: 3, Required: true, MaxLength: maxReason})
}

// memberProfile is the centre's view of a member.
func (p pages) memberProfile(w http.ResponseWriter, r *http.Request) error {
	m, err := p.svc.Members.Member(r.Context(), sector.MemberID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return p.showMember(w, r, m, stateForm(m.State))
}

func (p pages) showMember(w http.ResponseWriter, r *http.Request, member sector.Member, f *web.Form) error {
	ctx := r.Context()
	k, err := p.svc.ProfileOf(ctx, viewer(r), member.ID)
	if err != nil {
		return err
	}
	overlaps, err := p.svc.Overlaps(ctx, viewer(r), member.ID)
	if err != nil {
		return err
	}
	name, err := p.nameOf(ctx, r)
	if err != nil {
		return err
	}
	m := newProfileModel(member, k, nil, p.svc.Now())
	m.Centre, m.MayChange, m.State = true, viewer(r).May(sector.WriteMembers), f
	for _, o := range overlaps {
		m.Overlaps = append(m.Overlaps, overlapRow{o, name(o.Other)})
	}
	return p.views.Page(w, r, "profile", web.Page{
		Title: "profile.of", Args: []any{p.shell.MemberName(r, member)}, Data: m, Wide: true, Status: f.Status(),
		Crumbs: []web.Link{{Key: "admin.members.title", Href: "/admin/members"}, {Text: string(member.ID), Href: "/admin/members/" + string(member.ID)}},
	})
}

func (p pages) setState(w http.ResponseWriter, r *http.Request) error {
	member, err := p.svc.Members.Member(r.Context(), sector.MemberID(r.PathValue("id")))
	if err != nil {
		return err
	}
	f := stateForm(member.State)
	if err := f.Read(w, r); err != nil {
		return err
	}
	if f.OK() {
		err := p.svc.SetState(r.Context(), viewer(r), member.ID, sector.MemberStateNamed(f.Get("state")), f.Get("reason"))
		if err == nil {
			return p.done(w, r, "organisation.state_set", "/admin/members/"+string(member.ID)+"/profile")
		}
		if err := f.FailWith(err); err != nil {
			return err
		}
	}
	return p.showMember(w, r, member, f)
}

type confirmationsModel struct {
	Late, Rest []Standing
	None       web.State
}

// confirmations is who has not confirmed its contacts and networks in time.
func (p pages) confirmations(w http.ResponseWriter, r *http.Request) error {
	all, err := p.svc.Standings(r.Context(), viewer(r))
	if err != nil {
		return err
	}
	m := confirmationsModel{None: web.State{Kind: "empty", Title: "confirm.none", Text: "confirm.none_text"}}
	for _, s := range all {
		if s.Late() {
			m.Late = append(m.Late, s)
		} else {
			m.Rest = append(m.Rest, s)
		}
	}
	m.Rest = m.Rest[:min(len(m.Rest), 20)]
	return p.views.Page(w, r, "confirmations", web.Page{Title: "confirm.title", Data: m})
}

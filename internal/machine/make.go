package machine

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/peer"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

const (
	day       = 24 * time.Hour
	endless   = "never"
	maxPEM    = 20_000 // characters of a certificate in a form
	maxNotes  = 2000
	maxName   = 80
	networksN = 2000 // characters of the list of networks
)

// describing are the fields of what may be changed later.
func describing(k sector.Key) []web.Field {
	var networks []string
	for _, p := range k.Networks {
		networks = append(networks, p.String())
	}
	return []web.Field{
		{Name: "name", Label: "machine.name", Hint: "machine.name_hint", Value: k.Name, MaxLength: maxName, Autocomplete: "off"},
		{Name: "networks", Label: "machine.networks", Hint: "machine.networks_hint", Kind: "textarea", Rows: 3, Class: "mono",
			Value: strings.Join(networks, "\n"), MaxLength: networksN},
		{Name: "notes", Label: "machine.notes", Kind: "textarea", Rows: 3, Value: k.Notes, MaxLength: maxNotes},
	}
}

// making are the fields of a new key.
func (p pages) making(r *http.Request, more ...web.Field) (*web.Form, error) {
	v := sector.ViewerFrom(r.Context())
	members, err := p.owners(r, v)
	if err != nil {
		return nil, err
	}
	owner := web.Field{Name: "member", Label: "machine.member", Kind: "select", Required: true, Value: r.URL.Query().Get("member")}
	for _, m := range members {
		owner.Options = append(owner.Options, web.Option{Value: string(m.ID), Text: p.shell.MemberName(r, m) + " · " + string(m.ID)})
	}
	scopes := web.Field{Name: "scopes", Label: "machine.scopes", Kind: "checks", Required: true}
	for _, s := range sector.Scopes() {
		scopes.Options = append(scopes.Options, web.Option{Value: string(s), Key: "common.scope." + string(s)})
	}
	life := web.Field{Name: "life", Label: "machine.life", Hint: "machine.life_hint", Kind: "select", Required: true, Value: "365", Options: []web.Option{
		{Value: "30", Key: "machine.life.30"}, {Value: "90", Key: "machine.life.90"}, {Value: "180", Key: "machine.life.180"},
		{Value: "365", Key: "machine.life.365"}, {Value: "730", Key: "machine.life.730"}, {Value: endless, Key: "machine.life.never"}}}
	fields := append(describing(sector.Key{}), owner, scopes, life)
	return web.NewForm(append(fields, more...)...), nil
}

func specOf(f *web.Form) (sector.KeySpec, error) {
	networks, err := networksOf(f)
	spec := sector.KeySpec{
		Member: sector.MemberID(f.Get("member")), Name: f.Get("name"), Notes: f.Get("notes"), Networks: networks,
		Endless: f.Get("life") == endless}
	for _, s := range f.All("scopes") {
		spec.Scopes = append(spec.Scopes, sector.Scope(s))
	}
	if days, err := strconv.Atoi(f.Get("life")); err == nil {
		spec.Lifetime = time.Duration(days) * day
	}
	return spec, err
}

// networksOf reads the networks, one a line or between commas.
func networksOf(f *web.Form) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range strings.FieldsFunc(f.Get("networks"), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		n, err := peer.ParseNetwork(text)
		if err != nil {
			return nil, errs.New(errs.Invalid, "key.network_form", text).Because(err)
		}
		all = append(all, n)
	}
	return all, nil
}

func (p pages) newKey(w http.ResponseWriter, r *http.Request) error {
	f, err := p.making(r)
	if err != nil {
		return err
	}
	return p.showMaking(w, r, f)
}

func (p pages) showMaking(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.views.Page(w, r, "key-new", web.Page{Title: "machine.new", Data: f, Status: f.Status(), Crumbs: crumbs()})
}

func (p pages) create(w http.ResponseWriter, r *http.Request) error {
	f, err := p.making(r)
	if err == nil {
		err = f.Read(w, r)
	}
	if err != nil {
		return err
	}
	if !f.OK() {
		return p.showMaking(w, r, f)
	}
	spec, err := specOf(f)
	var k sector.Key
	var secret string
	if err == nil {
		k, secret, err = p.Issuer.IssueKey(r.Context(), sector.ViewerFrom(r.Context()), spec)
	}
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showMaking(w, r, f)
	}
	return p.showSecret(w, r, "machine.created", k, secret)
}

type secretModel struct {
	Title  string
	Key    sector.Key
	Secret string
	Owner  sector.Member
	Sends  bool // the key may send records: show how
	Base   string
}

// showSecret answers the POST itself: nothing that could show the secret
// again is kept, not even in the session.
func (p pages) showSecret(w http.ResponseWriter, r *http.Request, title string, k sector.Key, secret string) error {
	owner, err := p.Members.Member(r.Context(), k.Member)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return p.views.Page(w, r, "key-secret", web.Page{Title: title, Status: http.StatusCreated, Crumbs: crumbs(keyLink(k)), Data: secretModel{
		Title: title, Key: k, Secret: secret, Owner: owner, Sends: slices.Contains(k.Scopes, sector.ScopeRecords), Base: p.BaseURL}})
}

func certificateFields() []web.Field {
	return []web.Field{
		{Name: "certificate", Label: "machine.cert.certificate", Hint: "machine.cert.certificate_hint", Kind: "textarea", Rows: 6, Class: "mono", MaxLength: maxPEM},
		{Name: "authority", Label: "machine.cert.authority", Hint: "machine.cert.authority_hint", Kind: "textarea", Rows: 6, Class: "mono", MaxLength: maxPEM},
		{Name: "subject", Label: "machine.cert.subject", Hint: "machine.cert.subject_hint", Class: "mono", MaxLength: 500, Autocomplete: "off"},
	}
}

func certificateOf(f *web.Form) sector.CertificateSpec {
	return sector.CertificateSpec{Certificate: f.Get("certificate"), Authority: f.Get("authority"), Subject: f.Get("subject")}
}

type certificateModel struct {
	*web.Form
	Off bool // nobody is asked for certificates
}

func (p pages) newCertificate(w http.ResponseWriter, r *http.Request) error {
	f, err := p.making(r, certificateFields()...)
	if err != nil {
		return err
	}
	return p.showCertificate(w, r, f)
}

func (p pages) showCertificate(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	return p.views.Page(w, r, "key-certificate", web.Page{
		Title: "machine.cert.new", Data: certificateModel{f, !p.Certificates}, Status: f.Status(), Crumbs: crumbs()})
}

func (p pages) createCertificate(w http.ResponseWriter, r *http.Request) error {
	f, err := p.making(r, certificateFields()...)
	if err == nil {
		err = f.Read(w, r)
	}
	if err != nil {
		return err
	}
	if !f.OK() {
		return p.showCertificate(w, r, f)
	}
	spec, err := specOf(f)
	var k sector.Key
	if err == nil {
		k, err = p.Issuer.IssueCertificateKey(r.Context(), sector.ViewerFrom(r.Context()), spec, certificateOf(f))
	}
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showCertificate(w, r, f)
	}
	return p.done(w, r, k.ID, "machine.cert.created")
}

// done goes back to the key with a message.
func (p pages) done(w http.ResponseWriter, r *http.Request, id, message string) error {
	p.shell.Flash(r, web.Flash{Tone: "good", Key: message})
	http.Redirect(w, r, "/keys/"+id, http.StatusSeeOther)
	return nil
}

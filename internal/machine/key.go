package machine

import (
	"net/http"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

type keyModel struct {
	sector.Key
	Title       string
	Owner       sector.Member
	State       sector.KeyState
	Proofs      []proofRow
	Certificate bool // proven by certificates
	MayChange   bool
	MayRevoke   bool
	MayBind     bool
	Change      *web.Form
	Rotate      *web.Form
	Replace     *web.Form
}

// proofRow is a credential; State is "live", "ending" or "ended".
type proofRow struct {
	sector.Credential
	State string
}

// forms are those of a key's page; the one that was sent has its mistakes.
type forms struct{ change, rotate, replace *web.Form }

func overlapField() web.Field {
	return web.Field{Name: "overlap", Label: "machine.overlap", Hint: "machine.overlap_hint", Kind: "select", Required: true, Value: "7", Options: []web.Option{
		{Value: "0", Key: "machine.overlap.0"}, {Value: "1", Key: "machine.overlap.1"}, {Value: "7", Key: "machine.overlap.7"},
		{Value: "30", Key: "machine.overlap.30"}, {Value: "90", Key: "machine.overlap.90"}}}
}

func overlapOf(f *web.Form) time.Duration {
	days, err := strconv.Atoi(f.Get("overlap"))
	if err != nil {
		return -1 // the options were checked; the service refuses it
	}
	return time.Duration(days) * day
}

func rotateForm() *web.Form { return web.NewForm(overlapField()) }

func replaceForm() *web.Form { return web.NewForm(append(certificateFields(), overlapField())...) }

func (p pages) find(r *http.Request) (sector.Key, error) {
	return p.Keys.Key(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"))
}

func (p pages) key(w http.ResponseWriter, r *http.Request) error {
	k, err := p.find(r)
	if err != nil {
		return err
	}
	return p.showKey(w, r, k, forms{})
}

func (p pages) showKey(w http.ResponseWriter, r *http.Request, k sector.Key, f forms) error {
	owner, err := p.Members.Member(r.Context(), k.Member)
	if err != nil {
		return err
	}
	v, now := sector.ViewerFrom(r.Context()), p.Now()
	alive := k.RevokedAt.IsZero()
	m := keyModel{Key: k, Title: titleOf(k), Owner: owner, State: k.State(now), Certificate: k.Proof() != sector.BySecret,
		MayChange: alive && v.May(sector.CreateKeys), MayRevoke: alive && v.May(sector.RevokeKeys), MayBind: alive && v.May(sector.BindCertificates),
		Change: f.change, Rotate: f.rotate, Replace: f.replace}
	status := http.StatusOK
	for _, sent := range []*web.Form{f.change, f.rotate, f.replace} {
		if sent != nil {
			status = sent.Status()
		}
	}
	if m.Change == nil {
		m.Change = web.NewForm(describing(k)...)
	}
	if m.Rotate == nil {
		m.Rotate = rotateForm()
	}
	if m.Replace == nil {
		m.Replace = replaceForm()
	}
	for _, c := range k.Credentials {
		row := proofRow{c, "live"}
		switch {
		case !alive || !c.Live(now):
			row.State = "ended"
		case !c.EndsAt.IsZero():
			row.State = "ending"
		}
		m.Proofs = append(m.Proofs, row)
	}
	return p.views.Page(w, r, "key", web.Page{Title: "machine.key", Args: []any{m.Title}, Status: status, Data: m, Crumbs: crumbs()})
}

func (p pages) change(w http.ResponseWriter, r *http.Request) error {
	k, err := p.find(r)
	if err != nil {
		return err
	}
	f := web.NewForm(describing(k)...)
	if err := f.Read(w, r); err != nil {
		return err
	}
	networks, err := networksOf(f)
	if err == nil && f.OK() {
		_, err = p.Keys.ChangeKey(r.Context(), sector.ViewerFrom(r.Context()), k.ID, f.Get("name"), f.Get("notes"), networks)
	}
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
	}
	if !f.OK() {
		return p.showKey(w, r, k, forms{change: f})
	}
	return p.done(w, r, k.ID, "machine.changed")
}

func (p pages) rotate(w http.ResponseWriter, r *http.Request) error {
	k, err := p.find(r)
	if err != nil {
		return err
	}
	f := rotateForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	var secret string
	if f.OK() {
		var rotated sector.Key
		rotated, secret, err = p.Issuer.RotateKey(r.Context(), sector.ViewerFrom(r.Context()), k.ID, overlapOf(f))
		if err == nil {
			return p.showSecret(w, r, "machine.rotated", rotated, secret)
		}
		if err := f.FailWith(err); err != nil {
			return err
		}
	}
	return p.showKey(w, r, k, forms{rotate: f})
}

func (p pages) replaceCertificate(w http.ResponseWriter, r *http.Request) error {
	k, err := p.find(r)
	if err != nil {
		return err
	}
	f := replaceForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if f.OK() {
		_, err := p.Issuer.ReplaceCertificate(r.Context(), sector.ViewerFrom(r.Context()), k.ID, overlapOf(f), certificateOf(f))
		if err == nil {
			return p.done(w, r, k.ID, "machine.cert.replaced")
		}
		if err := f.FailWith(err); err != nil {
			return err
		}
	}
	return p.showKey(w, r, k, forms{replace: f})
}

func (p pages) end(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := p.Keys.EndCredential(r.Context(), sector.ViewerFrom(r.Context()), id, r.PathValue("credential")); err != nil {
		return err
	}
	return p.done(w, r, id, "machine.ended")
}

// askRevoke says what will happen: a revoked key cannot be brought back.
func (p pages) askRevoke(w http.ResponseWriter, r *http.Request) error {
	k, err := p.find(r)
	if err != nil {
		return err
	}
	owner, err := p.Members.Member(r.Context(), k.Member)
	if err != nil {
		return err
	}
	return p.views.Page(w, r, "key-revoke", web.Page{Title: "machine.revoke_title", Crumbs: crumbs(keyLink(k)),
		Data: keyModel{Key: k, Title: titleOf(k), Owner: owner}})
}

func (p pages) revoke(w http.ResponseWriter, r *http.Request) error {
	k, err := p.find(r)
	if err != nil {
		return err
	}
	if err := p.Keys.RevokeKey(r.Context(), sector.ViewerFrom(r.Context()), k); err != nil {
		return err
	}
	return p.done(w, r, k.ID, "machine.revoked")
}

// Package machine is the pages on which machine access is administered: keys
// and client certificates, by the centre for every member and by a member's
// administrator for its own.
package machine

import (
	"context"
	"embed"
	"fmt"
	"net/netip"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// Keys is what there is. Every method shows and changes only what the viewer
// administers; anything else is errs.NotFound.
type Keys interface {
	KeysFor(ctx context.Context, v sector.Viewer, q sector.KeyQuery) ([]sector.Key, error)
	Key(ctx context.Context, v sector.Viewer, id string) (sector.Key, error)
	ChangeKey(ctx context.Context, by sector.Viewer, id, name, notes string, networks []netip.Prefix) (sector.Key, error)
	EndCredential(ctx context.Context, by sector.Viewer, key, id string) error
	RevokeKey(ctx context.Context, by sector.Viewer, k sector.Key) error
}

// Issuer makes keys. The secret it returns exists nowhere else afterwards.
type Issuer interface {
	IssueKey(ctx context.Context, by sector.Viewer, spec sector.KeySpec) (sector.Key, string, error)
	RotateKey(ctx context.Context, by sector.Viewer, id string, overlap time.Duration) (sector.Key, string, error)
	IssueCertificateKey(ctx context.Context, by sector.Viewer, spec sector.KeySpec, cert sector.CertificateSpec) (sector.Key, error)
	ReplaceCertificate(ctx context.Context, by sector.Viewer, id string, overlap time.Duration, cert sector.CertificateSpec) (sector.Key, error)
}

// Members is the members that keys are for.
type Members interface {
	Member(ctx context.Context, id sector.MemberID) (sector.Member, error)
	Members(ctx context.Context) ([]sector.Member, error)
}

// Config is what the pages work on.
type Config struct {
	Keys    Keys
	Issuer  Issuer
	Members Members
	BaseURL string // how machines reach the program, for examples
	Now     func() time.Time
	// Certificates says whether the program asks machines for certificates;
	// it can only where TLS ends in it.
	Certificates bool
}

//go:embed all:templates
var templates embed.FS

type pages struct {
	Config
	shell *web.Shell
	views *web.Views
}

// Mount adds the pages.
func Mount(routes *access.Routes, sh *web.Shell, c Config) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("machine: pages: %w", err)
	}
	p := pages{c, sh, views}
	sh.Nav(web.NavItem{Phase: web.House, Key: "machine.title", Href: "/keys", Icon: "key-round", Need: sector.ReadKeys})
	sh.Page(routes, "GET /keys", sector.ReadKeys, p.list)
	sh.Page(routes, "GET /keys/new", sector.CreateKeys, p.newKey)
	sh.Page(routes, "POST /keys/new", sector.CreateKeys, sh.StepUp(p.create))
	sh.Page(routes, "GET /keys/certificate", sector.BindCertificates, p.newCertificate)
	sh.Page(routes, "POST /keys/certificate", sector.BindCertificates, sh.StepUp(p.createCertificate))
	sh.Page(routes, "GET /keys/{id}", sector.ReadKeys, p.key)
	sh.Page(routes, "POST /keys/{id}", sector.CreateKeys, p.change)
	sh.Page(routes, "POST /keys/{id}/rotate", sector.CreateKeys, sh.StepUp(p.rotate))
	sh.Page(routes, "POST /keys/{id}/certificate", sector.BindCertificates, sh.StepUp(p.replaceCertificate))
	sh.Page(routes, "POST /keys/{id}/credentials/{credential}/end", sector.RevokeKeys, p.end)
	sh.Page(routes, "GET /keys/{id}/revoke", sector.RevokeKeys, p.askRevoke)
	sh.Page(routes, "POST /keys/{id}/revoke", sector.RevokeKeys, p.revoke)
	return nil
}

func crumbs(more ...web.Link) []web.Link {
	return append([]web.Link{{Key: "machine.title", Href: "/keys"}}, more...)
}

// keyLink is the crumb of a key.
func keyLink(k sector.Key) web.Link { return web.Link{Text: titleOf(k), Href: "/keys/" + k.ID} }

// titleOf is what a key is called.
func titleOf(k sector.Key) string {
	if k.Name != "" {
		return k.Name
	}
	return k.ID
}

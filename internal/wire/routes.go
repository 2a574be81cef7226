package wire

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/apidoc"
	"github.com/aspis-platform/aspis/internal/audit"
	"github.com/aspis-platform/aspis/internal/home"
	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/machine"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/tokens"
	"github.com/aspis-platform/aspis/internal/web"
	"github.com/aspis-platform/aspis/internal/web/static"
)

// routes mounts everything that answers over HTTP: a line per service.
func (p *Program) routes(edge *httpx.Edge) (http.Handler, error) {
	assets, err := static.Load()
	if err != nil {
		return nil, err
	}
	if !assets.Built() {
		p.log.Warn("this program was built without its styles and scripts; build it with `make build`")
	}
	shell, err := web.New(web.Config{
		Texts: p.texts, Edge: edge, Assets: assets, Keeper: identity.Keeper(p.identity),
		Sessions: p.engines.db.Sessions(), Lists: listStore{p.engines.db.Lists()}, Now: p.opts.Now, Version: p.opts.Version,
		Secure: p.secure(), Admit: p.limits.identity, Unread: p.notify.Unread, DraftKey: p.engines.draftKey})
	if err != nil {
		return nil, err
	}
	routes := access.New(edge)
	routes.Handle("GET /healthz", sector.Public, httpx.Healthz())
	routes.Handle("GET /readyz", sector.Public, httpx.Readyz(p.checks()...))
	routes.Handle("GET /metrics", sector.Public, near(p.opts.metricsFrom, httpx.MetricsHandler(p.registry)))
	if err := p.mountAPI(routes); err != nil {
		return nil, err
	}
	monitor.NewDoorAPI(p.soc.door, p.texts).Mount(routes)
	monitor.NewAPI(p.soc.alerts, p.soc.events).Mount(routes)
	intel.MountAPI(routes, p.isac.service, p.isac.sealer)
	search.MountAPI(routes, p.search)
	shell.Mount(routes)
	shell.MountAPI(routes)
	err = errors.Join(
		intel.MountTAXII(routes, p.isac.taxii, p.directory, p.opts.BaseURL, p.log),
		p.mountPages(routes, shell),
		apidoc.Mount(routes, shell),
		p.mountGallery(routes, shell))
	p.routeTable, p.described = routes.Table(), routes.Described
	return edge.Wrap(routes, func(next http.Handler) http.Handler { return p.identify(shell, next) }), err
}

func (p *Program) mountPages(routes *access.Routes, shell *web.Shell) error {
	if err := home.Mount(routes, shell, newHomeSource(p), p.opts.Now); err != nil {
		return err
	}
	if err := pulse.Mount(routes, shell, pulseSource{p}, ways()...); err != nil {
		return err
	}
	soc, err := monitor.NewPages(shell, p.soc.alerts, p.soc.events, p.soc.door, p.directory)
	if err != nil {
		return err
	}
	soc.Mount(routes)
	if err := intel.Mount(routes, shell, p.isac.service, p.directory, p.isac.sealer); err != nil {
		return err
	}
	if err := machine.Mount(routes, shell, p.machineConfig()); err != nil {
		return err
	}
	places, err := p.engines.sealer("ledger")
	if err != nil {
		return err
	}
	if err := audit.Mount(routes, shell, p.audit, p.directory, places); err != nil {
		return err
	}
	if err := search.Mount(routes, shell, p.search); err != nil {
		return err
	}
	cursors, err := p.engines.sealer("notices")
	if err != nil {
		return err
	}
	if err := notify.Mount(routes, shell, p.notify, cursors); err != nil {
		return err
	}
	if err := tokens.Mount(routes, shell, p.tokens, p.opts.Now); err != nil {
		return err
	}
	if err := organisation.Mount(routes, shell, newOrganisation(p), p.opts.BaseURL); err != nil {
		return err
	}
	if err := admin.Mount(routes, shell, p.adminConfig()); err != nil {
		return err
	}
	return identity.Mount(routes, shell, p.identity)
}

func (p *Program) machineConfig() machine.Config {
	return machine.Config{
		Keys: p.directory, Issuer: p.directory, Members: p.directory, BaseURL: p.opts.BaseURL, Now: p.opts.Now,
		Certificates: p.opts.ClientCertificates}
}

func (p *Program) adminConfig() admin.Config {
	return admin.Config{Members: p.directory, People: people{p.directory, p.identity}, Engines: health{p}, BaseURL: p.opts.BaseURL}
}

// people is the directory, but for links: identity asks for a second person
// where one is needed.
type people struct {
	*sector.Directory
	identity *identity.Service
}

// CreateLink implements admin.People.
func (p people) CreateLink(ctx context.Context, by sector.Viewer, id sector.UserID, valid time.Duration) (string, error) {
	return p.identity.CreateLink(ctx, by, id, valid)
}

func ways() []pulse.Way {
	return []pulse.Way{
		{Stage: pulse.Alerts, Href: "/alerts", Need: sector.ReadAlerts},
		{Stage: pulse.Review, Href: "/advisories", Need: sector.ReadDrafts},
		{Stage: pulse.Gate, Href: "/advisories", Need: sector.ReadDrafts},
		{Stage: pulse.Members, Href: "/admin/members", Need: sector.ReadMembers},
	}
}

package wire

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/apidoc"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/pulse"
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
		Texts: p.texts, Edge: edge, Assets: assets, Accounts: p.directory,
		Sessions: p.engines.db.Sessions(), Now: p.opts.Now, Version: p.opts.Version})
	if err != nil {
		return nil, err
	}
	routes := access.New(edge)
	routes.Handle("GET /healthz", sector.Public, httpx.Healthz())
	routes.Handle("GET /readyz", sector.Public, httpx.Readyz(p.checks()...))
	routes.Handle("GET /metrics", sector.Public, direct(httpx.MetricsHandler(p.registry)))
	if err := p.mountAPI(routes); err != nil {
		return nil, err
	}
	monitor.NewDoorAPI(p.soc.door, p.texts).Mount(routes)
	monitor.NewAPI(p.soc.alerts, p.soc.events).Mount(routes)
	intel.MountAPI(routes, p.isac.service, p.isac.sealer)
	shell.Mount(routes)
	err = errors.Join(
		intel.MountTAXII(routes, p.isac.taxii, p.directory, p.opts.BaseURL, p.log),
		p.mountPages(routes, shell),
		apidoc.Mount(routes, shell))
	p.routeTable, p.described = routes.Table(), routes.Described
	return edge.Wrap(routes, func(next http.Handler) http.Handler { return p.identify(edge, shell, next) }), err
}

func (p *Program) mountPages(routes *access.Routes, shell *web.Shell) error {
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
	if err := tokens.Mount(routes, shell, p.tokens, p.opts.Now); err != nil {
		return err
	}
	return admin.Mount(routes, shell, p.adminConfig())
}

func (p *Program) adminConfig() admin.Config {
	return admin.Config{Members: p.directory, People: p.directory, Engines: health{p}, BaseURL: p.opts.BaseURL}
}

func ways() []pulse.Way {
	return []pulse.Way{
		{Stage: pulse.Alerts, Href: "/alerts", Need: sector.ReadAlerts},
		{Stage: pulse.Review, Href: "/advisories", Need: sector.ReadDrafts},
		{Stage: pulse.Gate, Href: "/advisories", Need: sector.ReadDrafts},
		{Stage: pulse.Members, Href: "/admin/members", Need: sector.ReadMembers},
	}
}

// identify says who asks the API: a machine by its key, or a person by the
// session. TAXII knows its own ways; pages look at the session themselves.
func (p *Program) identify(edge *httpx.Edge, shell *web.Shell, next http.Handler) http.Handler {
	people := shell.Identify(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			next.ServeHTTP(w, r)
			return
		}
		secret, ok := httpx.BearerToken(r)
		if !ok {
			people.ServeHTTP(w, r)
			return
		}
		v, err := p.authenticate(r.Context(), secret)
		if err != nil {
			edge.Problem(w, r, err)
			return
		}
		httpx.SetActor(r.Context(), v.Actor())
		next.ServeHTTP(w, r.WithContext(sector.WithViewer(r.Context(), v)))
	})
}

// authenticate tells whose a secret is: a member's key or a person's token.
func (p *Program) authenticate(ctx context.Context, secret string) (sector.Viewer, error) {
	if sector.IsToken(secret) {
		return p.tokens.Authenticate(ctx, secret)
	}
	return p.directory.AuthenticateKey(ctx, secret)
}

// direct hides a handler from requests that came through a proxy: the totals
// in the metrics are no member's business.
func direct(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
			if r.Header.Get(name) != "" {
				http.NotFound(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

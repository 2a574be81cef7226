package wire

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/sector"
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
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", httpx.Healthz())
	mux.Handle("GET /readyz", httpx.Readyz(p.checks()...))
	mux.Handle("GET /metrics", direct(httpx.MetricsHandler(p.registry)))
	monitor.NewDoorAPI(p.soc.door, edge, p.texts).Mount(mux)
	monitor.NewAPI(edge, p.soc.alerts, p.soc.events).Mount(mux)
	intel.MountAPI(mux, edge, p.isac.service, p.isac.sealer, viewerOf)
	shell.Mount(mux)
	err = errors.Join(
		intel.MountTAXII(mux, p.isac.taxii, p.directory, p.opts.BaseURL, p.log),
		p.mountPages(mux, shell))
	return edge.Wrap(mux, func(next http.Handler) http.Handler { return p.identify(edge, shell, next) }), err
}

func (p *Program) mountPages(mux *http.ServeMux, shell *web.Shell) error {
	if err := pulse.Mount(mux, shell, pulseSource{p}, ways()...); err != nil {
		return err
	}
	soc, err := monitor.NewPages(shell, p.soc.alerts, p.soc.events, p.soc.door, p.directory)
	if err != nil {
		return err
	}
	soc.Mount(mux)
	if err := intel.Mount(mux, shell, p.isac.service, p.directory, p.isac.sealer); err != nil {
		return err
	}
	return admin.Mount(mux, shell, admin.Config{
		Members: p.directory, People: p.directory, Engines: health{p}, BaseURL: p.opts.BaseURL})
}

func ways() []pulse.Way {
	centre := []sector.Role{sector.Analyst, sector.DutyManager}
	return []pulse.Way{
		{Stage: pulse.Alerts, Href: "/alerts", Roles: append(centre, sector.MemberStaff)},
		{Stage: pulse.Review, Href: "/advisories", Roles: centre},
		{Stage: pulse.Gate, Href: "/advisories", Roles: centre},
		{Stage: pulse.Members, Href: "/admin/members", Roles: append(centre, sector.Administrator)},
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
		v, err := p.directory.AuthenticateKey(r.Context(), secret)
		if err != nil {
			edge.Problem(w, r, err)
			return
		}
		httpx.SetActor(r.Context(), v.Actor())
		next.ServeHTTP(w, r.WithContext(sector.WithViewer(r.Context(), v)))
	})
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

// viewerOf is the viewer that identify found.
func viewerOf(r *http.Request) (sector.Viewer, error) {
	v := sector.ViewerFrom(r.Context())
	if v.Org == "" {
		return v, errs.New(errs.Unauthenticated, "error.sign_in_first")
	}
	return v, nil
}

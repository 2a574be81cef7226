// Package wire builds the program: it is the only place that knows which
// engine stands behind a port, and where the domains meet.
package wire

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/adapter/localsock"
	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/adapter/tiles"
	"github.com/aspis-platform/aspis/internal/audit"
	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/certs"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// Program is a built centre, listening but not yet serving.
type Program struct {
	opts       Options
	log        *slog.Logger
	texts      *i18n.Catalogue
	registry   *prometheus.Registry
	engines    *engines
	directory  *sector.Directory
	tokens     *sector.Tokens
	identity   *identity.Service
	soc        *soc
	isac       *isac
	notify     *notify.Service
	publisher  *tiles.Publisher
	audit      *audit.Service
	search     *search.Service
	listener   net.Listener
	server     *http.Server
	routeTable []access.Route
	described  func(pattern string) bool // whether the API's document has a route
	started    time.Time
	limits     limits

	certificates     certs.Source // nil where TLS does not end here
	redirectListener net.Listener
	redirectServer   *http.Server
}

// Build opens the data folder and every engine, builds the services over them
// and listens. Close what it returns; Run does.
func Build(ctx context.Context, opts Options) (*Program, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	p := &Program{opts: opts, log: opts.Log, started: opts.Now().UTC(), registry: prometheus.NewRegistry()}
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := p.build(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Program) build(ctx context.Context) error {
	var err error
	// The port first: when it is in use nothing else need be tried.
	if p.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", p.opts.Listen); err != nil {
		return errs.New(errs.Conflict, "cli.listen_failed", p.opts.Listen, err.Error()).Because(err)
	}
	if p.opts.BaseURL == "" {
		at := p.listener.Addr()
		p.opts.BaseURL = strings.Replace(p.opts.baseURL(at), at.String(), reached(p.opts.Listen, at.String()), 1)
	}
	p.opts.BaseURL = strings.TrimSuffix(p.opts.BaseURL, "/")
	if err := p.opts.checkBase(p.opts.BaseURL); err != nil {
		return err
	}
	p.limits = newLimits(p.opts.RequestsPerSecond, p.opts.Now)
	if p.texts, err = i18n.Load(); err != nil {
		return err
	}
	if p.engines, err = openEngines(ctx, p.opts); err != nil {
		return err
	}
	if p.certificates, err = p.openCertificates(); err != nil {
		return err
	}
	if err := p.listenForRedirects(ctx); err != nil {
		return err
	}
	p.directory = newDirectory(p.engines.db)
	if p.engines.breached != nil {
		p.directory.Refusing(p.engines.breached)
	}
	p.tokens = sector.NewTokens(p.engines.db.Sector(), p.directory, time.Now)
	if p.identity, err = newIdentity(p); err != nil {
		return err
	}
	if err := p.reseal(ctx); err != nil {
		return err
	}
	if p.soc, err = newSOC(p); err != nil {
		return err
	}
	if p.isac, err = newISAC(p); err != nil {
		return err
	}
	if p.notify, err = newNotify(p); err != nil {
		return err
	}
	p.newLedger()
	if p.search, err = newSearch(p); err != nil {
		return err
	}
	edge := httpx.NewEdge(p.log, p.texts, httpx.NewMetrics(p.registry))
	edge.Stand(httpx.Place{Proxies: p.opts.proxies, HTTPS: p.secure()})
	handler, err := p.routes(edge)
	if err != nil {
		return err
	}
	p.server = httpx.NewServer(handler, p.log)
	if p.certificates != nil {
		p.server.TLSConfig = certs.Server(p.certificates, p.opts.ClientCertificates)
	}
	return nil
}

// reached is the address that was listened on, by the name that was given:
// passkeys are bound to names.
func reached(asked, got string) string {
	host, _, err := net.SplitHostPort(asked)
	_, port, err2 := net.SplitHostPort(got)
	if err != nil || err2 != nil || host != "localhost" {
		return got
	}
	return net.JoinHostPort(host, port)
}

func newDirectory(db *sqldb.DB) *sector.Directory {
	return sector.NewDirectory(db.Sector(), db.Sector(), db.Sector(), time.Now)
}

func newIdentity(p *Program) (*identity.Service, error) {
	sealer, err := p.engines.sealer("identity")
	if err != nil {
		return nil, err
	}
	config := identity.Config{
		Stores: p.engines.db.Identity().Stores(), People: p.directory, Sealer: sealer, Vault: p.engines.secrets, BaseURL: p.opts.BaseURL,
		LinksEnter: p.opts.LinksEnter, PrivateProviders: p.opts.PrivateProviders, Now: p.opts.Now}
	if p.engines.breached != nil {
		config.Breached = p.engines.breached
	}
	return identity.New(config)
}

// reseal seals secrets anew that a former key sealed.
func (p *Program) reseal(ctx context.Context) error {
	sealed, lost, err := p.identity.Reseal(ctx)
	if sealed > 0 {
		p.log.InfoContext(ctx, "secrets sealed anew", slog.Int("sealed", sealed))
	}
	if lost > 0 {
		p.log.WarnContext(ctx, "secrets of apps or providers do not open any more; these people and members must set them up again", slog.Int("lost", lost))
	}
	return err
}

// Directory is the members, people and keys.
func (p *Program) Directory() *sector.Directory { return p.directory }

// Matcher is where indicators are matched.
func (p *Program) Matcher() *monitor.Matcher { return p.soc.matcher }

// Advisories is the service of advisories.
func (p *Program) Advisories() *intel.Service { return p.isac.service }

// Routes is the routing table: everything that is answered over HTTP.
func (p *Program) Routes() []access.Route { return slices.Clone(p.routeTable) }

// URL is where the program is reached.
func (p *Program) URL() string { return p.opts.BaseURL }

// Run serves until ctx is done, then stops everything in order: no new
// requests, workers, engines. What was accepted is on disk already.
func (p *Program) Run(ctx context.Context) error {
	if err := p.noteStart(context.WithoutCancel(ctx)); err != nil { // that it starts is true by now
		return errors.Join(err, p.Close())
	}
	group, work := errgroup.WithContext(ctx)
	group.Go(func() error { return p.publisher.Run(work) })
	group.Go(func() error { return p.soc.pipeline.Run(work) })
	group.Go(func() error { return p.soc.matcher.Follow(work, p.isac.indicators(), p.isac.changed, p.log) })
	group.Go(func() error { return p.engines.db.RunJobs(work, p.handlers()) })
	group.Go(func() error {
		return p.notify.WatchKeys(work, func(err error) { p.log.WarnContext(work, "keys", "error", err) })
	})
	group.Go(func() error { return newWatch(p).run(work) })
	group.Go(func() error { return p.keepIndex(work) })
	group.Go(func() error { return localsock.Serve(work, p.opts.Data, p.directory) })
	group.Go(func() error { return serveOn(work, p.server, p.listener) })
	if p.redirectServer != nil {
		group.Go(func() error { return serveOn(work, p.redirectServer, p.redirectListener) })
	}
	p.log.InfoContext(ctx, "ready", slog.String("url", p.opts.BaseURL), slog.String("data", p.opts.Data),
		slog.Int("rules", p.soc.catalogue.Rules().Len()), slog.Duration("took", p.opts.Now().Sub(p.started)))
	err := group.Wait()
	return errors.Join(err, p.Close())
}

// handlers are who works on which kind of job.
func (p *Program) handlers() map[string]jobs.Handler {
	all := map[string]jobs.Handler{"mail.send": oldMail(p.notify)}
	maps.Copy(all, p.isac.worker.Handlers())
	maps.Copy(all, p.notify.Handlers())
	maps.Copy(all, p.tellers())
	return all
}

// Close closes the engines of a program that does not run (any more).
func (p *Program) Close() error {
	var all []error
	for _, l := range []net.Listener{p.listener, p.redirectListener} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
	}
	if p.engines != nil {
		all = append(all, p.engines.close())
	}
	p.listener, p.redirectListener, p.engines = nil, nil, nil
	return errors.Join(all...)
}

// Enrolment returns a one-time link for the first administrator; empty when
// there are accounts already.
func (p *Program) Enrolment(ctx context.Context) (string, error) {
	users, err := p.directory.Users(ctx)
	if err != nil || len(users) > 0 {
		return "", err
	}
	return p.SignInLink(ctx, sector.User{Email: "admin@centre.example", Roles: []sector.Role{sector.Administrator}})
}

// SignInLink returns a one-time sign-in link for the account with the user's
// address, which is created if need be.
func (p *Program) SignInLink(ctx context.Context, u sector.User) (string, error) {
	users, err := p.directory.Users(ctx)
	if err != nil {
		return "", err
	}
	for _, known := range users {
		if known.Email == u.Email {
			u.ID = known.ID
		}
	}
	if u.ID == "" {
		if u, err = p.directory.CreateUser(ctx, sector.System(), u, ""); err != nil {
			return "", err
		}
	}
	token, err := p.directory.CreateLink(ctx, sector.System(), u.ID, enrolmentValidity)
	return web.LinkURL(p.opts.BaseURL, token), err
}

package wire

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/peer"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// identify says who asks the API: a machine by its key or its certificate, or
// a person by the session. TAXII reads keys itself; pages look at the session
// themselves.
func (p *Program) identify(shell *web.Shell, next http.Handler) http.Handler {
	people := shell.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := p.limits.identity(sector.ViewerFrom(r.Context())); err != nil {
			shell.Fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isDoor(r) { // charged when nobody's key is shown
			if err := p.limits.address(r); err != nil {
				shell.Fail(w, r, err)
				return
			}
		}
		api := strings.HasPrefix(r.URL.Path, "/api/")
		v, found, err := p.machine(r, api)
		if err == nil && !found && isDoor(r) {
			err = p.limits.address(r)
		}
		switch {
		case err != nil:
			shell.Fail(w, r, p.refused(r, err))
		case found:
			w.Header().Set("Cache-Control", "no-store")
			httpx.SetActor(r.Context(), v.Actor())
			next.ServeHTTP(w, r.WithContext(sector.WithViewer(r.Context(), v)))
		case api:
			people.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// machine recognises a machine by its key (API), or by the certificate of the
// connection where the request says nothing else.
func (p *Program) machine(r *http.Request, api bool) (v sector.Viewer, found bool, err error) {
	secret, bearer := httpx.BearerToken(r)
	certificates := peer.From(r.Context()).Certificates
	switch {
	case api && bearer:
		v, err = p.authenticate(r.Context(), secret)
	case p.opts.ClientCertificates && len(certificates) > 0 && r.Header.Get("Authorization") == "" && r.Header.Get("Cookie") == "" &&
		(api || strings.HasPrefix(r.URL.Path, "/taxii2/")):
		v, err = p.directory.AuthenticateCertificate(r.Context(), certificates)
	default:
		return v, false, nil
	}
	if err == nil && !isDoor(r) {
		err = p.limits.identity(v)
	}
	return v, err == nil, err
}

// authenticate tells whose a secret is: a member's key or a person's token.
func (p *Program) authenticate(ctx context.Context, secret string) (sector.Viewer, error) {
	if sector.IsToken(secret) {
		return p.tokens.Authenticate(ctx, secret)
	}
	return p.directory.AuthenticateKey(ctx, secret)
}

// refused charges the address for a key that is none at the door.
func (p *Program) refused(r *http.Request, err error) error {
	if isDoor(r) && errs.Is(err, errs.Unauthenticated) {
		if limited := p.limits.address(r); limited != nil {
			return limited
		}
	}
	return err
}

// near lets this machine and the networks through, and hides a handler from
// everybody else, as from what came through a proxy: the totals in the
// metrics are no member's business.
func near(networks []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := peer.From(r.Context()).Addr
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
			if r.Header.Get(name) != "" {
				from = netip.Addr{}
			}
		}
		if !from.IsLoopback() && !peer.Within(networks, from) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

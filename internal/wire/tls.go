package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/certs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
)

// openCertificates opens where the program's certificate comes from; nil
// where TLS does not end here.
func (p *Program) openCertificates() (certs.Source, error) {
	switch {
	case p.opts.TLSCert != "":
		return certs.OpenFiles(p.opts.TLSCert, p.opts.TLSKey, p.opts.Now, p.log)
	case len(p.opts.ACMEHosts) > 0:
		folder, err := p.engines.dir.Sub("acme")
		if err != nil {
			return nil, err
		}
		return certs.NewACME(certs.ACMEConfig{
			Hosts: p.opts.ACMEHosts, Email: p.opts.ACMEEmail, Directory: p.opts.ACMEDirectory, Authority: p.opts.ACMERoots,
			Folder: folder, Keeper: p.engines.secrets})
	}
	return nil, nil
}

// secure reports whether people reach the program over TLS, whoever ends it.
func (p *Program) secure() bool { return strings.HasPrefix(p.opts.BaseURL, "https://") }

// listenForRedirects builds the plain listener, if one is wanted.
func (p *Program) listenForRedirects(ctx context.Context) error {
	if p.opts.Redirect == "" {
		return nil
	}
	var err error
	if p.redirectListener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", p.opts.Redirect); err != nil {
		return fmt.Errorf("listen on %s: %w; choose another port with --redirect", p.opts.Redirect, err)
	}
	handler := redirect(p.opts.BaseURL)
	if acme, ok := p.certificates.(*certs.ACME); ok {
		handler = acme.Challenges(handler)
	}
	p.redirectServer = httpx.NewServer(handler, p.log)
	p.redirectServer.ReadTimeout, p.redirectServer.WriteTimeout = 10*time.Second, 10*time.Second
	return nil
}

// redirect sends people to the same place under the base URL, whatever host
// they asked for. Machines are refused: a key that was sent in the clear must
// not go unnoticed.
func redirect(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		machine := strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/taxii2/") || r.Header.Get("Authorization") != ""
		if machine || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "Use "+base+" (TLS). A key that was sent here is known to others: replace it.", http.StatusForbidden)
			return
		}
		http.Redirect(w, r, base+r.URL.EscapedPath()+queryOf(r), http.StatusMovedPermanently)
	})
}

func queryOf(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}

// serveOn serves until ctx is done, over TLS when the server has it.
func serveOn(ctx context.Context, server *http.Server, listener net.Listener) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
		defer cancel()
		stopped <- server.Shutdown(patience)
	})
	defer stop()
	serve := server.Serve
	if server.TLSConfig != nil {
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return <-stopped
}

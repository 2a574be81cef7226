// Package httpx is the edge between HTTP and the program: what every request
// gets (an id, one log line, safe headers, a check against forged requests,
// metrics), and how errors become answers. It knows no domain.
package httpx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/peer"
)

// Edge wraps a mux with what every request gets.
type Edge struct {
	log     *slog.Logger
	texts   *i18n.Catalogue
	metrics *Metrics
	cross   *http.CrossOriginProtection
	place   Place
}

// Place is where the program stands in the network. The zero Place is behind
// nothing, and without TLS.
type Place struct {
	Proxies peer.Proxies // whose word about the client's address is believed
	HTTPS   bool         // people reach it over TLS, whoever ends that
}

// Stand tells the edge its place, before it wraps anything.
func (e *Edge) Stand(p Place) { e.place = p }

// NewEdge returns an edge. metrics may be nil.
func NewEdge(log *slog.Logger, texts *i18n.Catalogue, metrics *Metrics) *Edge {
	return &Edge{log: log, texts: texts, metrics: metrics, cross: http.NewCrossOriginProtection()}
}

// Texts is the catalogue that errors are worded with.
func (e *Edge) Texts() *i18n.Catalogue { return e.texts }

// Mux is a handler that knows the pattern of a request, as [http.ServeMux]
// does.
type Mux interface {
	http.Handler
	Handler(r *http.Request) (h http.Handler, pattern string)
}

// Wrap is the program's outermost handler. The mux is asked for its pattern
// first, so that the log and the metrics name routes and not paths. around,
// outermost last, comes between the edge and the mux: who is asking.
func (e *Edge) Wrap(mux Mux, around ...func(http.Handler) http.Handler) http.Handler {
	inner := http.Handler(mux)
	for _, wrap := range around {
		inner = wrap(inner)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := time.Now()
		_, route := mux.Handler(r)
		rec := &record{id: newRequestID()}
		from := e.peer(r)
		rec.client = from.Addr
		r = r.WithContext(peer.With(context.WithValue(r.Context(), recordKey{}, rec), from))
		w := &writer{ResponseWriter: rw}
		setHeaders(w.Header(), rec.id)
		if e.place.HTTPS {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
			// There may have been a Content-Length beside the chunks, which
			// net/http hides: the connection must end (RFC 9112 section 6.3).
			w.Header().Set("Connection", "close")
		}
		done := e.metrics.begin()
		defer func() {
			e.recovered(w, r, recover())
			done(route, r.Method, w.status, time.Since(start))
			e.canonical(r, w, rec, route, time.Since(start))
		}()
		if err := e.sameOrigin(r); err != nil {
			e.Problem(w, r, err)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// peer is who is at the other end.
func (e *Edge) peer(r *http.Request) peer.Peer {
	p := peer.Peer{Addr: e.place.Proxies.Client(r.RemoteAddr, r.Header)}
	if r.TLS != nil {
		p.Certificates = r.TLS.PeerCertificates
	}
	return p
}

// sameOrigin refuses state-changing requests that a browser says come from
// elsewhere. A Bearer token is never attached by a browser on its own, so
// requests that carry one cannot be forged; Basic credentials can.
func (e *Edge) sameOrigin(r *http.Request) error {
	if _, ok := BearerToken(r); ok {
		return nil
	}
	if err := e.cross.Check(r); err != nil {
		return errs.New(errs.Forbidden, "error.cross_origin").Because(err)
	}
	return nil
}

// recovered turns a panic into a 500. http.ErrAbortHandler goes on, as the
// server expects.
func (e *Edge) recovered(w *writer, r *http.Request, p any) {
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { //nolint:errorlint // a recovered value, compared as net/http does
		panic(p) //nolint:forbidigo // goes on to net/http, which ends the connection
	}
	e.log.LogAttrs(r.Context(), slog.LevelError, "panic",
		slog.String("request", RequestID(r.Context())), slog.String("stack", string(debug.Stack())))
	err := fmt.Errorf("panic: %v", p)
	if w.status != 0 {
		Note(r.Context(), err)
		return
	}
	e.Problem(w, r, err)
}

// canonical writes the one line per request. The query is left out: it may
// hold one-time tokens and search terms.
func (e *Edge) canonical(r *http.Request, w *writer, rec *record, route string, took time.Duration) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("request", rec.id), slog.String("method", r.Method),
		slog.String("route", route), slog.Int("status", status),
		slog.Int64("bytes", w.bytes), slog.Duration("took", took),
		slog.String("actor", rec.actor), slog.String("client", rec.client.String()),
	}
	if rec.err != nil {
		attrs = append(attrs, slog.String("error", rec.err.Error()))
	}
	switch {
	case r.Context().Err() != nil: // nobody waits for this answer any more
		attrs = append(attrs, slog.Bool("gone", true))
	case status >= 500:
		level = slog.LevelError
	}
	e.log.LogAttrs(r.Context(), level, "request", append(attrs, rec.attrs...)...)
}

// ContentPolicy is the Content-Security-Policy of every answer.
const ContentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func setHeaders(h http.Header, id string) {
	h.Set("Content-Security-Policy", ContentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("X-Request-Id", id)
}

func newRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

// BearerToken is the token of "Authorization: Bearer …" (RFC 6750 section
// 2.1); the scheme is case-insensitive.
func BearerToken(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.TrimSpace(token)
	return token, token != ""
}

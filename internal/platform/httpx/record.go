package httpx

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
)

// record collects what the canonical log line of one request says. Inner
// handlers reach it through the context.
type record struct {
	mu     sync.Mutex
	id     string
	actor  string
	client netip.Addr
	err    error
	attrs  []slog.Attr
}

type recordKey struct{}

func recordFrom(ctx context.Context) *record {
	if r, ok := ctx.Value(recordKey{}).(*record); ok {
		return r
	}
	return &record{}
}

// SetActor names who the request acts for, for the canonical line
// ([sector.Viewer.Actor]; never a mail address).
func SetActor(ctx context.Context, actor string) {
	r := recordFrom(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.actor = actor
}

// Note keeps the error that explains the answer, for the canonical line. The
// first one wins; nil is ignored. Callers that render an error themselves use
// it; [Edge.Problem] does it for them.
func Note(ctx context.Context, err error) {
	r := recordFrom(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// Attr adds attributes to the canonical line, for example counts. No secrets
// and no personal data.
func Attr(ctx context.Context, attrs ...slog.Attr) {
	r := recordFrom(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attrs = append(r.attrs, attrs...)
}

// RequestID is the id of the request, as shown to the user on an error page
// and in the X-Request-Id header.
func RequestID(ctx context.Context) string { return recordFrom(ctx).id }

package access

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Doc is what the types of an operation do not say about it.
type Doc struct {
	ID     string // unique; the catalogue's api.op.ID is the summary
	Tag    string // groups operations: "advisories"
	Status int    // of success; 0: 200, or 204 without a body
	// MaxBody bounds the request's body in bytes; 0: 64 KiB.
	MaxBody int64
	// Creates says that a repeated Idempotency-Key gets the first answer.
	Creates bool
	// Proof asks people who come with a session for a fresh proof of who they
	// are; tokens and keys have none to give, and are not asked.
	Proof bool
	// Media is the type of what is answered; empty: application/json.
	Media string
	// Takes is the type of what is sent; empty: application/json.
	Takes string
}

const defaultMaxBody = 64 << 10

// Operation adds a route of the API. In has fields for parameters (tags path,
// query, header) and may have a Body; Out may have a Body, headers and a
// Status. Parameters and members that In does not have are refused. Answers
// to GET carry an ETag: that of Out's header, or one made of the body.
func Operation[In, Out any](rs *Routes, pattern string, need sector.Permission, d Doc, h func(context.Context, *In) (*Out, error)) {
	op := rs.spec.operation(pattern, need, d)
	huma.Register(rs.spec.api, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := h(ctx, in)
		if err != nil {
			outcomeOf(ctx).err = err
			return nil, huma.NewError(http.StatusInternalServerError, "") // never leaves: see answer
		}
		return out, nil
	})
}

// Describe adds a route of the API with a handler that reads the request and
// answers in its own way. In and Out are for the document only; an Out without
// a body says that Media is something else than a JSON value.
func Describe[In, Out any](rs *Routes, pattern string, need sector.Permission, d Doc, h httpx.Handler) {
	op := rs.spec.operation(pattern, need, d)
	op.Metadata[metaRaw] = h
	huma.Register(rs.spec.api, op, func(context.Context, *In) (*Out, error) { return nil, nil }) //nolint:nilnil // never called
}

// What an operation carries from registration to its handler.
const (
	metaNeed = "need"
	metaDoc  = "doc"
	metaRaw  = "raw"
)

// adapter mounts huma's operations on the table.
type adapter struct{ rs *Routes }

// Handle implements huma.Adapter.
func (a adapter) Handle(op *huma.Operation, serve func(huma.Context)) {
	need, _ := op.Metadata[metaNeed].(sector.Permission)
	doc, _ := op.Metadata[metaDoc].(Doc)
	h, raw := op.Metadata[metaRaw].(httpx.Handler)
	if !raw {
		h = a.rs.remembered(doc, answer(op, serve))
	}
	if doc.Proof {
		h = a.rs.proven(h)
	}
	a.rs.API(op.Method+" "+op.Path, need, h)
}

// proven is h for requests that the prover passes, even where an answer is
// remembered.
func (rs *Routes) proven(h httpx.Handler) httpx.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := rs.prover(r); err != nil {
			return err
		}
		return h(w, r)
	}
}

// ServeHTTP implements huma.Adapter.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.rs.ServeHTTP(w, r) }

// split is method and path of a pattern.
func split(pattern string) (method, path string) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		return http.MethodGet, pattern
	}
	return method, path
}

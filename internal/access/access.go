// Package access is the program's routing table. Every route says which
// permission it needs, so that who may reach what can be listed, shown in the
// guide, and tested cell by cell; there is no way to add a route without one.
//
// A route of the API is described too, by the types of what it reads and
// answers, and so gets into the OpenAPI document:
//
//	type oneIn struct {
//		ID string `path:"id" doc:"The advisory's id."`
//	}
//	type oneOut struct{ Body advisoryJSON }
//
//	access.Operation(routes, "GET /api/v1/advisories/{id}", sector.ReadAdvisories,
//		access.Doc{ID: "advisory-show", Tag: "advisories"},
//		func(ctx context.Context, in *oneIn) (*oneOut, error) { … })
//
// [Operation] reads and checks the request, answers with the result and its
// ETag, and words errors; [Describe] documents a handler of its own, for
// streams and whatever is read in its own way. Summaries are the catalogue's
// api.op.ID, in both languages, with an optional api.op.ID.text below; each
// Tag has api.tag.TAG.
package access

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Route is a line of the table.
type Route struct {
	Pattern string // of [http.ServeMux]: "GET /alerts/{id}"
	Need    sector.Permission
}

// Routes is a mux with its table. Add everything before serving.
type Routes struct {
	mux   *http.ServeMux
	edge  *httpx.Edge
	table []Route
	spec  *spec
	memo  *Memory

	prover func(*http.Request) error
}

// New returns an empty table. The edge answers API requests that are refused.
func New(edge *httpx.Edge) *Routes {
	rs := &Routes{mux: http.NewServeMux(), edge: edge, prover: func(*http.Request) error { return nil }}
	rs.spec = newSpec(rs)
	return rs
}

// Handle adds a route whose handler checks the permission itself, as pages
// do: they send people to the sign-in page.
func (rs *Routes) Handle(pattern string, need sector.Permission, h http.Handler) {
	rs.table = append(rs.table, Route{pattern, need})
	rs.mux.Handle(pattern, h)
}

// API adds a route that answers problems as JSON. The viewer is the one in
// the request's context.
func (rs *Routes) API(pattern string, need sector.Permission, h httpx.Handler) {
	rs.Handle(pattern, need, rs.edge.API(func(w http.ResponseWriter, r *http.Request) error {
		if err := Check(sector.ViewerFrom(r.Context()), need); err != nil {
			return err
		}
		return h(w, r)
	}))
}

// Check is nil when the viewer holds the permission; otherwise an error of
// kind errs.Unauthenticated for nobody, errs.Forbidden for somebody.
func Check(v sector.Viewer, need sector.Permission) error {
	switch {
	case v.May(need):
		return nil
	case v.Org == "":
		return errs.New(errs.Unauthenticated, "error.sign_in_first")
	case v.Key != "" && len(sector.GrantOf(need).Scopes) > 0:
		return errs.New(errs.Forbidden, "error.scope", scopesFor(need))
	}
	return errs.New(errs.Forbidden, "error.role")
}

// scopesFor names what a key would need, for its owner to ask for.
func scopesFor(need sector.Permission) string {
	return strings.Join(sector.Names(sector.GrantOf(need).Scopes), ", ")
}

// Prove names what refuses requests to operations with [Doc.Proof] whose
// person has not proved who it is just now. Without it all pass.
func (rs *Routes) Prove(prover func(*http.Request) error) { rs.prover = prover }

// Texts is the catalogue that answers are worded with.
func (rs *Routes) Texts() *i18n.Catalogue { return rs.edge.Texts() }

// Table lists the routes in the order they were added.
func (rs *Routes) Table() []Route { return slices.Clone(rs.table) }

// ServeHTTP implements http.Handler.
func (rs *Routes) ServeHTTP(w http.ResponseWriter, r *http.Request) { rs.mux.ServeHTTP(w, r) }

// Handler is the handler and the pattern of a request, as in [http.ServeMux].
func (rs *Routes) Handler(r *http.Request) (http.Handler, string) { return rs.mux.Handler(r) }

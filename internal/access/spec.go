package access

import (
	"encoding/json"
	"net/http"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// spec grows the OpenAPI document while operations are added.
type spec struct {
	api     huma.API
	names   *namer
	texts   *i18n.Catalogue
	problem *huma.Schema
}

const problemType = "application/problem+json"

func newSpec(rs *Routes) *spec {
	s := &spec{texts: rs.edge.Texts(), names: &namer{unnamed: map[reflect.Type]string{}}}
	schemas := huma.NewMapRegistry("#/components/schemas/", s.names.name)
	s.api = huma.NewAPI(huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0", Info: &huma.Info{Title: "Aspis API", Version: "v1"},
			Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
				"session": {Type: "apiKey", In: "cookie", Name: "aspis", Description: "A person who signed in."},
				"key":     {Type: "http", Scheme: "bearer", Description: "A member's key, or a person's token (aspis_pat_…)."},
			}},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{keepRefusal},
	}, adapter{rs})
	s.problem = schemas.Schema(reflect.TypeFor[httpx.Problem](), true, "Problem")
	return s
}

// namer names the document's types.
type namer struct {
	operation string                  // the one that is being added
	unnamed   map[reflect.Type]string // bodies that are written out where they are used
}

// name is a type's name: with its package, since domains name alike, and
// without the JSON that ours end with. A type without a name gets that of the
// operation that first has it.
func (n *namer) name(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct && t.Name() == "" {
		if n.unnamed[t] == "" {
			n.unnamed[t] = camel(n.operation) + strings.NewReplacer("InBody", "Request", "OutBody", "Answer").Replace(suffix(hint))
		}
		return n.unnamed[t]
	}
	name := strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "JSON")
	if t.PkgPath() == "" {
		return name
	}
	return camel(path.Base(t.PkgPath())) + name
}

// suffix is InBody or OutBody where a hint ends so.
func suffix(hint string) string {
	for _, s := range []string{"InBody", "OutBody"} {
		if strings.HasSuffix(hint, s) {
			return s
		}
	}
	return hint
}

// camel writes "draft-create" as "DraftCreate".
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// operation is the document's entry before the types are added.
func (s *spec) operation(pattern string, need sector.Permission, d Doc) huma.Operation {
	method, where := split(pattern)
	s.names.operation = d.ID
	if d.MaxBody == 0 {
		d.MaxBody = defaultMaxBody
	}
	op := huma.Operation{
		OperationID: d.ID, Method: method, Path: where, Tags: []string{d.Tag},
		Summary: s.texts.T(i18n.En, "api.op."+d.ID), DefaultStatus: d.Status, MaxBodyBytes: d.MaxBody,
		Responses: s.errors(need), Metadata: map[string]any{metaNeed: need, metaDoc: d},
		Extensions: map[string]any{"x-permission": need},
	}
	if key := "api.op." + d.ID + ".text"; s.texts.Has(key) {
		op.Description = s.texts.T(i18n.En, key)
	}
	if scopes := sector.GrantOf(need).Scopes; len(scopes) > 0 {
		op.Extensions["x-scopes"] = scopes
	}
	if need != sector.Public {
		op.Security = []map[string][]string{{"session": {}}, {"key": {}}}
	}
	if d.Proof {
		op.Extensions[ProofExtension] = true
	}
	if d.Creates {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: idempotencyKey, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: s.texts.T(i18n.En, "api.idempotency_key")})
	}
	if d.Media != "" {
		op.Responses[okStatus(d)] = &huma.Response{Description: "OK",
			Content: map[string]*huma.MediaType{d.Media: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	}
	if d.Takes != "" {
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{d.Takes: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	}
	return op
}

// ProofExtension marks operations with [Doc.Proof] in the document.
const ProofExtension = "x-fresh-proof"

func okStatus(d Doc) string {
	if d.Status == http.StatusCreated {
		return "201"
	}
	return "200"
}

// errors are the answers that every operation may give instead.
func (s *spec) errors(need sector.Permission) map[string]*huma.Response {
	kinds := []string{"400", "404", "500", "503"}
	if need != sector.Public {
		kinds = append(kinds, "401", "403")
	}
	all := map[string]*huma.Response{}
	for _, status := range kinds {
		all[status] = &huma.Response{
			Description: "A problem (RFC 9457); its code is the catalogue's key.",
			Content:     map[string]*huma.MediaType{problemType: {Schema: s.problem}},
		}
	}
	return all
}

// Document is the OpenAPI 3.1 document of the operations that were added.
// What is sent must be as it says; what is answered may gain members, so
// that programs made of today's document read tomorrow's answers.
func (rs *Routes) Document() *huma.OpenAPI {
	doc := rs.spec.api.OpenAPI()
	schemas := doc.Components.Schemas.Map()
	for _, unused := range []string{"V2ErrorModel", "V2ErrorDetail"} {
		delete(schemas, unused) // huma/v2 has its own problem, which never leaves
	}
	sent := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range Operations(item) {
			if op.RequestBody == nil {
				continue
			}
			for _, c := range op.RequestBody.Content {
				reach(schemas, c.Schema, sent)
			}
		}
	}
	open := make(map[string]*huma.Schema, len(schemas))
	for name, schema := range schemas {
		if open[name] = schema; !sent[name] && schema.AdditionalProperties == false {
			wider := *schema // requests are checked with the original
			wider.AdditionalProperties = nil
			open[name] = &wider
		}
	}
	out := *doc
	parts := *doc.Components
	parts.Schemas = frozen{doc.Components.Schemas, open}
	out.Components = &parts
	return &out
}

// frozen is a registry that shows other schemas than it makes.
type frozen struct {
	huma.Registry
	schemas map[string]*huma.Schema
}

// Map implements huma.Registry.
func (f frozen) Map() map[string]*huma.Schema { return f.schemas }

// MarshalJSON writes the schemas.
func (f frozen) MarshalJSON() ([]byte, error) { return json.Marshal(f.schemas) }

// reach notes the schemas that one refers to.
func reach(all map[string]*huma.Schema, s *huma.Schema, seen map[string]bool) {
	if s == nil {
		return
	}
	if name := strings.TrimPrefix(s.Ref, "#/components/schemas/"); name != "" && !seen[name] {
		seen[name] = true
		reach(all, all[name], seen)
	}
	reach(all, s.Items, seen)
	for _, p := range s.Properties {
		reach(all, p, seen)
	}
}

// Described reports whether the document has the route.
func (rs *Routes) Described(pattern string) bool {
	method, where := split(pattern)
	item := rs.spec.api.OpenAPI().Paths[where]
	if item == nil {
		return false
	}
	for m, op := range Operations(item) {
		if m == method && op != nil {
			return true
		}
	}
	return false
}

// Operations are a path's operations by method.
func Operations(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{}
	for method, op := range map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	} {
		if op != nil {
			all[method] = op
		}
	}
	return all
}

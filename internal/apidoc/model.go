package apidoc

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
)

// model is the reference: operations by subject, then the types they name.
type model struct {
	Groups []group
	Types  []typeDoc
}

type group struct {
	Tag        string
	Operations []operation
}

type operation struct {
	ID, Method, Path string
	Need             sector.Permission
	Roles            []sector.Role
	Scopes           []sector.Scope
	Proof            bool // people with a session are asked for a fresh proof
	Parameters       []field
	Body, Answer     *body
	Status           string
}

// field is a parameter or a member of an object.
type field struct {
	Name, In, Type string
	Ref            string // the type's name, when it has a section of its own
	Required       bool
	Text           string
}

// body is what is sent or answered.
type body struct {
	Media  string
	Ref    string
	Fields []field
}

type typeDoc struct {
	Name   string
	Fields []field
}

// newModel is the reference; say puts descriptions into the reader's language.
func newModel(doc *huma.OpenAPI, say func(string) string) model {
	m := readModel(doc)
	for _, g := range m.Groups {
		for _, op := range g.Operations {
			word(op.Parameters, say)
			for _, b := range []*body{op.Body, op.Answer} {
				if b != nil {
					word(b.Fields, say)
				}
			}
		}
	}
	for _, t := range m.Types {
		word(t.Fields, say)
	}
	return m
}

func word(fields []field, say func(string) string) {
	for i := range fields {
		fields[i].Text = say(fields[i].Text)
	}
}

func readModel(doc *huma.OpenAPI) model {
	var m model
	byTag := map[string][]operation{}
	for _, item := range doc.Paths {
		for method, op := range access.Operations(item) {
			byTag[op.Tags[0]] = append(byTag[op.Tags[0]], newOperation(doc, method, op))
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(byTag)) {
		ops := byTag[tag]
		slices.SortFunc(ops, func(a, b operation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
		})
		m.Groups = append(m.Groups, group{tag, ops})
	}
	schemas := doc.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if fields := fieldsOf(schemas[name]); len(fields) > 0 {
			m.Types = append(m.Types, typeDoc{name, fields})
		}
	}
	return m
}

func newOperation(doc *huma.OpenAPI, method string, op *huma.Operation) operation {
	out := operation{ID: op.OperationID, Method: method, Path: op.Path}
	if need, ok := op.Extensions["x-permission"].(sector.Permission); ok {
		grant := sector.GrantOf(need)
		out.Need, out.Roles, out.Scopes = need, grant.Roles, grant.Scopes
	}
	out.Proof = op.Extensions[access.ProofExtension] == true
	for _, p := range op.Parameters {
		f := newField(p.Name, p.Schema)
		f.In, f.Required = p.In, p.Required
		if p.Description != "" {
			f.Text = p.Description
		}
		out.Parameters = append(out.Parameters, f)
	}
	if op.RequestBody != nil {
		out.Body = bodyOf(doc, op.RequestBody.Content)
	}
	for _, status := range []string{"200", "201", "204"} {
		if r := op.Responses[status]; r != nil {
			out.Status, out.Answer = status, bodyOf(doc, r.Content)
		}
	}
	return out
}

func bodyOf(doc *huma.OpenAPI, content map[string]*huma.MediaType) *body {
	for media, c := range content {
		b := &body{Media: media}
		if c.Schema != nil {
			b.Ref = refName(c.Schema)
			if c.Schema.Ref != "" {
				b.Fields = fieldsOf(doc.Components.Schemas.SchemaFromRef(c.Schema.Ref))
			}
		}
		return b
	}
	return nil
}

func fieldsOf(s *huma.Schema) []field {
	if s == nil {
		return nil
	}
	var all []field
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		f := newField(name, s.Properties[name])
		f.Required = slices.Contains(s.Required, name)
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b field) int {
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		}
		return 1
	})
	return all
}

func newField(name string, s *huma.Schema) field {
	f := field{Name: name}
	if s == nil {
		return f
	}
	f.Text, f.Ref, f.Type = s.Description, refName(s), typeName(s)
	if len(s.Enum) > 0 {
		f.Type = strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s.Enum)), " | "), "[]")
	}
	return f
}

func refName(s *huma.Schema) string {
	if s.Ref == "" && s.Items != nil {
		return refName(s.Items)
	}
	return strings.TrimPrefix(s.Ref, "#/components/schemas/")
}

// typeName is a type in a word or two.
func typeName(s *huma.Schema) string {
	switch {
	case s.Ref != "":
		return refName(s)
	case s.Items != nil:
		return "[] " + typeName(s.Items)
	case s.Minimum != nil && s.Maximum != nil:
		return fmt.Sprintf("%s %v–%v", s.Type, *s.Minimum, *s.Maximum)
	case s.Format != "":
		return s.Type + " " + s.Format
	case s.Type == "":
		return "JSON"
	}
	return s.Type
}

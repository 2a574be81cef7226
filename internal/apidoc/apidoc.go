// Package apidoc serves the API's OpenAPI document and, made of it, a reference
// page of our own: nothing of it comes from elsewhere.
package apidoc

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

// Mount adds /api, /api/v1/openapi.json and /api/v1/openapi.yaml. Routes that
// are added afterwards are in them too.
func Mount(routes *access.Routes, sh *web.Shell) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("apidoc: pages: %w", err)
	}
	asJSON := sync.OnceValues(func() ([]byte, error) { return json.MarshalIndent(routes.Document(), "", "  ") })
	asYAML := sync.OnceValues(func() ([]byte, error) { return routes.Document().YAML() })
	doc := func(id, media string) access.Doc { return access.Doc{ID: id, Tag: "document", Media: media} }
	access.Describe[struct{}, struct{}](routes, "GET /api/v1/openapi.json", sector.Public, doc("openapi-json", "application/json"), serve("application/json", asJSON))
	access.Describe[struct{}, struct{}](routes, "GET /api/v1/openapi.yaml", sector.Public, doc("openapi-yaml", "application/yaml"), serve("application/yaml", asYAML))
	reference := sync.OnceValue(func() model { return newModel(routes.Document()) })
	sh.Page(routes, "GET /api", sector.Public, func(w http.ResponseWriter, r *http.Request) error {
		return views.Page(w, r, "reference", web.Page{Title: "api.title", Data: reference(), Wide: true})
	})
	return nil
}

func serve(media string, text func() ([]byte, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		raw, err := text()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", media)
		w.Header().Set("Cache-Control", "no-cache")
		_, err = w.Write(raw)
		return err
	}
}

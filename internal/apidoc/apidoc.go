// Package apidoc serves the API's OpenAPI document and, made of it, a reference
// page of our own: nothing of it comes from elsewhere.
package apidoc

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

// Mount adds /api, /api/v1/openapi.json and /api/v1/openapi.yaml, each in the
// language of the request. Routes that are added afterwards are in them too.
func Mount(routes *access.Routes, sh *web.Shell) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("apidoc: pages: %w", err)
	}
	w, err := newWords(routes.Texts())
	if err != nil {
		return err
	}
	doc := func(id, media string) access.Doc { return access.Doc{ID: id, Tag: "document", Media: media} }
	access.Describe[struct{}, struct{}](routes, "GET /api/v1/openapi.json", sector.Public, doc("openapi-json", "application/json"),
		serve("application/json", w, routes, func(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }))
	access.Describe[struct{}, struct{}](routes, "GET /api/v1/openapi.yaml", sector.Public, doc("openapi-yaml", "application/yaml"),
		serve("application/yaml", w, routes, yaml.Marshal))
	reference := perLanguage(func(lang i18n.Lang) (model, error) {
		return newModel(routes.Document(), func(text string) string { return w.field(lang, text) }), nil
	})
	sh.Page(routes, "GET /api", sector.Public, func(wr http.ResponseWriter, r *http.Request) error {
		m, err := reference[sh.Lang(r)]()
		if err != nil {
			return err
		}
		return views.Page(wr, r, "reference", web.Page{Title: "api.title", Data: m, Wide: true})
	})
	return nil
}

// perLanguage is what is made once for each language, when it is asked for.
func perLanguage[T any](made func(i18n.Lang) (T, error)) map[i18n.Lang]func() (T, error) {
	all := map[i18n.Lang]func() (T, error){}
	for _, lang := range i18n.Langs() {
		all[lang] = sync.OnceValues(func() (T, error) { return made(lang) })
	}
	return all
}

func serve(media string, w words, routes *access.Routes, encode func(any) ([]byte, error)) httpx.Handler {
	texts := perLanguage(func(lang i18n.Lang) ([]byte, error) {
		doc, err := w.document(routes.Document(), lang)
		if err != nil {
			return nil, err
		}
		return encode(doc)
	})
	return func(wr http.ResponseWriter, r *http.Request) error {
		lang := i18n.Negotiate(r)
		raw, err := texts[lang]()
		if err != nil {
			return err
		}
		for name, value := range map[string]string{
			"Content-Type": media, "Content-Language": string(lang), "Vary": "Accept-Language, Cookie", "Cache-Control": "no-cache",
		} {
			wr.Header().Set(name, value)
		}
		_, err = wr.Write(raw)
		return err
	}
}

// Package static serves the built assets: bundled scripts and styles under
// content-hashed names, cached for ever and sent compressed.
package static

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var embedded embed.FS

// Prefix is the URL path under which assets are served.
const Prefix = "/static/"

// Assets are the built files. Without a build (a fresh clone under test) it
// is empty: pages work, unstyled.
type Assets struct {
	files  map[string]file
	names  map[string]string // source name → hashed name
	sprite template.HTML
	icons  map[string]bool
}

// file is one asset and its precompressed forms; nil where there is none.
type file struct {
	kind          string // media type
	raw, gzip, br []byte
}

// manifest is what the build writes next to the files.
type manifest struct {
	Files map[string]string `json:"files"`
	Icons []string          `json:"icons"`
}

// Load reads the assets that are built into the program.
func Load() (*Assets, error) {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		return nil, fmt.Errorf("static: %w", err)
	}
	return LoadFS(dist)
}

// LoadFS reads a build folder.
func LoadFS(dist fs.FS) (*Assets, error) {
	a := &Assets{files: map[string]file{}, names: map[string]string{}, icons: map[string]bool{}}
	raw, err := fs.ReadFile(dist, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return nil, fmt.Errorf("static: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("static: manifest.json: %w", err)
	}
	a.names = m.Files
	for _, name := range m.Icons {
		a.icons[name] = true
	}
	for _, name := range m.Files {
		if a.files[name], err = readFile(dist, name); err != nil {
			return nil, fmt.Errorf("static: %w", err)
		}
	}
	if sprite, err := fs.ReadFile(dist, "icons.svg"); err == nil {
		a.sprite = template.HTML(sprite) //nolint:gosec // our own build output
	}
	return a, nil
}

func readFile(dist fs.FS, name string) (file, error) {
	raw, err := fs.ReadFile(dist, name)
	if err != nil {
		return file{}, err
	}
	f := file{raw: raw, kind: mime.TypeByExtension(path.Ext(name))}
	f.gzip, _ = fs.ReadFile(dist, name+".gz") // absent where it does not pay
	f.br, _ = fs.ReadFile(dist, name+".br")
	return f, nil
}

// Built reports whether there are assets.
func (a *Assets) Built() bool { return len(a.names) > 0 }

// URL is the address of a source name such as "main.js"; empty when it was
// not built.
func (a *Assets) URL(name string) string {
	if hashed, ok := a.names[name]; ok {
		return Prefix + hashed
	}
	return ""
}

// Sprite is the icons as one hidden SVG, to be put once into a page: browsers
// disagree on which policy directive lets <use> load another file.
func (a *Assets) Sprite() template.HTML { return a.sprite }

// HasIcon reports whether the sprite holds the icon. Without a build every
// name passes.
func (a *Assets) HasIcon(name string) bool { return !a.Built() || a.icons[name] }

// ServeHTTP serves one asset. Names carry their content's hash, so the answer
// never changes.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[strings.TrimPrefix(r.URL.Path, Prefix)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", f.kind)
	h.Add("Vary", "Accept-Encoding")
	body := f.raw
	switch accepts := r.Header.Get("Accept-Encoding"); {
	case f.br != nil && strings.Contains(accepts, "br"):
		body = f.br
		h.Set("Content-Encoding", "br")
	case f.gzip != nil && strings.Contains(accepts, "gzip"):
		body = f.gzip
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		_, _ = bytes.NewReader(body).WriteTo(w)
	}
}

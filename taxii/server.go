package taxii

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
)

// Root is one API root of a server.
type Root struct {
	Name        string // how the backend knows it
	Path        string // "/…/", for example "/taxii2/sector/"
	Title       string
	Description string
}

// Config makes a Server. Authenticate, Backend and at least one root are
// required.
type Config[V any] struct {
	Title       string
	Description string
	Contact     string
	// BaseURL, such as "https://isac.example", makes the roots in discovery
	// absolute; without it they are paths.
	BaseURL string
	Roots   []Root // the first is the default
	// Authenticate says who is asking. ErrUnauthenticated is answered with 401 and
	// a challenge for Basic and Bearer.
	Authenticate func(*http.Request) (V, error)
	Backend      Backend[V]
	Writer       Writer[V]    // nil: nothing can be written, whatever collections say
	Realm        string       // of the challenge; the title when empty
	PageSize     int          // objects in a page where the client gives no limit; 100 when 0
	MaxPageSize  int          // objects in a page at most; 1000 when 0
	MaxBody      int64        // bytes of a request body; 10 MiB when 0
	Log          *slog.Logger // for answers of 500 and above; none when nil
}

// Server answers TAXII 2.1 requests below DiscoveryPath and the paths of its
// roots. It is safe for use by many requests at once.
type Server[V any] struct{ cfg Config[V] }

// NewServer checks the configuration and fills in its defaults.
func NewServer[V any](cfg Config[V]) (*Server[V], error) {
	if cfg.Authenticate == nil || cfg.Backend == nil || len(cfg.Roots) == 0 {
		return nil, errors.New("taxii server: needs an authenticator, a backend and an API root")
	}
	for _, root := range cfg.Roots {
		if len(root.Path) < 3 || root.Path[0] != '/' || root.Path[len(root.Path)-1] != '/' || root.Path == DiscoveryPath {
			return nil, fmt.Errorf("taxii server: root %q: the path must be like /…/ and not %s", root.Name, DiscoveryPath)
		}
	}
	cfg.Realm = strings.Map(realmRune, orElse(cfg.Realm, cfg.Title))
	cfg.PageSize = orElse(cfg.PageSize, 100)
	cfg.MaxPageSize = orElse(cfg.MaxPageSize, 1000)
	cfg.MaxBody = orElse(cfg.MaxBody, 10<<20)
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Server[V]{cfg: cfg}, nil
}

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// realmRune keeps a realm a legal quoted string.
func realmRune(r rune) rune {
	if r < ' ' || r > '~' || r == '"' || r == '\\' {
		return -1
	}
	return r
}

// call is one request on its way.
type call[V any] struct {
	*http.Request
	viewer V
	root   Root
	target target
}

// endpoint answers one resource; it returns what to send or an error.
type endpoint[V any] func(call[V]) (answer, error)

// ServeHTTP implements http.Handler.
func (s *Server[V]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// What a viewer gets is the viewer's own.
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("Vary", "Accept, Authorization")
	a, err := s.answer(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if err := a.write(w, r); err != nil {
		s.fail(w, r, err)
	}
}

// answer checks in this order: who asks, what for, how. Somebody who is not
// authenticated learns nothing of the rest.
func (s *Server[V]) answer(w http.ResponseWriter, r *http.Request) (answer, error) {
	viewer, err := s.cfg.Authenticate(r)
	if err != nil {
		return answer{}, fmt.Errorf("authenticate: %w", err)
	}
	root, target, ok := s.route(r.URL.Path)
	if !ok {
		return answer{}, ErrNotFound
	}
	serve, allowed := s.endpoint(target.kind, r.Method)
	if serve == nil {
		w.Header().Set("Allow", allowed)
		return answer{}, &httpError{http.StatusMethodNotAllowed, "Method Not Allowed", "This resource can be used with " + allowed + "."}
	}
	if !accepts(r.Header.Values("Accept")) {
		return answer{}, &httpError{http.StatusNotAcceptable, "Not Acceptable", "This server answers with " + MediaType + "."}
	}
	return serve(call[V]{r, viewer, root, target})
}

// endpoint finds who answers a method, or names the methods that there are.
func (s *Server[V]) endpoint(k kind, method string) (endpoint[V], string) {
	get := map[kind]endpoint[V]{
		kindDiscovery: s.discovery, kindRoot: s.apiRoot, kindStatus: s.status,
		kindCollections: s.collections, kindCollection: s.collection,
		kindManifest: s.manifest, kindObjects: s.objects, kindObject: s.object, kindVersions: s.versions,
	}
	switch {
	case method == http.MethodGet || method == http.MethodHead:
		return get[k], ""
	case k != kindObjects:
		return nil, "GET, HEAD"
	case method == http.MethodPost:
		return s.addObjects, ""
	}
	return nil, "GET, HEAD, POST"
}

func (s *Server[V]) discovery(call[V]) (answer, error) {
	d := Discovery{Title: s.cfg.Title, Description: s.cfg.Description, Contact: s.cfg.Contact}
	for _, root := range s.cfg.Roots {
		d.APIRoots = append(d.APIRoots, s.cfg.BaseURL+root.Path)
	}
	d.Default = d.APIRoots[0]
	return answer{body: d}, nil
}

func (s *Server[V]) apiRoot(c call[V]) (answer, error) {
	return answer{body: APIRoot{
		Title: c.root.Title, Description: c.root.Description,
		Versions: []string{MediaType}, MaxContentLength: s.cfg.MaxBody,
	}}, nil
}

func (s *Server[V]) collections(c call[V]) (answer, error) {
	all, err := s.visible(c.Context(), c.viewer, c.root)
	return answer{body: collectionList{Collections: all}}, err
}

func (s *Server[V]) collection(c call[V]) (answer, error) {
	found, err := s.find(c)
	return answer{body: found}, err
}

// visible lists the viewer's collections as they are sent.
func (s *Server[V]) visible(ctx context.Context, viewer V, root Root) ([]Collection, error) {
	all, err := s.cfg.Backend.Collections(ctx, viewer, root.Name)
	if err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	shown := make([]Collection, len(all))
	for i, c := range all {
		c.CanWrite = c.CanWrite && s.cfg.Writer != nil
		if c.MediaTypes == nil {
			c.MediaTypes = []string{STIXMediaType}
		}
		shown[i] = c
	}
	return shown, nil
}

// find resolves an id or alias. What the viewer may not know of is not found.
func (s *Server[V]) find(c call[V]) (Collection, error) {
	all, err := s.visible(c.Context(), c.viewer, c.root)
	if err != nil {
		return Collection{}, err
	}
	for _, found := range all {
		if name := c.target.collection; name == found.ID || name == found.Alias && name != "" {
			return found, nil
		}
	}
	return Collection{}, ErrNotFound
}

// page runs the query that a request asks for.
func (s *Server[V]) page(c call[V], id string, noBodies bool, matches ...string) (Page, request, error) {
	found, err := s.find(c)
	if err != nil {
		return Page{}, request{}, err
	}
	if !found.CanRead {
		return Page{}, request{}, &httpError{http.StatusForbidden, "Forbidden", "This collection cannot be read."}
	}
	r, err := parseRequest(c.URL.RawQuery, matches...)
	if err != nil {
		return Page{}, r, &httpError{http.StatusBadRequest, "Bad Request", err.Error() + "."}
	}
	q := Query{
		Root: c.root.Name, Collection: found.ID, Filter: r.filter, Cursor: r.cursor, NoBodies: noBodies,
		Limit: min(orElse(r.limit, s.cfg.PageSize), s.cfg.MaxPageSize),
	}
	if id != "" {
		q.Filter.IDs = []string{id}
	}
	if c.target.kind == kindVersions {
		q.Filter.Versions = VersionFilter{All: true}
	}
	page, err := s.cfg.Backend.Objects(c.Context(), c.viewer, q)
	if err != nil {
		return page, r, fmt.Errorf("query objects: %w", err)
	}
	if len(page.Objects) > q.Limit || page.More != (page.Next != "") {
		return page, r, fmt.Errorf("query objects: the backend gave %d objects for a limit of %d, more %v, next %q",
			len(page.Objects), q.Limit, page.More, page.Next)
	}
	return page, r, nil
}

func (s *Server[V]) objects(c call[V]) (answer, error) {
	page, _, err := s.page(c, "", false, "id", "type", "version", "spec_version")
	return answer{body: envelopeOf(page), dates: page.Objects}, err
}

func (s *Server[V]) manifest(c call[V]) (answer, error) {
	page, _, err := s.page(c, "", true, "id", "type", "version", "spec_version")
	m := Manifest{More: page.More, Next: page.Next}
	for _, o := range page.Objects {
		m.Objects = append(m.Objects, o.record())
	}
	return answer{body: m, dates: page.Objects}, err
}

func (s *Server[V]) object(c call[V]) (answer, error) {
	page, r, err := s.page(c, c.target.object, false, "version", "spec_version")
	if err == nil && len(page.Objects) == 0 && r.isBare() {
		err = ErrNotFound
	}
	return answer{body: envelopeOf(page), dates: page.Objects}, err
}

func (s *Server[V]) versions(c call[V]) (answer, error) {
	page, r, err := s.page(c, c.target.object, true, "spec_version")
	if err == nil && len(page.Objects) == 0 && r.isBare() {
		err = ErrNotFound
	}
	v := Versions{More: page.More, Next: page.Next}
	for _, o := range page.Objects {
		v.Versions = append(v.Versions, o.Version.String())
	}
	return answer{body: v, dates: page.Objects}, err
}

// isBare reports that nothing narrows the request, so that an empty answer means
// that there is no such object.
func (r request) isBare() bool {
	f := r.filter
	return r.cursor == "" && f.AddedAfter.IsZero() && f.SpecVersions == nil && f.Versions.At == nil
}

func envelopeOf(page Page) Envelope {
	e := Envelope{More: page.More, Next: page.Next}
	for _, o := range page.Objects {
		e.Objects = append(e.Objects, o.Body)
	}
	return e
}

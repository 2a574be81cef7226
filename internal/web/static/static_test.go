package static

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

func TestServe(t *testing.T) {
	a, err := LoadFS(fstest.MapFS{
		"manifest.json":    {Data: []byte(`{"files":{"main.js":"main-AB.js"},"icons":["bell"]}`)},
		"main-AB.js":       {Data: []byte("plain")},
		"main-AB.js.gz":    {Data: []byte("gz")},
		"main-AB.js.br":    {Data: []byte("br")},
		"icons.svg":        {Data: []byte("<svg></svg>")},
		"main-AB.js.LEGAL": {Data: []byte("not served")},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path, accept, body, encoding string
		status                       int
	}{
		{a.URL("main.js"), "", "plain", "", 200},
		{a.URL("main.js"), "gzip, br", "br", "br", 200},
		{a.URL("main.js"), "gzip", "gz", "gzip", 200},
		{"/static/main.js", "", "404 page not found\n", "", 404},
		{"/static/manifest.json", "", "404 page not found\n", "", 404},
		{"/static/../static.go", "", "404 page not found\n", "", 404},
	}
	for _, test := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.URL.Path = test.path
		r.Header.Set("Accept-Encoding", test.accept)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != test.status || w.Body.String() != test.body || w.Header().Get("Content-Encoding") != test.encoding {
			t.Errorf("%s %q: %d %q %v", test.path, test.accept, w.Code, w.Body, w.Header())
		}
	}
	if !a.HasIcon("bell") || a.HasIcon("no-such-icon") {
		t.Error("icons are not checked against the build")
	}
}

func TestWithoutABuild(t *testing.T) {
	a, err := LoadFS(fstest.MapFS{})
	if err != nil || a.Built() || a.URL("main.js") != "" || !a.HasIcon("anything") {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestBrokenBuild(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"no file":     {"manifest.json": {Data: []byte(`{"files":{"main.js":"gone.js"}}`)}},
		"no manifest": {"manifest.json": {Data: []byte(`{`)}},
	} {
		if _, err := LoadFS(fsys); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

//go:build gallery

package gallery

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func TestGallery(t *testing.T) {
	addr := os.Getenv("ASPIS_GALLERY")
	if addr == "" {
		t.Skip("set ASPIS_GALLERY to an address to serve the pages for looking at")
	}
	kit := webtest.New(t)
	mount(t, kit)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /as/{role}", func(w http.ResponseWriter, r *http.Request) { become(t, kit, w, r) })
	mux.HandleFunc("GET /post/", func(w http.ResponseWriter, r *http.Request) { post(kit, w, r) })
	mux.Handle("/", kit.Handler)
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	defer stop()
	go func() { <-ctx.Done(); _ = srv.Close() }()
	if err := srv.Serve(ln); err != http.ErrServerClosed {
		t.Fatal(err)
	}
}

// become signs in as the role and sets preferences, which a screenshot cannot.
func become(t *testing.T, kit *webtest.Kit, w http.ResponseWriter, r *http.Request) {
	if role := sector.Role(r.PathValue("role")); role.Org() != "" {
		form := url.Values{"role": {string(role)}}
		in, err := http.NewRequestWithContext(context.Background(), http.MethodPost, webtest.SignInPath, strings.NewReader(form.Encode()))
		if err != nil {
			t.Error(err)
			return
		}
		in.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		in.RemoteAddr = r.RemoteAddr
		kit.Handler.ServeHTTP(&cookiesOnly{ResponseWriter: w}, in)
	}
	for _, name := range []string{"lang", "theme", "zone"} {
		if v := r.URL.Query().Get(name); v != "" {
			http.SetCookie(w, &http.Cookie{Name: name, Value: v, Path: "/"})
		}
	}
	http.Redirect(w, r, r.URL.Query().Get("next"), http.StatusSeeOther)
}

// post sends the query as a form to the path after /post, so that a
// screenshot can show what only a POST answers.
func post(kit *webtest.Kit, w http.ResponseWriter, r *http.Request) {
	out := r.Clone(r.Context())
	out.Method, out.URL.Path = http.MethodPost, strings.TrimPrefix(r.URL.Path, "/post")
	out.Body = io.NopCloser(strings.NewReader(r.URL.RawQuery))
	out.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	out.Header.Del("Sec-Fetch-Site")
	out.URL.RawQuery, out.Form, out.PostForm = "", nil, nil
	kit.Handler.ServeHTTP(w, out)
}

// cookiesOnly takes the session cookie of an answer and drops the rest.
type cookiesOnly struct{ http.ResponseWriter }

func (cookiesOnly) WriteHeader(int)             {}
func (cookiesOnly) Write(p []byte) (int, error) { return len(p), nil }

//go:build gallery

package gallery

import (
	"net"
	"net/http"
	"os"
	"os/signal"
	"testing"
	"time"

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

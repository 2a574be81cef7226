package httpx

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/peer"
)

// NewServer returns a server with limits against slow and greedy clients.
// Handlers that stream set their own deadlines through
// http.ResponseController. Contexts of requests end when Shutdown begins, so
// that event streams do not hold it up; cancel ends them earlier.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	ctx, cancel := context.WithCancel(context.Background())
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 128, SendPingTimeout: time.Minute},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	srv.RegisterOnShutdown(cancel)
	return srv
}

// ClientIP is the client's address without the port: as the edge found it,
// behind trusted proxies too, else the peer's.
func ClientIP(r *http.Request) string {
	if a := peer.From(r.Context()).Addr; a.IsValid() {
		return a.String()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

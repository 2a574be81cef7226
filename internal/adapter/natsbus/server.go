package natsbus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// startServer runs a server without a listener over the store in dir. It
// returns when the store is recovered.
func startServer(dir string, log *slog.Logger) (*server.Server, error) {
	logger := &serverLog{log: log}
	srv, err := server.NewServer(&server.Options{
		ServerName: "aspis",
		DontListen: true,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   dir,
		SyncAlways: true,
		MaxPayload: maxPayload,
		// The stream's own MaxBytes is the bound on the store; a second one
		// here would only depend on how full the disk was at the start.
		JetStreamMaxStore:          math.MaxInt64,
		JetStreamMaxMemory:         1 << 20,
		DisableJetStreamBanner:     true,
		StreamMaxBufferedSize:      256 << 20, // published but not stored yet
		MaxPending:                 256 << 20,
		NoSystemAccount:            false,
		JetStreamInfoQueueLimit:    1024,
		JetStreamConcurrentIOs:     4,
		MaxClosedClients:           16,
		DisableShortFirstPing:      true,
		NoFastProducerStall:        true,
		JetStreamRequestQueueLimit: 4096,
	})
	if err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	srv.SetLoggerV2(logger, false, false, false)
	srv.Start() // returns once recovered, for want of a listener to serve
	if text := logger.fatal.Load(); text != nil {
		stopServer(srv)
		return nil, errors.New(*text)
	}
	if !srv.ReadyForConnections(10 * time.Second) {
		stopServer(srv)
		return nil, errors.New("server not ready after 10 s")
	}
	return srv, nil
}

func stopServer(srv *server.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}

// dialServer opens a connection within the process.
func dialServer(srv *server.Server, name string) (*nats.Conn, error) {
	return nats.Connect(nats.DefaultURL, nats.InProcessServer(srv), nats.Name(name),
		nats.NoReconnect(), nats.NoCallbacksAfterClientClose(), nats.Timeout(10*time.Second))
}

// storeHealth asks the server whether its streams can be written. After a
// failed write a stream refuses every later one without answering it; this is
// how to find out.
func storeHealth(srv *server.Server) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "/healthz", http.NoBody)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	answer := &healthAnswer{status: http.StatusOK}
	srv.HandleHealthz(answer, req)
	if bytes.Contains(answer.body.Bytes(), []byte("ready for connections")) {
		// The server gives itself a millisecond to answer that, which a busy
		// machine does not always leave it. It says nothing of the store, and
		// a server that has really ended has closed its connections.
		return nil
	}
	if answer.status != http.StatusOK {
		return fmt.Errorf("store: %s", bytes.TrimSpace(answer.body.Bytes()))
	}
	return nil
}

// healthAnswer is the least that the server's health handler writes to.
type healthAnswer struct {
	header http.Header
	body   bytes.Buffer
	status int
}

func (a *healthAnswer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}
func (a *healthAnswer) Write(p []byte) (int, error) { return a.body.Write(p) }
func (a *healthAnswer) WriteHeader(status int)      { a.status = status }

// noSpace tells by the text, which is all that the server passes on.
func noSpace(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "no space left") ||
		strings.Contains(err.Error(), "quota exceeded") || strings.Contains(err.Error(), "not enough space"))
}

// serverLog passes the server's log on, less its greetings.
type serverLog struct {
	log   *slog.Logger
	fatal atomic.Pointer[string]
	once  sync.Once
}

func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Debugf(format string, v ...any)  {}
func (l *serverLog) Tracef(format string, v ...any)  {}
func (l *serverLog) Errorf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }

func (l *serverLog) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Maximum payloads over") {
		return // chosen: one message is one request's body
	}
	l.log.Warn(fmt.Sprintf(format, v...))
}

// Fatalf is called when the start fails; the server itself does not exit.
func (l *serverLog) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.once.Do(func() { l.fatal.Store(&text) })
	l.log.Error(text)
}

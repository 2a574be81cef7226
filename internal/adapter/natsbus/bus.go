// Package natsbus is the stream of record batches over NATS JetStream: a
// server inside the process, without a listener, or a cluster outside.
//
// Every batch is one message of the stream "records", zstd compressed, with
// the batch's id as Nats-Msg-Id, and is on disk (fsync; in a cluster: in the
// logs of a majority) before Append returns. The server keeps the ids of the
// last [Config.Window] from the messages it holds; ids of messages trimmed
// within the window are kept in a second small stream, so that a retry is
// known for one even after a restart.
//
// A JetStream store that met a write error (a full disk, above all) refuses
// all later writes, and does not answer them. The Bus notices, closes the
// server and opens it again over the same folder, which cuts off a half
// written record; what was acknowledged is untouched. To meet this rarely,
// Append refuses with [monitor.ErrStreamFull] while the file system has less
// than [Config.MinFree] left.
package natsbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/aspis-platform/aspis/internal/monitor"
)

const (
	streamRecords  = "records"
	subjectRecords = "aspis.records"
	subjectStored  = "aspis.stored" // announces each stored batch, headers only
	streamTrimmed  = "trimmed"
	subjectTrimmed = "aspis.trimmed"

	// DefaultMaxBytes bounds the stream on disk.
	DefaultMaxBytes = 8 << 30
	// DefaultMinFree is left free on the file system for the other stores, so
	// that they can take in what was accepted.
	DefaultMinFree = 256 << 20
	// DefaultWindow is how long a batch's id is remembered.
	DefaultWindow = 10 * time.Minute
	trimmedBytes  = 64 << 20
	// ordinaryRequest is what Check wants room for.
	ordinaryRequest = 1 << 20
)

// ErrClosed is returned by a Bus after Close.
var ErrClosed = errors.New("stream: closed")

// Config opens a Bus. Zero fields take their defaults.
type Config struct {
	// Dir is the store's folder; the Bus must be its only user.
	Dir string
	// URL, of a NATS cluster with JetStream, is used instead of Dir.
	URL string
	// Replicas of each batch in a cluster: 1, 3 or 5; default 3.
	Replicas int
	// MaxBytes bounds the batches held; beyond it Append reports
	// monitor.ErrStreamFull until something is trimmed.
	MaxBytes int64
	// MinFree is how much of Dir's file system Append leaves free; negative
	// for none.
	MinFree int64
	// Window is how long a batch's id is remembered.
	Window time.Duration
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	c.MaxBytes = cmp.Or(c.MaxBytes, DefaultMaxBytes)
	c.MinFree = cmp.Or(c.MinFree, DefaultMinFree)
	c.Window = cmp.Or(c.Window, DefaultWindow)
	c.Replicas = cmp.Or(c.Replicas, 3)
	if c.URL == "" {
		c.Replicas = 1
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Bus implements [monitor.Stream].
type Bus struct {
	cfg   Config
	codec *codec
	log   *slog.Logger
	tail  tail
	known trimmedIDs
	stop  chan struct{}

	mu     sync.RWMutex
	link   *link // nil while the store cannot be opened
	closed bool
	trims  sync.Mutex // one Trim at a time
}

var _ monitor.Stream = (*Bus)(nil)

// link is one opening of the store. Publishing and reading have a connection
// each, because the server answers reads on the connection's own goroutine.
type link struct {
	srv  *server.Server // nil in a cluster
	pub  *nats.Conn
	sub  *nats.Conn
	js   jetstream.JetStream
	recs jetstream.Stream
}

// Open opens the store in cfg.Dir, creating it if need be, or connects to the
// cluster at cfg.URL.
func Open(ctx context.Context, cfg Config) (*Bus, error) {
	cfg = cfg.withDefaults()
	if (cfg.Dir == "") == (cfg.URL == "") {
		return nil, errors.New("open stream: one of Dir and URL is needed")
	}
	c, err := newCodec(runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	b := &Bus{cfg: cfg, codec: c, log: cfg.Logger, stop: make(chan struct{})}
	if b.link, err = b.connect(ctx); err != nil {
		c.close()
		return nil, fmt.Errorf("open stream: %w", err)
	}
	if err := b.loadTrimmed(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open stream: %w", err), b.Close())
	}
	return b, nil
}

// Connect is Open for a cluster outside the process.
func Connect(ctx context.Context, url string, replicas int, log *slog.Logger) (*Bus, error) {
	return Open(ctx, Config{URL: url, Replicas: replicas, Logger: log})
}

// connect makes a link, starting the server if it is ours.
func (b *Bus) connect(ctx context.Context) (_ *link, err error) {
	l := &link{}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if err := b.dial(l); err != nil {
		return nil, err
	}
	if l.js, err = jetstream.New(l.pub, jetstream.WithPublishAsyncMaxPending(1024)); err != nil {
		return nil, fmt.Errorf("jetstream: %w", err)
	}
	if l.recs, err = l.js.CreateOrUpdateStream(ctx, b.recordsConfig()); err != nil {
		return nil, fmt.Errorf("stream %s: %w", streamRecords, err)
	}
	if _, err = l.js.CreateOrUpdateStream(ctx, b.trimmedConfig()); err != nil {
		return nil, fmt.Errorf("stream %s: %w", streamTrimmed, err)
	}
	if _, err = l.sub.Subscribe(subjectStored, func(*nats.Msg) { b.tail.grew() }); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	if err = l.sub.Flush(); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return l, nil
}

func (b *Bus) dial(l *link) (err error) {
	open := func(name string) (*nats.Conn, error) { return dialServer(l.srv, name) }
	if b.cfg.URL != "" {
		open = func(name string) (*nats.Conn, error) {
			return nats.Connect(b.cfg.URL, nats.Name("aspis "+name), nats.MaxReconnects(-1),
				nats.ReconnectHandler(func(*nats.Conn) { b.tail.grew() }))
		}
	} else {
		if err := os.MkdirAll(b.cfg.Dir, 0o700); err != nil {
			return fmt.Errorf("store folder: %w", err)
		}
		if l.srv, err = startServer(b.cfg.Dir, b.log); err != nil {
			return fmt.Errorf("server: %w", err)
		}
	}
	if l.pub, err = open("publish"); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if l.sub, err = open("read"); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

func (b *Bus) recordsConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: streamRecords, Subjects: []string{subjectRecords},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		Storage: jetstream.FileStorage, Replicas: b.cfg.Replicas,
		MaxBytes: b.cfg.MaxBytes, MaxMsgs: -1, MaxMsgSize: maxPayload,
		Duplicates: b.cfg.Window, AllowDirect: true,
		RePublish: &jetstream.RePublish{Source: subjectRecords, Destination: subjectStored, HeadersOnly: true},
	}
}

func (b *Bus) trimmedConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: streamTrimmed, Subjects: []string{subjectTrimmed},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		Storage: jetstream.FileStorage, Replicas: b.cfg.Replicas,
		MaxBytes: trimmedBytes, MaxAge: b.cfg.Window, MaxMsgs: -1, AllowDirect: true,
		Duplicates: min(b.cfg.Window, 2*time.Minute),
	}
}

func (l *link) close() {
	if l.sub != nil {
		l.sub.Close()
	}
	if l.pub != nil {
		l.pub.Close()
	}
	if l.srv != nil {
		stopServer(l.srv)
	}
}

// current is the link in use. If the store could not be opened again after a
// failure, it tries once more.
func (b *Bus) current(ctx context.Context) (*link, error) {
	b.mu.RLock()
	l, closed := b.link, b.closed
	b.mu.RUnlock()
	switch {
	case closed:
		return nil, ErrClosed
	case l != nil:
		return l, nil
	}
	return b.reopen(ctx, nil)
}

// reopen replaces a link whose store is broken; if another caller has done so
// already, that link is returned.
func (b *Bus) reopen(ctx context.Context, broken *link) (*link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrClosed
	}
	if b.link != nil && b.link != broken {
		return b.link, nil
	}
	if broken != nil {
		b.log.WarnContext(ctx, "stream: closing the store after a failure, to open it again")
		b.link = nil
		broken.close()
	}
	l, err := b.connect(context.WithoutCancel(ctx))
	if err != nil {
		return nil, fmt.Errorf("open the store again: %w", err)
	}
	b.link = l
	b.tail.grew()
	b.log.InfoContext(ctx, "stream: store is open again")
	return l, nil
}

// Check reports whether ordinary requests can be appended now.
func (b *Bus) Check(ctx context.Context) error {
	l, err := b.current(ctx)
	if err != nil {
		return err
	}
	if err := b.room(ordinaryRequest); err != nil {
		return err
	}
	if l.srv != nil {
		if err := storeHealth(l.srv); err != nil {
			return err
		}
	}
	s, err := l.state(ctx)
	if err != nil {
		return err
	}
	if limit := uint64(b.cfg.MaxBytes); s.Bytes >= limit-limit/50 {
		return fmt.Errorf("%w: %d of %d MiB held", monitor.ErrStreamFull, s.Bytes>>20, limit>>20)
	}
	return nil
}

// State implements [monitor.Stream].
func (b *Bus) State(ctx context.Context) (monitor.StreamState, error) {
	l, err := b.current(ctx)
	if err != nil {
		return monitor.StreamState{}, err
	}
	return l.state(ctx)
}

func (l *link) state(ctx context.Context) (monitor.StreamState, error) {
	info, err := l.recs.Info(ctx)
	if err != nil {
		return monitor.StreamState{}, fmt.Errorf("stream state: %w", err)
	}
	s := monitor.StreamState{First: info.State.FirstSeq, Last: info.State.LastSeq, Bytes: info.State.Bytes}
	if info.State.Msgs == 0 {
		s.First = s.Last + 1
	}
	return s, nil
}

// Close ends every Read with ErrClosed and stops the server, if it is ours.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	close(b.stop)
	if b.link != nil {
		b.link.close()
		b.link = nil
	}
	b.codec.close()
	return nil
}

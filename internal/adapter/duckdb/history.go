// Package duckdb is the history of all records: a DuckDB file with what is
// searched and counted by, and beside it files with the records whole.
//
// Records are appended in stream order. Their bytes are synced to the record
// files first; then one transaction stores their rows, the cursor, and where
// the record files end. What a crash leaves behind that end is written over.
//
// There are no indexes: DuckDB keeps the smallest and the largest value of
// every column for each row group, and both the record number and, nearly,
// the event time grow with the rows, so that a search in a span of time or
// for a number reads only what is near. Records that come late widen the span
// of the row groups they are in and are found all the same.
//
// Observables are kept as a keyed hash (table seen) or, for addresses, as the
// address itself (table addresses) next to time, number, member and place.
// Beside the appends their rows are sorted by value in runs of some millions
// (tables seen_runs and addresses_runs), so that the same holds for a value.
// Text is looked for in the record files, newest first.
package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/aspis-platform/aspis/internal/monitor"
)

// Defaults of [Config].
const (
	DefaultMemoryMB     = 256
	DefaultThreads      = 2
	DefaultCheckpointMB = 128
	DefaultReaders      = 4
)

// ErrClosed is returned by a History after Close.
var ErrClosed = errors.New("history: closed")

// Config opens a History. Zero fields take their defaults.
type Config struct {
	// Path is the database file; its folder is created. Beside it are the
	// folder Path.records, which belongs to it, the write-ahead log, and a
	// folder for temporary files.
	Path string
	// MemoryMB bounds DuckDB's buffers; what it spills goes to disk.
	MemoryMB int
	// Threads of the engine, for searches and checkpoints, and of one search
	// in the record files.
	Threads int
	// Readers is how many searches may run at once; more wait.
	Readers int
	// CheckpointMB is the size of the write-ahead log at which it is worked
	// into the database: what a start after a crash has to replay. Appends
	// wait for some of a checkpoint, half a second or so; smaller and more
	// frequent ones write the newest row group again more often.
	CheckpointMB int
	// RunRows is how many rows of observables are sorted at once; a look-up of
	// one reads all that are not sorted yet. Sorting takes some 60 bytes a row.
	RunRows int
	Logger  *slog.Logger
}

func (c Config) withDefaults() Config {
	c.MemoryMB = cmp.Or(c.MemoryMB, DefaultMemoryMB)
	c.Threads = cmp.Or(c.Threads, DefaultThreads)
	c.Readers = cmp.Or(c.Readers, DefaultReaders)
	c.CheckpointMB = cmp.Or(c.CheckpointMB, DefaultCheckpointMB)
	c.RunRows = cmp.Or(c.RunRows, DefaultRunRows)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// History implements [monitor.History].
type History struct {
	cfg Config
	log *slog.Logger

	writing sync.Mutex            // one Append at a time
	failing atomic.Pointer[error] // why the last Append failed; nil when it did not

	mu     sync.Mutex
	eng    *engine // nil while the database cannot be opened
	closed bool

	upkeep chan struct{} // asks for a checkpoint, a run, or both
	stop   context.CancelFunc
	done   sync.WaitGroup
}

var _ monitor.History = (*History)(nil)

// engine is one opening of the database.
type engine struct {
	db              *sql.DB
	writer          *sql.Conn
	archive         *archive
	threads         int
	secret          []byte // key of the observables' hashes
	cursor          atomic.Uint64
	extent          extent
	seen, addresses *tail
	broken          atomic.Bool // the database refuses everything until it is opened again
}

// extent is the span of event times and the number of records held.
type extent struct {
	mu             sync.Mutex
	oldest, newest int64
	rows           int64
}

func (e *extent) get() (oldest, newest, rows int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.oldest, e.newest, e.rows
}

func (e *extent) grow(oldest, newest, rows int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rows == 0 {
		e.oldest, e.newest = oldest, newest
	}
	e.oldest, e.newest = min(e.oldest, oldest), max(e.newest, newest)
	e.rows += rows
}

// Open opens the database at cfg.Path, creating it if need be.
func Open(ctx context.Context, cfg Config) (*History, error) {
	cfg = cfg.withDefaults()
	h := &History{cfg: cfg, log: cfg.Logger, upkeep: make(chan struct{}, 1)}
	var err error
	if h.eng, err = h.start(ctx); err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	var working context.Context
	working, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.done.Go(func() { h.keepUp(working) })
	h.askUpkeep(h.eng)
	return h, nil
}

// start opens the file and brings its schema into being.
func (h *History) start(ctx context.Context) (_ *engine, err error) {
	if err := os.MkdirAll(filepath.Dir(h.cfg.Path), 0o700); err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	connector, err := duck.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	e := &engine{db: sql.OpenDB(connector), threads: h.cfg.Threads}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	e.seen, e.addresses = newTails()
	e.db.SetMaxOpenConns(h.cfg.Readers + 2) // one appends, one does the upkeep
	e.db.SetMaxIdleConns(h.cfg.Readers + 2)
	if e.writer, err = e.db.Conn(ctx); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	for _, s := range h.settings() {
		if _, err := e.writer.ExecContext(ctx, s); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Fields(s)[0], err)
		}
	}
	segment, size, err := e.migrate(ctx)
	if err != nil {
		return nil, err
	}
	if e.archive, err = openArchive(h.cfg.Path+".records", segment, size, h.cfg.Threads); err != nil {
		return nil, err
	}
	return e, nil
}

// settings are values of the configuration, which SET and ATTACH do not take
// as parameters; quote makes them literals.
func (h *History) settings() []string {
	return []string{
		fmt.Sprintf("SET memory_limit = '%dMiB'", h.cfg.MemoryMB),
		fmt.Sprintf("SET threads = %d", h.cfg.Threads),
		"SET temp_directory = " + quote(h.cfg.Path+".tmp"),
		// The checkpointer comes first; this is for when it cannot.
		fmt.Sprintf("SET checkpoint_threshold = '%dMiB'", 4*h.cfg.CheckpointMB),
		"SET late_materialization_max_rows = 1000",
		"SET preserve_insertion_order = true",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		// Small row groups: less is written again by a checkpoint, and less is
		// read for one record.
		"ATTACH " + quote(h.cfg.Path) + " AS history (ROW_GROUP_SIZE 32768, STORAGE_VERSION 'v1.5.0')",
		// From here on no statement reaches another file or a setting.
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// close waits for running searches.
func (e *engine) close() error {
	var err error
	if e.writer != nil {
		err = e.writer.Close()
	}
	err = errors.Join(err, e.db.Close())
	if e.archive != nil {
		err = errors.Join(err, e.archive.close())
	}
	return err
}

// current is the engine in use. A broken one is closed and opened again.
func (h *History) current(ctx context.Context) (*engine, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	if h.eng != nil && !h.eng.broken.Load() {
		return h.eng, nil
	}
	if h.eng != nil {
		h.log.WarnContext(ctx, "history: closing the database after a failure, to open it again")
		if err := h.eng.close(); err != nil {
			h.log.WarnContext(ctx, "history: close", "error", err)
		}
		h.eng = nil
	}
	e, err := h.start(context.WithoutCancel(ctx))
	if err != nil {
		return nil, fmt.Errorf("open the database again: %w", err)
	}
	h.eng = e
	h.log.InfoContext(ctx, "history: database is open again")
	return e, nil
}

// note marks the engine when err says that it takes no more statements.
func (e *engine) note(err error) error {
	d, ok := errors.AsType[*duck.Error](err)
	if ok && (d.Type == duck.ErrorTypeFatal || strings.Contains(d.Msg, "has been invalidated")) {
		e.broken.Store(true)
	}
	return err
}

// Check reports whether the database can be read and the last Append was
// stored.
func (h *History) Check(ctx context.Context) error {
	e, err := h.current(ctx)
	if err != nil {
		return err
	}
	var upto int64
	if err := e.note(e.db.QueryRowContext(ctx, `SELECT upto FROM history.ingest`).Scan(&upto)); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if failed := h.failing.Load(); failed != nil {
		return fmt.Errorf("history: last append: %w", *failed)
	}
	return nil
}

// Cursor implements [monitor.History].
func (h *History) Cursor(ctx context.Context) (uint64, error) {
	e, err := h.current(ctx)
	if err != nil {
		return 0, err
	}
	return e.cursor.Load(), nil
}

// Close waits for what is running and writes a checkpoint.
func (h *History) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.stop()
	h.mu.Unlock()
	h.done.Wait()
	h.writing.Lock()
	defer h.writing.Unlock()
	if h.eng == nil {
		return nil
	}
	return h.eng.close()
}

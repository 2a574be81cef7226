// Package sqldb keeps relational state in SQLite or PostgreSQL through one
// SQL text: $1 placeholders in order, integer microseconds UTC, JSON as text,
// booleans as 0 and 1.
//
// Every store of a domain is a small struct over [DB] in a file of its own;
// its changes, the ledger entries that explain them and the jobs they cause
// are written by one [DB.Write].
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
)

// Dialect names the engine behind a [DB].
type Dialect string

// The engines.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DB is an open database with its schema up to date.
type DB struct {
	dialect Dialect
	write   *sql.DB // SQLite: the one writer; PostgreSQL: the same pool as read
	read    reads
	queue   *queue
	now     func() time.Time
	tell    func(ledger.Entry) []jobs.Job // nil: nobody is told
}

// Open opens the database that dsn names, creating it and migrating its
// schema: a file path for SQLite, postgres://… for PostgreSQL. It fails with
// [ErrNewer] when the schema is newer than this program.
func Open(ctx context.Context, dsn string, log *slog.Logger) (*DB, error) {
	db := &DB{now: time.Now}
	var err error
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		err = db.openPostgres(dsn)
	} else {
		err = db.openSQLite(dsn)
	}
	if err == nil {
		err = db.migrate(ctx)
	}
	if err == nil {
		db.queue, err = newQueue(ctx, db, log)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", redacted(dsn), err), db.Close())
	}
	return db, nil
}

// redacted is how a database is named in messages: without its password.
func redacted(dsn string) string {
	if u, err := url.Parse(dsn); err == nil && u.User != nil {
		return u.Redacted()
	}
	return dsn
}

func (d *DB) openPostgres(dsn string) error {
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(8)
	d.dialect, d.write, d.read = Postgres, pool, reads{pool, d}
	return nil
}

// openSQLite opens one connection for writing, so that writers queue in Go
// instead of failing busy, and a few for reading beside it (WAL).
func (d *DB) openSQLite(path string) error {
	pragmas := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
		"foreign_keys(1)", "temp_store(MEMORY)", "cache_size(-16000)",
	}}
	pragmas.Set("_txlock", "immediate")
	write, err := sql.Open("sqlite", "file:"+escapePath(path)+"?"+pragmas.Encode())
	if err != nil {
		return err
	}
	write.SetMaxOpenConns(1)
	pragmas["_pragma"] = append(pragmas["_pragma"], "query_only(1)")
	pragmas.Set("_txlock", "deferred")
	read, err := sql.Open("sqlite", "file:"+escapePath(path)+"?"+pragmas.Encode())
	if err != nil {
		return errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(4)
	d.dialect, d.write, d.read = SQLite, write, reads{read, d}
	return nil
}

func escapePath(path string) string {
	return (&url.URL{Path: path}).EscapedPath()
}

// Close closes the database. The queue must have been stopped.
func (d *DB) Close() error {
	var errs []error
	if d.write != nil {
		errs = append(errs, d.write.Close())
	}
	if d.read.DB != nil && d.read.DB != d.write {
		errs = append(errs, d.read.Close())
	}
	return errors.Join(errs...)
}

// Dialect tells which engine this is.
func (d *DB) Dialect() Dialect { return d.dialect }

// Read is the pool to query with; on SQLite it cannot write.
func (d *DB) Read() *sql.DB { return d.read.DB }

// Check tells whether the database answers and can be written.
func (d *DB) Check(ctx context.Context) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE ledger_head SET seq = seq WHERE id = 1`)
		return err
	})
}

const writeAttempts = 8

// Write runs fn in a transaction and commits it; on disk when it returns nil,
// or, within [DB.Together], when that does.
// When the engine asks to retry (busy, serialization failure, deadlock), fn
// runs again, so it must not have effects of its own.
func (d *DB) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if j := d.jointOf(ctx); j != nil {
		return j.write(ctx, fn)
	}
	return d.retried(ctx, func() error { return d.writeOnce(ctx, fn) })
}

func (d *DB) writeOnce(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit this does nothing
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func retryable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY || lite.Code()&0xff == sqlite3.SQLITE_LOCKED
	}
	return false
}

// IsFull reports whether err says that there is no room on the disk.
func IsFull(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "53100"
	}
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && lite.Code()&0xff == sqlite3.SQLITE_FULL
}

// isDuplicate reports whether err is a violated unique constraint.
func isDuplicate(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// micros is how times are stored: microseconds UTC, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the inverse of micros.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

package duckdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
)

const schemaVersion = 3

// schema is that of version 2.
func schema() []string {
	return []string{
		`CREATE TABLE history.meta (version INTEGER NOT NULL, secret BLOB NOT NULL)`,
		// The last stream position, and where the record files end.
		`CREATE TABLE history.ingest (upto BIGINT NOT NULL, segment BIGINT NOT NULL, size BIGINT NOT NULL)`,
		`CREATE TABLE history.events (
			number BIGINT NOT NULL, line INTEGER NOT NULL, happened BIGINT NOT NULL, place BIGINT NOT NULL,
			member VARCHAR NOT NULL, product VARCHAR NOT NULL, category VARCHAR NOT NULL,
			service VARCHAR NOT NULL, host VARCHAR NOT NULL, account VARCHAR NOT NULL)`,
		`CREATE TABLE history.batches (id VARCHAR NOT NULL, seq BIGINT NOT NULL)`,
		`CREATE TABLE history.seen (hash BIGINT NOT NULL, kind UTINYINT NOT NULL,
			number BIGINT NOT NULL, happened BIGINT NOT NULL, place BIGINT NOT NULL, member VARCHAR NOT NULL)`,
		`CREATE TABLE history.addresses (hi BIGINT NOT NULL, lo BIGINT NOT NULL,
			number BIGINT NOT NULL, happened BIGINT NOT NULL, place BIGINT NOT NULL, member VARCHAR NOT NULL)`,
		`INSERT INTO history.ingest VALUES (0, 0, 0)`,
	}
}

// runsSchema is what version 3 adds: sorted runs, and the views that readers
// use. What a database of version 2 holds is sorted beside the appends as if
// it had just come.
func runsSchema() []string {
	return []string{
		`CREATE TABLE history.seen_runs (hash BIGINT NOT NULL, kind UTINYINT NOT NULL,
			number BIGINT NOT NULL, happened BIGINT NOT NULL, place BIGINT NOT NULL, member VARCHAR NOT NULL)`,
		`CREATE TABLE history.addresses_runs (hi BIGINT NOT NULL, lo BIGINT NOT NULL,
			number BIGINT NOT NULL, happened BIGINT NOT NULL, place BIGINT NOT NULL, member VARCHAR NOT NULL)`,
		`CREATE VIEW history.all_seen AS
			SELECT hash, kind, number, happened, place, member FROM history.seen_runs UNION ALL
			SELECT hash, kind, number, happened, place, member FROM history.seen`,
		`CREATE VIEW history.all_addresses AS
			SELECT hi, lo, number, happened, place, member FROM history.addresses_runs UNION ALL
			SELECT hi, lo, number, happened, place, member FROM history.addresses`,
	}
}

// migrate brings the schema into being or up to date and reads what is kept
// in memory. It returns where the record files end.
func (e *engine) migrate(ctx context.Context) (segment, size int64, err error) {
	if err := e.upgrade(ctx); err != nil {
		return 0, 0, fmt.Errorf("schema: %w", err)
	}
	var cursor, rows int64
	var oldest, newest sql.NullInt64
	if err := e.writer.QueryRowContext(ctx, `SELECT upto, segment, size FROM history.ingest`).Scan(&cursor, &segment, &size); err != nil {
		return 0, 0, fmt.Errorf("cursor: %w", err)
	}
	if err := e.writer.QueryRowContext(ctx,
		`SELECT min(happened), max(happened), count(*) FROM history.events`).Scan(&oldest, &newest, &rows); err != nil {
		return 0, 0, fmt.Errorf("extent: %w", err)
	}
	e.cursor.Store(uint64(cursor))
	e.extent.grow(oldest.Int64, newest.Int64, rows)
	return segment, size, e.countTails(ctx)
}

// upgrade creates the tables that are missing and reads the secret.
func (e *engine) upgrade(ctx context.Context) error {
	var tables int
	if err := e.writer.QueryRowContext(ctx,
		`SELECT count(*) FROM duckdb_tables() WHERE database_name = 'history'`).Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		e.secret = make([]byte, 32)
		_, _ = rand.Read(e.secret) // never fails
		return e.inTransaction(ctx, append(schema(), runsSchema()...),
			`INSERT INTO history.meta VALUES ($1, $2)`, schemaVersion, e.secret)
	}
	var version int
	if err := e.writer.QueryRowContext(ctx, `SELECT version, secret FROM history.meta`).Scan(&version, &e.secret); err != nil {
		return err
	}
	switch version {
	case schemaVersion:
		return nil
	case 2:
		return e.inTransaction(ctx, runsSchema(), `UPDATE history.meta SET version = $1`, schemaVersion)
	}
	return fmt.Errorf("the database is of version %d, this program knows %d", version, schemaVersion)
}

// inTransaction executes the statements and last, which has arguments.
func (e *engine) inTransaction(ctx context.Context, statements []string, last string, args ...any) error {
	tx, err := e.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, last, args...); err != nil {
		return err
	}
	return tx.Commit()
}

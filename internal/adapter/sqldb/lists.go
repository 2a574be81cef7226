package sqldb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Lists keeps how people like to see lists.
type Lists struct{ db *DB }

// Lists is the store of saved views. An adapter knows no page, so that wire
// turns its rows into the shell's views.
func (d *DB) Lists() *Lists { return &Lists{d} }

// SavedView is a row of a person's views.
type SavedView struct {
	ID, Name, Query string
	Preferred       bool
}

// Views lists a person's views of a list, by name.
func (s *Lists) Views(ctx context.Context, user sector.UserID, list string) ([]SavedView, error) {
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT id, name, query, preferred FROM saved_view WHERE account = $1 AND list = $2 ORDER BY name`, user, list)
	views, err := collect(rows, err, func(row scanner) (SavedView, error) {
		var v SavedView
		var preferred int64
		err := row.Scan(&v.ID, &v.Name, &v.Query, &preferred)
		v.Preferred = preferred != 0
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("saved views: %w", err)
	}
	return views, nil
}

// SaveView stores a view in place of the one of the same name.
func (s *Lists) SaveView(ctx context.Context, user sector.UserID, list string, v SavedView, most int, e ledger.Entry) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var others int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM saved_view WHERE account = $1 AND list = $2 AND name <> $3`,
			user, list, v.Name).Scan(&others)
		if err == nil && others >= most {
			return errs.New(errs.Conflict, "common.view.many", most)
		}
		if err == nil && v.Preferred {
			_, err = tx.ExecContext(ctx, `UPDATE saved_view SET preferred = 0 WHERE account = $1 AND list = $2`, user, list)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO saved_view (id, account, list, name, query, preferred, created_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (account, list, name) DO UPDATE SET query = excluded.query, preferred = excluded.preferred`,
				rand.Text(), user, list, v.Name, v.Query, boolInt(v.Preferred), micros(s.db.now()))
		}
		if err != nil {
			return fmt.Errorf("save view: %w", err)
		}
		return s.db.appendLedger(ctx, tx, e)
	})
}

// DropView forgets one of a person's views.
func (s *Lists) DropView(ctx context.Context, user sector.UserID, id string, e ledger.Entry) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `DELETE FROM saved_view WHERE id = $1 AND account = $2 RETURNING id`, id, user).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "common.view.gone")
		}
		if err != nil {
			return fmt.Errorf("drop view: %w", err)
		}
		return s.db.appendLedger(ctx, tx, e)
	})
}

// Exported keeps that a list leaves as a file.
func (s *Lists) Exported(ctx context.Context, e ledger.Entry) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return s.db.appendLedger(ctx, tx, e) })
}

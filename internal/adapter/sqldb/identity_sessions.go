package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

const signInColumns = `id, account, method, browser, address, started_at, seen_at, proved_at, setup, ended_at`

// keepSignIns is how long past sessions are kept; the ledger has them for
// ever.
const keepSignIns = 30 * 24 * time.Hour

// StartSession implements identity.SessionStore.
func (i *Identity) StartSession(ctx context.Context, s identity.Session, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sign_in WHERE account = $1 AND started_at < $2`, s.User, micros(s.Started.Add(-keepSignIns)))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx,
			`INSERT INTO sign_in (`+signInColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			s.ID, s.User, s.Method, s.Browser, s.Address, micros(s.Started), micros(s.Seen), micros(s.Proved), flag(s.Setup), micros(s.Ended))
		return err
	})
}

// Session implements identity.SessionStore.
func (i *Identity) Session(ctx context.Context, id string) (identity.Session, error) {
	s, err := scanSignIn(i.db.read.QueryRowContext(ctx, `SELECT `+signInColumns+` FROM sign_in WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return s, errs.New(errs.NotFound, "signin.session_over")
	}
	return s, err
}

// Sessions implements identity.SessionStore.
func (i *Identity) Sessions(ctx context.Context, user sector.UserID, since time.Time) ([]identity.Session, error) {
	rows, err := i.db.read.QueryContext(ctx,
		`SELECT `+signInColumns+` FROM sign_in WHERE account = $1 AND started_at > $2 AND ended_at = 0
		 ORDER BY started_at DESC, id`, user, micros(since))
	return collect(rows, err, scanSignIn)
}

func scanSignIn(row scanner) (identity.Session, error) {
	var s identity.Session
	var started, seen, proved, setup, ended int64
	err := row.Scan(&s.ID, &s.User, &s.Method, &s.Browser, &s.Address, &started, &seen, &proved, &setup, &ended)
	s.Started, s.Seen, s.Proved, s.Ended = fromMicros(started), fromMicros(seen), fromMicros(proved), fromMicros(ended)
	s.Setup = setup != 0
	return s, err
}

// TouchSession implements identity.SessionStore.
func (i *Identity) TouchSession(ctx context.Context, id string, at time.Time) error {
	err := i.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sign_in SET seen_at = $1 WHERE id = $2 AND seen_at < $1`, micros(at), id)
		return err
	})
	if IsFull(err) {
		return errs.New(errs.Full, "error.full.text").Because(err)
	}
	return err
}

// ProveSession implements identity.SessionStore.
func (i *Identity) ProveSession(ctx context.Context, id string, at time.Time, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE sign_in SET proved_at = $1, setup = 0 WHERE id = $2 AND ended_at = 0`, micros(at), id)
		return changed(errs.New(errs.Unauthenticated, "signin.session_over"), result, err)
	})
}

// EndSessions implements identity.SessionStore. Nothing is written when there
// is nothing to end.
func (i *Identity) EndSessions(ctx context.Context, which identity.Ending, at time.Time, e ledger.Entry) (int, error) {
	var n int64
	err := i.db.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx,
			`UPDATE sign_in SET ended_at = $1 WHERE account = $2 AND ended_at = 0 AND ($3 = '' OR id = $3) AND id <> $4`,
			micros(at), which.User, which.ID, which.But)
		if err != nil {
			return err
		}
		if n, err = result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return i.db.appendLedger(ctx, tx, e)
	})
	return int(n), err
}

// Note implements identity.SessionStore.
func (i *Identity) Note(ctx context.Context, e ledger.Entry) error {
	return i.explained(ctx, e, func(*sql.Tx) error { return nil })
}

// AskRecovery implements identity.RecoveryStore.
func (i *Identity) AskRecovery(ctx context.Context, r identity.Recovery, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM recovery WHERE account = $1 AND confirmed_at = 0`, r.User); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx,
			`INSERT INTO recovery (id, account, asked_by, asked_at, expires_at, confirmed_at) VALUES ($1, $2, $3, $4, $5, 0)`,
			r.ID, r.User, r.By, micros(r.At), micros(r.Expires))
		return err
	})
}

const recoveryColumns = `id, account, asked_by, asked_at, expires_at`

// Recoveries implements identity.RecoveryStore.
func (i *Identity) Recoveries(ctx context.Context, now time.Time) ([]identity.Recovery, error) {
	rows, err := i.db.read.QueryContext(ctx,
		`SELECT `+recoveryColumns+` FROM recovery WHERE confirmed_at = 0 AND expires_at > $1 ORDER BY asked_at, id`, micros(now))
	return collect(rows, err, scanRecovery)
}

// ConfirmRecovery implements identity.RecoveryStore.
func (i *Identity) ConfirmRecovery(ctx context.Context, id string, by sector.UserID, now time.Time, e ledger.Entry) (identity.Recovery, error) {
	var r identity.Recovery
	err := i.explained(ctx, e, func(tx *sql.Tx) error {
		var err error
		r, err = scanRecovery(tx.QueryRowContext(ctx,
			`UPDATE recovery SET confirmed_at = $1
			 WHERE id = $2 AND confirmed_at = 0 AND expires_at > $1 AND asked_by <> $3 AND account <> $3
			 RETURNING `+recoveryColumns, micros(now), id, by))
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "signin.recovery_gone")
		}
		return err
	})
	return r, err
}

func scanRecovery(row scanner) (identity.Recovery, error) {
	var r identity.Recovery
	var at, expires int64
	err := row.Scan(&r.ID, &r.User, &r.By, &at, &expires)
	r.At, r.Expires = fromMicros(at), fromMicros(expires)
	return r, err
}

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Identity keeps how people prove who they are.
type Identity struct{ db *DB }

// Identity is the store of package identity.
func (d *DB) Identity() *Identity { return &Identity{d} }

// Stores are this store as everything that package identity asks for.
func (i *Identity) Stores() identity.Stores {
	return identity.Stores{Passkeys: i, Secrets: i, Sessions: i, Providers: i, Recoveries: i, Subjects: i, Sealed: i}
}

// explained runs a change and writes the entry that explains it.
func (i *Identity) explained(ctx context.Context, e ledger.Entry, change func(tx *sql.Tx) error) error {
	err := i.db.Write(ctx, func(tx *sql.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return i.db.appendLedger(ctx, tx, e)
	})
	if err != nil && errs.KindOf(err) == errs.Internal {
		return fmt.Errorf("%s: %w", e.Action, err)
	}
	return err
}

// changed is refused unless the statement changed a row.
func changed(refused error, result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return refused
	}
	return err
}

// lockAccount makes changes to how one person signs in wait for each other.
func lockAccount(ctx context.Context, tx *sql.Tx, user sector.UserID) error {
	_, err := tx.ExecContext(ctx, `UPDATE account SET email = email WHERE id = $1`, user)
	return err
}

// AddPasskey implements identity.PasskeyStore.
func (i *Identity) AddPasskey(ctx context.Context, p identity.Passkey, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO passkey (id, account, name, record, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			p.ID, p.User, p.Name, p.Record, micros(p.CreatedAt), micros(p.UsedAt))
		if isDuplicate(err) {
			return errs.New(errs.Conflict, "signin.passkey_known").Because(err)
		}
		return err
	})
}

// Passkeys implements identity.PasskeyStore.
func (i *Identity) Passkeys(ctx context.Context, user sector.UserID) ([]identity.Passkey, error) {
	rows, err := i.db.read.QueryContext(ctx,
		`SELECT id, account, name, record, created_at, used_at FROM passkey WHERE account = $1 ORDER BY created_at, id`, user)
	return collect(rows, err, scanPasskey)
}

func scanPasskey(row scanner) (identity.Passkey, error) {
	var p identity.Passkey
	var created, used int64
	err := row.Scan(&p.ID, &p.User, &p.Name, &p.Record, &created, &used)
	p.CreatedAt, p.UsedAt = fromMicros(created), fromMicros(used)
	return p, err
}

// UsePasskey implements identity.PasskeyStore.
func (i *Identity) UsePasskey(ctx context.Context, before identity.Passkey, record string, at time.Time) error {
	return i.db.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE passkey SET record = $1, used_at = $2 WHERE id = $3 AND record = $4`,
			record, micros(at), before.ID, before.Record)
		return changed(errs.New(errs.Conflict, "signin.passkey_again"), result, err)
	})
}

// RemovePasskey implements identity.PasskeyStore.
func (i *Identity) RemovePasskey(ctx context.Context, user sector.UserID, id string, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		if err := lockAccount(ctx, tx, user); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM passkey WHERE id = $1 AND account = $2`, id, user)
		if err := changed(errs.New(errs.NotFound, "signin.passkey_gone"), result, err); err != nil {
			return err
		}
		return i.somethingLeft(ctx, tx, user)
	})
}

// somethingLeft fails when the person can no longer sign in.
func (i *Identity) somethingLeft(ctx context.Context, tx *sql.Tx, user sector.UserID) error {
	var left int
	err := tx.QueryRowContext(ctx,
		`SELECT (SELECT count(*) FROM passkey WHERE account = $1) + (SELECT count(*) FROM authenticator WHERE account = $1)`,
		user).Scan(&left)
	if err == nil && left == 0 {
		return errs.New(errs.Conflict, "signin.last_way")
	}
	return err
}

// Secrets implements identity.SecretStore. Nobody has none, and is asked for
// with the same queries as somebody.
func (i *Identity) Secrets(ctx context.Context, user sector.UserID) (identity.Secrets, error) {
	var s identity.Secrets
	var since int64
	err := i.db.read.QueryRowContext(ctx,
		`SELECT a.password_hash, coalesce(f.secret, ''), coalesce(f.step, 0), coalesce(f.created_at, 0),
		        (SELECT count(*) FROM recovery_code WHERE account = a.id)
		 FROM account a LEFT JOIN authenticator f ON f.account = a.id WHERE a.id = $1`, user).
		Scan(&s.PasswordHash, &s.App, &s.Step, &since, &s.Codes)
	if errors.Is(err, sql.ErrNoRows) {
		return identity.Secrets{}, nil
	}
	s.Since = fromMicros(since)
	return s, err
}

// SetPassword implements identity.SecretStore.
func (i *Identity) SetPassword(ctx context.Context, user sector.UserID, hash string, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error { return setPassword(ctx, tx, user, hash) })
}

func setPassword(ctx context.Context, tx *sql.Tx, user sector.UserID, hash string) error {
	result, err := tx.ExecContext(ctx, `UPDATE account SET password_hash = $1 WHERE id = $2`, hash, user)
	return changed(errs.New(errs.NotFound, "sector.user_unknown"), result, err)
}

// SetSecrets implements identity.SecretStore.
func (i *Identity) SetSecrets(ctx context.Context, user sector.UserID, s identity.Secrets, codes []string, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		if err := setPassword(ctx, tx, user, s.PasswordHash); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx,
			`INSERT INTO authenticator (account, secret, step, created_at) VALUES ($1, $2, $3, $4)
			 ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, step = excluded.step, created_at = excluded.created_at`,
			user, s.App, s.Step, micros(s.Since))
		if err != nil {
			return err
		}
		return setCodes(ctx, tx, user, codes)
	})
}

// SetCodes implements identity.SecretStore.
func (i *Identity) SetCodes(ctx context.Context, user sector.UserID, codes []string, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error { return setCodes(ctx, tx, user, codes) })
}

func setCodes(ctx context.Context, tx *sql.Tx, user sector.UserID, codes []string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE account = $1`, user); err != nil {
		return err
	}
	for _, hash := range codes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO recovery_code (account, hash) VALUES ($1, $2)`, user, hash); err != nil {
			return err
		}
	}
	return nil
}

// UseStep implements identity.SecretStore.
func (i *Identity) UseStep(ctx context.Context, user sector.UserID, step int64) error {
	return i.db.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE authenticator SET step = $1 WHERE account = $2 AND step < $1`, step, user)
		return changed(errs.New(errs.Conflict, "signin.code_used"), result, err)
	})
}

// UseCode implements identity.SecretStore.
func (i *Identity) UseCode(ctx context.Context, user sector.UserID, hash string, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE account = $1 AND hash = $2`, user, hash)
		return changed(errs.New(errs.NotFound, "signin.code_wrong"), result, err)
	})
}

// RemoveSecrets implements identity.SecretStore.
func (i *Identity) RemoveSecrets(ctx context.Context, user sector.UserID, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		if err := lockAccount(ctx, tx, user); err != nil {
			return err
		}
		if err := setPassword(ctx, tx, user, ""); err != nil {
			return err
		}
		for _, table := range []string{"recovery_code", "authenticator"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE account = $1`, user); err != nil {
				return err
			}
		}
		return i.somethingLeft(ctx, tx, user)
	})
}

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// SubjectOf implements identity.SubjectStore.
func (i *Identity) SubjectOf(ctx context.Context, s identity.Subject) (sector.UserID, error) {
	var id sector.UserID
	err := i.db.read.QueryRowContext(ctx,
		`SELECT account FROM identity_subject WHERE member = $1 AND issuer = $2 AND subject = $3`, s.Member, s.Issuer, s.Subject).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errs.New(errs.NotFound, "provider.unknown_person")
	}
	return id, err
}

// BindSubject implements identity.SubjectStore.
func (i *Identity) BindSubject(ctx context.Context, s identity.Subject, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO identity_subject (member, issuer, subject, account, created_at) VALUES ($1, $2, $3, $4, $5)`,
			s.Member, s.Issuer, s.Subject, s.User, micros(s.Since))
		if isDuplicate(err) {
			return errs.New(errs.Conflict, "provider.another_person").Because(err)
		}
		return err
	})
}

// SubjectsOf implements identity.SubjectStore.
func (i *Identity) SubjectsOf(ctx context.Context, user sector.UserID) ([]identity.Subject, error) {
	rows, err := i.db.read.QueryContext(ctx,
		`SELECT member, issuer, subject, account, created_at FROM identity_subject WHERE account = $1 ORDER BY issuer`, user)
	return collect(rows, err, func(row scanner) (s identity.Subject, err error) {
		var since int64
		err = row.Scan(&s.Member, &s.Issuer, &s.Subject, &s.User, &since)
		s.Since = fromMicros(since)
		return s, err
	})
}

// ForgetSubject implements identity.SubjectStore.
func (i *Identity) ForgetSubject(ctx context.Context, user sector.UserID, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM identity_subject WHERE account = $1`, user)
		return changed(errs.New(errs.NotFound, "provider.not_bound"), result, err)
	})
}

// sealedIn says where the texts of a purpose lie.
func sealedIn(purpose string) (table, key string, err error) {
	switch purpose {
	case "app":
		return "authenticator", "account", nil
	case "provider":
		return "identity_provider", "member", nil
	}
	return "", "", fmt.Errorf("sealed texts: %q is no purpose", purpose)
}

// SealedTexts implements identity.SealedStore.
func (i *Identity) SealedTexts(ctx context.Context) ([]identity.SealedText, error) {
	rows, err := i.db.read.QueryContext(ctx,
		`SELECT 'app', account, secret FROM authenticator UNION ALL
		 SELECT 'provider', member, secret FROM identity_provider WHERE secret <> '' ORDER BY 1, 2`)
	return collect(rows, err, func(row scanner) (t identity.SealedText, err error) {
		return t, row.Scan(&t.Purpose, &t.ID, &t.Text)
	})
}

// Reseal implements identity.SealedStore.
func (i *Identity) Reseal(ctx context.Context, before, after []identity.SealedText, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		for n, old := range before {
			table, key, err := sealedIn(old.Purpose)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE `+table+` SET secret = $1 WHERE `+key+` = $2 AND secret = $3`, after[n].Text, old.ID, old.Text)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

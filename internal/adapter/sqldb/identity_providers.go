package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// PutProvider implements identity.ProviderStore.
func (i *Identity) PutProvider(ctx context.Context, p identity.Provider, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO identity_provider (member, issuer, client_id, secret, created_at) VALUES ($1, $2, $3, $4, $5)
			 ON CONFLICT (member) DO UPDATE SET issuer = excluded.issuer, client_id = excluded.client_id,
			   secret = excluded.secret, created_at = excluded.created_at`,
			p.Member, p.Issuer, p.ClientID, p.Secret, micros(p.Since))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM identity_domain WHERE member = $1`, p.Member); err != nil {
			return err
		}
		for _, domain := range p.Domains {
			_, err := tx.ExecContext(ctx, `INSERT INTO identity_domain (domain, member) VALUES ($1, $2)`, domain, p.Member)
			if isDuplicate(err) {
				return errs.New(errs.Conflict, "provider.domain_taken", domain).Because(err)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

const providerColumns = `member, issuer, client_id, secret, created_at`

// Provider implements identity.ProviderStore.
func (i *Identity) Provider(ctx context.Context, m sector.MemberID) (identity.Provider, error) {
	return i.provider(ctx, `SELECT `+providerColumns+` FROM identity_provider WHERE member = $1`, m)
}

// ProviderFor implements identity.ProviderStore.
func (i *Identity) ProviderFor(ctx context.Context, domain string) (identity.Provider, error) {
	return i.provider(ctx, `SELECT `+providerColumns+` FROM identity_provider
		WHERE member = (SELECT member FROM identity_domain WHERE domain = $1)`, domain)
}

func (i *Identity) provider(ctx context.Context, query string, args ...any) (identity.Provider, error) {
	var p identity.Provider
	var since int64
	err := i.db.read.QueryRowContext(ctx, query, args...).Scan(&p.Member, &p.Issuer, &p.ClientID, &p.Secret, &since)
	if errors.Is(err, sql.ErrNoRows) {
		return p, errs.New(errs.NotFound, "provider.none")
	}
	if err != nil {
		return p, err
	}
	p.Since = fromMicros(since)
	rows, err := i.db.read.QueryContext(ctx, `SELECT domain FROM identity_domain WHERE member = $1 ORDER BY domain`, p.Member)
	p.Domains, err = collect(rows, err, func(row scanner) (string, error) {
		var domain string
		err := row.Scan(&domain)
		return domain, err
	})
	return p, err
}

// RemoveProvider implements identity.ProviderStore.
func (i *Identity) RemoveProvider(ctx context.Context, m sector.MemberID, e ledger.Entry) error {
	return i.explained(ctx, e, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM identity_domain WHERE member = $1`, m); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM identity_subject WHERE member = $1`, m); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM identity_provider WHERE member = $1`, m)
		return changed(errs.New(errs.NotFound, "provider.none"), result, err)
	})
}

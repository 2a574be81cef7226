package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

var _ sector.TokenStore = (*Sector)(nil)

const tokenColumns = `id, account, name, roles, created_at, expires_at, revoked_at, last_used`

func scanToken(row scanner) (sector.Token, error) {
	var t sector.Token
	var roles string
	var created, expires, revoked, used int64
	err := row.Scan(&t.ID, &t.User, &t.Name, &roles, &created, &expires, &revoked, &used)
	t.Roles = splitList[sector.Role](roles)
	t.CreatedAt, t.ExpiresAt = fromMicros(created), fromMicros(expires)
	t.RevokedAt, t.LastUsed = fromMicros(revoked), fromMicros(used)
	return t, err
}

// CreateToken implements sector.TokenStore.
func (s *Sector) CreateToken(ctx context.Context, t sector.Token, hash string, e ledger.Entry) error {
	return s.change(ctx, "token.unknown", e,
		`INSERT INTO personal_token (id, hash, account, name, roles, created_at, expires_at, revoked_at, last_used)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
		t.ID, hash, t.User, t.Name, joinList(t.Roles), micros(t.CreatedAt), micros(t.ExpiresAt))
}

// TokenByHash implements sector.TokenStore.
func (s *Sector) TokenByHash(ctx context.Context, hash string) (sector.Token, error) {
	t, err := scanToken(s.db.read.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM personal_token WHERE hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return t, errs.New(errs.NotFound, "token.unknown")
	}
	return t, err
}

// maxTokensListed bounds the list of a person's tokens, revoked ones included.
const maxTokensListed = 200

// Tokens implements sector.TokenStore.
func (s *Sector) Tokens(ctx context.Context, u sector.UserID) ([]sector.Token, error) {
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT `+tokenColumns+` FROM personal_token WHERE account = $1 ORDER BY created_at DESC, id LIMIT $2`, u, maxTokensListed)
	return collect(rows, err, scanToken)
}

// RevokeToken implements sector.TokenStore.
func (s *Sector) RevokeToken(ctx context.Context, id string, at time.Time, e ledger.Entry) error {
	return s.change(ctx, "", e, `UPDATE personal_token SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0`, micros(at), id)
}

// TouchToken implements sector.TokenStore.
func (s *Sector) TouchToken(ctx context.Context, id string, at time.Time) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE personal_token SET last_used = $1 WHERE id = $2`, micros(at), id)
		return err
	})
	switch {
	case err == nil:
		return nil
	case IsFull(err):
		return errs.New(errs.Full, "error.full.text").Because(err)
	}
	return fmt.Errorf("note a token's use: %w", err)
}

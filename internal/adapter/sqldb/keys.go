package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

var _ sector.KeyStore = (*Sector)(nil)

// CreateKey implements sector.KeyStore.
func (s *Sector) CreateKey(ctx context.Context, k sector.Key, hash string, e ledger.Entry) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO access_key (id, hash, member, name, notes, scopes, networks, created_at, expires_at, revoked_at, last_used)
			 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)`,
			k.ID, hash, k.Member, k.Name, k.Notes, joinList(k.Scopes), joinNetworks(k.Networks), micros(k.CreatedAt), micros(k.ExpiresAt))
		if err != nil {
			return err
		}
		if err := insertCredential(ctx, tx, k.ID, k.Credentials[0], hash); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
	return takenCredential("create key", err)
}

func insertCredential(ctx context.Context, tx *sql.Tx, key string, c sector.Credential, hash string) error {
	authority := c.Authority
	if authority == nil {
		authority = []byte{} // the column knows no NULL
	}
	_, err := tx.ExecContext(ctx,
		`INSERT INTO credential (id, access_key, kind, hash, label, authority, created_at, ends_at, last_used)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		c.ID, key, c.Proof, hash, c.Label, authority, micros(c.CreatedAt), micros(c.EndsAt))
	return err
}

func takenCredential(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case isDuplicate(err):
		return errs.New(errs.Conflict, "key.credential_taken").Because(err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

const keyColumns = `k.id, k.member, k.name, k.notes, k.scopes, k.networks, k.created_at, k.expires_at, k.revoked_at, k.last_used`

func scanKey(row scanner, more ...any) (sector.Key, error) {
	var k sector.Key
	var scopes, networks string
	var created, expires, revoked, used int64
	err := row.Scan(append([]any{&k.ID, &k.Member, &k.Name, &k.Notes, &scopes, &networks, &created, &expires, &revoked, &used}, more...)...)
	if err != nil {
		return k, err
	}
	k.Scopes = splitList[sector.Scope](scopes)
	k.CreatedAt, k.ExpiresAt, k.RevokedAt, k.LastUsed = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(used)
	k.Networks, err = splitNetworks(networks)
	return k, err
}

const credentialColumns = `c.id, c.kind, c.label, c.authority, c.created_at, c.ends_at, c.last_used`

// credentialRow is a credential on its way out of a row.
type credentialRow struct {
	sector.Credential
	created, ends, used int64
}

func (c *credentialRow) into() []any {
	return []any{&c.ID, &c.Proof, &c.Label, &c.Authority, &c.created, &c.ends, &c.used}
}

func (c *credentialRow) done() sector.Credential {
	c.CreatedAt, c.EndsAt, c.LastUsed = fromMicros(c.created), fromMicros(c.ends), fromMicros(c.used)
	if len(c.Authority) == 0 {
		c.Authority = nil
	}
	return c.Credential
}

// scanKeyWith reads a key and one credential.
func scanKeyWith(row scanner) (sector.Key, error) {
	var c credentialRow
	k, err := scanKey(row, c.into()...)
	k.Credentials = []sector.Credential{c.done()}
	return k, err
}

// Key implements sector.KeyStore.
func (s *Sector) Key(ctx context.Context, id string) (sector.Key, error) {
	keys, err := s.withCredentials(ctx, `k.id = $1`, ``, id)
	if err == nil && len(keys) == 0 {
		return sector.Key{}, errs.New(errs.NotFound, "key.unknown")
	}
	if err != nil {
		return sector.Key{}, err
	}
	return keys[0], nil
}

// Keys implements sector.KeyStore.
func (s *Sector) Keys(ctx context.Context, q sector.KeyQuery) ([]sector.Key, error) {
	const last = math.MaxInt64
	now, soon := micros(q.Now), micros(q.Now.Add(sector.KeyWarning))
	// For each state: from and to of the revocation, then of the expiry, where
	// no expiry is the last of all.
	within, ok := map[sector.KeyState][4]int64{
		"":                 {0, last, 0, last},
		sector.KeyValid:    {0, 0, soon, last},
		sector.KeyExpiring: {0, 0, now + 1, soon - 1},
		sector.KeyExpired:  {0, 0, 0, now},
		sector.KeyRevoked:  {1, last, 0, last},
	}[q.State]
	if !ok {
		return nil, errs.New(errs.Invalid, "key.unknown_state")
	}
	before, limit := int64(last), int64(last)
	if !q.Before.IsZero() {
		before = micros(q.Before)
	}
	if q.Limit > 0 {
		limit = int64(q.Limit)
	}
	return s.withCredentials(ctx,
		`($1 = '' OR k.member = $1) AND k.revoked_at BETWEEN $2 AND $3
		   AND CASE WHEN k.expires_at = 0 THEN 9223372036854775807 ELSE k.expires_at END BETWEEN $4 AND $5
		   AND (k.created_at < $6 OR k.created_at = $6 AND k.id > $7)`,
		` ORDER BY k.created_at DESC, k.id LIMIT $8`,
		q.Member, within[0], within[1], within[2], within[3], before, q.AfterID, limit)
}

// withCredentials reads keys, newest first, each with all its credentials.
func (s *Sector) withCredentials(ctx context.Context, where, limit string, args ...any) ([]sector.Key, error) {
	type pair struct {
		sector.Key
		credential sector.Credential
	}
	rows, err := s.db.read.QueryContext(ctx,
		`WITH chosen AS (SELECT k.id FROM access_key k WHERE `+where+limit+`)
		 SELECT `+keyColumns+`, `+credentialColumns+` FROM access_key k JOIN credential c ON c.access_key = k.id
		 WHERE k.id IN (SELECT id FROM chosen) ORDER BY k.created_at DESC, k.id, c.created_at DESC, c.id`, args...)
	pairs, err := collect(rows, err, func(row scanner) (pair, error) {
		k, err := scanKeyWith(row)
		return pair{k, k.Credentials[0]}, err
	})
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	var keys []sector.Key
	for _, p := range pairs {
		if n := len(keys); n > 0 && keys[n-1].ID == p.ID {
			keys[n-1].Credentials = append(keys[n-1].Credentials, p.credential)
			continue
		}
		keys = append(keys, p.Key)
	}
	return keys, nil
}

// ChangeKey implements sector.KeyStore.
func (s *Sector) ChangeKey(ctx context.Context, k sector.Key, e ledger.Entry) error {
	return s.change(ctx, "", e, `UPDATE access_key SET name = $1, notes = $2, networks = $3 WHERE id = $4`,
		k.Name, k.Notes, joinNetworks(k.Networks), k.ID)
}

// endCredentials ends what is still live at $1. It is bound by key, and by id
// unless $3 is empty.
const endCredentials = `UPDATE credential SET ends_at = $1
	WHERE access_key = $2 AND ($3 = '' OR id = $3) AND (ends_at = 0 OR ends_at > $1)`

// AddCredential implements sector.KeyStore.
func (s *Sector) AddCredential(ctx context.Context, k sector.Key, c sector.Credential, hash string, ends time.Time, e ledger.Entry) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, endCredentials, micros(ends), k.ID, ""); err != nil {
			return err
		}
		if err := insertCredential(ctx, tx, k.ID, c, hash); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE access_key SET expires_at = $1 WHERE id = $2`, micros(k.ExpiresAt), k.ID); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
	return takenCredential("replace credential", err)
}

// EndCredential implements sector.KeyStore.
func (s *Sector) EndCredential(ctx context.Context, key, id string, at time.Time, e ledger.Entry) error {
	return s.change(ctx, "", e, endCredentials, micros(at), key, id)
}

// RevokeKey implements sector.KeyStore.
func (s *Sector) RevokeKey(ctx context.Context, id string, at time.Time, e ledger.Entry) error {
	return s.change(ctx, "", e,
		`UPDATE access_key SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0`, micros(at), id)
}

// KeyByHash implements sector.KeyStore.
func (s *Sector) KeyByHash(ctx context.Context, hash string) (sector.Key, error) {
	k, err := scanKeyWith(s.db.read.QueryRowContext(ctx,
		`SELECT `+keyColumns+`, `+credentialColumns+` FROM credential c JOIN access_key k ON k.id = c.access_key WHERE c.hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return sector.Key{}, errs.New(errs.NotFound, "key.unknown")
	}
	return k, err
}

// KeysBySubject implements sector.KeyStore.
func (s *Sector) KeysBySubject(ctx context.Context, subject string, limit int) ([]sector.Key, error) {
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT `+keyColumns+`, `+credentialColumns+` FROM credential c JOIN access_key k ON k.id = c.access_key
		 WHERE c.kind = 'subject' AND c.label = $1 ORDER BY c.created_at, c.id LIMIT $2`, subject, limit)
	return collect(rows, err, scanKeyWith)
}

// TouchCredential implements sector.KeyStore.
func (s *Sector) TouchCredential(ctx context.Context, key, id string, at time.Time) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE access_key SET last_used = $1 WHERE id = $2`, micros(at), key); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE credential SET last_used = $1 WHERE id = $2`, micros(at), id)
		return err
	})
	if IsFull(err) {
		return errs.New(errs.Full, "error.full.text").Because(err)
	}
	return err
}

// NoteKey implements sector.KeyStore.
func (s *Sector) NoteKey(ctx context.Context, e ledger.Entry) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return s.db.appendLedger(ctx, tx, e) })
}

func joinNetworks(networks []netip.Prefix) string {
	var texts []string
	for _, p := range networks {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ",")
}

func splitNetworks(text string) ([]netip.Prefix, error) {
	if text == "" {
		return nil, nil
	}
	var networks []netip.Prefix
	for t := range strings.SplitSeq(text, ",") {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, fmt.Errorf("networks of a key: %w", err)
		}
		networks = append(networks, p)
	}
	return networks, nil
}

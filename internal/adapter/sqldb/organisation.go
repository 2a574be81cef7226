package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Organisation keeps profiles, who belongs to an organisation, and sharing
// groups.
type Organisation struct{ db *DB }

// Organisation is the store of package organisation.
func (d *DB) Organisation() *Organisation { return &Organisation{d} }

var (
	_ organisation.ProfileStore = (*Organisation)(nil)
	_ organisation.PeopleStore  = (*Organisation)(nil)
	_ organisation.GroupStore   = (*Organisation)(nil)
)

// changed runs fn in a transaction, after the entry that explains it: writing
// the entry first makes those who write wait for each other, so that what fn
// reads stays so until it is done.
func (s *Organisation) changed(ctx context.Context, e ledger.Entry, fn func(tx *sql.Tx) error) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.db.appendLedger(ctx, tx, e); err != nil {
			return err
		}
		return fn(tx)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", e.Action, err)
	}
	return nil
}

// changedOne turns an update that changed nothing into a conflict with this key.
func changedOne(key string, r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return errs.New(errs.Conflict, key)
}

const keptColumns = `p.member, p.version, p.contacts_at, p.networks_at, v.at, v.actor, v.content
	FROM profile p JOIN profile_version v ON v.member = p.member AND v.version = p.version`

// Profile implements organisation.ProfileStore.
func (s *Organisation) Profile(ctx context.Context, m sector.MemberID) (organisation.Kept, error) {
	k, err := scanKept(s.db.read.QueryRowContext(ctx, `SELECT `+keptColumns+` WHERE p.member = $1`, m))
	if errors.Is(err, sql.ErrNoRows) {
		return organisation.Kept{Member: m}, nil
	}
	return k, err
}

// Profiles implements organisation.ProfileStore.
func (s *Organisation) Profiles(ctx context.Context) ([]organisation.Kept, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+keptColumns+` ORDER BY p.member`)
	return collect(rows, err, scanKept)
}

func scanKept(row scanner) (organisation.Kept, error) {
	var k organisation.Kept
	var contacts, networks, at int64
	var content string
	if err := row.Scan(&k.Member, &k.Version, &contacts, &networks, &at, &k.By, &content); err != nil {
		return k, err
	}
	k.ContactsAt, k.NetworksAt, k.At = fromMicros(contacts), fromMicros(networks), fromMicros(at)
	return k, json.Unmarshal([]byte(content), &k.Profile)
}

// ProfileVersion implements organisation.ProfileStore.
func (s *Organisation) ProfileVersion(ctx context.Context, m sector.MemberID, version int) (organisation.Profile, error) {
	var content string
	var p organisation.Profile
	err := s.db.read.QueryRowContext(ctx,
		`SELECT content FROM profile_version WHERE member = $1 AND version = $2`, m, version).Scan(&content)
	if err != nil {
		return p, fmt.Errorf("profile version: %w", err)
	}
	return p, json.Unmarshal([]byte(content), &p)
}

// SaveProfile implements organisation.ProfileStore.
func (s *Organisation) SaveProfile(ctx context.Context, k organisation.Kept, e ledger.Entry) error {
	content, err := json.Marshal(k.Profile)
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	return s.changed(ctx, e, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO profile (member, version, contacts_at, networks_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (member) DO UPDATE SET version = excluded.version, contacts_at = excluded.contacts_at, networks_at = excluded.networks_at
			WHERE profile.version = excluded.version - 1`, k.Member, k.Version, micros(k.ContactsAt), micros(k.NetworksAt))
		if err := changedOne("profile.changed", r, err); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO profile_version (member, version, at, actor, content) VALUES ($1, $2, $3, $4, $5)`,
			k.Member, k.Version, micros(k.At), k.By, string(content))
		return err
	})
}

// ConfirmProfile implements organisation.ProfileStore.
func (s *Organisation) ConfirmProfile(ctx context.Context, m sector.MemberID, version int, p organisation.Part, at time.Time, e ledger.Entry) error {
	query := `UPDATE profile SET contacts_at = $1 WHERE member = $2 AND version = $3`
	if p == organisation.Networks {
		query = `UPDATE profile SET networks_at = $1 WHERE member = $2 AND version = $3`
	}
	return s.changed(ctx, e, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, query, micros(at), m, version)
		return changedOne("profile.changed", r, err)
	})
}

// PeopleOf implements organisation.PeopleStore.
func (s *Organisation) PeopleOf(ctx context.Context, m sector.MemberID) ([]sector.User, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+userColumns+` FROM account WHERE member = $1 ORDER BY email`, m)
	users, err := collect(rows, err, scanUser)
	for i := range users {
		users[i].PasswordHash = ""
	}
	return users, err
}

// ChangePerson implements organisation.PeopleStore. Links that were not used,
// sessions and tokens are dead once the person is removed, and stay so when it
// is brought back.
func (s *Organisation) ChangePerson(ctx context.Context, u sector.User, admin sector.Role, e ledger.Entry) error {
	return s.changed(ctx, e, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE account SET role = $1, removed_at = $2 WHERE id = $3 AND member = $4`,
			joinList(u.Roles), micros(u.RemovedAt), u.ID, u.Member)
		if err := changedOne("people.changed", r, err); err != nil {
			return err
		}
		var left int
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM account WHERE member = $1 AND removed_at = 0 AND ',' || role || ',' LIKE $2`,
			u.Member, "%,"+string(admin)+",%").Scan(&left)
		if err == nil && left == 0 {
			return errs.New(errs.Conflict, "people.last_administrator")
		}
		if err != nil || u.RemovedAt.IsZero() {
			return err
		}
		for _, end := range []string{
			`UPDATE link SET used_at = $1 WHERE account = $2 AND used_at = 0`,
			`UPDATE sign_in SET ended_at = $1 WHERE account = $2 AND ended_at = 0`,
			`UPDATE personal_token SET revoked_at = $1 WHERE account = $2 AND revoked_at = 0`,
		} {
			if _, err := tx.ExecContext(ctx, end, micros(u.RemovedAt), u.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

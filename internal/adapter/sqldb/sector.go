package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Sector keeps members, people and keys.
type Sector struct{ db *DB }

// Sector is the store of package sector.
func (d *DB) Sector() *Sector { return &Sector{d} }

var (
	_ sector.MemberStore = (*Sector)(nil)
	_ sector.UserStore   = (*Sector)(nil)
)

// change runs one statement with the entry that explains it. A violated
// unique constraint becomes errs.Conflict with the key taken.
func (s *Sector) change(ctx context.Context, taken string, e ledger.Entry, query string, args ...any) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
	switch {
	case err == nil:
		return nil
	case isDuplicate(err):
		return errs.New(errs.Conflict, taken).Because(err)
	}
	return fmt.Errorf("%s: %w", e.Action, err)
}

// CreateMember implements sector.MemberStore.
func (s *Sector) CreateMember(ctx context.Context, m sector.Member, e ledger.Entry) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO member (id, name, name_zh, sector, mail, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			m.ID, m.Name, m.NameZh, m.Sector, m.Mail, micros(m.CreatedAt))
		if err != nil {
			return err
		}
		if err := s.db.shelveMember(ctx, tx, m); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
	if isDuplicate(err) {
		return errs.New(errs.Conflict, "sector.member_taken").Because(err)
	}
	return err
}

const memberColumns = `id, name, name_zh, sector, mail, state, created_at`

// Member implements sector.MemberStore.
func (s *Sector) Member(ctx context.Context, id sector.MemberID) (sector.Member, error) {
	row := s.db.read.QueryRowContext(ctx, `SELECT `+memberColumns+` FROM member WHERE id = $1`, id)
	m, err := scanMember(row)
	if errors.Is(err, sql.ErrNoRows) {
		return m, errs.New(errs.NotFound, "sector.member_unknown", id)
	}
	if err == nil {
		m.Groups, err = s.groupsOf(ctx, id)
	}
	return m, err
}

// Members implements sector.MemberStore.
func (s *Sector) Members(ctx context.Context) ([]sector.Member, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+memberColumns+` FROM member ORDER BY sector, id`)
	members, err := collect(rows, err, scanMember)
	if err != nil {
		return nil, err
	}
	return members, s.withGroups(ctx, members)
}

func scanMember(row scanner) (sector.Member, error) {
	var m sector.Member
	var created int64
	err := row.Scan(&m.ID, &m.Name, &m.NameZh, &m.Sector, &m.Mail, &m.State, &created)
	m.CreatedAt = fromMicros(created)
	return m, err
}

// CreateUser implements sector.UserStore.
func (s *Sector) CreateUser(ctx context.Context, u sector.User, e ledger.Entry) error {
	return s.change(ctx, "sector.user_taken", e,
		`INSERT INTO account (id, email, role, member, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		u.ID, u.Email, joinList(u.Roles), u.Member, u.PasswordHash, micros(u.CreatedAt))
}

// Column role holds one role or more, as joinList writes them.
const userColumns = `id, email, role, member, password_hash, created_at, removed_at`

// User implements sector.UserStore.
func (s *Sector) User(ctx context.Context, id sector.UserID) (sector.User, error) {
	return oneUser(s.db.read.QueryRowContext(ctx, `SELECT `+userColumns+` FROM account WHERE id = $1`, id))
}

// UserByEmail implements sector.UserStore.
func (s *Sector) UserByEmail(ctx context.Context, email string) (sector.User, error) {
	return oneUser(s.db.read.QueryRowContext(ctx, `SELECT `+userColumns+` FROM account WHERE email = $1`, email))
}

// Users implements sector.UserStore.
func (s *Sector) Users(ctx context.Context) ([]sector.User, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+userColumns+` FROM account ORDER BY email`)
	return collect(rows, err, scanUser)
}

func oneUser(row *sql.Row) (sector.User, error) {
	u, err := scanUser(row)
	if errors.Is(err, sql.ErrNoRows) {
		return u, errs.New(errs.NotFound, "sector.user_unknown")
	}
	return u, err
}

func scanUser(row scanner) (sector.User, error) {
	var u sector.User
	var roles string
	var created, removed int64
	err := row.Scan(&u.ID, &u.Email, &roles, &u.Member, &u.PasswordHash, &created, &removed)
	u.Roles, u.CreatedAt, u.RemovedAt = splitList[sector.Role](roles), fromMicros(created), fromMicros(removed)
	return u, err
}

// CreateLink implements sector.UserStore.
func (s *Sector) CreateLink(ctx context.Context, hash string, user sector.UserID, expires time.Time, work []jobs.Job, e ledger.Entry) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO link (hash, account, expires_at, used_at) VALUES ($1, $2, $3, 0)`, hash, user, micros(expires))
		if err != nil {
			return err
		}
		if err := s.db.enqueue(ctx, tx, work...); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", e.Action, err)
	}
	return nil
}

// RedeemLink implements sector.UserStore; the entry's actor and object are
// filled with the link's user.
func (s *Sector) RedeemLink(ctx context.Context, hash string, now time.Time, e ledger.Entry) (sector.User, error) {
	var u sector.User
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var id sector.UserID
		err := tx.QueryRowContext(ctx,
			`UPDATE link SET used_at = $1 WHERE hash = $2 AND used_at = 0 AND expires_at > $1 RETURNING account`,
			micros(now), hash).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "signin.link_invalid")
		}
		if err != nil {
			return err
		}
		if u, err = oneUser(tx.QueryRowContext(ctx, `SELECT `+userColumns+` FROM account WHERE id = $1`, id)); err != nil {
			return err
		}
		e.Actor, e.Object, e.Member = "user:"+string(id), "user:"+string(id), string(u.Member)
		return s.db.appendLedger(ctx, tx, e)
	})
	return u, err
}

// joinList is how a short list of names, which hold no comma, is stored.
func joinList[T ~string](names []T) string {
	return strings.Join(sector.Names(names), ",")
}

// splitList is the inverse of joinList.
func splitList[T ~string](text string) []T {
	var names []T
	for s := range strings.SplitSeq(text, ",") {
		names = append(names, T(s))
	}
	return names
}

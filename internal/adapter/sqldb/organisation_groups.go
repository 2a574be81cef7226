package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// CreateGroup implements organisation.GroupStore.
func (s *Organisation) CreateGroup(ctx context.Context, g organisation.Group, e ledger.Entry) error {
	return s.changed(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sharing_group (id, name, name_zh, owner, listed, terms, created_at, closed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`, g.ID, g.Name, g.NameZh, g.Owner, boolInt(g.Listed), g.Terms.Version, micros(g.CreatedAt))
		if err != nil {
			return err
		}
		return putTerms(ctx, tx, g, g.Terms)
	})
}

// SetTerms implements organisation.GroupStore.
func (s *Organisation) SetTerms(ctx context.Context, g organisation.Group, t organisation.Terms, e ledger.Entry) error {
	return s.changed(ctx, e, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE sharing_group SET terms = $1 WHERE id = $2 AND terms = $1 - 1 AND closed_at = 0`, t.Version, g.ID)
		if err := changedOne("group.changed", r, err); err != nil {
			return err
		}
		return putTerms(ctx, tx, g, t)
	})
}

// putTerms stores a version of the terms, and that an owner that is a member
// is in the group under them.
func putTerms(ctx context.Context, tx *sql.Tx, g organisation.Group, t organisation.Terms) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sharing_terms (sharing_group, version, at, actor, text_en, text_zh, names_shown)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, g.ID, t.Version, micros(t.At), t.By, t.En, t.Zh, boolInt(t.NamesShown))
	if err != nil || g.Owner == "" {
		return err
	}
	return putMembership(ctx, tx, organisation.Membership{Group: g.ID, Member: g.Owner, Side: organisation.Joined, Terms: t.Version, ChangedAt: t.At})
}

func putMembership(ctx context.Context, tx *sql.Tx, m organisation.Membership) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sharing_membership (sharing_group, member, state, terms, changed_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (sharing_group, member) DO UPDATE SET state = excluded.state, terms = excluded.terms, changed_at = excluded.changed_at`,
		m.Group, m.Member, m.Side, m.Terms, micros(m.ChangedAt))
	return err
}

// CloseGroup implements organisation.GroupStore.
func (s *Organisation) CloseGroup(ctx context.Context, id sector.GroupID, at time.Time, e ledger.Entry) error {
	return s.changed(ctx, e, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE sharing_group SET closed_at = $1 WHERE id = $2 AND closed_at = 0`, micros(at), id)
		return changedOne("group.closed", r, err)
	})
}

const groupColumns = `g.id, g.name, g.name_zh, g.owner, g.listed, g.created_at, g.closed_at, t.version, t.at, t.actor, t.text_en, t.text_zh, t.names_shown
	FROM sharing_group g JOIN sharing_terms t ON t.sharing_group = g.id AND t.version = g.terms`

// Group implements organisation.GroupStore.
func (s *Organisation) Group(ctx context.Context, id sector.GroupID) (organisation.Group, error) {
	g, err := scanGroup(s.db.read.QueryRowContext(ctx, `SELECT `+groupColumns+` WHERE g.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return g, errs.New(errs.NotFound, "group.unknown")
	}
	return g, err
}

// AllGroups implements organisation.GroupStore.
func (s *Organisation) AllGroups(ctx context.Context) ([]organisation.Group, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+groupColumns+` ORDER BY g.created_at DESC, g.id`)
	return collect(rows, err, scanGroup)
}

func scanGroup(row scanner) (organisation.Group, error) {
	var g organisation.Group
	var created, closed, at int64
	err := row.Scan(&g.ID, &g.Name, &g.NameZh, &g.Owner, &g.Listed, &created, &closed,
		&g.Terms.Version, &at, &g.Terms.By, &g.Terms.En, &g.Terms.Zh, &g.Terms.NamesShown)
	g.CreatedAt, g.ClosedAt, g.Terms.At = fromMicros(created), fromMicros(closed), fromMicros(at)
	return g, err
}

// Memberships implements organisation.GroupStore.
func (s *Organisation) Memberships(ctx context.Context, g sector.GroupID, m sector.MemberID) ([]organisation.Membership, error) {
	query, arg := `SELECT sharing_group, member, state, terms, changed_at FROM sharing_membership WHERE member = $1 ORDER BY sharing_group`, any(m)
	if g != "" {
		query, arg = `SELECT sharing_group, member, state, terms, changed_at FROM sharing_membership WHERE sharing_group = $1 ORDER BY member`, g
	}
	rows, err := s.db.read.QueryContext(ctx, query, arg)
	return collect(rows, err, func(row scanner) (m organisation.Membership, err error) {
		var at int64
		err = row.Scan(&m.Group, &m.Member, &m.Side, &m.Terms, &at)
		m.ChangedAt = fromMicros(at)
		return m, err
	})
}

// SetMembership implements organisation.GroupStore.
func (s *Organisation) SetMembership(ctx context.Context, m organisation.Membership, from []organisation.Side, inForce int, e ledger.Entry) error {
	return s.changed(ctx, e, func(tx *sql.Tx) error {
		var terms int
		var now organisation.Side
		err := tx.QueryRowContext(ctx, `SELECT g.terms, coalesce(m.state, '') FROM sharing_group g
			LEFT JOIN sharing_membership m ON m.sharing_group = g.id AND m.member = $1
			WHERE g.id = $2 AND g.closed_at = 0`, m.Member, m.Group).Scan(&terms, &now)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return errs.New(errs.Conflict, "group.closed")
		case err != nil:
			return err
		}
		for _, side := range from {
			if side == now && terms == inForce {
				return putMembership(ctx, tx, m)
			}
		}
		return errs.New(errs.Conflict, "group.changed")
	})
}

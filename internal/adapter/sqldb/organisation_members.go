package sqldb

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
)

// inGroup is the condition that membership m counts in its group g: nothing
// is released to a closed group, nor to who has not accepted its terms.
const inGroup = `m.state = 'joined' AND m.terms = g.terms AND g.closed_at = 0`

// groupsOf are the sharing groups a member is in, sorted.
func (s *Sector) groupsOf(ctx context.Context, id sector.MemberID) ([]sector.GroupID, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT g.id FROM sharing_membership m JOIN sharing_group g ON g.id = m.sharing_group
		WHERE m.member = $1 AND `+inGroup+` ORDER BY g.id`, id)
	groups, err := collect(rows, err, func(row scanner) (g sector.GroupID, err error) { return g, row.Scan(&g) })
	if err != nil {
		return nil, fmt.Errorf("groups of a member: %w", err)
	}
	return groups, nil
}

// withGroups fills in the sharing groups of all members.
func (s *Sector) withGroups(ctx context.Context, members []sector.Member) error {
	groups := map[sector.MemberID][]sector.GroupID{}
	rows, err := s.db.read.QueryContext(ctx, `SELECT m.member, g.id FROM sharing_membership m
		JOIN sharing_group g ON g.id = m.sharing_group WHERE `+inGroup+` ORDER BY g.id`)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var m sector.MemberID
		var g sector.GroupID
		err := row.Scan(&m, &g)
		groups[m] = append(groups[m], g)
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("groups of members: %w", err)
	}
	for i := range members {
		members[i].Groups = groups[members[i].ID]
	}
	return nil
}

// Groups are the sharing groups that a release may be for, by name.
func (s *Sector) Groups(ctx context.Context) ([]sector.Group, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT id, name, name_zh FROM sharing_group WHERE closed_at = 0 ORDER BY name, id`)
	return collect(rows, err, func(row scanner) (g sector.Group, err error) {
		return g, row.Scan(&g.ID, &g.Name, &g.NameZh)
	})
}

// SetMemberState implements sector.MemberStore. The sessions of people of a
// member that takes no part end with it.
func (s *Sector) SetMemberState(ctx context.Context, id sector.MemberID, state sector.MemberState, e ledger.Entry) error {
	return s.db.Organisation().changed(ctx, e, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE member SET state = $1 WHERE id = $2 AND state <> $1`, state, id)
		if err := changedOne("organisation.state_same", r, err); err != nil || state == sector.TakesPart {
			return err
		}
		_, err = tx.ExecContext(ctx,
			`UPDATE sign_in SET ended_at = $1 WHERE ended_at = 0 AND account IN (SELECT id FROM account WHERE member = $2)`,
			micros(s.db.now()), id)
		return err
	})
}

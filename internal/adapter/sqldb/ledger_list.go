package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/aspis-platform/aspis/internal/audit"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

var _ audit.Store = (*Ledger)(nil)

// ledgerGate is the condition under which a viewer sees an entry: the centre
// sees all, a member those about itself.
func (b *binder) ledgerGate(f sector.Filter) string {
	switch {
	case f.All():
		return "1 = 1"
	case f.Owner() != "":
		return "member = " + b.bind(f.Owner())
	}
	return "1 = 0"
}

// LedgerEntries implements audit.Store.
func (l *Ledger) LedgerEntries(ctx context.Context, f sector.Filter, q audit.Query) ([]ledger.Stored, error) {
	var b binder
	where := []string{b.ledgerGate(f)}
	add := func(cond string, v any) { where = append(where, cond+b.bind(v)) }
	if q.Before > 0 {
		add("seq < ", q.Before)
	}
	if !q.From.IsZero() {
		add("at >= ", micros(q.From))
	}
	if !q.To.IsZero() {
		add("at < ", micros(q.To))
	}
	if q.Action != "" {
		add("action = ", q.Action)
	}
	if q.Object != "" {
		add("object = ", q.Object)
	}
	if q.Member != "" {
		add("member = ", q.Member)
	}
	if q.Actor != "" {
		where = append(where, b.actorIs(f, q.Actor))
	}
	rows, err := l.db.read.QueryContext(ctx, `SELECT `+ledgerColumns+` FROM ledger WHERE `+strings.Join(where, " AND ")+
		` ORDER BY seq DESC LIMIT `+b.bind(q.Limit), b.args...)
	list, err := collect(rows, err, scanLedger)
	if err != nil {
		return nil, fmt.Errorf("list ledger: %w", err)
	}
	return list, nil
}

// actorIs finds what a person did, by mail address, or what was done under a
// name: "system", "key:…". A member finds only its own people and keys, so
// that it cannot try whose hand was at work in the centre.
func (b *binder) actorIs(f sector.Filter, actor string) string {
	person := "actor = (SELECT 'user:' || id FROM account WHERE email = " + b.bind(strings.ToLower(actor))
	if f.All() {
		return "(" + person + ") OR actor = " + b.bind(actor) + ")"
	}
	return "(" + person + " AND member = " + b.bind(f.Owner()) + ")" +
		" OR actor = (SELECT 'key:' || id FROM access_key WHERE 'key:' || id = " + b.bind(actor) + " AND member = " + b.bind(f.Owner()) + "))"
}

// LedgerEntry implements audit.Store.
func (l *Ledger) LedgerEntry(ctx context.Context, f sector.Filter, seq int64) (ledger.Stored, error) {
	var b binder
	s, err := scanLedger(l.db.read.QueryRowContext(ctx,
		`SELECT `+ledgerColumns+` FROM ledger WHERE seq = `+b.bind(seq)+` AND `+b.ledgerGate(f), b.args...))
	if errors.Is(err, sql.ErrNoRows) {
		return s, errs.New(errs.NotFound, "ledger.unknown")
	}
	if err != nil {
		return s, fmt.Errorf("read ledger: %w", err)
	}
	return s, nil
}

// LedgerNames implements audit.Store.
func (l *Ledger) LedgerNames(ctx context.Context, users []sector.UserID, keys []string) (audit.Names, error) {
	n := audit.Names{Users: map[sector.UserID]sector.User{}, Keys: map[string]sector.MemberID{}}
	if len(users) > 0 {
		var b binder
		rows, err := l.db.read.QueryContext(ctx,
			`SELECT `+userColumns+` FROM account WHERE id IN (`+bindAll(&b, users)+`)`, b.args...)
		list, err := collect(rows, err, scanUser)
		if err != nil {
			return n, fmt.Errorf("name people: %w", err)
		}
		for _, u := range list {
			u.PasswordHash = ""
			n.Users[u.ID] = u
		}
	}
	if len(keys) == 0 {
		return n, nil
	}
	var b binder
	rows, err := l.db.read.QueryContext(ctx, `SELECT id, member FROM access_key WHERE id IN (`+bindAll(&b, keys)+`)`, b.args...)
	owners, err := collect(rows, err, func(row scanner) (k sector.Key, err error) {
		err = row.Scan(&k.ID, &k.Member)
		return k, err
	})
	if err != nil {
		return n, fmt.Errorf("name keys: %w", err)
	}
	for _, k := range owners {
		n.Keys[k.ID] = k.Member
	}
	return n, nil
}

package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/aspis-platform/aspis/internal/sector"
)

// binder collects the arguments of a query as it is composed.
type binder struct{ args []any }

// bind returns the placeholder of a new argument.
func (b *binder) bind(v any) string {
	b.args = append(b.args, v)
	return fmt.Sprintf("$%d", len(b.args))
}

func bindAll[T any](b *binder, values []T) string {
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = b.bind(v)
	}
	return strings.Join(marks, ", ")
}

// gated is a gate's filter in SQL over release_scope. It is the only place
// where a filter becomes SQL for advisories.
type gated struct {
	all   bool
	marks []string // placeholders of the viewer's scope keys
}

// gate binds a filter once for a query. The zero filter matches nothing.
func (b *binder) gate(f sector.Filter) gated {
	if f.All() {
		return gated{all: true}
	}
	g := gated{}
	for _, key := range f.ScopeKeys() {
		g.marks = append(g.marks, b.bind(key))
	}
	return g
}

// sees is the condition that a release_scope row is one of the viewer's.
func (g gated) sees(alias string) string {
	switch {
	case g.all:
		return "1 = 1"
	case len(g.marks) == 0:
		return "1 = 0"
	}
	return alias + ".scope IN (" + strings.Join(g.marks, ", ") + ")"
}

// arms makes one query for each scope of the viewer, so that each reads its
// own index in order and stops at its limit, and joins them. A release that
// is seen through two scopes comes twice. arm returns a query over
// release_scope s with this condition that yields the columns.
func (g gated) arms(columns string, arm func(where string) string) string {
	if g.all || len(g.marks) == 0 {
		return "SELECT " + columns + " FROM (" + arm(g.sees("s")) + ") arm"
	}
	parts := make([]string, len(g.marks))
	for i, mark := range g.marks {
		parts[i] = fmt.Sprintf("SELECT %s FROM (%s) arm%d", columns, arm("s.scope = "+mark), i)
	}
	return strings.Join(parts, " UNION ALL ")
}

// likeText is a LIKE pattern for a part of lower-case text, with '!' as the
// escape character.
func likeText(text string) string {
	text = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_", "\x00", "").Replace(strings.ToLower(text))
	return "%" + text + "%"
}

// rowsAtOnce is how many rows one INSERT has. SQLite looks each parameter up
// among those before it by name, so the time for a statement grows with the
// square of their number.
const rowsAtOnce = 25

// insertRows inserts many rows with few statements. Each row has the same
// number of values.
func insertRows(ctx context.Context, tx *sql.Tx, into string, after string, rows [][]any) error {
	const chunk = rowsAtOnce
	for len(rows) > 0 {
		n := min(chunk, len(rows))
		var b binder
		values := make([]string, n)
		for i, row := range rows[:n] {
			values[i] = "(" + bindAll(&b, row) + ")"
		}
		query := "INSERT INTO " + into + " VALUES " + strings.Join(values, ", ") + " " + after
		if _, err := tx.ExecContext(ctx, query, b.args...); err != nil {
			return fmt.Errorf("insert into %s: %w", strings.Fields(into)[0], err)
		}
		rows = rows[n:]
	}
	return nil
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

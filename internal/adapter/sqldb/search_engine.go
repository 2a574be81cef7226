package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file is all that SQLite and PostgreSQL do not spell alike in the
// search: FTS5 without content on the one side, tsvector with GIN on the
// other. Both are given our terms as they are and only look them up.

// searchIndex is the index's schema in the dialect.
func (d Dialect) searchIndex() string {
	if d == Postgres {
		// A document whose terms are too many for one vector has several rows.
		return `CREATE TABLE search_index (
    number bigint NOT NULL,
    part   bigint NOT NULL,
    terms  tsvector NOT NULL,
    PRIMARY KEY (number, part)
);
CREATE INDEX search_index_terms ON search_index USING gin (terms) WITH (fastupdate = off);`
	}
	return `CREATE VIRTUAL TABLE search_index USING fts5 (terms, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');`
}

// searchTerm writes a term so that it is one token to both engines and holds
// nothing that either could read: letters and digits stay, other ASCII goes
// to the private use area, which folded text never has.
func searchTerm(shelf int64, kind, field byte, term string) string {
	var b strings.Builder
	b.WriteString(strconv.FormatInt(shelf, 10))
	b.WriteByte(kind)
	b.WriteByte(field)
	for _, r := range term {
		if r < utf8.RuneSelf && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
			r += 0xe000
		}
		b.WriteRune(r)
	}
	return b.String()
}

// matching composes an engine's query from terms.
type matching struct{ and, or, not, quote, prefix string }

func (d Dialect) matching() matching {
	if d == Postgres {
		return matching{and: " & ", or: " | ", not: " & !", quote: "'", prefix: ":*"}
	}
	return matching{and: " AND ", or: " OR ", not: " NOT ", quote: `"`, prefix: " *"}
}

func (m matching) term(term string, prefix bool) string {
	text := m.quote + term + m.quote
	if prefix {
		text += m.prefix
	}
	return text
}

func (m matching) all(parts []string) string { return joined(parts, m.and) }
func (m matching) any(parts []string) string { return joined(parts, m.or) }

// but is a without b; an empty b takes nothing away.
func (m matching) but(a, b string) string {
	if a == "" || b == "" {
		return a
	}
	return "(" + a + m.not + b + ")"
}

func joined(parts []string, with string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, with) + ")"
}

// searchFrom is the FROM of a query over the index: x has the numbers of the
// documents that match, the newest first.
func (d Dialect) searchFrom(match string) string {
	if d == Postgres {
		// The sum keeps the planner from reading everybody's documents in the
		// order of their numbers instead of asking the index.
		return "(SELECT DISTINCT number + 0 AS rowid FROM search_index WHERE terms @@ " + match + "::tsquery ORDER BY 1 DESC OFFSET 0) x"
	}
	return "search_index(" + match + ") x"
}

// reading runs statements over the index. PostgreSQL is told to go through
// what the index found one by one, so that it stops when there is enough and
// never walks a table of everybody's.
func (d *DB) reading(ctx context.Context, fn func(querier) error) error {
	if d.dialect != Postgres {
		return fn(d.read)
	}
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // it changes nothing
	_, err = tx.ExecContext(ctx, `SELECT set_config(name, 'off', true) FROM (VALUES
		('enable_mergejoin'), ('enable_hashjoin'), ('enable_seqscan'), ('jit')) AS s (name)`)
	if err != nil {
		return fmt.Errorf("prepare to search: %w", err)
	}
	return fn(tx)
}

// maxVector bounds the text of one vector; PostgreSQL allows a megabyte.
const maxVector = 400 << 10

// indexed are a document's terms, in parts of which each holds whole shelves.
type indexed struct {
	number int64
	parts  []string
}

// putIndex adds documents to the index.
func (d *DB) putIndex(ctx context.Context, tx *sql.Tx, docs []indexed) error {
	// One statement for many: FTS5 writes out what it has gathered at the end
	// of each.
	type row struct {
		Number int64  `json:"n"`
		Part   int    `json:"p"`
		Terms  string `json:"t"`
	}
	var rows []row
	for _, doc := range docs {
		if d.dialect == SQLite {
			rows = append(rows, row{doc.number, 0, strings.Join(doc.parts, " ")})
			continue
		}
		for i, terms := range doc.parts {
			rows = append(rows, row{doc.number, i, terms})
		}
	}
	text := `INSERT INTO search_index (rowid, terms) SELECT json_extract(value, '$.n'), json_extract(value, '$.t') FROM json_each($1)`
	if d.dialect == Postgres {
		text = `INSERT INTO search_index (number, part, terms)
			SELECT n, p, array_to_tsvector(string_to_array(t, ' ')) FROM json_to_recordset($1::json) AS x (n bigint, p bigint, t text)`
	}
	for part := range chunks(rows, 1000) {
		raw, err := json.Marshal(part)
		if err != nil {
			return fmt.Errorf("encode terms: %w", err)
		}
		if _, err := tx.ExecContext(ctx, text, string(raw)); err != nil {
			return fmt.Errorf("insert into search_index: %w", err)
		}
	}
	return nil
}

// dropIndex removes documents from the index.
func (d *DB) dropIndex(ctx context.Context, tx *sql.Tx, numbers []int64) error {
	column := "rowid"
	if d.dialect == Postgres {
		column = "number"
	}
	return inChunks(ctx, tx, "DELETE FROM search_index WHERE "+column+" IN", numbers)
}

// emptyIndex removes everything from the index.
func (d *DB) emptyIndex(ctx context.Context, tx *sql.Tx) error {
	text := `INSERT INTO search_index (search_index) VALUES ('delete-all')`
	if d.dialect == Postgres {
		text = `TRUNCATE search_index`
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return fmt.Errorf("empty search index: %w", err)
	}
	return nil
}

// inChunks runs a statement that ends in IN over many numbers.
func inChunks(ctx context.Context, tx *sql.Tx, text string, numbers []int64) error {
	for part := range chunks(numbers, 200) {
		var b binder
		if _, err := tx.ExecContext(ctx, text+" ("+bindAll(&b, part)+")", b.args...); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(strings.Fields(text)[:3], " "), err)
		}
	}
	return nil
}

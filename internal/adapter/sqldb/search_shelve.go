package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/aspis-platform/aspis/internal/search"
)

// The shelves: the names under which documents are put and looked for. Beside
// these there is one for each release scope.
const shelfCentre = "centre"

func shelfRelease(scope string) string { return "release " + scope }

// shelfAlerts holds a member's alerts; those that came of intelligence are on
// one for each scope that it was released to.
func shelfAlerts(member, scope string) string {
	if scope == "" {
		return "alert " + member
	}
	return "alert " + member + " " + scope
}

// searchKind and searchField are the letters that terms of a kind and a field
// begin with, behind the shelf's number.
func searchKind(k search.Kind) byte {
	return map[search.Kind]byte{search.Advisory: 'v', search.Indicator: 'i', search.Alert: 'l', search.Member: 'm'}[k]
}

const (
	fieldName  byte = 'n'
	fieldTitle byte = 't'
	fieldAll   byte = 'x'
)

// shelfSource is what documents belong to, with all its documents.
type shelfSource struct {
	kind            search.Kind
	object, edition string
	at              int64
	tlp, class      string
	title           search.Text
	shelves         []string
	docs            []shelfDoc
	// stays says that a changed document keeps its place in the order, so
	// that nobody learns from it that something changed for others.
	stays bool
}

// shelfDoc is a document. Its item is empty for the source itself.
type shelfDoc struct {
	kind               search.Kind
	item, class, value string
	terms              search.Terms
}

// shelfState is a document as it stands.
type shelfState struct {
	source int64
	item   string
	number int64
	digest int64
}

// order says where new documents go.
type order struct {
	counter string
	step    int64
}

func newest() order { return order{"top", 1} }

// oldest is for documents that are put newest first, below all others.
func oldest() order { return order{"bottom", -1} }

// shelve brings the documents of sources of one kind in line with what is
// given. It writes nothing for what is as it was.
func (d *DB) shelve(ctx context.Context, tx *sql.Tx, o order, sources []shelfSource) error {
	if len(sources) == 0 {
		return nil
	}
	ids, err := d.putSources(ctx, tx, sources)
	if err != nil {
		return err
	}
	have, err := shelved(ctx, tx, ids)
	if err != nil {
		return err
	}
	shelves, err := d.shelfIDs(ctx, tx, sources)
	if err != nil {
		return err
	}
	work := shelfWork{}
	for i, src := range sources {
		work.compare(src, ids[i], have[ids[i]], shelves)
	}
	if err := d.dropDocs(ctx, tx, work.drop); err != nil {
		return err
	}
	return d.putDocs(ctx, tx, o, work.put)
}

// shelfWork is what has to be written.
type shelfWork struct {
	drop []int64
	put  []newDoc
}

type newDoc struct {
	shelfState
	class, value string
	index        indexed
}

func (w *shelfWork) compare(src shelfSource, id int64, have map[string]shelfState, shelves map[string]int64) {
	for _, doc := range src.docs {
		index := indexDoc(doc, src.shelves, shelves)
		now := shelfState{source: id, item: doc.item, digest: index.digest(doc)}
		before, there := have[doc.item]
		delete(have, doc.item)
		if there && before.digest == now.digest {
			continue
		}
		if there {
			w.drop = append(w.drop, before.number)
			if src.stays {
				now.number = before.number
			}
		}
		w.put = append(w.put, newDoc{now, doc.class, doc.value, index})
	}
	for _, gone := range have {
		w.drop = append(w.drop, gone.number)
	}
}

// indexDoc writes a document's terms for each shelf, in parts that fit.
func indexDoc(doc shelfDoc, names []string, shelves map[string]int64) indexed {
	var out indexed
	var b strings.Builder
	kind := searchKind(doc.kind)
	for _, name := range names {
		for field, list := range map[byte][]string{fieldName: doc.terms.Names, fieldTitle: doc.terms.Title, fieldAll: doc.terms.All} {
			for _, t := range list {
				if b.Len() > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(searchTerm(shelves[name], kind, field, t))
			}
		}
		if b.Len() > maxVector {
			out.parts = append(out.parts, b.String())
			b.Reset()
		}
	}
	if b.Len() > 0 {
		out.parts = append(out.parts, b.String())
	}
	return out
}

// digest does not depend on the order in which a map was walked.
func (x indexed) digest(doc shelfDoc) int64 {
	sum := xxhash.Sum64String(doc.class + "\x00" + doc.value)
	for _, part := range x.parts {
		for term := range strings.SplitSeq(part, " ") {
			sum += xxhash.Sum64String(term)
		}
	}
	return int64(sum) //nolint:gosec // any 64 bits
}

// putSources stores the sources and returns their ids, in their order.
func (d *DB) putSources(ctx context.Context, tx *sql.Tx, sources []shelfSource) ([]int64, error) {
	have, err := sourceIDs(ctx, tx, sources)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(sources))
	var fresh []int
	for i, src := range sources {
		id, there := have[src.object+"\x00"+src.edition]
		if !there {
			fresh = append(fresh, i)
			continue
		}
		ids[i] = id
		_, err := tx.ExecContext(ctx, `UPDATE search_source SET at = $1, tlp = $2, class = $3, title_zh = $4, title_en = $5 WHERE id = $6
			AND (at <> $1 OR tlp <> $2 OR class <> $3 OR title_zh <> $4 OR title_en <> $5)`,
			src.at, src.tlp, src.class, src.title.Zh, src.title.En, id)
		if err != nil {
			return nil, fmt.Errorf("search source: %w", err)
		}
	}
	if len(fresh) == 0 {
		return ids, nil
	}
	last, err := searchCount(ctx, tx, "source", int64(len(fresh)))
	if err != nil {
		return nil, err
	}
	rows := make([][]any, len(fresh))
	for n, i := range fresh {
		src := sources[i]
		ids[i] = last - int64(len(fresh)-1-n)
		rows[n] = []any{ids[i], src.kind, src.object, src.edition, src.at, src.tlp, src.class, src.title.Zh, src.title.En}
	}
	return ids, insertRows(ctx, tx, "search_source (id, kind, object, edition, at, tlp, class, title_zh, title_en)", "", rows)
}

func sourceIDs(ctx context.Context, tx *sql.Tx, sources []shelfSource) (map[string]int64, error) {
	found := map[string]int64{}
	for part := range chunks(sources, 200) {
		var b binder
		kind := b.bind(part[0].kind)
		objects := make([]string, len(part))
		for i, src := range part {
			objects[i] = src.object
		}
		rows, err := tx.QueryContext(ctx, `SELECT id, object, edition FROM search_source WHERE kind = `+kind+` AND object IN (`+
			bindAll(&b, slices.Compact(objects))+`)`, b.args...)
		_, err = collect(rows, err, func(row scanner) (struct{}, error) {
			var id int64
			var object, edition string
			err := row.Scan(&id, &object, &edition)
			found[object+"\x00"+edition] = id
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("search sources: %w", err)
		}
	}
	return found, nil
}

// shelved are the documents of the sources, by source and item.
func shelved(ctx context.Context, tx *sql.Tx, ids []int64) (map[int64]map[string]shelfState, error) {
	found := make(map[int64]map[string]shelfState, len(ids))
	for _, id := range ids {
		found[id] = map[string]shelfState{}
	}
	for part := range chunks(ids, 200) {
		var b binder
		rows, err := tx.QueryContext(ctx, `SELECT source, item, number, digest FROM search_doc WHERE source IN (`+bindAll(&b, part)+`)`, b.args...)
		list, err := collect(rows, err, func(row scanner) (s shelfState, err error) {
			return s, row.Scan(&s.source, &s.item, &s.number, &s.digest)
		})
		if err != nil {
			return nil, fmt.Errorf("search documents: %w", err)
		}
		for _, s := range list {
			found[s.source][s.item] = s
		}
	}
	return found, nil
}

// shelfIDs are the numbers of the sources' shelves; those that are new are
// put up.
func (d *DB) shelfIDs(ctx context.Context, tx *sql.Tx, sources []shelfSource) (map[string]int64, error) {
	var names []string
	for _, src := range sources {
		names = append(names, src.shelves...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	found, err := findShelves(ctx, tx, names)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, name := range names {
		if _, there := found[name]; there {
			continue
		}
		id, err := searchCount(ctx, tx, "shelf", 1)
		if err != nil {
			return nil, err
		}
		found[name] = id
		rows = append(rows, []any{id, name})
	}
	return found, insertRows(ctx, tx, "search_shelf (id, name)", "", rows)
}

func findShelves(ctx context.Context, q querier, names []string) (map[string]int64, error) {
	found := make(map[string]int64, len(names))
	for part := range chunks(names, 200) {
		var b binder
		rows, err := q.QueryContext(ctx, `SELECT name, id FROM search_shelf WHERE name IN (`+bindAll(&b, part)+`)`, b.args...)
		_, err = collect(rows, err, func(row scanner) (struct{}, error) {
			var name string
			var id int64
			err := row.Scan(&name, &id)
			found[name] = id
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("search shelves: %w", err)
		}
	}
	return found, nil
}

// searchCount moves a counter and returns where it is. Its row stays locked
// until the transaction ends, so numbers become visible in their order.
func searchCount(ctx context.Context, tx *sql.Tx, name string, step int64) (int64, error) {
	var value int64
	err := tx.QueryRowContext(ctx, `UPDATE search_counter SET value = value + $1 WHERE name = $2 RETURNING value`, step, name).Scan(&value)
	if err != nil {
		return 0, fmt.Errorf("search counter %s: %w", name, err)
	}
	return value, nil
}

func (d *DB) dropDocs(ctx context.Context, tx *sql.Tx, numbers []int64) error {
	if err := inChunks(ctx, tx, "DELETE FROM search_doc WHERE number IN", numbers); err != nil {
		return err
	}
	return d.dropIndex(ctx, tx, numbers)
}

// putDocs stores documents; those without a number get new ones, in the order
// that o says.
func (d *DB) putDocs(ctx context.Context, tx *sql.Tx, o order, docs []newDoc) error {
	var fresh int64
	for _, doc := range docs {
		if doc.number == 0 {
			fresh++
		}
	}
	if len(docs) == 0 {
		return nil
	}
	last, err := searchCount(ctx, tx, o.counter, o.step*fresh)
	if err != nil {
		return err
	}
	next := last - o.step*(fresh-1)
	rows, index := make([][]any, len(docs)), make([]indexed, len(docs))
	for i, doc := range docs {
		if doc.number == 0 {
			doc.number = next
			next += o.step
		}
		doc.index.number = doc.number
		rows[i] = []any{doc.number, doc.source, doc.item, doc.class, doc.value, doc.digest}
		index[i] = doc.index
	}
	if err := insertRows(ctx, tx, "search_doc (number, source, item, class, value, digest)", "", rows); err != nil {
		return err
	}
	return d.putIndex(ctx, tx, index)
}

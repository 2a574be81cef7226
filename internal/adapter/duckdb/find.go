package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
)

// Find implements [monitor.History]. Terms are joined by equality, networks
// by their masked address with one pass for each length of prefix, so that
// the cost does not grow with the number of terms. Terms that are no address,
// network or domain match the whole value.
func (h *History) Find(ctx context.Context, terms []monitor.Term, from, to time.Time, limit int) ([]monitor.Hit, error) {
	if limit < 1 || len(terms) == 0 || !from.Before(to) {
		return nil, nil
	}
	e, err := h.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	f := finder{eng: e, from: from.UnixMicro(), to: to.UnixMicro(), limit: limit}
	hits, err := f.run(ctx, terms)
	if err != nil {
		return nil, fmt.Errorf("find: %w", e.note(err))
	}
	return hits, nil
}

type finder struct {
	eng      *engine
	from, to int64
	limit    int
	matches  []match
}

// match is a term's place in a record.
type match struct {
	row
	term int64 // index
}

func (m match) compare(o match) int {
	return cmp.Or(cmp.Compare(m.at, o.at), cmp.Compare(m.number, o.number), cmp.Compare(m.term, o.term))
}

func (f *finder) run(ctx context.Context, terms []monitor.Term) ([]monitor.Hit, error) {
	var values hashTerms
	networks := map[network]*maskTerms{}
	for i, t := range terms {
		if !isAddress(t.Kind) || !addTo(networks, int64(i), t.Value) {
			values.add(f.eng, int64(i), t)
		}
	}
	if err := f.values(ctx, &values); err != nil {
		return nil, err
	}
	for n, group := range networks {
		if err := f.network(ctx, n, group); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(f.matches, match.compare)
	f.matches = f.matches[:min(len(f.matches), f.limit)]
	return f.hits(ctx, terms)
}

// hashTerms are terms in columns, as the engine takes them.
type hashTerms struct{ index, hash, kind, parent []int64 }

func (h *hashTerms) add(e *engine, i int64, t monitor.Term) {
	parent := int64(t.Kind) // no second kind
	if t.Under && t.Kind == event.ObservableDomain {
		parent = kindParent
	}
	h.index = append(h.index, i)
	h.hash = append(h.hash, e.hash(t.Value))
	h.kind = append(h.kind, int64(t.Kind))
	h.parent = append(h.parent, parent)
}

func (f *finder) values(ctx context.Context, t *hashTerms) error {
	if len(t.index) == 0 {
		return nil
	}
	return f.collect(ctx, `SELECT DISTINCT t.i, s.happened, s.number, s.place FROM
		(SELECT unnest($1::BIGINT[]) AS i, unnest($2::BIGINT[]) AS hash,
			unnest($3::BIGINT[]) AS kind, unnest($4::BIGINT[]) AS parent) AS t
		JOIN history.all_seen AS s ON s.hash = t.hash AND (s.kind = t.kind OR s.kind = t.parent)
		WHERE s.happened >= $5 AND s.happened < $6
		ORDER BY s.happened, s.number, t.i LIMIT $7`,
		t.index, t.hash, t.kind, t.parent, f.from, f.to, f.limit)
}

// network is a length of prefix, in IPv6 and for mapped IPv4 from 96 on.
type network struct {
	bits int
	v4   bool
}

// masks are the network's bits in the two halves of an address.
func (n network) masks() (hi, lo int64) {
	half := func(bits int) int64 {
		bits = min(max(bits, 0), 64)
		return int64(^uint64(0) << (64 - bits)) // a shift by 64 gives 0
	}
	return half(n.bits), half(n.bits - 64)
}

// maskTerms are networks of one length in columns. first and last are the
// bounds of all of them in either half.
type maskTerms struct {
	index, hi, lo []int64
	first, last   address
}

// addTo puts an address or network among those of its length; false when the
// value is neither.
func addTo(networks map[network]*maskTerms, i int64, value string) bool {
	first, last, ok := span(value)
	if !ok {
		return false
	}
	n := network{bits: 128, v4: true}
	if p, err := netip.ParsePrefix(value); err == nil {
		n = network{bits: p.Bits(), v4: p.Addr().Is4() || p.Addr().Is4In6() && p.Bits() >= 96}
		if p.Addr().Is4() {
			n.bits += 96
		}
	} else if a, err := netip.ParseAddr(value); err == nil {
		n.v4 = a.Unmap().Is4()
	}
	group := networks[n]
	if group == nil {
		group = &maskTerms{first: first, last: last}
		networks[n] = group
	}
	group.first = address{hi: min(group.first.hi, first.hi), lo: min(group.first.lo, first.lo)}
	group.last = address{hi: max(group.last.hi, last.hi), lo: max(group.last.lo, last.lo)}
	hi, lo := n.masks()
	group.index = append(group.index, i)
	group.hi = append(group.hi, first.hi&hi)
	group.lo = append(group.lo, first.lo&lo)
	return true
}

func (f *finder) network(ctx context.Context, n network, t *maskTerms) error {
	hi, lo := n.masks()
	// The bounds let it skip most of a run when the networks are few or near.
	// IPv4 is kept mapped into IPv6; a short IPv6 prefix must not take it in.
	low, high, _ := span("::ffff:0:0/96")
	return f.collect(ctx, `SELECT DISTINCT t.i, a.happened, a.number, a.place FROM
		(SELECT unnest($1::BIGINT[]) AS i, unnest($2::BIGINT[]) AS hi, unnest($3::BIGINT[]) AS lo) AS t
		JOIN history.all_addresses AS a ON (a.hi & $4) = t.hi AND (a.lo & $5) = t.lo
		WHERE a.happened >= $6 AND a.happened < $7
			AND (a.hi = $8 AND a.lo >= $9 AND a.lo <= $10) = $11
			AND a.hi >= $12 AND a.hi <= $13 AND a.lo >= $14 AND a.lo <= $15
		ORDER BY a.happened, a.number, t.i LIMIT $16`,
		t.index, t.hi, t.lo, hi, lo, f.from, f.to, low.hi, low.lo, high.lo, n.v4,
		t.first.hi, t.last.hi, t.first.lo, t.last.lo, f.limit)
}

func (f *finder) collect(ctx context.Context, query string, args ...any) error {
	rows, err := f.eng.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has told
	for rows.Next() {
		var m match
		if err := rows.Scan(&m.term, &m.at, &m.number, &m.place); err != nil {
			return err
		}
		f.matches = append(f.matches, m)
	}
	return rows.Err()
}

// hits fetches the records of the matches.
func (f *finder) hits(ctx context.Context, terms []monitor.Term) ([]monitor.Hit, error) {
	out := make([]monitor.Hit, 0, len(f.matches))
	for some := range slices.Chunk(f.matches, rowsAtOnce) {
		rows := make([]row, len(some))
		for i, m := range some {
			rows[i] = m.row
		}
		records, err := f.eng.fetch(ctx, rows, needle{})
		if err != nil {
			return nil, err
		}
		for i, r := range records {
			if r == nil {
				return nil, fmt.Errorf("record %d is not in its frame", rows[i].number)
			}
			r.Raw = nil
			out = append(out, monitor.Hit{Term: terms[some[i].term], Record: *r})
		}
	}
	return out, nil
}

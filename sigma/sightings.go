package sigma

import (
	"maps"
	"math"
	"slices"

	"github.com/aspis-platform/aspis/event"
)

// fieldIndex finds the witnesses of one field.
type fieldIndex struct {
	slot    int32
	present []int32             // rules for whatever text
	exact   map[string]*finding // by folded whole value
	lengths lengths             // of the values in exact
	scan    *scanner            // the other kinds; nil for none
	least   int                 // bytes of the shortest other witness; folding makes no value longer
	plain   bool                // no witness has letters outside ASCII
}

// lengths is a set of lengths in bytes; all from 63 on are one.
type lengths uint64

func (l *lengths) add(n int) { *l |= 1 << min(n, 63) }

func (l lengths) has(n int) bool { return l>>min(n, 63)&1 != 0 }

// finding is what seeing a witness means.
type finding struct {
	rules []int32 // to be evaluated
	nodes []int32 // that may hold now
}

// sightings are what there is to see, by the slot it is in.
type sightings map[int32]map[witness]*finding

// of returns the finding of a witness, a new one where it is not looked for yet.
func (s sightings) of(w witness) *finding {
	if s[w.slot] == nil {
		s[w.slot] = map[witness]*finding{}
	}
	f := s[w.slot][w]
	if f == nil {
		f = &finding{}
		s[w.slot][w] = f
	}
	return f
}

func (f *finding) candidate(rule int32) {
	if n := len(f.rules); n == 0 || f.rules[n-1] != rule {
		f.rules = append(f.rules, rule)
	}
}

// plan indexes the witnesses of rules.
func (p *plans) plan(rules []int32) *plan {
	out := &plan{}
	s := sightings{}
	for _, r := range rules {
		if p.witnesses[r] == nil {
			out.always = append(out.always, r)
		}
		for _, w := range p.witnesses[r] {
			s.of(w).candidate(r)
		}
	}
	out.looked = p.engine.lookFor(rules, s)
	if keywords := s[keywordSlot]; keywords != nil {
		f := p.index(keywordSlot, keywords)
		out.keywords = &f
	}
	var names []event.Name
	for _, slot := range slices.Sorted(maps.Keys(s)) {
		if slot != keywordSlot {
			out.fields = append(out.fields, p.index(slot, s[slot]))
			names = append(names, p.engine.names[slot])
		}
	}
	out.names = event.NewNames(names)
	return out
}

// index indexes the witnesses of a field.
func (p *plans) index(slot int32, found map[witness]*finding) fieldIndex {
	f := fieldIndex{slot: slot, least: math.MaxInt, plain: true}
	var scanned []scanLiteral
	for w, what := range found {
		switch w.kind {
		case predAny:
			f.present = append(f.present, what.rules...)
			continue
		case predExact:
			if f.exact == nil {
				f.exact = map[string]*finding{}
			}
			f.exact[w.lit] = what
			f.lengths.add(len(w.lit))
		default:
			scanned = append(scanned, scanLiteral{text: w.lit, kind: w.kind, finding: *what})
		}
		f.least = min(f.least, len(w.lit))
		f.plain = f.plain && ascii(w.lit)
	}
	if len(scanned) > 0 {
		f.scan = newScanner(scanned, p.counts)
	}
	return f
}

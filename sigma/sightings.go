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
	present []int32            // rules for whatever text
	exact   map[string][]int32 // folded whole value → rules
	lengths lengths            // of the values in exact
	scan    *scanner           // the other kinds; nil for none
	least   int                // bytes of the shortest other witness; folding makes no value longer
	plain   bool               // no witness has letters outside ASCII
}

// lengths is a set of lengths in bytes; all from 63 on are one.
type lengths uint64

func (l *lengths) add(n int) { *l |= 1 << min(n, 63) }

func (l lengths) has(n int) bool { return l>>min(n, 63)&1 != 0 }

// maxMergedKeywords bounds the keywords that are looked for along with the
// witnesses of each field: many would make each field's index too large to stay
// in the processor's cache.
const maxMergedKeywords = 64

// sightings are the rules that each witness speaks for, by the slot it is in.
type sightings map[int32]map[witness][]int32

// of returns those of a slot.
func (s sightings) of(slot int32) map[witness][]int32 {
	if s[slot] == nil {
		s[slot] = map[witness][]int32{}
	}
	return s[slot]
}

// plan indexes the witnesses of rules.
func (p *plans) plan(rules []int32) *plan {
	out := &plan{least: math.MaxInt}
	s := sightings{}
	for _, r := range rules {
		if p.witnesses[r] == nil {
			out.always = append(out.always, r)
		}
		for _, w := range p.witnesses[r] {
			of := s.of(w.slot)
			if at := of[w]; len(at) == 0 || at[len(at)-1] != r {
				of[w] = append(at, r)
			}
		}
	}
	holds := p.addKeywords(rules, s)
	if keywords := s[keywordSlot]; keywords != nil {
		f := p.index(keywordSlot, keywords, holds)
		out.keywords, out.least = &f, f.least
		if out.merged = len(keywords) <= maxMergedKeywords; out.merged {
			s.mergeKeywords()
		}
	}
	var names []event.Name
	for _, slot := range slices.Sorted(maps.Keys(s)) {
		if slot != keywordSlot {
			out.fields = append(out.fields, p.index(slot, s[slot], holds))
			names = append(names, p.engine.names[slot])
		}
	}
	out.names = event.NewNames(names)
	return out
}

// addKeywords looks for all searchable keywords of the rules, also those that are
// no witnesses: then whether they hold is known from looking. It returns their
// nodes.
func (p *plans) addKeywords(rules []int32, s sightings) map[string]int32 {
	holds := map[string]int32{}
	for _, r := range rules {
		for _, node := range p.keywords[r] {
			lit := p.engine.preds[p.engine.nodes[node].from].lit
			holds[lit] = node
			of, w := s.of(keywordSlot), witness{slot: keywordSlot, kind: predContains, lit: lit}
			if _, is := of[w]; !is {
				of[w] = nil
			}
		}
	}
	return holds
}

// searchable says whether a keyword is always looked for: one that is too short
// is not worth it.
func (p *pred) searchable() bool { return p.kind == predContains && !p.cased && len(p.lit) >= minShort }

// mergeKeywords looks for keywords in every field's values along with the field's
// own witnesses.
func (s sightings) mergeKeywords() {
	for slot, own := range s {
		if slot == keywordSlot {
			continue
		}
		for w, rules := range s[keywordSlot] {
			w.slot = slot
			own[w] = append(slices.Clip(own[w]), rules...)
		}
	}
}

// keywords returns a function that returns the nodes below a rule's root that are
// searchable keywords.
func (e *Engine) keywords() func(root int32) []int32 {
	seen := make([]int32, len(e.nodes)) // by node: the last root above it
	var below func(id, root int32, out []int32) []int32
	below = func(id, root int32, out []int32) []int32 {
		n := &e.nodes[id]
		switch {
		case seen[id] == root+1:
		case n.op != nodePred:
			for _, kid := range e.kids[n.from:n.to] {
				out = below(kid, root, out)
			}
		case n.slot == keywordSlot && e.preds[n.from].searchable():
			out = append(out, id)
		}
		seen[id] = root + 1
		return out
	}
	return func(root int32) []int32 { return below(root, root, nil) }
}

// index indexes the witnesses of a field; holds are the nodes of keywords among
// them.
func (p *plans) index(slot int32, found map[witness][]int32, holds map[string]int32) fieldIndex {
	f := fieldIndex{slot: slot, least: math.MaxInt, plain: true}
	var scanned []scanLiteral
	for w, rules := range found {
		switch w.kind {
		case predAny:
			f.present = append(f.present, rules...)
			continue
		case predExact:
			if f.exact == nil {
				f.exact = map[string][]int32{}
			}
			f.exact[w.lit] = append(f.exact[w.lit], rules...)
			f.lengths.add(len(w.lit))
		default:
			scanned = append(scanned, literalOf(w, rules, holds))
		}
		f.least = min(f.least, len(w.lit))
		f.plain = f.plain && ascii(w.lit)
	}
	if len(scanned) > 0 {
		f.scan = newScanner(scanned, p.counts)
	}
	return f
}

func literalOf(w witness, rules []int32, holds map[string]int32) scanLiteral {
	l := scanLiteral{text: w.lit, kind: w.kind, rules: rules, holds: -1}
	if node, ok := holds[w.lit]; ok && w.kind == predContains {
		l.holds = node
	}
	return l
}

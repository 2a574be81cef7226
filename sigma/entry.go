package sigma

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// entry is one event in a group. Its texts are in the group's, from text on:
// the lengths of the record's id, of the value that is counted and of what
// correlations above ask for, as varints, and then these three. A million groups
// have a few entries each: there are no pointers here, and no allocation each.
type entry struct {
	at    int64 // microseconds since 1970, UTC
	text  uint32
	rule  uint8 // position in the correlation's rules
	held  bool  // the condition held in the window this moment closes
	class uint8 // where its number is among the cuts of the condition
}

// maxTexts bounds the bytes of a group's texts, so that an entry can tell its
// place.
const maxTexts = 1 << 31

// split returns the texts of an entry. They stay as they are as long as they
// are used: a group's texts are appended to or copied, and never changed.
func (g *group) split(e *entry) (record, value, wants string) {
	t := g.texts[e.text:]
	a, b, c, n := int(t[0]), int(t[1]), int(t[2]), 3
	if (a|b|c)&0x80 != 0 {
		var lengths [3]int
		n = 0
		for i := range lengths {
			length, used := binary.Uvarint(t[n:])
			lengths[i] = int(length)
			n += used
		}
		a, b, c = lengths[0], lengths[1], lengths[2]
	}
	text := view(t[n : n+a+b+c])
	return text[:a], text[a : a+b], text[a+b:]
}

func (g *group) record(e *entry) string {
	record, _, _ := g.split(e)
	return record
}

func (g *group) value(e *entry) string {
	_, value, _ := g.split(e)
	return value
}

func (g *group) wants(e *entry) string {
	_, _, wants := g.split(e)
	return wants
}

// number is the value of a value type.
func (g *group) number(e *entry) float64 {
	if t := g.texts[e.text:]; (t[0]|t[2])&0x80 == 0 && t[1] == 8 { // as split has it
		return math.Float64frombits(binary.BigEndian.Uint64(t[3+int(t[0]):]))
	}
	return decodeNumber(g.value(e))
}

func (g *group) compare(e *entry, a *arrival) int {
	if e.at != a.at {
		return cmp.Compare(e.at, a.at)
	}
	return cmp.Or(strings.Compare(g.record(e), a.record), cmp.Compare(e.rule, a.rule))
}

// insert copies an arrival to place i of the entries.
func (g *group) insert(i int, a *arrival) {
	if n := len(g.entries); n == cap(g.entries) {
		g.entries = append(make([]entry, 0, n+1+n/4), g.entries...)
	}
	e := entry{at: a.at, text: uint32(len(g.texts)), rule: a.rule}
	if g.owner != nil && g.owner.verdicts != nil {
		e.class = g.owner.class(decodeNumber(a.value))
	}
	g.entries = slices.Insert(g.entries, i, e)
	if need := len(g.texts) + textSize(a); need > cap(g.texts) {
		g.texts = append(make([]byte, 0, need+need/4), g.texts...)
	}
	for _, s := range [...]string{a.record, a.value, a.wants} {
		g.texts = binary.AppendUvarint(g.texts, uint64(len(s)))
	}
	g.texts = append(append(append(g.texts, a.record...), a.value...), a.wants...)
}

// textSize is at least what the texts of an arrival take.
func textSize(a *arrival) int {
	n := len(a.record) + len(a.value) + len(a.wants)
	if n < 0x80 {
		return n + 3
	}
	return n + 3*binary.MaxVarintLen32
}

// size is what the texts of an entry take.
func (g *group) size(e *entry) int {
	t := g.texts[e.text:]
	n, sum := 0, 0
	for range 3 {
		length, used := binary.Uvarint(t[n:])
		n += used
		sum += int(length)
	}
	return n + sum
}

// pack leaves of the group's texts what its entries have.
func (g *group) pack() {
	size := 0
	for i := range g.entries {
		size += g.size(&g.entries[i])
	}
	texts := make([]byte, 0, size+size/4)
	for i := range g.entries {
		e := &g.entries[i]
		at := len(texts)
		texts = append(texts, g.texts[e.text:int(e.text)+g.size(e)]...)
		e.text = uint32(at)
	}
	g.texts = texts
	if g.story != nil {
		g.story.waste = 0
	}
}

// remove takes entry i out.
func (g *group) remove(i int) {
	g.told().waste += g.size(&g.entries[i])
	g.entries = slices.Delete(g.entries, i, i+1)
	if g.story.waste > len(g.texts)/2 {
		g.pack()
	}
}

// arrival is an entry as it came.
func (g *group) arrival(e *entry) *arrival {
	a := &arrival{at: e.at, rule: e.rule}
	a.record, a.value, a.wants = g.split(e)
	return a
}

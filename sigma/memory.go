package sigma

import "hash/maphash"

// Bounds of a Matcher's memory: about 2 MB where every place is taken by the
// longest value.
const (
	maxRemembered = 512  // bytes of a value
	memoryPlaces  = 4096 // a power of two
)

// memory remembers which rules the values of fields make candidates. A value
// has one place, and the newest value of a place stays there.
type memory struct {
	seed   maphash.Seed
	places []remembered
}

type remembered struct {
	field *fieldIndex
	raw   []byte
	rules []int32
}

func newMemory() memory {
	return memory{seed: maphash.MakeSeed(), places: make([]remembered, memoryPlaces)}
}

// at returns the place of a value and whether the value was there already. If
// not it is now, without its rules.
func (m *memory) at(f *fieldIndex, raw string) (*remembered, bool) {
	h := maphash.String(m.seed, raw) + f.salt
	p := &m.places[h%memoryPlaces]
	if p.field == f && string(p.raw) == raw {
		return p, true
	}
	p.field, p.raw = f, append(p.raw[:0], raw...)
	return p, false
}

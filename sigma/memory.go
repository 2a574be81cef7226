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

// hash is the value's part of its place; never 0.
func (m *memory) hash(raw string) uint64 { return maphash.String(m.seed, raw) | 1<<63 }

// at returns the place of a value with its hash, and whether the value was
// there already. If not it is now, without its rules.
func (m *memory) at(f *fieldIndex, raw string, hash uint64) (*remembered, bool) {
	p := &m.places[(hash+f.salt)%memoryPlaces]
	if p.field == f && string(p.raw) == raw {
		return p, true
	}
	p.field, p.raw = f, append(p.raw[:0], raw...)
	return p, false
}

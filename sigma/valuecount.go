package sigma

import (
	"encoding/binary"
	"hash/maphash"
)

// valueCounts counts how often texts are there: a hash table with linear
// probing. It copies the texts and has no pointers to them, since a thousand
// groups of some thousand values each are usual.
type valueCounts struct {
	seed  maphash.Seed
	slots []valueSlot // a power of two of them, or none
	n     int         // different texts
	keys  []byte      // of every text its length as a varint, and itself
	waste int         // bytes of keys that no slot has any more
}

// valueSlot is free where count is 0.
type valueSlot struct {
	hash  uint32
	count int32
	key   int // in keys
}

func (v *valueCounts) reset() {
	if v.slots == nil {
		v.seed = maphash.MakeSeed()
		v.slots = make([]valueSlot, 16)
	}
	if v.n > 0 {
		clear(v.slots)
	}
	v.n, v.keys, v.waste = 0, v.keys[:0], 0
}

func (v *valueCounts) text(s *valueSlot) []byte {
	n, used := binary.Uvarint(v.keys[s.key:])
	return v.keys[s.key+used:][:n]
}

// find returns the slot of a text, or the free one where it belongs.
func (v *valueCounts) find(text string, hash uint32) int {
	mask := len(v.slots) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		if s := &v.slots[i]; s.count == 0 || s.hash == hash && string(v.text(s)) == text {
			return i
		}
	}
}

func (v *valueCounts) add(text string) {
	hash := uint32(maphash.String(v.seed, text))
	s := &v.slots[v.find(text, hash)]
	if s.count++; s.count > 1 {
		return
	}
	s.hash, s.key = hash, len(v.keys)
	v.keys = append(binary.AppendUvarint(v.keys, uint64(len(text))), text...)
	if v.n++; v.n > len(v.slots)*3/4 {
		v.grow()
	}
}

func (v *valueCounts) grow() {
	old := v.slots
	v.slots = make([]valueSlot, 2*len(old))
	mask := len(v.slots) - 1
	for _, s := range old {
		if s.count == 0 {
			continue
		}
		i := int(s.hash) & mask
		for v.slots[i].count != 0 {
			i = (i + 1) & mask
		}
		v.slots[i] = s
	}
}

// drop takes away one of a text that is there.
func (v *valueCounts) drop(text string) {
	i := v.find(text, uint32(maphash.String(v.seed, text)))
	s := &v.slots[i]
	if s.count--; s.count > 0 {
		return
	}
	v.n--
	v.waste += len(text) + 2
	v.close(i)
	if v.waste > len(v.keys)/2 && v.waste > 1<<10 {
		v.pack()
	}
}

// close moves slots back over a hole, so that none is cut off from where its
// search begins.
func (v *valueCounts) close(hole int) {
	mask := len(v.slots) - 1
	for i := (hole + 1) & mask; v.slots[i].count != 0; i = (i + 1) & mask {
		if home := int(v.slots[i].hash) & mask; (i-home)&mask >= (i-hole)&mask {
			v.slots[hole] = v.slots[i]
			hole = i
		}
	}
	v.slots[hole] = valueSlot{}
}

func (v *valueCounts) pack() {
	keys := make([]byte, 0, len(v.keys))
	for i := range v.slots {
		if s := &v.slots[i]; s.count > 0 {
			text := v.text(s)
			s.key = len(keys)
			keys = append(binary.AppendUvarint(keys, uint64(len(text))), text...)
		}
	}
	v.keys, v.waste = keys, 0
}

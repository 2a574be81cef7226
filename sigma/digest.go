package sigma

import "strings"

const (
	longText   = 256 // bytes from which on a text may be worth a digest
	maxDigests = 16  // of one event

	// Times that a text is searched through before it gets a digest: it costs
	// about as much as five, and pays where many rules are to be evaluated.
	searchedByFew, searchedByMany = 16, 2
	manyCandidates                = 16
)

// digest is a bit set over the hashes of all three bytes in a row of a text. A
// long text that many rules look for something in is not searched through for
// what has three that it has not.
type digest [1 << 16 / 64]uint64

func (d *digest) fill(text string) {
	clear(d[:])
	i := 0
	for ; i+8 <= len(text); i += 6 { // eight bytes have six times three in a row
		for w, k := load64(text, i), 0; k < 6; k++ {
			d.add(w & (1<<24 - 1))
			w >>= 8
		}
	}
	for ; i+3 <= len(text); i++ {
		d.add(uint64(load24(text, i)))
	}
}

func (d *digest) add(three uint64) {
	h := digestHash(three)
	d[h>>6] |= 1 << (h & 63)
}

// lacks says that the text of the digest cannot have lit.
func (d *digest) lacks(lit string) bool {
	for i := 0; i+3 <= len(lit); i++ {
		if h := digestHash(uint64(load24(lit, i))); d[h>>6]>>(h&63)&1 == 0 {
			return true
		}
	}
	return false
}

func digestHash(three uint64) uint64 { return three * hashFactor >> (64 - 16) }

// digests is the memory of the digests of one event.
type digests struct {
	made  []*digest
	used  int
	after int // times that a text is searched through before it gets one
}

// begin forgets the event before, of whose successor so many rules are to be
// evaluated.
func (ds *digests) begin(candidates int) {
	ds.used, ds.after = 0, searchedByFew
	if candidates >= manyCandidates {
		ds.after = searchedByMany
	}
}

// of makes the digest of a text; nil when there are too many.
func (ds *digests) of(text string) *digest {
	if ds.used == maxDigests {
		return nil
	}
	if ds.used == len(ds.made) {
		ds.made = append(ds.made, new(digest))
	}
	d := ds.made[ds.used]
	ds.used++
	d.fill(text)
	return d
}

// has says whether the folded text has lit.
func (t *text) has(lit string) bool {
	if len(t.folded) < longText || t.digests == nil {
		return strings.Contains(t.folded, lit)
	}
	if t.asked++; t.asked == t.digests.after {
		t.digest = t.digests.of(t.folded)
	}
	if t.digest != nil && t.digest.lacks(lit) {
		return false
	}
	return strings.Contains(t.folded, lit)
}

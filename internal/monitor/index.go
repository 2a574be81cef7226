package monitor

import (
	"net/netip"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/aspis-platform/aspis/event"
)

// Indicator is one thing to look for in records as they come in.
type Indicator struct {
	ID    string // STIX id "indicator--<uuid>", or any id up to 255 bytes
	Kind  event.ObservableKind
	Value string // normalised; a network as a prefix "192.0.2.0/24"
	Under bool   // sub-domains match too
	// Until ends the indicator; zero: never. A late record is matched by when
	// it was received, and an indicator's start is not looked at: what was
	// seen before is found by the retro-hunt.
	Until time.Time
	// Source describes the advisory; indicators of one share it.
	Source *IndicatorSource
}

// IndicatorSource is what the indicators of one advisory have in common.
type IndicatorSource struct {
	Advisory string // its id; empty for other sources
	Draft    bool   // not released: what it finds is the centre's only
	Severity Severity
	Title    string
	TitleZh  string
	Scopes   []string // release scopes: who may know; see Finding.Scopes
}

// sight is an indicator found, as the index keeps it.
type sight struct {
	ID     string
	Value  string // the indicator's, not the record's
	Source *IndicatorSource
}

// maxSights bounds the indicators reported per observable: the same value may
// stand in many advisories.
const maxSights = 8

// segment is an immutable set of indicators in an open-addressed hash table:
// 12 bytes a slot, values and ids in one string. Networks are looked up by
// the lengths that occur.
type segment struct {
	slots   []uint32 // entry number + 1; 0: empty; power of two
	tags    []uint32 // upper half of the hash, by slot
	entries []entry
	text    string
	sources []*IndicatorSource
	v4, v6  []int // prefix lengths that occur, longest first
}

type entry struct {
	at     uint32 // into text: id, then value
	source uint32
	until  int64 // microseconds; 0: none
	value  uint16
	id     uint8
	kind   matchKind
}

// matchKind keeps kinds of look-up apart within one table.
type matchKind uint8

const (
	matchOther matchKind = iota
	matchIP
	matchNet
	matchDomain
	matchUnder
	matchURL
	matchMail
	matchHash
)

func keyHash(k matchKind, value string) uint64 {
	return xxhash.Sum64String(value) + uint64(k)*0x9e3779b97f4a7c15
}

// kindOf tells how an indicator is looked up; false when it cannot be.
func kindOf(in *Indicator) (matchKind, bool) {
	switch in.Kind {
	case event.ObservableIPv4, event.ObservableIPv6:
		if strings.Contains(in.Value, "/") {
			return matchNet, true
		}
		return matchIP, true
	case event.ObservableDomain:
		if in.Under {
			return matchUnder, true
		}
		return matchDomain, true
	case event.ObservableURL:
		return matchURL, true
	case event.ObservableEmail:
		return matchMail, true
	case event.ObservableMD5, event.ObservableSHA1, event.ObservableSHA256:
		return matchHash, true
	}
	return 0, false
}

// normalValue brings an indicator's value into the form observables have.
func normalValue(k matchKind, v string) (string, bool) {
	v = strings.TrimSpace(v)
	switch k {
	case matchIP:
		a, err := netip.ParseAddr(v)
		return a.Unmap().WithZone("").String(), err == nil
	case matchNet:
		p, err := netip.ParsePrefix(v)
		return p.Masked().String(), err == nil
	case matchDomain, matchUnder:
		v = strings.TrimSuffix(strings.ToLower(v), ".")
	case matchMail, matchHash:
		v = strings.ToLower(v)
	}
	return v, v != "" && len(v) < 1<<16
}

// newSegment builds a set. Indicators that cannot be looked up are left out.
func newSegment(list []Indicator) *segment {
	s := &segment{entries: make([]entry, 0, len(list))}
	var text strings.Builder
	size := 0
	for i := range list {
		size += len(list[i].ID) + len(list[i].Value)
	}
	text.Grow(size)
	sources := map[*IndicatorSource]uint32{}
	for i := range list {
		in := &list[i]
		kind, ok := kindOf(in)
		value, good := normalValue(kind, in.Value)
		if !ok || !good || len(in.ID) > 255 || text.Len() > 1<<32-1<<17 {
			continue
		}
		n, seen := sources[in.Source]
		if !seen {
			n = uint32(len(s.sources))
			sources[in.Source] = n
			s.sources = append(s.sources, in.Source)
		}
		e := entry{at: uint32(text.Len()), source: n, value: uint16(len(value)), id: uint8(len(in.ID)), kind: kind}
		if !in.Until.IsZero() {
			e.until = in.Until.UnixMicro()
		}
		text.WriteString(in.ID)
		text.WriteString(value)
		s.entries = append(s.entries, e)
	}
	s.text = text.String()
	s.fillTable()
	return s
}

func (s *segment) fillTable() {
	size := 8
	for size < len(s.entries)*3/2 {
		size *= 2
	}
	s.slots, s.tags = make([]uint32, size), make([]uint32, size)
	var lengths [2][129]bool
	for i := range s.entries {
		e := &s.entries[i]
		s.insert(uint32(i), keyHash(e.kind, s.value(e)))
		if e.kind == matchNet {
			if p, err := netip.ParsePrefix(s.value(e)); err == nil {
				lengths[family(p.Addr())][p.Bits()] = true
			}
		}
	}
	s.v4, s.v6 = longestFirst(&lengths[0]), longestFirst(&lengths[1])
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

func longestFirst(have *[129]bool) []int {
	var list []int
	for bits := len(have) - 1; bits >= 0; bits-- {
		if have[bits] {
			list = append(list, bits)
		}
	}
	return list
}

func (s *segment) insert(n uint32, hash uint64) {
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if s.slots[i] == 0 {
			s.slots[i], s.tags[i] = n+1, uint32(hash>>32)
			return
		}
	}
}

func (s *segment) value(e *entry) string {
	from := int(e.at) + int(e.id)
	return s.text[from : from+int(e.value)]
}

func (s *segment) id(e *entry) string { return s.text[e.at : int(e.at)+int(e.id)] }

// find calls f for every entry of the kind and value until f returns false.
func (s *segment) find(k matchKind, value string, f func(*entry) bool) {
	hash := keyHash(k, value)
	mask, tag := uint64(len(s.slots)-1), uint32(hash>>32)
	for i := hash & mask; s.slots[i] != 0; i = (i + 1) & mask {
		if s.tags[i] != tag {
			continue
		}
		if e := &s.entries[s.slots[i]-1]; e.kind == k && s.value(e) == value && !f(e) {
			return
		}
	}
}

// indicator is the entry as it was given.
func (s *segment) indicator(e *entry) Indicator {
	in := Indicator{ID: s.id(e), Value: s.value(e), Source: s.sources[e.source], Under: e.kind == matchUnder}
	if e.until != 0 {
		in.Until = time.UnixMicro(e.until).UTC()
	}
	switch e.kind {
	case matchIP, matchNet:
		in.Kind = event.ObservableIPv4
		if strings.Contains(in.Value, ":") {
			in.Kind = event.ObservableIPv6
		}
	case matchDomain, matchUnder:
		in.Kind = event.ObservableDomain
	case matchURL:
		in.Kind = event.ObservableURL
	case matchMail:
		in.Kind = event.ObservableEmail
	case matchHash:
		in.Kind = event.ObservableSHA256 // all hashes are looked up alike
	}
	return in
}

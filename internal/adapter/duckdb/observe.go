package duckdb

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/aspis-platform/aspis/event"
)

// kindParent marks, in table seen, the domains above one that was seen. It is
// a kind of its own, so that they do not count as seen themselves.
const kindParent = 200

// maxParentLabels bounds the parents kept of one domain: those with at most
// so many labels. Somebody who sends names of a hundred labels gets no more
// rows than this for each.
const maxParentLabels = 12

// hash is how an observable's value is kept. The key is the database's own
// secret, so that nobody can prepare two values with one hash; with it, 64
// bits make a chance hit among 10^9 rows rarer than one in 10^10 look-ups.
func (e *engine) hash(value string) int64 {
	buf := make([]byte, 0, 128)
	buf = append(buf, e.secret...)
	buf = append(buf, value...)
	sum := sha256.Sum256(buf)
	return int64(binary.LittleEndian.Uint64(sum[:]))
}

// address is an IP address as two signed numbers that order like it; IPv4 is
// mapped into IPv6 (RFC 4291 section 2.5.5.2).
type address struct{ hi, lo int64 }

func toAddress(a netip.Addr) address {
	b := a.As16()
	return address{hi: ordered(binary.BigEndian.Uint64(b[:8])), lo: ordered(binary.BigEndian.Uint64(b[8:]))}
}

// ordered keeps the order of unsigned numbers in signed ones: the driver takes
// no parameters above the largest signed.
func ordered(u uint64) int64 { return int64(u ^ 1<<63) }

// parseAddress reads an address without a zone.
func parseAddress(value string) (address, bool) {
	a, err := netip.ParseAddr(value)
	if err != nil || a.Zone() != "" {
		return address{}, false
	}
	return toAddress(a), true
}

// span is the first and the last address of a network, or one address twice.
func span(value string) (first, last address, ok bool) {
	if a, ok := parseAddress(value); ok {
		return a, a, true
	}
	p, err := netip.ParsePrefix(value)
	if err != nil {
		return address{}, address{}, false
	}
	p = p.Masked()
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	low := p.Addr().As16()
	high := low
	for i := bits; i < 128; i++ {
		high[i/8] |= 1 << (7 - i%8)
	}
	return toAddress(netip.AddrFrom16(low)), toAddress(netip.AddrFrom16(high)), true
}

func isAddress(k event.ObservableKind) bool {
	return k == event.ObservableIPv4 || k == event.ObservableIPv6
}

// parents calls f for every domain above name that has two labels or more.
func parents(name string, f func(string)) {
	labels := strings.Count(name, ".") + 1
	for labels > 2 {
		_, rest, _ := strings.Cut(name, ".")
		name, labels = rest, labels-1
		if labels <= maxParentLabels {
			f(name)
		}
	}
}

package sigma

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// foldRune maps every rune of one case-folding orbit to the same rune
// (Unicode simple case folding, as strings.EqualFold): the lower-case ASCII
// letter where the orbit has one, else its smallest rune.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	if 0x2E80 <= r && r < 0xA640 { // Han, kana and their neighbours have no case
		return r
	}
	least := r
	for n := unicode.SimpleFold(r); n != r; n = unicode.SimpleFold(n) {
		least = min(least, n)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// appendFold appends the folded form of s to dst. Bytes that are not UTF-8 are
// kept as they are, so that folding works piece by piece.
func appendFold(dst []byte, s string) []byte {
	dst = slices.Grow(dst, len(s)+8)
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			if w := load64(s, i); w&highBits == 0 {
				dst = binary.LittleEndian.AppendUint64(dst, lowerWord(w))
				i += 8
				continue
			}
		}
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, byte(foldRune(rune(c))))
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += n
	}
	return dst
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x80 * everyByte
)

// load64 is the eight bytes at i. The one slice is all that has to be checked.
func load64(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// lowerWord lowers the ASCII capitals among eight bytes below 0x80 at once: a
// byte's high bit is set in fromA when it is at least 'A' and in pastZ when it
// is past 'Z'; where they differ, the 0x20 bit is what makes it lower case.
func lowerWord(w uint64) uint64 {
	fromA := w + (0x80-'A')*everyByte
	pastZ := w + (0x7f-'Z')*everyByte
	return w | (fromA^pastZ)&highBits>>2
}

// ascii says whether s has no byte above 0x7f.
func ascii(s string) bool {
	var seen uint64
	i := 0
	for ; i+32 <= len(s); i += 32 {
		seen |= load64(s, i) | load64(s, i+8) | load64(s, i+16) | load64(s, i+24)
	}
	for ; i+8 <= len(s); i += 8 {
		seen |= load64(s, i)
	}
	for ; i < len(s); i++ {
		seen |= uint64(s[i])
	}
	return seen&highBits == 0
}

// foldsToASCII says whether s has one of the two letters outside ASCII that fold
// to one within: the Kelvin sign and the long s.
func foldsToASCII(s string) bool {
	return strings.Contains(s, "\u212a") || strings.Contains(s, "\u017f")
}

func fold(s string) string { return string(appendFold(make([]byte, 0, len(s)), s)) }

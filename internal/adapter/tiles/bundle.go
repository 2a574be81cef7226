package tiles

import (
	"encoding/binary"
	"errors"
)

// A bundle is a run of entries, each with its length before it in two bytes
// (c2sp.org/tlog-tiles, "Entry bundles").

func appendEntry(bundle, entry []byte) []byte {
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
}

var errBundle = errors.New("it ends in the middle of an entry")

// splitBundle returns the entries of a bundle; they share its memory.
func splitBundle(raw []byte) ([][]byte, error) {
	var entries [][]byte
	for len(raw) > 0 {
		if len(raw) < 2 || len(raw)-2 < int(binary.BigEndian.Uint16(raw)) {
			return entries, errBundle
		}
		end := 2 + int(binary.BigEndian.Uint16(raw))
		entries = append(entries, raw[2:end])
		raw = raw[end:]
	}
	return entries, nil
}

// firstEntries is the bundle of the first n entries.
func firstEntries(raw []byte, n int) ([]byte, error) {
	entries, err := splitBundle(raw)
	if err != nil {
		return nil, err
	}
	if len(entries) < n {
		return nil, errors.New("entries are missing")
	}
	var first []byte
	for _, e := range entries[:n] {
		first = appendEntry(first, e)
	}
	return first, nil
}

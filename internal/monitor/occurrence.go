package monitor

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// An occurrence's id is what the correlator keeps of a record, a million times:
// packed, the batch's 16 bytes, the line, the time and the member, 40 bytes in
// all. Ids of another form, and those in older stored states, are text.
const packedOccurrence = "\x00"

// occurrenceID names a record well enough for an alert long after the record
// went by.
func occurrenceID(r *Record) string {
	batch, line, _ := strings.Cut(r.ID, "-")
	sum, err := hex.DecodeString(batch)
	n, lineErr := strconv.ParseUint(line, 10, 32)
	b := append(append(make([]byte, 0, 64), packedOccurrence...), sum...)
	b = binary.AppendUvarint(b, n)
	b = binary.AppendVarint(b, r.At.UnixMicro())
	b = append(b, r.Member...)
	if ref, ok := unpackOccurrence(string(b)); err == nil && lineErr == nil && ok && ref.ID == r.ID {
		return string(b)
	}
	return r.ID + " " + string(r.Member) + " " + strconv.FormatInt(r.At.UnixMicro(), 36)
}

func parseOccurrence(s string) (RecordRef, bool) {
	if strings.HasPrefix(s, packedOccurrence) {
		return unpackOccurrence(s)
	}
	parts := strings.Split(s, " ")
	if len(parts) != 3 {
		return RecordRef{}, false
	}
	at, err := strconv.ParseInt(parts[2], 36, 64)
	return RecordRef{ID: parts[0], Member: sector.MemberID(parts[1]), At: time.UnixMicro(at).UTC()}, err == nil
}

func unpackOccurrence(s string) (ref RecordRef, ok bool) {
	const head = len(packedOccurrence) + 16
	if len(s) < head {
		return ref, false
	}
	rest := []byte(s[head:])
	line, n := binary.Uvarint(rest)
	if n <= 0 {
		return ref, false
	}
	at, m := binary.Varint(rest[n:])
	if m <= 0 {
		return ref, false
	}
	ref.ID = hex.EncodeToString([]byte(s[len(packedOccurrence):head])) + "-" + strconv.FormatUint(line, 10)
	ref.Member = sector.MemberID(rest[n+m:])
	ref.At = time.UnixMicro(at).UTC()
	return ref, true
}

package event

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// Shift returns a copy of a record with its own times moved by delta, each
// written in the form it had, so that an old recording can be replayed as if it
// happened now. All time fields of the dialect move, and every repetition of
// such a time elsewhere in the record (Windows messages repeat them). A record
// that cannot be decoded or says no time comes back as it is.
func Shift(raw []byte, delta time.Duration) []byte {
	e, err := Decode(raw, Limits{MaxBytes: hardMaxBytes})
	if err != nil {
		return raw
	}
	var edits []edit
	own, portal := e.dialect.timeFields(), portalTimeFields()
	for _, name := range append(own[:], portal[:]...) {
		if v, ok := e.timeValue(name); ok {
			edits = e.shiftField(edits, v, delta)
		}
	}
	return apply(raw, edits)
}

// edit replaces raw[from:to].
type edit struct {
	from, to int
	text     string
}

// shiftField adds the edits that move one time field.
func (e *Event) shiftField(edits []edit, v Value, delta time.Duration) []edit {
	s, ok := parseTime(v.Text())
	if !ok {
		return edits
	}
	text := s.write(s.when.Add(delta))
	if moved, ok := parseTime(text); !ok || moved.layout != s.layout || moved.unit != s.unit {
		return edits // beyond what the form can say
	}
	old := v.Text()
	if v.tape != nil {
		if n := e.tape.nodes[v.node]; int(n.end) <= len(e.tape.raw) {
			edits = append(edits, edit{e.base + int(n.start), e.base + int(n.end), text})
		}
	}
	if s.wrap[0] != "" {
		old, text = old[6:len(old)-2], text[6:len(text)-2]
	}
	if len(old) < 10 {
		return edits
	}
	for at := 0; ; at += len(old) {
		i := bytes.Index(e.tape.raw[at:], []byte(old))
		if i < 0 {
			return edits
		}
		at += i
		if standsAlone(e.tape.raw, at, at+len(old)) {
			edits = append(edits, edit{e.base + at, e.base + at + len(old), text})
		}
	}
}

// standsAlone says whether raw[from:to] is no part of a longer time: "…07" in
// "…07.880Z".
func standsAlone(raw []byte, from, to int) bool {
	return (from == 0 || !inTime(raw[from-1])) && (to == len(raw) || !inTime(raw[to]))
}

func inTime(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '+' || c == 'Z'
}

// apply makes the edits; of two that overlap the first counts.
func apply(raw []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out strings.Builder
	out.Grow(len(raw) + 8*len(edits))
	at := 0
	for _, e := range edits {
		if e.from < at {
			continue
		}
		out.Write(raw[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.Write(raw[at:])
	return []byte(out.String())
}

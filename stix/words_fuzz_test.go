package stix

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzParseWord: what is accepted of identifiers, times, labels and single
// observables is written back in a form that reads as the same.
func FuzzParseWord(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParseID(text); err == nil {
			typ, tail, _ := strings.Cut(text, "--")
			if id.Type() != typ || string(id) != text {
				t.Fatalf("%q is read as the identifier %q of type %q", text, id, id.Type())
			}
			u, err := ParseUUID(tail)
			if again, err2 := ParseUUID(u.String()); err != nil || err2 != nil || again != u {
				t.Fatalf("%q: UUID %s, %v, %v", text, u, err, err2)
			}
		}
		if at, err := ParseTimestamp(text); err == nil {
			if again, err := ParseTimestamp(at.String()); err != nil || !again.Equal(at) || at.String() != text {
				t.Fatalf("%q is read as %s, and that as %s (%v)", text, at, again, err)
			}
		}
		if tlp, ok := ParseTLP(text); ok != (tlp != 0) {
			t.Fatalf("%q: TLP %v, %v", text, tlp, ok)
		}
		if pap, ok := ParsePAP(text); ok != (pap != 0) {
			t.Fatalf("%q: PAP %v, %v", text, pap, ok)
		}
		for _, read := range []func(string) (Observable, error){HashObservable, AddressObservable} {
			o, err := read(text)
			if err != nil {
				continue
			}
			if again, err := read(o.Value); err != nil || again != o {
				t.Fatalf("%q is read as %+v, and that as %+v (%v)", text, o, again, err)
			}
		}
	})
}

// FuzzCanonical: the canonical form of the canonical form is itself.
func FuzzCanonical(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := Canonical(data)
		if err != nil {
			return
		}
		if twice, err := Canonical(once); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q becomes %q, and that %q (%v)", data, once, twice, err)
		}
	})
}

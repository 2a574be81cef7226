package sector

import (
	"slices"
	"strings"
	"testing"
)

// FuzzParseAudience: scope strings that were read are written as such again,
// and what is none of them reaches nobody.
func FuzzParseAudience(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		keys := strings.Split(text, "\n")
		a := ParseAudience(keys)
		written := a.ScopeKeys()
		for _, k := range written {
			if !slices.Contains(keys, k) {
				t.Fatalf("%q reaches %q, which is not in it", text, k)
			}
		}
		if again := ParseAudience(written).ScopeKeys(); !slices.Equal(again, written) {
			t.Fatalf("%q is read as %q, and that as %q", text, written, again)
		}
		if a.Empty() && (Gate{}).For(Viewer{Org: MemberOrg, Member: "m1", Sector: Banking}).Allows(a) {
			t.Fatalf("%q reaches nobody and a member sees it", text)
		}
	})
}

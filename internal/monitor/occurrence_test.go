package monitor

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/sector"
)

// TestOccurrenceID: whatever a record is called, its occurrence names it, and
// two records have two.
func TestOccurrenceID(t *testing.T) {
	id := rapid.OneOf(
		rapid.StringMatching(`[0-9a-f]{32}-[1-9][0-9]{0,5}`), rapid.StringMatching(`[0-9a-fA-F]{30,34}-?[0-9]{0,3}`), rapid.StringMatching(`[!-~]{1,40}`),
	)
	record := func(rt *rapid.T, name string) Record {
		return Record{
			ID: id.Draw(rt, name), Member: sector.MemberID(rapid.StringMatching(`[a-z0-9-]{0,20}`).Draw(rt, name+" member")),
			At: time.UnixMicro(rapid.Int64Range(-1<<50, 1<<52).Draw(rt, name+" time")).UTC(),
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		a, b := record(rt, "a"), record(rt, "b")
		for _, r := range []Record{a, b} {
			ref, ok := parseOccurrence(occurrenceID(&r))
			if !ok || ref.ID != r.ID || ref.Member != r.Member || !ref.At.Equal(r.At) {
				rt.Fatalf("%q became %+v", r.ID, ref)
			}
		}
		same := a.ID == b.ID && a.Member == b.Member && a.At.Equal(b.At)
		if (occurrenceID(&a) == occurrenceID(&b)) != same {
			rt.Fatalf("%q and %q", occurrenceID(&a), occurrenceID(&b))
		}
	})
	usual := Record{ID: strings.Repeat("0f", 16) + "-1234", Member: "bank-of-taipei", At: time.Unix(1.7e9, 0)}
	if n := len(occurrenceID(&usual)); n > 42 {
		t.Errorf("%d bytes", n)
	}
	if _, ok := parseOccurrence(packedOccurrence + "short"); ok {
		t.Error("a short one was read")
	}
}

package taxii

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{
		"", "added_after=2026-01-01T00:00:00Z&limit=5&next=abc", "match[id]=a,b&match[type]=c", "match%5Bversion%5D=all,first,last,2026-01-01T00:00:00.5Z",
		"match[spec_version]=2.1&match[spec_version]=2.0", "limit=0", "match[", "%",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := parseRequest(raw, "id", "type", "version", "spec_version")
		if err != nil {
			return
		}
		if r.limit < 0 || len(r.cursor) > maxCursor {
			t.Fatalf("%+v", r)
		}
		again, err := parseRequest(Poll{Filter: r.filter, Limit: r.limit, Cursor: r.cursor}.values().Encode(), "id", "type", "version", "spec_version")
		if err != nil {
			t.Fatalf("%q read as %+v, which writes %v", raw, r, err)
		}
		trim(&r.filter)
		if diff := cmp.Diff(r, again, cmp.AllowUnexported(request{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// trim cuts times to the microseconds that a client sends.
func trim(f *Filter) {
	f.AddedAfter = f.AddedAfter.Truncate(time.Microsecond)
	for i, at := range f.Versions.At {
		f.Versions.At[i] = at.Truncate(time.Microsecond)
	}
}

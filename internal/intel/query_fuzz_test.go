package intel

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/taxii"
)

// FuzzQuery: a query of the API is read within its bounds or refused, and a
// cursor that we did not seal is never taken, by the API nor by TAXII.
func FuzzQuery(f *testing.F) {
	sealer, err := seal.New(make([]byte, seal.KeySize), "test")
	if err != nil {
		f.Fatal(err)
	}
	v := sector.Viewer{Org: sector.MemberOrg, Member: "m1", User: "u"}
	f.Fuzz(func(t *testing.T, raw string) {
		r := &http.Request{URL: &url.URL{RawQuery: raw}}
		q, err := api{sealer: sealer}.query(r, v)
		if err != nil && !errs.Is(err, errs.Invalid) {
			t.Fatalf("%q: %v", raw, err)
		}
		if err == nil && (q.Limit < 1 || q.Limit >= MaxPage || len(q.Text) > maxQueryText || q.ID != "") {
			t.Fatalf("%q is read as %+v", raw, q)
		}
		if err == nil && (q.After != Place{}) {
			t.Fatalf("%q: a foreign cursor is taken: %+v", raw, q.After)
		}
		at, err := (&TAXII{sealer: sealer}).position(v, taxii.Query{Cursor: raw})
		if raw != "" && (err == nil || !at.IsZero()) {
			t.Fatalf("TAXII takes the foreign cursor %q", raw)
		}
	})
}

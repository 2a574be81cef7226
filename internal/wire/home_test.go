package wire

import (
	"net/http"
	"testing"

	"github.com/aspis-platform/aspis/internal/sector"
)

// TestHomesOfARunningCentre: everybody's home is there, on an empty centre,
// and every part of the program that it tells of has a name.
func TestHomesOfARunningCentre(t *testing.T) {
	p := running(t)
	for _, e := range p.engineChecks() {
		if key := "home.engine." + e.name; !p.texts.Has(key) {
			t.Errorf("no text for %s", key)
		}
	}
	for _, a := range actors(t, p) {
		if !a.viewer.May(sector.SignedIn) {
			continue
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		a.sign(r)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("the home of %v: status %d", a, resp.StatusCode)
		}
	}
}

package sqldb

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/taxii"
)

// BenchmarkIntelReads measures what members ask most with 3,000 advisories of
// five indicators, every third for everybody and the others for one member.
func BenchmarkIntelReads(b *testing.B) {
	ctx := context.Background()
	db, err := Open(ctx, filepath.Join(b.TempDir(), "a.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	w := inteltest.New(b, db.Advisories())
	for i := range 3000 {
		audience := sector.Audience{Members: []sector.MemberID{"m1"}}
		if i%3 == 0 {
			audience = sector.Audience{All: true}
		}
		a, err := w.Service.Draft(ctx, inteltest.Analyst(), nil)
		if err == nil {
			c := inteltest.Content(i, audience, fmt.Sprintf("198.51.%d.%d", i/250, i%250), fmt.Sprintf("evil%d.example", i),
				fmt.Sprintf("https://evil%d.example/x", i), fmt.Sprintf("%064x", i), fmt.Sprintf("*.bad%d.example", i))
			a, err = w.Service.Edit(ctx, inteltest.Analyst(), a.ID, a.Version, c)
		}
		if err == nil {
			_, err = w.Service.Release(ctx, inteltest.Manager(), a.ID, a.Version)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	sealer, err := seal.New(make([]byte, seal.KeySize), "bench")
	if err != nil {
		b.Fatal(err)
	}
	backend := intel.NewTAXII(db.Advisories(), sealer, intel.Centre{ID: "identity--9c3e2f3a-4f4b-4c55-8a77-6c1d3f6d2a10", Since: time.Unix(0, 0)})
	taxiiPage := func(limit int, after time.Time) func() error {
		return func() error {
			_, err := backend.Objects(ctx, w.Viewer(0), taxii.Query{Collection: intel.CollectionIndicators, Limit: limit, Filter: taxii.Filter{AddedAfter: after}})
			return err
		}
	}
	for name, read := range map[string]func() error{
		"inbox page of 50": func() error {
			_, err := w.Service.Released(ctx, w.Viewer(0), intel.ReleasedQuery{Limit: 51})
			return err
		},
		"inbox, owed": func() error {
			_, err := w.Service.Released(ctx, w.Viewer(0), intel.ReleasedQuery{Unanswered: true, Limit: 50})
			return err
		},
		"inbox of one who sees a third": func() error {
			_, err := w.Service.Released(ctx, w.Viewer(2), intel.ReleasedQuery{Limit: 51})
			return err
		},
		"TAXII page of 100":       taxiiPage(100, time.Time{}),
		"TAXII page of 1000":      taxiiPage(1000, time.Time{}),
		"TAXII poll, nothing new": taxiiPage(1000, w.Clock),
		"watch list of 15,000":    func() error { _, _, err := db.Advisories().Watched(ctx, 0); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

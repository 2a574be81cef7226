// Package searchtest is an index for tests of pages.
package searchtest

import (
	"context"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Shelf is an index of a few hits that remembers what it was asked.
type Shelf struct {
	Hits     []search.Hit
	Asked    []search.Lookup
	Filters  []sector.Filter
	Complete bool
	Err      error
}

// Ready implements search.Index.
func (s *Shelf) Ready(context.Context) (bool, error) { return s.Complete, nil }

// Search implements search.Index. It finds all hits of the kind.
func (s *Shelf) Search(_ context.Context, f sector.Filter, l search.Lookup) (search.Found, error) {
	s.Asked, s.Filters = append(s.Asked, l), append(s.Filters, f)
	var found search.Found
	for _, h := range s.Hits {
		if h.Kind == l.Kind && len(found.Hits) < l.Limit {
			found.Hits = append(found.Hits, h)
		}
	}
	found.Count = len(found.Hits)
	if l.Kind == search.Advisory && l.Count > 0 {
		found.Count = l.Count // more than are counted
	}
	return found, s.Err
}

// New returns a shelf with hits of every kind that an index has, changed
// shortly before now.
func New(now time.Time) *Shelf {
	at := now.Add(-30 * time.Minute)
	s := &Shelf{Complete: true}
	for i := range 7 {
		s.Hits = append(s.Hits, search.Hit{
			Kind: search.Advisory, ID: fmt.Sprintf("8e9f6a52-6a0e-4b43-9a07-00000000000%d", i), Class: "EWA", State: []string{"released", "withdrawn", "released"}[i%3], TLP: sector.TLPs()[i%5], At: at,
			Title: search.Text{Zh: "偽冒更新網站散布惡意程式", En: "Fake update sites spread malware"},
			Body:  search.Text{Zh: "多家機構的端點連往偽冒的軟體更新網站，下載惡意程式後建立排程並定期回報。", En: "Endpoints contacted fake software-update sites; the malware creates a scheduled task and reports back at intervals."},
			Place: search.Place{Tier: search.ByTitle, ID: fmt.Sprint(i)},
		})
	}
	parent := search.Text{Zh: "偽冒更新網站散布惡意程式", En: "Fake update sites spread malware"}
	for _, pair := range [][2]string{{"ipv4", "203.0.113.66"}, {"url", "https://login.bank.example/reset?x=1"}} {
		class, value := pair[0], pair[1]
		s.Hits = append(s.Hits, search.Hit{Kind: search.Indicator, ID: "indicator--1", Parent: "8e9f6a52-6a0e-4b43-9a07-000000000001", ParentTitle: parent,
			Title: search.Text{Zh: value, En: value}, Class: class, State: "released", TLP: sector.TLPAmber, At: at})
	}
	s.Hits = append(s.Hits,
		search.Hit{Kind: search.Alert, ID: "a1", Title: search.Text{Zh: "可疑的對外連線", En: "Suspicious outbound malware traffic"}, Class: "high", State: "new", At: at},
		search.Hit{Kind: search.Member, ID: "jade-bank", Title: search.Text{Zh: "翠玉銀行", En: "Jade Bank <b>"}, Class: "banking", At: at})
	return s
}

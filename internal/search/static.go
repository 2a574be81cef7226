package search

import (
	"context"
	"slices"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Page is something to be found that does not change while the program runs:
// a rule or a guide.
type Page struct {
	Kind  Kind
	ID    string
	Title Text
	Body  Text
	More  []string // what else it is found by
	Class string
	Href  string
}

// Static finds pages. They are few: each is asked.
type Static struct {
	pages []Page
	terms []Terms
}

// NewStatic returns an index of the pages; of equals the first is listed
// first.
func NewStatic(pages []Page) *Static {
	s := &Static{pages: pages}
	for _, p := range pages {
		s.terms = append(s.terms, Document{
			Names: []string{p.ID}, Title: []string{p.Title.Zh, p.Title.En}, Text: append([]string{p.Body.Zh, p.Body.En}, p.More...),
		}.Terms())
	}
	return s
}

// Search looks through the pages. They carry no marking and no time, so that
// a question for one of these finds none.
func (s *Static) Search(_ context.Context, _ sector.Filter, l Lookup) (Found, error) {
	var found Found
	if l.TLP != "" || !l.Since.IsZero() {
		return found, nil
	}
	for i, p := range s.pages {
		if p.Kind != l.Kind {
			continue
		}
		if tier, fits := s.terms[i].Fits(l.Query); fits {
			found.Hits = append(found.Hits, Hit{Kind: p.Kind, ID: p.ID, Title: p.Title, Body: p.Body, Class: p.Class, Href: p.Href, Place: Place{Tier: tier, ID: p.ID}})
		}
	}
	found.Count = len(found.Hits)
	slices.SortStableFunc(found.Hits, func(a, b Hit) int { return int(a.Place.Tier - b.Place.Tier) })
	if l.After.Tier != 0 {
		at := slices.IndexFunc(found.Hits, func(h Hit) bool { return h.Place == l.After })
		if at < 0 {
			return found, errs.New(errs.Invalid, "search.cursor")
		}
		found.Hits = found.Hits[at+1:]
	}
	found.Hits = found.Hits[:min(len(found.Hits), l.Limit)]
	return found, nil
}

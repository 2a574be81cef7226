// Package search finds things across the domains: one question over
// advisories, indicators, alerts, members, rules and guides, through the
// release gate.
//
// # How it finds
//
// [Document.Terms] turns a document into terms and [Ask] turns a question
// into groups of terms; both fold text in the same way, so that whatever a
// document shows finds it. The engine behind [Index] only has to look terms
// up: it knows neither languages nor indicators.
//
// # How it hides
//
// A document is put on shelves: the centre's, a release scope's, a member's
// own. A viewer's question is asked of its own shelves alone, so that neither
// an answer nor the time it takes depends on what stands on others. Shelves
// only find; whether a hit may be seen is asked of the gate's filter again,
// in the same statement.
package search

import (
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// TermsVersion grows whenever the same document would get other terms: an
// index of another version is made anew.
const TermsVersion = 1

// Kind is what a hit is.
type Kind string

// The kinds.
const (
	Advisory  Kind = "advisory"
	Indicator Kind = "indicator"
	Alert     Kind = "alert"
	Member    Kind = "member"
	Rule      Kind = "rule"
	Guide     Kind = "guide"
)

// Kinds lists every kind in display order.
func Kinds() []Kind { return []Kind{Advisory, Indicator, Alert, Member, Rule, Guide} }

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool { return slices.Contains(Kinds(), k) }

// Text is a text in both languages; either may be empty.
type Text struct{ Zh, En string }

// In is the text in a language, "zh-Hant" or "en", or in the other one.
func (t Text) In(lang string) string {
	first, second := t.Zh, t.En
	if lang == "en" {
		first, second = second, first
	}
	if first == "" {
		return second
	}
	return first
}

// Tier is how well a hit fits: the lower, the earlier it is listed.
type Tier int

// The tiers.
const (
	ByName  Tier = 1 // the question names it: an address, a hash, an id
	ByTitle Tier = 2 // everything asked for is in its title
	ByText  Tier = 3
)

// Place is a hit's place in the order: tiers first, then newer first. It
// holds what the viewer knows anyway, so that it depends on nothing else, and
// outlives an index that is made anew.
type Place struct {
	Tier Tier
	ID   string // of the hit; of its advisory, for an indicator
	Item string // the indicator
}

// Hit is one thing that was found, as the viewer may see it.
type Hit struct {
	Kind  Kind
	ID    string
	Title Text
	// Body is what the snippet is taken from; empty for kinds without.
	Body Text
	// Parent is the advisory of an indicator, with its title.
	Parent      string
	ParentTitle Text
	// Class is the indicator's kind, the alert's severity, the advisory's
	// category or the member's sub-sector.
	Class string
	State string     // of an advisory or alert
	TLP   sector.TLP // empty where there is no marking
	At    time.Time  // when it was changed, as the viewer sees it
	Href  string     // of rules and guides; the service makes the others
	Place Place
}

// Lookup is a question of one kind to an index.
type Lookup struct {
	Kind  Kind
	Query Query
	After Place // the last hit of the page before; zero: from the start
	Limit int
	Since time.Time  // changed at or after; zero: any time
	TLP   sector.TLP // empty: any
	// Count says how far hits are counted; 0: not at all.
	Count int
}

// Found is a page of hits and, when asked for, how many there are in all, at
// most Lookup.Count.
type Found struct {
	Hits  []Hit
	Count int
}

package monitor

import (
	"context"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Hunter looks for indicators in the history. A hunt covers what was received
// until its end; what comes later is matched as it comes in.
type Hunter struct {
	history History
	out     Detections
	pulse   *Pulse
	now     func() time.Time
}

// NewHunter returns a hunter. pulse may be nil.
func NewHunter(history History, out Detections, pulse *Pulse, now func() time.Time) *Hunter {
	if now == nil {
		now = time.Now
	}
	return &Hunter{history: history, out: out, pulse: pulse, now: now}
}

// HuntResult is what a hunt found. It holds members' names: each may be told
// only about itself.
type HuntResult struct {
	Records   int
	Sightings []SightingCount
	Members   []sector.MemberID
	Raised    []Alert
	// Cut is true when there was more than a hunt reports.
	Cut bool
}

const (
	huntTerms = 200     // looked for at once
	huntPage  = 5_000   // hits read at once
	huntMost  = 100_000 // hits of a hunt
)

// Hunt looks for the indicators in records of from ≤ event time < to that
// were received by then and by now, and writes sightings and alerts. A hunt that is
// repeated changes nothing.
func (h *Hunter) Hunt(ctx context.Context, indicators []Indicator, from, to time.Time) (HuntResult, error) {
	x := &hunt{byTerm: map[Term][]sight{}, seen: map[huntKey]bool{}, findings: newFindings(nil), until: earlier(to, h.now())}
	terms := x.terms(indicators)
	for len(terms) > 0 && !x.full {
		part := terms[:min(huntTerms, len(terms))]
		terms = terms[len(part):]
		if err := h.look(ctx, x, part, from, to); err != nil {
			return HuntResult{}, fmt.Errorf("hunt: %w", err)
		}
	}
	c := x.findings.commit(0, h.now().UTC())
	raised, err := h.out.Record(ctx, c.At, c.Findings, c.Sightings)
	if err != nil {
		return HuntResult{}, fmt.Errorf("hunt: %w", err)
	}
	h.pulse.Raised(raised)
	return HuntResult{Records: len(x.records), Sightings: c.Sightings, Members: x.members, Raised: raised, Cut: x.cut}, nil
}

type hunt struct {
	byTerm   map[Term][]sight
	seen     map[huntKey]bool
	findings *findings
	until    time.Time
	records  map[string]bool
	members  []sector.MemberID
	cut      bool // something was left out
	full     bool // stop looking
}

type huntKey struct {
	record string
	term   Term
}

// terms are what to look for; indicators without a term are left out.
func (x *hunt) terms(list []Indicator) []Term {
	x.records = map[string]bool{}
	var terms []Term
	for i := range list {
		in := &list[i]
		kind, ok := kindOf(in)
		value, good := normalValue(kind, in.Value)
		if !ok || !good {
			continue
		}
		t := Term{Kind: in.Kind, Value: value, Under: in.Under && kind == matchUnder}
		if x.byTerm[t] == nil {
			terms = append(terms, t)
		}
		x.byTerm[t] = append(x.byTerm[t], sight{ID: in.ID, Value: value, Source: in.Source})
	}
	return terms
}

// look reads all hits of some terms, page by page. Pages overlap in the
// moment where they meet.
func (h *Hunter) look(ctx context.Context, x *hunt, terms []Term, from, to time.Time) error {
	for {
		hits, err := h.history.Find(ctx, terms, from, to, huntPage)
		if err != nil {
			return err
		}
		for i := range hits {
			x.add(&hits[i])
		}
		if len(x.seen) >= huntMost {
			x.cut, x.full = true, true
		}
		if len(hits) < huntPage || x.full {
			return nil
		}
		next := hits[len(hits)-1].Record.At
		if !next.After(from) { // more hits in one moment than a page holds
			next = from.Add(time.Microsecond)
			x.cut = true
		}
		from = next
	}
}

func (x *hunt) add(hit *Hit) {
	key := huntKey{hit.Record.ID, hit.Term}
	if x.seen[key] || hit.Record.Received.After(x.until) {
		return
	}
	x.seen[key] = true
	r := hit.Record
	r.Observables = []event.Observable{{Kind: hit.Term.Kind, Value: hit.Term.Value}}
	if !x.records[r.ID] {
		x.records[r.ID] = true
		x.noteMember(r.Member)
	}
	for _, s := range x.byTerm[hit.Term] {
		x.findings.sight(CauseRetroHunt, &r, s, hit.Term.Value)
	}
}

func (x *hunt) noteMember(m sector.MemberID) {
	for _, have := range x.members {
		if have == m {
			return
		}
	}
	x.members = append(x.members, m)
}

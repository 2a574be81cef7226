package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Index finds what the stores hold. Every read takes the gate's filter, and
// what it costs depends on nothing that the filter hides.
type Index interface {
	// Search answers a lookup of one kind: hits in order of their places,
	// after l.After; errs.Invalid when that is no hit (any more).
	Search(ctx context.Context, f sector.Filter, l Lookup) (Found, error)
	// Ready reports whether everything that is stored can be found; false
	// while the index is being made anew.
	Ready(ctx context.Context) (bool, error)
}

// Sealer makes cursors that tell their holder nothing and cannot be forged.
type Sealer interface {
	Seal(plain []byte) string
	Open(sealed string) ([]byte, error)
}

// Service answers questions. It is safe for concurrent use.
type Service struct {
	index  Index
	shelf  *Static // rules and guides
	sealer Sealer
	now    func() time.Time
	gate   sector.Gate
}

// New returns a service over an index and what does not change while the
// program runs.
func New(index Index, shelf *Static, sealer Sealer, now func() time.Time) *Service {
	return &Service{index: index, shelf: shelf, sealer: sealer, now: now}
}

// Bounds of an answer.
const (
	maxLimit = 100
	maxCount = 100             // hits are counted no further
	patience = 5 * time.Second // for all kinds together
)

// Request is what somebody asks.
type Request struct {
	Text   string
	Kind   Kind   // empty: every kind that the viewer may look for
	Cursor string // of Results.Next; needs Kind
	Limit  int    // hits of each kind, 1 to 100
	Since  time.Time
	TLP    sector.TLP // empty: any
	Count  bool
}

// Answer is what was found, by kind.
type Answer struct {
	Query   Query
	Kinds   []Kind // that the viewer may look for
	Results []Results
	Partial bool // the index is being made anew: there may be more
}

// Results are the hits of one kind.
type Results struct {
	Kind Kind
	Hits []Hit
	// Count is how many there are, when they were counted; More says that
	// they are more than that.
	Count int
	More  bool
	Next  string // cursor of the next page; empty on the last
}

// KindsFor lists the kinds that a viewer may look for.
func KindsFor(v sector.Viewer) []Kind {
	may := map[Kind]bool{
		Advisory: v.May(sector.ReadAdvisories) && (v.Org != sector.Centre || v.May(sector.ReadDrafts)),
		Alert:    v.May(sector.ReadAlerts),
		Member:   v.Org == sector.Centre && v.May(sector.ReadMembers),
		Rule:     v.Org == sector.Centre && v.May(sector.ReadAlerts),
		Guide:    v.User != "" && v.May(sector.SearchAll),
	}
	may[Indicator] = may[Advisory]
	return slices.DeleteFunc(Kinds(), func(k Kind) bool { return !may[k] })
}

// Search answers a request as far as the viewer may see. A question with
// nothing to look for finds nothing.
func (s *Service) Search(ctx context.Context, v sector.Viewer, r Request) (Answer, error) {
	a := Answer{Query: Ask(r.Text), Kinds: KindsFor(v)}
	if err := r.check(); err != nil {
		return a, err
	}
	after, err := s.open(v, r)
	if err != nil {
		return a, err
	}
	if a.Query.Empty() && len(a.Query.Names) == 0 {
		return a, nil
	}
	ready, err := s.index.Ready(ctx)
	if err != nil {
		return a, err
	}
	a.Partial = !ready
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, k := range a.Kinds {
		if r.Kind != "" && r.Kind != k {
			continue
		}
		found, err := s.look(ctx, v, r, Lookup{Kind: k, Query: a.Query, After: after, Limit: r.Limit, Since: r.Since, TLP: r.TLP})
		if errors.Is(err, context.DeadlineExceeded) {
			return a, errs.New(errs.Unavailable, "search.slow").Because(err)
		}
		if err != nil {
			return a, err
		}
		if len(found.Hits) > 0 {
			a.Results = append(a.Results, found)
		}
	}
	return a, nil
}

func (r *Request) check() error {
	if r.Limit == 0 {
		r.Limit = 20
	}
	switch {
	case r.Limit < 1 || r.Limit > maxLimit:
		return errs.New(errs.Invalid, "search.limit", maxLimit)
	case r.Kind != "" && !r.Kind.Valid():
		return errs.New(errs.Invalid, "search.kind", string(r.Kind))
	case r.TLP != "" && !r.TLP.Valid():
		return errs.New(errs.Invalid, "search.tlp", string(r.TLP))
	case r.Cursor != "" && r.Kind == "":
		return errs.New(errs.Invalid, "search.cursor")
	}
	return nil
}

// look asks for one hit more than the page has, to know whether there are.
func (s *Service) look(ctx context.Context, v sector.Viewer, r Request, l Lookup) (Results, error) {
	l.Limit++
	if r.Count {
		l.Count = maxCount + 1
	}
	ask := s.index.Search
	if l.Kind == Rule || l.Kind == Guide {
		ask = s.shelf.Search
	}
	found, err := ask(ctx, s.gate.For(v), l)
	if err != nil {
		return Results{}, fmt.Errorf("search: %w", err)
	}
	out := Results{Kind: l.Kind, Hits: found.Hits, Count: min(found.Count, maxCount), More: found.Count > maxCount}
	if len(out.Hits) == l.Limit {
		out.Hits = out.Hits[:l.Limit-1]
		out.Next = s.seal(v, r, l.Kind, out.Hits[l.Limit-2].Place)
	}
	for i := range out.Hits {
		out.Hits[i].Href = hrefOf(v, out.Hits[i])
	}
	return out, nil
}

// hrefOf is where a viewer reads a hit; empty when there is no page for it.
func hrefOf(v sector.Viewer, h Hit) string {
	advisory := h.ID
	switch h.Kind {
	case Alert:
		return "/alerts/" + h.ID
	case Member:
		return "/admin/members/" + h.ID
	case Rule, Guide:
		return h.Href
	case Indicator:
		advisory = h.Parent
	}
	switch {
	case v.May(sector.ReadDrafts):
		return "/advisories/" + advisory
	case v.May(sector.ReadInbox):
		return "/inbox/" + advisory
	case v.May(sector.ReadFigures):
		return "/figures"
	}
	return ""
}

// cursor is what a cursor holds: a place in the answer to one question of one
// viewer.
type cursor struct {
	Org    sector.OrgKind
	Member sector.MemberID
	Kind   Kind
	Text   string
	TLP    sector.TLP
	Place  Place
}

func (s *Service) seal(v sector.Viewer, r Request, k Kind, p Place) string {
	raw, err := json.Marshal(cursor{v.Org, v.Member, k, cursorText(r), r.TLP, p})
	if err != nil { // plain data
		return ""
	}
	return s.sealer.Seal(raw)
}

// cursorText is the question as a cursor remembers it.
func cursorText(r Request) string { return bounded(fold(cutRunes(r.Text, MaxQuery))) }

func (s *Service) open(v sector.Viewer, r Request) (Place, error) {
	if r.Cursor == "" {
		return Place{}, nil
	}
	var c cursor
	raw, err := s.sealer.Open(r.Cursor)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Org != v.Org || c.Member != v.Member || c.Kind != r.Kind || c.Text != cursorText(r) || c.TLP != r.TLP {
		return Place{}, errs.New(errs.Invalid, "search.cursor").Because(err)
	}
	return c.Place, nil
}

package intel

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
)

// errNoAdvisory is the one answer for what is not there and for what the
// viewer may not see.
func errNoAdvisory() error { return errs.New(errs.NotFound, "advisory.not_found") }

func (id AdvisoryID) valid() bool {
	_, err := stix.ParseUUID(string(id))
	return err == nil
}

// Released lists what the viewer may see.
func (s *Service) Released(ctx context.Context, v sector.Viewer, q ReleasedQuery) ([]ReleasedAdvisory, error) {
	if q.Limit < 1 || q.Limit > MaxPage {
		q.Limit = MaxPage
	}
	return s.Releases.Released(ctx, s.gate.For(v), q)
}

// ReleasedItem is one advisory as the viewer sees it.
func (s *Service) ReleasedItem(ctx context.Context, v sector.Viewer, id AdvisoryID) (ReleasedAdvisory, error) {
	if !id.valid() {
		return ReleasedAdvisory{}, errNoAdvisory()
	}
	found, err := s.Releases.Released(ctx, s.gate.For(v), ReleasedQuery{ID: id, Limit: 1})
	if err != nil {
		return ReleasedAdvisory{}, err
	}
	if len(found) == 0 {
		return ReleasedAdvisory{}, errNoAdvisory()
	}
	return found[0], nil
}

// Open returns an advisory to a person of a member and notes the first
// opening.
func (s *Service) Open(ctx context.Context, v sector.Viewer, id AdvisoryID) (ReleasedAdvisory, error) {
	r, err := s.ReleasedItem(ctx, v, id)
	if err != nil || v.Org != sector.MemberOrg || v.User == "" || !r.OpenedAt.IsZero() {
		return r, err
	}
	r.OpenedAt = s.Now().UTC()
	e := ledger.Entry{Actor: v.Actor(), Action: "advisory.open", Object: "advisory:" + string(id), Member: string(v.Member)}
	return r, s.Releases.Opened(ctx, s.gate.For(v), id, r.OpenedAt, e)
}

// Answer stores a member's answer to an advisory it sees.
func (s *Service) Answer(ctx context.Context, v sector.Viewer, id AdvisoryID, kind AnswerKind, reason string) (Answer, error) {
	r, err := s.ReleasedItem(ctx, v, id)
	if err != nil {
		return Answer{}, err
	}
	if v.Org != sector.MemberOrg || v.Member == "" {
		return Answer{}, errs.New(errs.Forbidden, "answer.members_only")
	}
	reason = strings.TrimSpace(reason)
	if err := checkAnswer(r, kind, reason); err != nil {
		return Answer{}, err
	}
	a := Answer{Advisory: id, Member: v.Member, Kind: kind, Reason: reason, By: v.Actor(), At: s.Now().UTC()}
	detail, err := json.Marshal(map[string]any{"answer": kind})
	if err != nil {
		return Answer{}, err
	}
	e := ledger.Entry{Actor: v.Actor(), Action: "advisory.answer", Object: "advisory:" + string(id), Member: string(v.Member), Detail: string(detail)}
	return a, s.Releases.SaveAnswer(ctx, s.gate.For(v), a, e)
}

func checkAnswer(r ReleasedAdvisory, kind AnswerKind, reason string) error {
	allowed := false
	for _, k := range AnswersTo(r.Category) {
		allowed = allowed || k == kind
	}
	switch {
	case !allowed:
		return errs.New(errs.Invalid, "answer.unknown", string(kind))
	case !r.WithdrawnAt.IsZero():
		return errs.New(errs.Conflict, "answer.withdrawn")
	case kind.NeedsReason() && reason == "":
		return errs.New(errs.Invalid, "answer.reason_missing")
	case utf8.RuneCountInString(reason) > maxReason || !utf8.ValidString(reason) || strings.ContainsRune(reason, 0):
		return errs.New(errs.Invalid, "answer.reason_long", maxReason)
	}
	return nil
}

// Cell is a count that may be withheld because it is small enough to point at
// single members.
type Cell struct {
	N          int64
	Suppressed bool
}

// minCell is the smallest count an authority is shown, besides none.
const minCell = 3

// Figures are an advisory's totals as the authority is shown them: counts of
// one or two are withheld, and so is one more where the rest would give them
// away.
type Figures struct {
	Recipients, Opened, Answered Cell
	ByAnswer                     map[AnswerKind]Cell
}

// Figures are the totals of an advisory that the viewer sees; for the centre
// nothing is withheld. Members do not see each other's numbers.
func (s *Service) Figures(ctx context.Context, v sector.Viewer, id AdvisoryID) (Figures, error) {
	all, err := s.FiguresOf(ctx, v, []AdvisoryID{id})
	if err != nil {
		return Figures{}, err
	}
	f, ok := all[id]
	if !ok {
		return Figures{}, errNoAdvisory()
	}
	return f, nil
}

// FiguresOf is [Service.Figures] for a list; what the viewer does not see is
// left out.
func (s *Service) FiguresOf(ctx context.Context, v sector.Viewer, ids []AdvisoryID) (map[AdvisoryID]Figures, error) {
	if v.Org != sector.Centre && v.Org != sector.Authority {
		return nil, errNoAdvisory()
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id AdvisoryID) bool { return !id.valid() })
	totals, err := s.Releases.Totals(ctx, s.gate.For(v), ids)
	if err != nil {
		return nil, err
	}
	figures := make(map[AdvisoryID]Figures, len(totals))
	for id, t := range totals {
		figures[id] = newFigures(t, v.Org == sector.Authority)
	}
	return figures, nil
}

func newFigures(t Totals, guarded bool) Figures {
	f := Figures{
		Recipients: Cell{N: t.Recipients}, Opened: Cell{N: t.Opened}, Answered: Cell{N: t.Answered},
		ByAnswer: map[AnswerKind]Cell{},
	}
	for _, k := range AnswerKinds() {
		f.ByAnswer[k] = Cell{N: t.ByAnswer[k]}
	}
	if guarded {
		f.suppress()
	}
	return f
}

// suppress withholds small cells. The sum rules are answered = Σ by answer,
// and recipients ≥ opened, answered; where exactly one part of the sum is
// withheld the sum gives it away, so the sum is withheld too. A total whose
// complement (not opened, not answered) is small is withheld as well.
func (f *Figures) suppress() {
	withheld := 0
	for k, c := range f.ByAnswer {
		if small(c.N) {
			f.ByAnswer[k] = Cell{Suppressed: true}
			withheld++
		}
	}
	recipients := f.Recipients.N
	for _, c := range []*Cell{&f.Opened, &f.Answered} {
		if small(c.N) || small(recipients-c.N) {
			*c = Cell{Suppressed: true}
		}
	}
	if small(recipients) {
		f.Recipients = Cell{Suppressed: true}
	}
	if withheld > 0 {
		f.Answered = Cell{Suppressed: true}
	} else if f.Answered.Suppressed {
		f.withholdSmallest()
	}
}

// withholdSmallest keeps the answers from adding up to a withheld sum.
func (f *Figures) withholdSmallest() {
	var least AnswerKind
	for _, k := range AnswerKinds() {
		if n := f.ByAnswer[k].N; n > 0 && (least == "" || n < f.ByAnswer[least].N) {
			least = k
		}
	}
	if least != "" {
		f.ByAnswer[least] = Cell{Suppressed: true}
	}
}

func small(n int64) bool { return n > 0 && n < minCell }

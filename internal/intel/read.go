package intel

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
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

// Read is ReleasedItem for somebody who reads it: who does is noted, where the
// marking asks for it.
func (s *Service) Read(ctx context.Context, v sector.Viewer, id AdvisoryID) (ReleasedAdvisory, error) {
	r, err := s.ReleasedItem(ctx, v, id)
	if err != nil {
		return r, err
	}
	return r, s.viewed(ctx, v, id, r.Marking, "revision", r.Revision)
}

// viewed puts into the ledger that a person sees a version of what is
// TLP:AMBER or stricter, the first time. A warning is not kept from its readers
// because the disk is full.
func (s *Service) viewed(ctx context.Context, v sector.Viewer, id AdvisoryID, m sector.Marking, kind string, version int) error {
	tlp := m.OrDefault().TLP
	if s.Notes == nil || v.User == "" || tlp == sector.TLPClear || tlp == sector.TLPGreen {
		return nil
	}
	detail, err := json.Marshal(map[string]any{kind: version, "tlp": tlp})
	if err != nil {
		return err
	}
	e := ledger.Entry{Actor: v.Actor(), Action: "advisory.view", Object: "advisory:" + string(id), Member: string(v.Member), Detail: string(detail)}
	if err := s.Notes.NoteOnce(ctx, strconv.Itoa(version), e); !errs.Is(err, errs.Full) {
		return err
	}
	return nil
}

// Open returns an advisory to a person of a member and notes the first
// opening.
func (s *Service) Open(ctx context.Context, v sector.Viewer, id AdvisoryID) (ReleasedAdvisory, error) {
	r, err := s.Read(ctx, v, id)
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

// Figures are an advisory's totals as the viewer is shown them.
type Figures struct {
	Recipients, Opened, Answered sector.Figure
	ByAnswer                     map[AnswerKind]sector.Figure
}

// Figures are the totals of an advisory that the viewer sees, as
// [sector.Counts] shows them: the centre everything, the authority nothing
// small. Members do not see each other's numbers.
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
	counts := s.gate.Counts(v)
	figures := make(map[AdvisoryID]Figures, len(totals))
	for id, t := range totals {
		figures[id] = newFigures(t, counts)
	}
	return figures, nil
}

func newFigures(t Totals, counts sector.Counts) Figures {
	kinds := AnswerKinds()
	answers := make([]int64, len(kinds))
	for i, k := range kinds {
		answers[i] = t.ByAnswer[k]
	}
	seen := counts.Funnel(t.Recipients, t.Opened, answers)
	f := Figures{Recipients: seen.Whole, Opened: seen.Reached, Answered: seen.Answered, ByAnswer: map[AnswerKind]sector.Figure{}}
	for i, k := range kinds {
		f.ByAnswer[k] = seen.ByAnswer[i]
	}
	return f
}

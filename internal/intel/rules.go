package intel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Limits on an advisory's words, in characters.
const (
	maxTitle  = 200
	maxBody   = 20000
	maxReason = 2000
)

// maxNamed bounds the members an audience names one by one.
const maxNamed = 2000

// Problem is one thing that stands in the way, and the field it is about.
type Problem struct {
	// Field is a field of the form: "title.zh", "body.en", "indicators",
	// "audience", "answer_due", …; empty for the whole.
	Field string
	// Line is the number of the indicator, from 1; 0 for none.
	Line int
	// Err says what is wrong, with the catalogue key.
	Err *errs.Error
	// Leak is set when the problem is one.
	Leak *Leak
}

// ProblemsError is everything that stands in the way, reported together. Its
// kind is errs.Invalid.
type ProblemsError struct{ Problems []Problem }

// Error implements error.
func (e *ProblemsError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = fmt.Sprintf("%s: %v", p.Field, p.Err)
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives the kind and a message that counts the problems.
func (e *ProblemsError) Unwrap() error {
	return errs.New(errs.Invalid, "advisory.problems", len(e.Problems))
}

// ProblemsOf are the problems in an error; nil when it is something else.
func ProblemsOf(err error) []Problem {
	if e, ok := errors.AsType[*ProblemsError](err); ok {
		return e.Problems
	}
	return nil
}

type problems []Problem

func (p *problems) add(field, key string, args ...any) {
	*p = append(*p, Problem{Field: field, Err: errs.New(errs.Invalid, key, args...)})
}

func (p *problems) addErr(field string, err error) {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		*p = append(*p, Problem{Field: field, Err: e})
	}
}

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return &ProblemsError{p}
}

// checkDraft finds what not even a draft may hold.
func (r *Rules) checkDraft(a Advisory) error {
	var p problems
	texts := []struct {
		field, text string
		most        int
	}{
		{"title.zh", a.Title.Zh, maxTitle}, {"title.en", a.Title.En, maxTitle},
		{"body.zh", a.Body.Zh, maxBody}, {"body.en", a.Body.En, maxBody},
	}
	for _, t := range texts {
		if utf8.RuneCountInString(t.text) > t.most {
			p.add(t.field, "advisory.text_too_long", t.most)
		}
		if !utf8.ValidString(t.text) || strings.ContainsFunc(t.text, isControl) {
			p.add(t.field, "advisory.text_control")
		}
	}
	if !slices.Contains(Categories(), a.Category) {
		p.add("category", "advisory.category_unknown", a.Category)
	}
	if m := a.Marking.OrDefault(); !m.TLP.Valid() || !m.PAP.Valid() {
		p.add("marking", "advisory.marking_unknown")
	}
	if a.RSIT != "" && !r.known(a.RSIT) {
		p.add("rsit", "advisory.rsit_unknown", a.RSIT)
	}
	if len(a.Indicators) > MaxIndicators {
		p.add("indicators", "advisory.indicators_many", MaxIndicators)
	}
	r.checkParts(a.Audience, &p)
	return p.err()
}

func (*Rules) checkParts(a sector.Audience, p *problems) {
	for _, s := range a.Sectors {
		if !slices.Contains(sector.SubSectors(), s) {
			p.add("audience", "advisory.sector_unknown", s)
		}
	}
	if len(a.Members) > maxNamed {
		p.add("audience", "advisory.members_many", maxNamed)
	}
}

// isControl reports whether a character does something to the text that its
// readers do not see: controls, marks that turn the direction of writing, zero
// widths.
func isControl(r rune) bool {
	if r == '\n' || r == '\t' || r == '\u200d' { // a joiner, as in pictures of people
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Cf, r)
}

// checkRelease finds what stands in the way of a release, besides leaks.
func (r *Rules) checkRelease(a Advisory, members []sector.Member, now time.Time) problems {
	var p problems
	for _, f := range a.fields()[:4] {
		if strings.TrimSpace(f.text) == "" {
			p.add(f.name, "advisory.text_missing")
		}
	}
	if err := sector.CheckAudience(a.Marking, a.Audience); err != nil {
		p.addErr("audience", err)
	}
	for _, id := range a.Audience.Members {
		if !slices.ContainsFunc(members, func(m sector.Member) bool { return m.ID == id }) {
			p.add("audience", "advisory.member_unknown", id)
		}
	}
	if a.Category == EWA && a.AnswerDue.IsZero() {
		p.add("answer_due", "advisory.due_missing")
	}
	if !a.AnswerDue.IsZero() && !a.AnswerDue.After(now) {
		p.add("answer_due", "advisory.due_past")
	}
	for i, ind := range a.Indicators {
		if err := checkExternal(ind); err != nil {
			p.addErr("indicators", err)
			p[len(p)-1].Line = i + 1
		}
	}
	return p
}

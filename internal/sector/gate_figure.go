package sector

import (
	"slices"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// minFigure is the smallest number, besides none, that the authority is shown
// of the sector: one or two may point at an institution.
const minFigure = 3

func small(n int64) bool { return n > 0 && n < minFigure }

// Figure is a number as one viewer is shown it. Only [Counts] makes one that
// is not zero, and one that is withheld does not hold its number.
type Figure struct {
	n    int64
	mark string // shown in place of the number; empty where it is shown
}

// What stands for a number that is not shown: one that is small, and one of a
// group of which some are small or would give a small one away. Within a group
// all are marked the same, so that the marks tell nothing.
const (
	markSmall    = "<3"
	markWithheld = "*"
)

// Shown is the number, or false when it is withheld.
func (f Figure) Shown() (int64, bool) { return f.n, f.mark == "" }

// Withheld reports whether the number is not shown.
func (f Figure) Withheld() bool { return f.mark != "" }

// Any reports whether there is something to show: a mark, or more than none.
func (f Figure) Any() bool { return f.mark != "" || f.n > 0 }

// Plus adds figures; a withheld part withholds the sum.
func (f Figure) Plus(g Figure) Figure {
	if f.mark != "" || g.mark != "" {
		return Figure{mark: markWithheld}
	}
	return Figure{n: f.n + g.n}
}

// String is the number with its thousands grouped, or the mark.
func (f Figure) String() string {
	if f.mark != "" {
		return f.mark
	}
	return i18n.Group(f.n)
}

// MarshalText writes what String does.
func (f Figure) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// Rate is how many a second, as one viewer is shown it. Only [Counts] makes
// one that is not zero.
type Rate struct{ perSecond float64 }

// PerSecond is the rate; 0 also where it is withheld.
func (r Rate) PerSecond() float64 { return r.perSecond }

// Counts is how one viewer sees numbers of the sector. Only [Gate.Counts]
// makes one; the zero Counts shows nothing.
type Counts struct {
	over  Filter
	exact bool // everything is shown
	total bool // the sector's totals are shown, small ones withheld
}

// Counts is the viewer's view of numbers: the centre and a member see theirs
// exactly, the authority sees those of all members together with the small
// ones withheld, everybody else sees none.
func (g Gate) Counts(v Viewer) Counts {
	f := g.For(v)
	switch {
	case f.all || f.owner != "":
		return Counts{over: f, exact: true}
	case v.Org == Authority:
		return Counts{over: g.For(System()), total: true}
	}
	return Counts{over: f}
}

// Over is the filter to count with. For the authority that is everything, so
// nothing but numbers may be read with it, and they are to become figures.
func (c Counts) Over() Filter { return c.over }

// Exact reports whether the viewer sees every number.
func (c Counts) Exact() bool { return c.exact }

func (c Counts) show(n int64) Figure {
	if c.exact || c.total {
		return Figure{n: n}
	}
	return Figure{mark: markWithheld}
}

// Figure is a number that is not the sum or a part of another that is shown.
func (c Counts) Figure(n int64) Figure {
	if c.total && small(n) {
		return Figure{mark: markSmall}
	}
	return c.show(n)
}

// Rate is a rate that n things make; it is withheld where n is.
func (c Counts) Rate(n int64, perSecond float64) Rate {
	if c.Figure(n).Withheld() {
		return Rate{}
	}
	return Rate{perSecond}
}

// Series is a row of numbers with their sum. Where one of them is small none
// is shown: the rest and the sum would tell.
func (c Counts) Series(values []int64) (sum Figure, each []Figure) {
	var total int64
	for _, n := range values {
		total += n
	}
	each = make([]Figure, len(values))
	hide := c.total && slices.ContainsFunc(values, small)
	for i, n := range values {
		if each[i] = c.show(n); hide {
			each[i] = Figure{mark: markWithheld}
		}
	}
	return c.Figure(total), each
}

// Part is a number and a part of it.
func (c Counts) Part(whole, part int64) (Figure, Figure) {
	if c.total && (small(part) || small(whole-part)) {
		return c.Figure(whole), Figure{mark: markWithheld}
	}
	return c.Figure(whole), c.show(part)
}

// Funnel is a whole, the part of it that was reached, and of these those that
// answered, by answer.
type Funnel struct {
	Whole, Reached, Answered Figure
	ByAnswer                 []Figure
}

// Funnel is the numbers of a funnel: Σ answers ≤ reached ≤ whole. Where one of
// them, or of those between them (not reached, reached and silent), is small,
// less is shown: the most detailed picture of a fixed list that lets nothing
// small be worked out. What a picture leaves out it leaves out as a whole, so
// that one who knows this list learns no number from the choice.
func (c Counts) Funnel(whole, reached int64, answers []int64) Funnel {
	var answered int64
	for _, n := range answers {
		answered += n
	}
	p := picture{true, true, true}
	if c.total {
		p = pictureOf(whole, reached, answered, answers)
	}
	pick := func(n int64, shown bool) Figure {
		if !shown {
			return Figure{mark: markWithheld}
		}
		return c.show(n)
	}
	f := Funnel{
		Whole: pick(whole, !c.total || !small(whole)), Reached: pick(reached, p.reached), Answered: pick(answered, p.answered),
		ByAnswer: make([]Figure, len(answers)),
	}
	for i, n := range answers {
		f.ByAnswer[i] = pick(n, p.byAnswer)
	}
	return f
}

// picture is what is shown of a funnel besides the whole.
type picture struct{ reached, answered, byAnswer bool }

func pictureOf(whole, reached, answered int64, answers []int64) picture {
	steps := small(whole-reached) || small(reached-answered) // not reached; reached and silent
	parts := slices.ContainsFunc(answers, small)
	rest := small(whole - answered)
	switch {
	case small(whole):
		return picture{}
	case !steps && !parts:
		return picture{true, true, true}
	case !rest && !parts:
		return picture{false, true, true}
	case !steps && !small(answered):
		return picture{true, true, false}
	case !rest && !small(answered):
		return picture{false, true, false}
	case !small(whole-reached) && !small(reached):
		return picture{true, false, false}
	}
	return picture{}
}

package sigma

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// actual puts the event's values into an outcome, with what in them met the
// predicates: those that something was found in first where they are too many,
// and long ones cut around it.
func (x *explainer) actual(out *ItemOutcome, c *content, met []*pred) {
	type shown struct {
		index int
		hits  []Hit // places in the whole text
	}
	var values []shown
	for i := range c.texts {
		v := shown{index: i}
		for _, p := range met {
			if from, to, ok := p.span(&c.texts[i]); ok {
				v.hits = append(v.hits, Hit{From: from, To: to})
			}
		}
		if out.Field != "" || v.hits != nil {
			values = append(values, v)
		}
	}
	if len(values) > maxExplainedValues {
		slices.SortStableFunc(values, func(a, b shown) int { return cmp.Compare(min(len(b.hits), 1), min(len(a.hits), 1)) })
		values = values[:maxExplainedValues]
	}
	for _, v := range values {
		excerpt, hits := around(c.texts[v.index].raw, v.hits)
		for _, h := range hits {
			if h.Value = len(out.Actual); len(out.Hits) < maxExplainedValues && !slices.Contains(out.Hits, h) {
				out.Hits = append(out.Hits, h)
			}
		}
		out.Actual = append(out.Actual, excerpt)
		if out.Field == "" {
			out.Where = cut(out.Where, x.paths[v.index])
		}
	}
}

// around cuts a long text around the first of its hits and returns the hits that
// are left in it.
func around(text string, hits []Hit) (string, []Hit) {
	if len(text) <= maxExplainedBytes {
		return strings.Clone(text), hits
	}
	const lead = 200 // bytes shown before the first hit
	from := 0
	if len(hits) > 0 {
		first := slices.MinFunc(hits, func(a, b Hit) int { return cmp.Compare(a.From, b.From) })
		from = max(0, min(first.From-lead, len(text)-maxExplainedBytes))
	}
	to := from + maxExplainedBytes
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to--
	}
	before, after := "", ""
	if from > 0 {
		before = "…"
	}
	if to < len(text) {
		after = "…"
	}
	var left []Hit
	for _, h := range hits {
		if h.From >= from && h.From < to {
			left = append(left, Hit{From: h.From - from + len(before), To: min(h.To, to) - from + len(before)})
		}
	}
	return before + text[from:to] + after, left
}

// span is the part of a value's text that makes the predicate hold, false when
// the value alone does not. What is about the whole value is all of it.
func (p *pred) span(t *text) (from, to int, ok bool) {
	if p.kind == predFieldRef || p.kind == predNull || p.kind == predExists {
		return 0, 0, false
	}
	if held, _ := p.holds(&content{present: true, texts: []text{*t}}, nil); !held {
		return 0, 0, false
	}
	s := t.folded
	if p.cased {
		s = t.raw
	}
	from, to = 0, len(s)
	switch p.kind {
	case predPrefix:
		to = len(p.lit)
	case predSuffix:
		from = len(s) - len(p.lit)
	case predContains:
		from = strings.Index(s, p.lit)
		to = from + len(p.lit)
	case predGlob:
		from, to = literals(parsePattern(p.lit), s)
	case predRegex:
		from, to = p.re.find(t.raw)
		return from, to, true
	}
	return unfolded(t.raw, s, from), unfolded(t.raw, s, to), true
}

// literals is the part of a text from the first of a pattern's literals to the
// last, as they are found one after the other.
func literals(p pattern, s string) (from, to int) {
	from = -1
	for _, x := range p {
		if x.kind != literal {
			continue
		}
		i := strings.Index(s[to:], x.text)
		if i < 0 {
			break
		}
		if from < 0 {
			from = i
		}
		to += i + len(x.text)
	}
	if from < 0 || p[len(p)-1].kind == literal {
		return max(from, 0), len(s)
	}
	return from, to
}

// unfolded is the place in a text that a place in its folded form has. Folding
// keeps the number of characters.
func unfolded(raw, folded string, at int) int {
	if len(raw) == len(folded) {
		return at
	}
	n := utf8.RuneCountInString(folded[:at])
	for i := range raw {
		if n--; n < 0 {
			return i
		}
	}
	return len(raw)
}

// find is where a match is; the whole text when the search runs out of time.
func (r *regex) find(s string) (from, to int) {
	if r.linear != nil {
		if at := r.linear.FindStringIndex(s); at != nil {
			return at[0], at[1]
		}
		return 0, len(s)
	}
	m, err := r.backtrack.FindStringMatch(s)
	if err != nil || m == nil {
		return 0, len(s)
	}
	runes := []rune(s)
	from = len(string(runes[:m.Index]))
	return from, from + len(string(runes[m.Index:m.Index+m.Length]))
}

// similar is the event's field that a name which it has not may mean: the same
// but for capitals and separators, at the end of a path, or by a slip.
func (x *explainer) similar(field string) string {
	if field == "" {
		return ""
	}
	const most = 2000 // fields looked at
	if !x.listed {
		x.listed = true
		seen := map[string]bool{}
		x.ev.EachText(func(path, _ string) bool {
			if !seen[path] {
				path = strings.Clone(path)
				seen[path] = true
				x.fields = append(x.fields, path)
			}
			return len(x.fields) < most
		})
	}
	best, least := "", unlike
	for _, has := range x.fields {
		if d := farness(field, has); d < least {
			best, least = has, d
		}
	}
	return best
}

// unlike is the farness of names that have nothing to do with each other.
const unlike = 4

// farness is how unlike two names of fields are, from 0 for the same.
func farness(field, has string) int {
	plain := func(name string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(name))
	}
	last := func(name string) string { return plain(name[strings.LastIndexByte(name, '.')+1:]) }
	d := distance(strings.ToLower(field), strings.ToLower(has), 3)
	switch {
	case plain(field) == plain(has):
		return 0
	case last(field) == last(has) && len(last(field)) > 2:
		return 1
	case d == 1 && len(field) > 3, d == 2 && len(field) > 6:
		return 1 + d
	}
	return unlike
}

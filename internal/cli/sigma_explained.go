package cli

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/aspis-platform/aspis/internal/workbench"
	"github.com/aspis-platform/aspis/sigma"
)

// Bounds of what a table shows of an explanation; JSON has all of it.
const (
	shownValues = 4  // of a list
	wantWide    = 60 // columns of a rule's value
	hasWide     = 80 // columns of an event's
)

// printExplained prints one decision: the verdict and what it hangs on, then
// every part with the values.
func (e *env) printExplained(x workbench.Explained) error {
	verdict := "cli.sigma.no_match"
	if x.Matched {
		verdict = "cli.sigma.match"
	}
	fmt.Fprintln(e.Out, plain(fmt.Sprintf("%s#%d  %s (%s): %s", path.Base(x.File), x.Event, x.Title, x.Rule, e.t(verdict))))
	for _, line := range e.reasons(x) {
		fmt.Fprintln(e.Out, plain("   "+line))
	}
	for _, c := range x.Conditions {
		fmt.Fprintln(e.Out, plain(mark(c.Held)+gap+e.t("cli.sigma.condition", c.Text)))
	}
	t := table{head: []string{"", e.t("cli.col.part"), e.t("cli.col.expected"), e.t("cli.col.actual")}}
	e.addSelections(&t, "", x.Selections)
	for _, f := range x.Filters {
		t.add(mark(f.Passed), e.t("cli.sigma.filter", f.Filter, f.Title), f.Condition, e.filterEffect(f))
		e.addSelections(&t, "  ", f.Selections)
	}
	if err := t.print(e.Out); err != nil {
		return err
	}
	for _, c := range x.Counting {
		fmt.Fprintln(e.Out, plain("   "+e.counting(c)))
	}
	_, err := fmt.Fprintln(e.Out)
	return err
}

// reasons are what the verdict hangs on, a line each.
func (e *env) reasons(x workbench.Explained) (lines []string) {
	if !x.Asked {
		is := x.Logsource.String()
		if is == "" {
			is = e.t("cli.sigma.unknown_source")
		}
		lines = append(lines, e.t("cli.sigma.not_asked", is, x.RuleFor.String()))
	}
	own := false
	for _, c := range x.Conditions {
		own = own || c.Held
	}
	for _, f := range x.Filters {
		if own && !f.Passed {
			lines = append(lines, e.t("cli.sigma.left_out_by", f.Filter))
		}
	}
	if own || len(x.Selections) < 2 {
		return lines
	}
	for _, c := range x.Conditions {
		switch len(c.Turns) {
		case 0:
		case 1:
			lines = append(lines, e.t("cli.sigma.but_for_one", c.Turns[0]))
		default:
			lines = append(lines, e.t("cli.sigma.but_for", strings.Join(c.Turns, ", ")))
		}
	}
	return lines
}

func (e *env) addSelections(t *table, indent string, selections []sigma.SelectionOutcome) {
	for _, s := range selections {
		t.add(mark(s.Held), indent+s.Name, "", "")
		for i, alt := range s.Alternatives {
			inner := indent + "  "
			if len(s.Alternatives) > 1 {
				t.add(mark(alt.Held), fmt.Sprintf("%s%d.", inner, i+1), "", "")
				inner += "  "
			}
			for _, item := range alt.Items {
				e.addItem(t, inner, item)
			}
		}
	}
}

// addItem adds an item: a line for each of the values that are shown.
func (e *env) addItem(t *table, indent string, item sigma.ItemOutcome) {
	wants, has := e.wants(item), e.has(item)
	for i := range max(len(wants), len(has)) {
		row := [4]string{}
		if i == 0 {
			row[0], row[1] = mark(item.Held), indent+e.itemName(item)
		}
		if i < len(wants) {
			row[2] = wants[i]
		}
		if i < len(has) {
			row[3] = has[i]
		}
		t.add(row[:]...)
	}
}

// wants are the rule's values: those that held where any suffices and did; where
// all are wanted each with its mark, those that did not hold first.
func (e *env) wants(item sigma.ItemOutcome) []string {
	values, every := item.Expected, slices.Contains(item.Modifiers, "all")
	switch {
	case item.Compared != nil:
	case every:
		met := func(value string) bool { return slices.Contains(item.Met, value) }
		values = slices.Concat(slices.DeleteFunc(slices.Clone(values), met), slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !met(v) }))
	case len(item.Met) > 0:
		values = item.Met
	}
	return e.some(values, func(i int) string {
		shown := fit(asIs(values[i]), wantWide, 0)
		switch {
		case i >= len(item.Compared):
		case item.Compared[i] == "":
			shown += " " + e.t("cli.sigma.missing")
		default:
			shown += " = " + fit(asIs(item.Compared[i]), wantWide, 0)
		}
		if every && len(values) > 1 {
			shown = mark(slices.Contains(item.Met, values[i])) + " " + shown
		}
		return shown
	})
}

// has are the event's values, around what was found in them.
func (e *env) has(item sigma.ItemOutcome) []string {
	if item.Missing {
		if item.Similar != "" {
			return []string{e.t("cli.sigma.missing_similar", item.Similar)}
		}
		return []string{e.t("cli.sigma.missing")}
	}
	return e.some(item.Actual, func(i int) string {
		at := 0
		for _, h := range item.Hits {
			if h.Value == i {
				at = h.From
				break
			}
		}
		value := fit(asIs(item.Actual[i]), hasWide, runewidth.StringWidth(item.Actual[i][:at]))
		if i < len(item.Where) {
			value = item.Where[i] + ": " + value
		}
		return value
	})
}

// some are the first of some values, and how many more there are.
func (e *env) some(values []string, show func(int) string) []string {
	var out []string
	for i := range values {
		if i == shownValues && len(values) > shownValues+1 {
			return append(out, e.t("cli.sigma.more", len(values)-shownValues))
		}
		out = append(out, show(i))
	}
	return out
}

// asIs shows a value as it is written, on one line; quotes only where blanks or
// nothing would not be seen.
func asIs(value string) string {
	value = strings.NewReplacer("\r\n", "↵", "\n", "↵", "\r", "↵", "\t", " ").Replace(value)
	if strings.TrimSpace(value) != value || value == "" {
		return "'" + value + "'"
	}
	return value
}

// fit cuts a text to so many columns of a terminal, so that the column at is
// among them.
func fit(text string, columns, at int) string {
	if runewidth.StringWidth(text) <= columns {
		return text
	}
	lead := columns / 3
	if skip := at - lead; skip > 0 {
		text = "…" + runewidth.TruncateLeft(text, skip, "")
	}
	return runewidth.Truncate(text, columns, "…")
}

// filterEffect says what a filter did to the event.
func (e *env) filterEffect(f sigma.FilterOutcome) string {
	if f.Passed {
		return e.t("cli.sigma.passed")
	}
	return e.t("cli.sigma.left_out")
}

// counting says what a correlation takes from the event.
func (e *env) counting(c sigma.Counting) string {
	var parts []string
	for _, f := range c.Fields {
		value := asIs(f.Value)
		if f.Missing {
			value = e.t("cli.sigma.missing")
		}
		parts = append(parts, f.Field+" = "+fit(value, wantWide, 0))
	}
	key := "cli.sigma.counted"
	if !c.Counted {
		key = "cli.sigma.not_counted"
	}
	line := e.t(key, c.Title, c.Correlation)
	if len(parts) > 0 {
		line += " " + strings.Join(parts, ", ")
	}
	return line
}

func (e *env) itemName(item sigma.ItemOutcome) string {
	name := item.Field
	if name == "" {
		name = e.t("cli.sigma.keywords")
	}
	return strings.Join(append([]string{name}, item.Modifiers...), "|")
}

func mark(held bool) string {
	if held {
		return "✓"
	}
	return "✗"
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

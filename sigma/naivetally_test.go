package sigma

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/aspis-platform/aspis/event"
)

// naiveTally counts how often each of the traps was met: when a value with it
// held of an event's field, and when not.
type naiveTally map[string]*struct{ held, not int }

// written is a value of an item as it stands in a rule.
type written struct {
	field string
	mods  modifiers
	tag   string
	text  string
	bare  string // text without what is escaped
}

// traps is everything that a rule can say of a field, and what is hard about it.
func traps() map[string]func(w written) bool {
	out := map[string]func(w written) bool{
		"keyword":             func(w written) bool { return w.field == "" },
		"keyword re":          func(w written) bool { return w.field == "" && w.mods.has("re") },
		"keyword cidr":        func(w written) bool { return w.field == "" && w.mods.has("cidr") },
		"keyword all":         func(w written) bool { return w.field == "" && w.mods.has("all") },
		"keyword cased":       func(w written) bool { return w.field == "" && w.mods.has("cased") },
		"keyword star":        func(w written) bool { return w.field == "" && w.has("*") },
		"field with a space":  func(w written) bool { return strings.Contains(w.field, " ") },
		"field with dots":     func(w written) bool { return strings.Contains(w.field, ".") },
		"field with @":        func(w written) bool { return strings.Contains(w.field, "@") },
		"null":                func(w written) bool { return w.tag == "!!null" },
		"boolean":             func(w written) bool { return w.tag == "!!bool" && !w.mods.has("exists") },
		"integer":             func(w written) bool { return w.tag == "!!int" && len(w.mods) == 0 },
		"fraction":            func(w written) bool { return w.tag == "!!float" && len(w.mods) == 0 },
		"empty text":          func(w written) bool { return w.tag == "!!str" && w.text == "" },
		"plain":               func(w written) bool { return w.tag == "!!str" && w.text == w.bare && len(w.mods) == 0 },
		"star alone":          func(w written) bool { return w.text == "*" && len(w.mods) == 0 },
		"escaped backslash":   func(w written) bool { return w.pattern() && strings.Contains(w.text, `\\`) },
		"escaped star":        func(w written) bool { return w.pattern() && strings.Contains(w.text, `\*`) },
		"escaped ?":           func(w written) bool { return w.pattern() && strings.Contains(w.text, `\?`) },
		"plain backslash":     func(w written) bool { return w.has(`\`) },
		"?* together":         func(w written) bool { return w.has("?*") },
		"folds to ASCII":      func(w written) bool { return w.has("\u212A") || w.has("ſ") },
		"folds beyond ASCII":  func(w written) bool { return w.has("k") || w.has("s") },
		"three forms":         func(w written) bool { return w.has("σ") || w.has("ς") || w.has("Σ") },
		"no simple folding":   func(w written) bool { return w.has("İ") || w.has("ı") },
		"sharp s":             func(w written) bool { return w.has("ß") || w.has("ẞ") },
		"Han":                 func(w written) bool { return w.has("中") },
		"line break":          func(w written) bool { return w.has("\n") },
		"cidr of IPv6":        func(w written) bool { return w.mods.has("cidr") && strings.Contains(w.text, ":") },
		"windash of wildcard": func(w written) bool { return w.mods.has("windash") && w.has("*") },
		"expand cidr":         func(w written) bool { return w.mods.has("expand") && w.mods.has("cidr") },
		"expand escaped":      func(w written) bool { return w.mods.has("expand") && strings.Contains(w.text, `\%`) },
	}
	for _, m := range []string{"contains", "startswith", "endswith"} {
		out["* in "+m] = func(w written) bool { return w.mods.has(m) && w.has("*") }
		out["? in "+m] = func(w written) bool { return w.mods.has(m) && w.has("?") }
		out["fieldref "+m] = func(w written) bool { return w.mods.has("fieldref") && w.mods.has(m) }
	}
	for _, m := range []string{"wide", "utf16", "utf16le", "utf16be"} {
		out[m+" base64"] = func(w written) bool { return w.mods.has(m) && w.mods.has("base64") }
		out[m+" base64offset"] = func(w written) bool { return w.mods.has(m) && w.mods.has("base64offset") }
	}
	for _, m := range []string{
		"contains", "startswith", "endswith", "all", "cased", "neq", "re", "i", "m", "s", "cidr", "lt", "lte", "gt", "gte", "exists", "fieldref", "expand",
		"windash", "wide", "base64", "base64offset", "minute", "hour", "day", "week", "month", "year",
	} {
		out["|"+m] = func(w written) bool { return w.mods.has(m) }
	}
	return out
}

// pattern says whether the value is a text with wildcards.
func (w written) pattern() bool {
	return w.tag == "!!str" && !w.mods.has("re", "cidr", "fieldref", "exists", "expand", "base64", "base64offset")
}

// has looks for a text outside of escapes.
func (w written) has(s string) bool { return w.pattern() && strings.Contains(w.bare, s) }

// shapes is what is hard about what an event has.
func shapes() map[string]func(f *naiveField) bool {
	kind := func(k event.Kind) func(f *naiveField) bool {
		return func(f *naiveField) bool { return len(f.texts) == 1 && f.texts[0].value.Kind() == k }
	}
	return map[string]func(f *naiveField) bool{
		"event lacks the field": func(f *naiveField) bool { return !f.present },
		"event has null":        func(f *naiveField) bool { return f.present && f.null && len(f.texts) == 0 },
		"event has null listed": func(f *naiveField) bool { return f.null && len(f.texts) > 0 },
		"event has a list":      func(f *naiveField) bool { return len(f.texts) > 1 },
		"event has empty text":  func(f *naiveField) bool { return len(f.texts) == 1 && f.texts[0].raw == "" },
		"event has a number":    kind(event.Number),
		"event has a boolean":   kind(event.Bool),
	}
}

func newTally() naiveTally {
	c := naiveTally{}
	for name := range traps() {
		c[name] = new(struct{ held, not int })
	}
	for name := range shapes() {
		c[name] = new(struct{ held, not int })
	}
	return c
}

// counted is a check whose answers are counted under the traps that are in it.
func (c naiveTally) counted(field string, mods modifiers, node *yaml.Node, check fieldCheck) fieldCheck {
	if c == nil {
		return check
	}
	w := written{field: field, mods: mods, tag: node.Tag, text: node.Value}
	w.bare = strings.NewReplacer(`\\`, "", `\*`, "", `\?`, "").Replace(w.text)
	var names []string
	for name, in := range traps() {
		if in(w) {
			names = append(names, name)
		}
	}
	return func(ev *naiveEvent, f *naiveField) bool {
		held := check(ev, f)
		for _, name := range names {
			c.count(name, held)
		}
		for name, is := range shapes() {
			if is(f) {
				c.count(name, held)
			}
		}
		return held
	}
}

func (c naiveTally) count(name string, held bool) {
	if held {
		c[name].held++
	} else {
		c[name].not++
	}
}

// atLeast fails the test for every trap that held, or did not, fewer than n
// times.
func (c naiveTally) atLeast(t *testing.T, n int) {
	t.Helper()
	for name, count := range c {
		if count.held < n || count.not < n {
			t.Errorf("%q held %d times and did not %d times: the generators no longer reach it", name, count.held, count.not)
		}
	}
}

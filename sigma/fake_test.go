package sigma

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/event"
)

// fakeEvent is a flat event made of JSON, in a log source of its own.
type fakeEvent struct {
	fields map[string]any
	source event.Logsource
}

func newFake(tb testing.TB, src string) *fakeEvent {
	tb.Helper()
	e := &fakeEvent{source: event.Logsource{Product: "windows", Category: "process_creation", Service: "sysmon"}}
	d := json.NewDecoder(strings.NewReader(src))
	d.UseNumber()
	if err := d.Decode(&e.fields); err != nil {
		tb.Fatalf("event %s: %v", src, err)
	}
	return e
}

func (e *fakeEvent) Logsource() event.Logsource { return e.source }

func (e *fakeEvent) Field(name string) (event.Value, bool) {
	v, ok := e.fields[name]
	return fakeValue(v), ok
}

func (e *fakeEvent) EachText(f func(field, text string) bool) {
	for _, name := range slices.Sorted(maps.Keys(e.fields)) {
		more := true
		v := fakeValue(e.fields[name])
		v.Each(func(leaf event.Value) bool {
			more = leaf.Kind() == event.Null || f(name, leaf.Text())
			return more
		})
		if !more {
			return
		}
	}
}

func fakeValue(v any) event.Value {
	switch v := v.(type) {
	case nil:
		return event.NullValue()
	case bool:
		return event.BoolValue(v)
	case json.Number:
		return event.NumberValue(v.String())
	case string:
		return event.StringValue(v)
	case []any:
		items := make([]event.Value, len(v))
		for i := range v {
			items[i] = fakeValue(v[i])
		}
		return event.ListValue(items...)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return event.Value{}
		}
		return event.StringValue(string(text))
	}
}

// ruleOf makes a rule of a detection section.
func ruleOf(tb testing.TB, detection string, opts Options) *Rule {
	tb.Helper()
	rules, problems := Parse("test.yml", []byte(ruleText(detection)), opts)
	for _, p := range problems {
		tb.Fatalf("%v\n%s", p, detection)
	}
	return rules[0]
}

func ruleText(detection string) string {
	var b strings.Builder
	b.WriteString("title: test\nid: test\nlogsource: {product: windows}\ndetection:\n")
	for line := range strings.Lines(strings.Trim(detection, "\n")) {
		b.WriteString("  " + line)
	}
	return b.String()
}

// matches evaluates one rule on one event in the three ways there are, which
// must agree.
func matches(tb testing.TB, r *Rule, ev Event) bool {
	tb.Helper()
	got := false
	m := NewEngine([]*Rule{r}, EngineOptions{}).NewMatcher()
	m.Match(ev, func(*Rule) bool { got = true; return true })
	if x := Explain(r, ev); x.Matched != got {
		tb.Errorf("engine says %v, explain says %v: %+v", got, x.Matched, x)
	}
	all := false
	m = NewEngine([]*Rule{r}, EngineOptions{IgnoreLogsource: true}).NewMatcher()
	m.Match(ev, func(*Rule) bool { all = true; return true })
	if all != got {
		tb.Errorf("routed %v, unrouted %v", got, all)
	}
	return got
}

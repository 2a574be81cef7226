package sigma

import (
	"math/big"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/dlclark/regexp2"
	"go.yaml.in/yaml/v3"

	"github.com/aspis-platform/aspis/event"
)

// naiveNames numbers the names of fields that rules ask for.
type naiveNames struct {
	numbers map[string]int
	list    []string
	tally   naiveTally // nil: nothing is counted
}

func (n *naiveNames) number(name string) int {
	i, known := n.numbers[name]
	if !known {
		if n.numbers == nil {
			n.numbers = map[string]int{}
		}
		i = len(n.list)
		n.numbers[name] = i
		n.list = append(n.list, name)
	}
	return i
}

// naiveEvent is an event whose fields are read when the first rule asks for
// them.
type naiveEvent struct {
	Event
	names  *naiveNames
	fields []naiveField
}

func (n *naiveNames) look(ev Event) *naiveEvent {
	return &naiveEvent{Event: ev, names: n, fields: make([]naiveField, len(n.list))}
}

// naiveField is what an event has under one name; under "" all its leaves.
type naiveField struct {
	read, present, null bool
	texts               []naiveText
}

type naiveText struct {
	raw, folded string
	value       event.Value
}

func (ev *naiveEvent) field(number int) *naiveField {
	f := &ev.fields[number]
	if f.read {
		return f
	}
	f.read = true
	name := ev.names.list[number]
	if name == "" {
		f.present = true
		ev.EachText(func(_, s string) bool { return f.add(event.StringValue(s)) })
		return f
	}
	v, ok := ev.Field(name)
	if !ok {
		f.null = true
		return f
	}
	f.present = true
	f.add(v)
	f.null = f.null || len(f.texts) == 0
	return f
}

// add adds the scalars of a value.
func (f *naiveField) add(v event.Value) bool {
	switch v.Kind() {
	case event.Null:
		f.null = true
	case event.List:
		v.Each(f.add)
	default:
		f.texts = append(f.texts, naiveText{raw: v.Text(), folded: naiveFold(v.Text()), value: v})
	}
	return true
}

// fieldCheck is something that holds of a field of an event or not.
type fieldCheck func(*naiveEvent, *naiveField) bool

func anyValue(values []fieldCheck) fieldCheck {
	if len(values) == 1 {
		return values[0]
	}
	return func(ev *naiveEvent, f *naiveField) bool {
		for _, v := range values {
			if v(ev, f) {
				return true
			}
		}
		return false
	}
}

func allValues(values []fieldCheck) fieldCheck {
	if len(values) == 1 {
		return values[0]
	}
	return func(ev *naiveEvent, f *naiveField) bool {
		for _, v := range values {
			if !v(ev, f) {
				return false
			}
		}
		return true
	}
}

// some asks whether any scalar of a field is as wanted.
func some(wanted func(*naiveText) bool) fieldCheck {
	return func(_ *naiveEvent, f *naiveField) bool {
		for i := range f.texts {
			if wanted(&f.texts[i]) {
				return true
			}
		}
		return false
	}
}

// value reads one value of an item.
func (n *naive) value(field string, mods modifiers, node *yaml.Node) fieldCheck {
	return n.names.tally.counted(field, mods, node, n.comparison(field, mods, node))
}

func (n *naive) comparison(field string, mods modifiers, node *yaml.Node) fieldCheck {
	switch {
	case node.Tag == "!!null":
		return func(_ *naiveEvent, f *naiveField) bool { return f.null }
	case mods.has("exists"):
		return func(_ *naiveEvent, f *naiveField) bool { return f.present == (node.Value == "true") }
	case mods.has("fieldref"):
		return naiveFieldRef(mods, n.names.number(node.Value))
	case mods.has("re"):
		return some(naiveRegex(node.Value, mods))
	case mods.has("lt", "lte", "gt", "gte"):
		return some(naiveCompare(mods, node.Value))
	case mods.has("minute", "hour", "day", "week", "month", "year"):
		return some(func(t *naiveText) bool { return naiveTime(mods, t.raw) == node.Value })
	}
	var values []fieldCheck
	for _, form := range n.forms(field, mods, node) {
		if mods.has("cidr") {
			values = append(values, some(naiveNetwork(form)))
		} else {
			values = append(values, some(form.like(mods.has("cased"))))
		}
	}
	if (node.Tag == "!!int" || node.Tag == "!!float") && !mods.has("contains", "startswith", "endswith") && field != "" {
		values = append(values, some(naiveNumber(node.Value)))
	}
	return anyValue(values)
}

// naiveNumber is equality by value with the event's numbers, and with texts that
// write the value in decimal digits.
func naiveNumber(literal string) func(*naiveText) bool {
	want, _ := new(big.Rat).SetString(literal)
	return func(t *naiveText) bool {
		if want == nil {
			return false
		}
		if t.value.Kind() != event.Number {
			digits, exact := want.FloatPrec()
			return exact && t.raw == want.FloatString(digits)
		}
		x, ok := new(big.Rat).SetString(t.raw)
		return ok && x.Cmp(want) == 0
	}
}

// naiveCompare compares with numbers, and with texts that hold one in decimal.
func naiveCompare(mods modifiers, literal string) func(*naiveText) bool {
	decimal := regexp.MustCompile(`^\s*([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)\s*$`)
	want, _ := strconv.ParseFloat(literal, 64)
	return func(t *naiveText) bool {
		written := decimal.FindStringSubmatch(t.raw)
		if written == nil {
			return false
		}
		x, err := strconv.ParseFloat(written[1], 64)
		return err == nil && (mods.has("lt") && x < want || mods.has("lte") && x <= want || mods.has("gt") && x > want || mods.has("gte") && x >= want)
	}
}

func naiveFieldRef(mods modifiers, other int) fieldCheck {
	compare := func(a, b string) bool { return a == b }
	switch {
	case mods.has("contains"):
		compare = strings.Contains
	case mods.has("startswith"):
		compare = strings.HasPrefix
	case mods.has("endswith"):
		compare = strings.HasSuffix
	}
	return func(ev *naiveEvent, f *naiveField) bool {
		for _, a := range f.texts {
			for _, b := range ev.field(other).texts {
				if mods.has("cased") && compare(a.raw, b.raw) || !mods.has("cased") && compare(a.folded, b.folded) {
					return true
				}
			}
		}
		return false
	}
}

func naiveNetwork(f form) func(*naiveText) bool {
	written := f.plain()
	_, network, err := net.ParseCIDR(written)
	return func(t *naiveText) bool {
		address, _, _ := strings.Cut(t.raw, "%")
		ip := net.ParseIP(address)
		if err != nil {
			return ip.Equal(net.ParseIP(written))
		}
		return ip != nil && network.Contains(ip)
	}
}

func naiveRegex(source string, mods modifiers) func(*naiveText) bool {
	opts := regexp2.None
	if mods.has("i", "ignorecase") {
		opts |= regexp2.IgnoreCase
	}
	if mods.has("m", "multiline") {
		opts |= regexp2.Multiline
	}
	if mods.has("s", "dotall") {
		opts |= regexp2.Singleline
	}
	re := regexp2.MustCompile(source, opts)
	return func(t *naiveText) bool {
		text := t.raw
		if opts&regexp2.IgnoreCase != 0 {
			text = t.folded // regexp2 knows of lower case only, of which ſ and ς have another
		}
		ok, err := re.MatchString(text)
		return ok && err == nil
	}
}

func naiveTime(mods modifiers, s string) string {
	s = strings.Replace(s, " ", "T", 1)
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		_, week := t.ISOWeek()
		return strconv.Itoa(map[string]int{"minute": t.Minute(), "hour": t.Hour(), "day": t.Day(), "week": week, "month": int(t.Month()), "year": t.Year()}[mods[0]])
	}
	return ""
}

// like is whether a whole text has the form; unless cased, letters are compared
// by simple folding. A form without wildcards but at its ends needs no regular
// expression.
func (f form) like(cased bool) func(*naiveText) bool {
	of := func(t *naiveText) string { return t.folded }
	fold := naiveFold
	if cased {
		of = func(t *naiveText) string { return t.raw }
		fold = func(s string) string { return s }
	}
	inner := f
	for len(inner) > 0 && inner[0] == "*" {
		inner = inner[1:]
	}
	before := len(inner) < len(f)
	for len(inner) > 0 && inner[len(inner)-1] == "*" {
		inner = inner[:len(inner)-1]
	}
	after := len(f) > 0 && f[len(f)-1] == "*"
	if len(inner) == 0 {
		return func(t *naiveText) bool { return before || t.raw == "" }
	}
	if len(inner) > 1 || inner[0][0] != '=' {
		return f.expression(of, fold)
	}
	compare := func(a, b string) bool { return a == b }
	switch {
	case before && after:
		compare = strings.Contains
	case before:
		compare = strings.HasSuffix
	case after:
		compare = strings.HasPrefix
	}
	literal := fold(inner[0][1:])
	return func(t *naiveText) bool { return compare(of(t), literal) }
}

// expression is like for any form. Texts without its literals are not put to
// the regular expression.
func (f form) expression(of func(*naiveText) string, fold func(string) string) func(*naiveText) bool {
	var literals []string
	expr := `(?s)\A`
	for _, part := range f {
		switch part[0] {
		case '*':
			expr += ".*"
		case '?':
			expr += "."
		default:
			literals = append(literals, fold(part[1:]))
			expr += regexp.QuoteMeta(fold(part[1:]))
		}
	}
	re := regexp.MustCompile(expr + `\z`)
	return func(t *naiveText) bool {
		text := of(t)
		for _, l := range literals {
			if !strings.Contains(text, l) {
				return false
			}
		}
		return re.MatchString(text)
	}
}

// naiveFold writes letters that differ by case alone, by Unicode's simple
// folding, in one way: as the least of them that is no ASCII capital.
func naiveFold(s string) string {
	ascii := strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
	if ascii {
		return strings.ToLower(s)
	}
	return strings.Map(func(r rune) rune {
		small := rune(unicode.MaxRune)
		for c := unicode.SimpleFold(r); ; c = unicode.SimpleFold(c) {
			if c < small && (c < 'A' || c > 'Z') {
				small = c
			}
			if c == r {
				return small
			}
		}
	}, s)
}

package sigma

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
)

// generator makes events and then rules about them: a rule's values are pieces
// of the events' texts, changed a little, so that rules match and nearly match.
type generator struct {
	*rapid.T
	pool   map[string][]string // texts of the events by field, under "" all
	hidden map[string][]hidden
}

// hidden is a word that stands encoded in a field of an event.
type hidden struct{ word, order string }

func newGenerator(t *rapid.T) *generator {
	return &generator{T: t, pool: map[string][]string{}, hidden: map[string][]hidden{}}
}

// genFields are the fields of all events, with names that are hard to write.
var genFields = []string{"A", "New Value", "d.e.f", "@g"}

// genPlaceholders is what "expand" finds.
func genPlaceholders(name string) []string {
	return map[string][]string{"one": {"a"}, "many": {"kB", "b*", `\*`, "?É"}, "nets": {"10.0.0.0/8", "::1"}}[name]
}

func pick[T any](g *generator, from ...T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(g.T, "pick")]
}

// chance is true once in n times.
func (g *generator) chance(n int) bool { return rapid.IntRange(0, n-1).Draw(g.T, "chance") == n-1 }

// text keeps to few letters, among them those that fold in unexpected ways, or
// to even fewer: those that mean something to Sigma, or two that come again and
// again.
func (g *generator) text() string {
	letters, most := "aAbBkKsSéÉßẞσΣςıİiſ\u212A中- /–\\*?%1.\n", 8
	switch {
	case g.chance(3):
		letters, most = `aB\\*?-/`, 5
	case g.chance(4):
		letters = "ab"
	}
	return rapid.StringOfN(rapid.SampledFrom([]rune(letters)), 0, most, -1).Draw(g.T, "text")
}

// long is a text of words that others have as well, hundreds of bytes of them at
// times.
func (g *generator) long() (out string) {
	for range rapid.IntRange(2, pick(g, 6, 6, 6, 14, 14, 14, 14, 60)).Draw(g.T, "words") {
		out += pick(g, "powershell", "System32", `\`, " -enc ", "http://", ".exe", "KERNEL", "sſßẞK", "%one%", g.text())
	}
	return out
}

// encodedWords are hidden in events in Base64 and looked for by rules.
var encodedWords = []string{"ab", "kÉ中", "a*?1"}

func (g *generator) encoded(field string) string {
	h := hidden{pick(g, encodedWords...), pick(g, "", "le", "be", "bom")}
	g.hidden[field] = append(g.hidden[field], h)
	plain := h.word
	if g.chance(3) {
		plain = pick(g, "", "x", "yz") + plain + pick(g, "", "!")
	}
	if h.order != "" {
		plain = g.wide(plain, h.order)
	}
	return pick(g, "", "", "=") + base64.StdEncoding.EncodeToString([]byte(plain)) + pick(g, "", "", "=")
}

// wide is UTF-16 in an order of its bytes.
func (g *generator) wide(s, order string) (out string) {
	if order == "bom" {
		out = "\xff\xfe"
	}
	for _, u := range utf16.Encode([]rune(s)) {
		pair := []byte{byte(u), byte(u >> 8)}
		if order == "be" {
			slices.Reverse(pair)
		}
		out += string(pair)
	}
	return out
}

func (g *generator) number() string {
	return pick(g, "0", "1", "11", "25", "-1", "1.0", "1e1", "2.5", "2.50", "0.10", "18446744073709551615", "100000000000000000000", "1e20", "-0")
}

func (g *generator) eventValue(field string) any {
	switch rapid.IntRange(0, 21).Draw(g.T, "kind") {
	case 0:
		return nil
	case 1:
		return json.Number(g.number())
	case 2:
		return g.chance(2)
	case 3, 4:
		list := make([]any, rapid.IntRange(0, 3).Draw(g.T, "len"))
		for i := range list {
			list[i] = pick[any](g, g.text(), g.text(), json.Number(g.number()), nil, "")
		}
		return list
	case 5, 12:
		return pick(g, "2024-05-06T03:05:59Z", "2024-05-06 03:00:00", "2024-12-30", "2025-01-01T23:59+08:00", "2024-05-06T03:05:59.123456Z", "2024-13-01", "03:05")
	case 6, 7:
		return pick(g, "10.1.2.3", "10.1.2.2", "::", "10.255.0.1", "11.0.0.1", "::1", "FE80::1", "fe80::1%eth0", "::ffff:10.1.2.3", "2001:DB8::5", "10.1.2", "10.1.2.3:80", "010.1.2.3", "10.0.0.0/8", "0:0::0:1")
	case 8, 9, 13:
		return g.encoded(field)
	case 10:
		return g.wide(pick(g, "ab", "xaBy", "-a"), pick(g, "le", "be"))
	case 11:
		return pick(g, "true", "True", "null", "", " ", "1", "1.0", "01", "1E1", " 2 ", "-1", "1e400", "0x10", "Infinity", "1_1", "%one%", "x%one%", "%one%", `C:\aB`, `\a\`, "中İ", "ẞ\nı", "a\nb", "1\n", "é\n1\n", "a1\n\n")
	case 14, 15, 16:
		return g.long()
	case 17:
		return g.number()
	default:
		return g.text()
	}
}

func (g *generator) event() *fakeEvent {
	e := &fakeEvent{fields: map[string]any{}, source: event.Logsource{Product: "windows"}}
	for _, f := range genFields {
		if g.chance(6) {
			continue
		}
		v := g.eventValue(f)
		if before := g.pool[""]; len(before) > 0 && g.chance(5) {
			v = g.recased(pick(g, before[max(0, len(before)-3):]...))
		}
		e.fields[f] = v
		fakeValue(v).Each(func(x event.Value) bool {
			g.pool[f] = append(g.pool[f], x.Text())
			g.pool[""] = append(g.pool[""], x.Text())
			return true
		})
	}
	return e
}

// decoded is the same event read from JSON, with names that have dots written
// as objects or as they are.
func (g *generator) decoded(e *fakeEvent) *event.Event {
	fields := map[string]any{}
	for name, v := range e.fields {
		if parts := strings.Split(name, "."); len(parts) > 1 && g.chance(2) {
			for len(parts) > 1 {
				v = map[string]any{parts[len(parts)-1]: v}
				parts = parts[:len(parts)-1]
			}
			name = parts[0]
		}
		fields[name] = v
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		g.Fatal(err)
	}
	ev, err := event.Decode(raw, event.Limits{})
	if err != nil {
		g.Fatal(err)
	}
	return ev
}

// piece is a part of a text that some event has in a field, from its beginning or
// end where the modifier says so, or another text.
func (g *generator) piece(field, anchor string) string {
	if len(g.pool[field]) == 0 || g.chance(6) {
		return g.text()
	}
	s := []rune(pick(g, g.pool[field]...))
	from, to := 0, len(s)
	if anchor == "contains" || anchor == "endswith" {
		from = rapid.IntRange(0, to).Draw(g.T, "from")
	}
	if anchor == "contains" || anchor == "startswith" {
		to = rapid.IntRange(from, min(to, from+pick(g, 6, 24, 90))).Draw(g.T, "to")
	}
	return string(s[from:to])
}

// recased is a text with some of its letters in another case, a little longer at
// times.
func (g *generator) recased(s string) string {
	out := []rune(s)
	for i := range out {
		if g.chance(3) {
			out[i] = unicode.SimpleFold(out[i])
		}
	}
	return pick(g, "", "", "a") + string(out) + pick(g, "", "", "a")
}

// value is a piece as Sigma writes it: in other cases, with wildcards for some
// of its characters, with what means itself escaped where it must be and
// sometimes where it need not.
func (g *generator) value(field, anchor string) string {
	var b strings.Builder
	runes := []rune(g.piece(field, anchor))
	recase, wild := g.chance(2), len(runes) < 30 && g.chance(3)
	for i, r := range runes {
		if recase && g.chance(2) {
			r = unicode.SimpleFold(r)
		}
		switch {
		case wild && g.chance(4):
			b.WriteString(pick(g, "?", "*", "*", "?*"))
			if g.chance(3) { // more than there is
				b.WriteString(string(runes[max(0, i-1)]))
			}
		case r == '*' || r == '?':
			b.WriteString(`\` + string(r))
		case r == '\\' && (g.chance(4) || i+1 == len(runes) || strings.ContainsRune(`*?\`, runes[i+1]) || wild):
			b.WriteString(`\\`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// quoted writes a text for YAML, which reads JSON's strings.
func quoted(s string) string {
	out, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(out)
}

// list writes one value, or a list of them.
func (g *generator) list(value func() string) string {
	n := rapid.IntRange(1, 3).Draw(g.T, "values")
	if n == 1 && g.chance(2) {
		return value()
	}
	out := make([]string, n)
	for i := range out {
		out[i] = value()
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (g *generator) plain(field string) string {
	return g.list(func() string {
		return pick(g, "null", "''", "'*'", "true", "false", g.number(), g.number(), g.number(), quoted(g.value(field, "")))
	})
}

// encodings are chains that look for words, by how these are hidden.
var encodings = map[string][]string{
	"":    {"base64", "base64|contains", "base64offset|contains", "base64offset|startswith", "base64offset"},
	"le":  {"wide|base64offset|contains", "utf16le|base64|contains", "wide|base64", "wide|base64", "utf16le|base64offset|contains"},
	"be":  {"utf16be|base64offset|contains", "utf16be|base64"},
	"bom": {"utf16|base64offset|contains", "utf16|base64|startswith", "utf16|base64"},
}

func (g *generator) decoding(field string) (mods, word string) {
	h := hidden{pick(g, encodedWords...), pick(g, "", "le", "be", "bom")}
	if known := g.hidden[field]; len(known) > 0 && !g.chance(4) {
		h = pick(g, known...)
	}
	mods = pick(g, encodings[h.order]...)
	if field == "" {
		mods = strings.TrimSuffix(mods, "|startswith")
	}
	return mods, strings.NewReplacer("*", `\*`, "?", `\?`).Replace(h.word)
}

// timeParts are numbers that times of the events have, and others.
var timeParts = map[string][]string{
	"minute": {"5", "0", "59"}, "hour": {"3", "0", "23"}, "day": {"6", "30", "1", "31"}, "week": {"19", "1", "2"}, "month": {"5", "12", "1"}, "year": {"2024", "2025"},
}

var regexes = []string{
	"a+", "^b", "é$", "a.b", `\d$`, "[ab]{2}", "(a|B)-", "(?i)k", "a(?!b)", "^$", `\\`, `\*`, "^a$", "s", `^\S+$`, `([aB1])\1`, "σ|ab", "1$|^k", `a\n`, "(?<=k)a", `1$\s`, "(System32)?a", "a(ſk)*K",
}

// item is a field with modifiers and values. Without a field it is a keyword.
func (g *generator) item(field string) string {
	key := func(mods ...string) string {
		mods = slices.DeleteFunc(mods, func(m string) bool { return m == "" })
		return quoted(strings.Join(append([]string{field}, mods...), "|")) + ": "
	}
	not := pick(g, "", "", "", "neq")
	switch kind := rapid.IntRange(0, 17).Draw(g.T, "item"); {
	case kind == 0 && field != "":
		return key(not) + g.plain(field)
	case kind == 1 && field != "":
		return key("exists") + pick(g, "true", "false")
	case kind == 2 && field != "":
		return key(pick(g, "lt", "lte", "gt", "gte")) + g.list(func() string { return pick(g, "0", "1", "2.5", "-1", "11", "1e19", "'1'") })
	case kind == 3:
		return key("re", pick(g, "", "i", "m", "s"), pick(g, "", "", "all"), not) + g.list(func() string { return quoted(pick(g, regexes...)) })
	case kind == 4:
		return key("cidr", not) + g.list(func() string {
			return quoted(pick(g, "10.0.0.0/8", "10.1.2.0/24", "10.1.2.3/32", "10.1.2.3", "::/0", "fe80::/10", "::1", "::1/128", "0.0.0.0/0", "::ffff:10.0.0.0/104", "2001:db8::/32"))
		})
	case kind == 5 && field != "":
		how := pick(g, []string{"fieldref"}, []string{"fieldref", "contains"}, []string{"fieldref", "startswith"}, []string{"endswith", "fieldref"})
		return key(append(how, pick(g, "", "", "cased"), not)...) + quoted(pick(g, genFields...))
	case (kind == 6 || kind == 12) && field != "":
		part := pick(g, "minute", "hour", "day", "week", "month", "year")
		return key(part) + g.list(func() string { return pick(g, timeParts[part]...) })
	case kind == 7 && g.chance(5):
		return key(pick(g, "wide|contains", "contains|utf16be", "utf16le", "wide|windash|contains"), pick(g, "", "cased")) + g.list(func() string { return pick(g, "ab", "-a", "B") })
	case kind == 7 || kind == 13:
		mods, word := g.decoding(field)
		return key(mods, pick(g, "", "", "cased")) + pick(g, quoted(word), "["+quoted(word)+", other]")
	case kind == 8:
		return key("expand", g.anchor(field), pick(g, "", "cased"), not) + g.list(func() string {
			return quoted(pick(g, "%one%", "%many%", "x%one%", "%many%%one%", `\%one%`, `\%one%`, `\%one%`, "%", "*%many%", "%none"))
		})
	case kind == 9:
		return key("expand", "cidr") + quoted("%nets%")
	case kind == 10 || kind == 11:
		anchor := g.anchor(field)
		mods := []string{anchor, "windash"}
		if g.chance(2) {
			slices.Reverse(mods)
		}
		return key(append(mods, pick(g, "", "all"), not)...) + g.list(func() string {
			return quoted(strings.NewReplacer("-", pick(g, "-", "/"), "/", pick(g, "-", "/"), "–", pick(g, "-", "/")).Replace(g.value(field, anchor)))
		})
	default:
		anchor := g.anchor(field)
		return key(anchor, pick(g, "", "", "cased"), pick(g, "", "", "all"), not) + g.list(func() string { return quoted(g.value(field, anchor)) })
	}
}

func (g *generator) anchor(field string) string {
	if field == "" {
		return "contains"
	}
	return pick(g, "", "contains", "contains", "startswith", "endswith")
}

// selection is a mapping, a list of mappings and keywords, or keywords.
func (g *generator) selection() string {
	keyword := func() string { return quoted("a" + g.value("", "contains")) }
	mapping := func() string {
		items := map[string]string{}
		for range rapid.IntRange(1, 3).Draw(g.T, "items") {
			item := g.item(pick(g, genFields...))
			items[strings.SplitN(item, ": ", 2)[0]] = item
		}
		sorted := make([]string, 0, len(items))
		for _, key := range slices.Sorted(maps.Keys(items)) {
			sorted = append(sorted, items[key])
		}
		return "{" + strings.Join(sorted, ", ") + "}"
	}
	switch rapid.IntRange(0, 9).Draw(g.T, "selection") {
	case 0:
		return g.list(keyword)
	case 1:
		return "{" + g.item("") + "}"
	case 2:
		return "[" + mapping() + ", " + mapping() + "]"
	case 3:
		return "[" + mapping() + ", " + keyword() + "]"
	default:
		return mapping()
	}
}

// condition is an expression over the selections of rule.
func (g *generator) condition(depth int) string {
	if depth == 0 || g.chance(3) {
		return pick(g, "sel_1", "sel_12", "filter_1_sel_x", "_own", "sel_1", "1 of sel_*", "any of sel_*", "all of sel_*", "1 of *_x", "all of s*_*2",
			"all of *_1", "1 of sel_1", "1 of *_1_*", "1 of them", "all of them", "1 of f*", "all of *")
	}
	a, b := g.condition(depth-1), g.condition(depth-1)
	switch rapid.IntRange(0, 6).Draw(g.T, "operator") {
	case 0:
		return a + " and " + b
	case 1:
		return a + " or " + b
	case 2:
		return "not " + a
	case 3:
		return "not (" + a + " or " + b + ")"
	case 4:
		return "(" + a + ") AND NOT " + b
	case 5:
		return a + " and not (" + b + ")"
	default:
		return "not not " + a + " or " + b
	}
}

func (g *generator) rule() string {
	condition := g.condition(2)
	if g.chance(8) {
		condition = "[" + condition + ", " + g.condition(1) + "]"
	}
	return ruleText(fmt.Sprintf("sel_1: %s\nsel_12: %s\nfilter_1_sel_x: %s\n_own: %s\ncondition: %s",
		g.selection(), g.selection(), g.selection(), g.selection(), condition))
}

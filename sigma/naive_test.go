package sigma

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dlclark/regexp2"
	"go.yaml.in/yaml/v3"

	"github.com/aspis-platform/aspis/event"
)

// naive evaluates a rule straight from its YAML, slowly and with none of the
// package's code: wildcards become regular expressions, conditions are
// evaluated while they are read. It knows valid rules only.
type naive struct {
	selections map[string]*yaml.Node
	order      []string
	conditions []string
	patterns   map[string]*regexp.Regexp
	expand     func(string) []string
}

func newNaive(src []byte, expand func(string) []string) (*naive, error) {
	var doc struct{ Detection yaml.Node }
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, err
	}
	n := &naive{selections: map[string]*yaml.Node{}, patterns: map[string]*regexp.Regexp{}, expand: expand}
	d := doc.Detection
	for i := 0; i < len(d.Content); i += 2 {
		name, v := d.Content[i].Value, d.Content[i+1]
		if name != "condition" {
			n.selections[name] = v
			n.order = append(n.order, name)
			continue
		}
		if v.Kind == yaml.SequenceNode {
			for _, c := range v.Content {
				n.conditions = append(n.conditions, c.Value)
			}
		} else {
			n.conditions = []string{v.Value}
		}
	}
	return n, nil
}

func (n *naive) matches(ev Event) bool {
	for _, c := range n.conditions {
		for _, p := range []string{"(", ")"} {
			c = strings.ReplaceAll(c, p, " "+p+" ")
		}
		tokens := strings.Fields(c)
		if n.or(&tokens, ev) {
			return true
		}
	}
	return false
}

func next(tokens *[]string, want string) bool {
	if len(*tokens) > 0 && strings.EqualFold((*tokens)[0], want) {
		*tokens = (*tokens)[1:]
		return true
	}
	return false
}

func (n *naive) or(t *[]string, ev Event) bool {
	v := n.and(t, ev)
	for next(t, "or") {
		w := n.and(t, ev)
		v = v || w
	}
	return v
}

func (n *naive) and(t *[]string, ev Event) bool {
	v := n.not(t, ev)
	for next(t, "and") {
		w := n.not(t, ev)
		v = v && w
	}
	return v
}

func (n *naive) not(t *[]string, ev Event) bool {
	if next(t, "not") {
		return !n.not(t, ev)
	}
	if next(t, "(") {
		v := n.or(t, ev)
		next(t, ")")
		return v
	}
	word := (*t)[0]
	*t = (*t)[1:]
	if !next(t, "of") {
		return n.selection(n.selections[word], ev)
	}
	pattern := (*t)[0]
	*t = (*t)[1:]
	if pattern == "them" {
		pattern = "*"
	}
	re := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
	any, all := false, true
	for _, name := range n.order {
		if re.MatchString(name) && !strings.HasPrefix(name, "_") {
			v := n.selection(n.selections[name], ev)
			any, all = any || v, all && v
		}
	}
	if word == "all" {
		return all
	}
	return any
}

func (n *naive) selection(s *yaml.Node, ev Event) bool {
	switch s.Kind {
	case yaml.AliasNode:
		return n.selection(s.Alias, ev)
	case yaml.SequenceNode:
		for _, item := range s.Content {
			if n.selection(item, ev) {
				return true
			}
		}
		return false
	case yaml.MappingNode:
		for i := 0; i < len(s.Content); i += 2 {
			if !n.item(s.Content[i].Value, s.Content[i+1], ev) {
				return false
			}
		}
		return true
	default:
		return n.item("", s, ev)
	}
}

func (n *naive) item(key string, v *yaml.Node, ev Event) bool {
	parts := strings.Split(key, "|")
	field, mods := parts[0], parts[1:]
	nodes := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		nodes = v.Content
	}
	has := func(m string) bool {
		for _, x := range mods {
			if x == m {
				return true
			}
		}
		return false
	}
	any, all := false, true
	for _, node := range nodes {
		ok := n.value(field, mods, has, node, ev)
		any, all = any || ok, all && ok
	}
	result := any
	if has("all") {
		result = all
	}
	return result != has("neq")
}

// leaves lists the scalar values of a field, or of the event for keywords.
func leaves(field string, ev Event) (out []event.Value, present, null bool) {
	if field == "" {
		ev.EachText(func(_, s string) bool { out = append(out, event.StringValue(s)); return true })
		return out, true, false
	}
	v, ok := ev.Field(field)
	if !ok {
		return nil, false, true
	}
	null = v.Kind() == event.Null
	var walk func(event.Value) bool
	walk = func(x event.Value) bool {
		switch x.Kind() {
		case event.Null:
			null = true
		case event.List:
			x.Each(walk)
		default:
			out = append(out, x)
		}
		return true
	}
	walk(v)
	return out, true, null || len(out) == 0
}

func (n *naive) value(field string, mods []string, has func(string) bool, node *yaml.Node, ev Event) bool {
	vals, present, null := leaves(field, ev)
	some := func(f func(event.Value) bool) bool {
		for _, v := range vals {
			if f(v) {
				return true
			}
		}
		return false
	}
	switch {
	case node.Tag == "!!null":
		return null
	case has("exists"):
		return present == (node.Value == "true")
	case has("fieldref"):
		others, _, _ := leaves(node.Value, ev)
		return some(func(a event.Value) bool {
			for _, b := range others {
				if n.like(has("cased"), a.Text(), anchored(has, regexp.QuoteMeta(b.Text()))) {
					return true
				}
			}
			return false
		})
	case has("re"):
		return some(func(v event.Value) bool { return naiveRegex(node.Value, has, v.Text()) })
	case has("cidr"):
		_, network, err := net.ParseCIDR(node.Value)
		if err != nil {
			return some(func(v event.Value) bool { return net.ParseIP(node.Value).Equal(net.ParseIP(v.Text())) })
		}
		return some(func(v event.Value) bool {
			ip := net.ParseIP(strings.Split(v.Text(), "%")[0])
			return ip != nil && network.Contains(ip)
		})
	case has("lt"), has("lte"), has("gt"), has("gte"):
		want, _ := strconv.ParseFloat(node.Value, 64)
		return some(func(v event.Value) bool {
			x, ok := v.Number()
			return ok && (has("lt") && x < want || has("lte") && x <= want || has("gt") && x > want || has("gte") && x >= want)
		})
	}
	for _, unit := range []string{"minute", "hour", "day", "week", "month", "year"} {
		if has(unit) {
			return some(func(v event.Value) bool { return naiveTime(unit, v.Text()) == node.Value })
		}
	}
	for _, expr := range n.expressions(field, mods, node) {
		if some(func(v event.Value) bool { return n.like(has("cased"), v.Text(), expr) }) {
			return true
		}
	}
	if (node.Tag == "!!int" || node.Tag == "!!float") && !has("contains") && !has("startswith") && !has("endswith") && field != "" {
		want, _ := new(big.Float).SetPrec(200).SetString(node.Value)
		return some(func(v event.Value) bool {
			x, ok := new(big.Float).SetPrec(200).SetString(v.Text())
			return v.Kind() == event.Number && ok && want != nil && x.Cmp(want) == 0
		})
	}
	return false
}

// anchored puts the wildcards of contains, startswith and endswith around an
// expression.
func anchored(has func(string) bool, expr string) string {
	if has("contains") || has("endswith") {
		expr = ".*" + expr
	}
	if has("contains") || has("startswith") {
		expr += ".*"
	}
	return expr
}

// expressions applies the modifiers in order to one value written with
// wildcards, whose literal bytes are private-use characters' opposites: text is
// kept as tokens, "*" and "?" apart from literals.
func (n *naive) expressions(field string, mods []string, node *yaml.Node) []string {
	variants := [][]string{tokens(node.Value)}
	if node.Tag != "!!str" && node.Tag != "!!timestamp" {
		variants = [][]string{{"=" + node.Value}}
	}
	for _, m := range mods {
		var out [][]string
		for _, v := range variants {
			out = append(out, n.modified(m, v)...)
		}
		variants = out
	}
	exprs := make([]string, len(variants))
	for i, v := range variants {
		if field == "" {
			v = append(append([]string{"*"}, v...), "*")
		}
		for _, token := range v {
			switch token[0] {
			case '*':
				exprs[i] += ".*"
			case '?':
				exprs[i] += "."
			default:
				exprs[i] += regexp.QuoteMeta(token[1:])
			}
		}
	}
	return exprs
}

// tokens splits a Sigma string into "*", "?" and "=literal".
func tokens(s string) []string {
	var out []string
	lit := ""
	flush := func() {
		if lit != "" {
			out = append(out, "="+lit)
		}
		lit = ""
	}
	for s != "" {
		switch {
		case strings.HasPrefix(s, `\*`), strings.HasPrefix(s, `\?`), strings.HasPrefix(s, `\\`):
			lit += s[1:2]
			s = s[2:]
		case s[0] == '*', s[0] == '?':
			flush()
			out = append(out, s[:1])
			s = s[1:]
		default:
			lit += s[:1]
			s = s[1:]
		}
	}
	flush()
	return out
}

func (n *naive) modified(mod string, v []string) [][]string {
	plain := strings.TrimPrefix(strings.Join(v, ""), "=")
	switch mod {
	case "contains":
		return [][]string{append(append([]string{"*"}, v...), "*")}
	case "startswith":
		return [][]string{append(append([]string{}, v...), "*")}
	case "endswith":
		return [][]string{append([]string{"*"}, v...)}
	case "windash":
		return naiveWindash(v)
	case "base64":
		return [][]string{{"=" + base64.StdEncoding.EncodeToString([]byte(plain))}}
	case "base64offset":
		return naiveOffsets(plain)
	case "wide", "utf16le", "utf16be", "utf16":
		return [][]string{{"=" + naiveUTF16(mod, plain)}}
	case "expand":
		return n.naiveExpand(v)
	default:
		return [][]string{v}
	}
}

func naiveUTF16(mod, s string) string {
	out := ""
	if mod == "utf16" {
		out = "\xff\xfe"
	}
	for _, u := range utf16.Encode([]rune(s)) {
		low, high := string([]byte{byte(u)}), string([]byte{byte(u >> 8)})
		if mod == "utf16be" {
			out += high + low
		} else {
			out += low + high
		}
	}
	return out
}

// naiveOffsets encodes after 0, 1 and 2 unknown bytes and keeps what does not
// depend on them nor on what follows, found by trying.
func naiveOffsets(s string) [][]string {
	var out [][]string
	for shift := range 3 {
		a := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + s + "\x00\x00\x00"))
		b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xff", shift) + s + "\xff\xff\xff"))
		same := ""
		for i := range a {
			if a[i] == b[i] {
				same += a[i : i+1]
			} else if same != "" {
				break
			}
		}
		out = append(out, []string{"=" + same})
	}
	return out
}

func naiveWindash(v []string) [][]string {
	out := [][]string{{}}
	re := regexp2.MustCompile(`(?<!\w)[-/](?=\w)`, regexp2.None)
	for _, token := range v {
		choices := []string{token}
		if token[0] == '=' {
			choices = []string{""}
			rest := []rune(token[1:])
			m, _ := re.FindRunesMatch(rest)
			at := 0
			for m != nil {
				var grown []string
				for _, c := range choices {
					for _, d := range []string{"-", "/", "\u2013", "\u2014", "\u2015"} {
						grown = append(grown, c+string(rest[at:m.Index])+d)
					}
				}
				choices, at = grown, m.Index+1
				m, _ = re.FindNextMatch(m)
			}
			for i := range choices {
				choices[i] = "=" + choices[i] + string(rest[at:])
			}
		}
		var grown [][]string
		for _, head := range out {
			for _, c := range choices {
				grown = append(grown, append(append([]string{}, head...), c))
			}
		}
		out = grown
	}
	return out
}

var namePattern = regexp.MustCompile(`%(\w+)%`)

func (n *naive) naiveExpand(v []string) [][]string {
	for i, token := range v {
		if token[0] != '=' {
			continue
		}
		at := namePattern.FindStringSubmatchIndex(token)
		if at == nil {
			continue
		}
		var out [][]string
		for _, value := range n.expand(token[at[2]:at[3]]) {
			w := append([]string{}, v[:i]...)
			w = append(w, token[:at[0]])
			w = append(w, tokens(value)...)
			w = append(w, "="+token[at[1]:])
			out = append(out, n.naiveExpand(append(w, v[i+1:]...))...)
		}
		return out
	}
	return [][]string{v}
}

// like matches the whole text; everything else ignores case as Go's regular
// expressions do, by simple folding.
func (n *naive) like(cased bool, s, expr string) bool {
	flags := "(?is)"
	if cased {
		flags = "(?s)"
	}
	full := flags + `\A(?:` + expr + `)\z`
	re, ok := n.patterns[full]
	if !ok {
		re = regexp.MustCompile(full)
		n.patterns[full] = re
	}
	return re.MatchString(s)
}

func naiveRegex(source string, has func(string) bool, s string) bool {
	opts := regexp2.None
	if has("i") {
		opts |= regexp2.IgnoreCase
	}
	if has("m") {
		opts |= regexp2.Multiline
	}
	if has("s") {
		opts |= regexp2.Singleline
	}
	ok, err := regexp2.MustCompile(source, opts).MatchString(s)
	return ok && err == nil
}

func naiveTime(unit, s string) string {
	s = strings.Replace(s, " ", "T", 1)
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		_, week := t.ISOWeek()
		return fmt.Sprint(map[string]int{"minute": t.Minute(), "hour": t.Hour(), "day": t.Day(), "week": week, "month": int(t.Month()), "year": t.Year()}[unit])
	}
	return ""
}

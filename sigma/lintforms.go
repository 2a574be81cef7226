package sigma

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// value looks at one value of an item, whatever the log source.
func (g *linting) value(it *item, written string, group []*pred) {
	for _, check := range [...]func(*item, string, []*pred) (Check, string){
		emptyText, oppositeStar, idleWindash, pieceOfBase64, zeroBytes, itself, impossibleRegex,
	} {
		if name, message := check(it, written, group); name != "" {
			g.warn(name, it.line, "field %q: %s", it.field, message)
		}
	}
}

func (it *item) has(modifiers ...string) bool {
	return slices.ContainsFunc(it.modifiers, func(m string) bool { return slices.Contains(modifiers, m) })
}

// emptyText: every text contains the empty one.
func emptyText(it *item, written string, _ []*pred) (Check, string) {
	if written == "" && it.has("contains", "startswith", "endswith") {
		return AlwaysTrue, "every text contains the empty text"
	}
	return "", ""
}

// oppositeStar: a star where the value is said to begin or end undoes it.
func oppositeStar(it *item, written string, group []*pred) (Check, string) {
	if it.has("re", "fieldref") || len(group) == 0 {
		return "", ""
	}
	p := parsePattern(written)
	if len(p) < 2 {
		return "", ""
	}
	switch {
	case it.has("startswith") && p[0].kind == star:
		return IdleModifier, `"startswith" of a value that begins with * is "contains"`
	case it.has("endswith") && p[len(p)-1].kind == star:
		return IdleModifier, `"endswith" of a value that ends with * is "contains"`
	}
	return "", ""
}

// idleWindash: there is no dash to replace.
func idleWindash(it *item, _ string, group []*pred) (Check, string) {
	if it.has("windash") && len(group) == 1 && len(it.groups) == 1 {
		return IdleModifier, `"windash" finds no dash before an option to replace`
	}
	return "", ""
}

// pieceOfBase64: what base64offset makes is a piece of the encoded text.
func pieceOfBase64(it *item, _ string, _ []*pred) (Check, string) {
	if it.has("base64offset") && !it.has("contains") && it.field != "" {
		return Unmatchable, `what "base64offset" makes stands inside an encoded text: add "contains"`
	}
	return "", ""
}

// zeroBytes: UTF-16 of plain letters has bytes of zero, which events write as
// text only after Base64.
func zeroBytes(it *item, _ string, group []*pred) (Check, string) {
	zero := func(p *pred) bool { return strings.ContainsRune(p.lit, 0) && p.kind != predRegex }
	if it.has("utf16", "utf16le", "utf16be", "wide") && slices.ContainsFunc(group, zero) {
		return Unmatchable, "UTF-16 has bytes that no text of an event has: add base64 or base64offset"
	}
	return "", ""
}

// itself: a field that is compared with itself.
func itself(it *item, _ string, group []*pred) (Check, string) {
	if slices.ContainsFunc(group, func(p *pred) bool { return p.kind == predFieldRef && p.lit == p.field }) {
		return AlwaysTrue, "a field always relates to itself"
	}
	return "", ""
}

// impossibleRegex: text before the beginning of the text, or after its end.
func impossibleRegex(_ *item, written string, group []*pred) (Check, string) {
	for _, p := range group {
		if p.kind != predRegex {
			continue
		}
		flags, source, _ := strings.Cut(p.lit, "/")
		if flags != "" {
			source = "(?" + flags + ")" + source
		}
		tree, err := syntax.Parse(source, syntax.Perl)
		if err == nil && impossible(tree) {
			return Unmatchable, "the expression " + short(written) + " asks for text before its beginning or after its end"
		}
	}
	return "", ""
}

// impossible reports whether no text matches an expression.
func impossible(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpNoMatch:
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return impossible(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min > 0 && impossible(re.Sub[0])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(s *syntax.Regexp) bool { return !impossible(s) })
	case syntax.OpConcat:
	default:
		return false
	}
	text := false // before this place there is text in any case
	ended := false
	for _, sub := range re.Sub {
		switch {
		case impossible(sub), text && first(sub).Op == syntax.OpBeginText, ended && beyondEnd(first(sub)):
			return true
		}
		text = text || least(sub) > 0
		ended = ended || last(sub).Op == syntax.OpEndText
	}
	return false
}

// beyondEnd reports whether an expression cannot follow "$", which also stands
// before a last line's end.
func beyondEnd(re *syntax.Regexp) bool {
	return re.Op == syntax.OpLiteral && re.Rune[0] != '\n' || re.Op == syntax.OpPlus && beyondEnd(first(re.Sub[0]))
}

// first is what an expression begins with, in any case.
func first(re *syntax.Regexp) *syntax.Regexp {
	for re.Op == syntax.OpCapture || re.Op == syntax.OpConcat && len(re.Sub) > 0 {
		re = re.Sub[0]
	}
	return re
}

// last is what an expression ends with, in any case.
func last(re *syntax.Regexp) *syntax.Regexp {
	for re.Op == syntax.OpCapture || re.Op == syntax.OpConcat && len(re.Sub) > 0 {
		re = re.Sub[len(re.Sub)-1]
	}
	return re
}

// least is the least number of characters that an expression takes.
func least(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return least(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * least(re.Sub[0])
	case syntax.OpConcat:
		sum := 0
		for _, sub := range re.Sub {
			sum += least(sub)
		}
		return sum
	case syntax.OpAlternate:
		fewest := least(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			fewest = min(fewest, least(sub))
		}
		return fewest
	default:
		return 0
	}
}

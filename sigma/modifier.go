package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// comparison is what an item does with its values once the modifiers that
// change the values have been applied.
type comparison uint8

const (
	byPattern comparison = iota
	byRegex
	byCIDR
	byNumber
	byExists
	byField
	byTime
)

// chain applies the modifiers of one item, in the order given, to its values.
type chain struct {
	field        string // "" for keywords
	groups       [][]value
	how          comparison
	op           uint8 // of byNumber, byTime
	least, most  int   // of byTime
	all, neg     bool
	cased        bool
	starts, ends bool // byField: anchored; both: contained
	anchored     bool // contains, startswith or endswith was applied
	changed      bool // some modifier changed the values
	flags        []string
	placeholders func(string) []string
	left         *allowance // of the rule
}

// apply applies one modifier.
func (c *chain) apply(name string) error {
	switch name {
	case "all":
		c.all = true
	case "neq":
		c.neg = true
	case "cased":
		c.cased = true
	case "contains", "startswith", "endswith":
		return c.anchor(name)
	case "windash", "base64", "base64offset", "utf16", "utf16le", "utf16be", "wide", "expand":
		return c.transform(name)
	case "i", "m", "s", "ignorecase", "multiline", "dotall":
		if c.how != byRegex {
			return fmt.Errorf("modifier %q must follow \"re\"", name)
		}
		c.flags = append(c.flags, name)
	default:
		return c.typed(name)
	}
	return nil
}

// typed applies a modifier that changes how the values are compared.
func (c *chain) typed(name string) error {
	var how comparison
	var op uint8
	switch name {
	case "re":
		how = byRegex
	case "cidr":
		how = byCIDR
	case "exists":
		how = byExists
	case "fieldref":
		how = byField
	case "lt", "lte", "gt", "gte":
		how, op = byNumber, uint8(slices.Index([]string{"lt", "lte", "gt", "gte"}, name))
	default:
		part, least, most, ok := timePartByName(name)
		if !ok {
			return fmt.Errorf("unknown modifier %q", name)
		}
		how, op, c.least, c.most = byTime, uint8(part), least, most
	}
	if c.how != byPattern {
		return fmt.Errorf("modifier %q cannot be combined with another comparison", name)
	}
	if c.changed && name != "cidr" || c.anchored && how != byField {
		return fmt.Errorf("modifier %q must come before those that change values", name)
	}
	c.how, c.op = how, op
	return nil
}

// anchor applies contains, startswith or endswith.
func (c *chain) anchor(name string) error {
	before, after := name != "startswith", name != "endswith"
	switch {
	case c.anchored:
		return errors.New("only one of contains, startswith and endswith can be used")
	case c.how == byField:
	case c.how != byPattern:
		return fmt.Errorf("modifier %q applies to text only", name)
	case c.field == "" && name != "contains":
		return fmt.Errorf("modifier %q has no meaning for keywords, which are found anywhere", name)
	}
	c.anchored = true
	c.starts, c.ends = !before, !after
	if c.how == byField {
		return nil
	}
	return c.each(func(v value) ([]value, error) {
		if v.kind == nullValue {
			return nil, fmt.Errorf("modifier %q cannot be applied to null", name)
		}
		v.kind, v.pattern = textValue, v.pattern.withStars(before, after)
		return []value{v}, nil
	})
}

// each replaces every value by those that f makes of it.
func (c *chain) each(f func(value) ([]value, error)) error {
	total := 0
	for i, group := range c.groups {
		var out []value
		for _, v := range group {
			made, err := f(v)
			if err != nil {
				return err
			}
			if out = append(out, made...); len(out) > maxExpansion {
				return fmt.Errorf("one value expands to more than %d", maxExpansion)
			}
		}
		c.groups[i] = out
		if total += len(out); total > c.left.predicates {
			return errPredicates
		}
	}
	return nil
}

var errPredicates = errors.New("the values of the rule expand to more than 200,000")

// transform applies a modifier that makes other texts of the values.
func (c *chain) transform(name string) error {
	if c.how != byPattern {
		return fmt.Errorf("modifier %q applies to text only", name)
	}
	c.changed = true
	return c.each(func(v value) ([]value, error) {
		if v.kind == nullValue {
			return nil, fmt.Errorf("modifier %q cannot be applied to null", name)
		}
		v.kind = textValue
		switch name {
		case "windash":
			return v.windash()
		case "expand":
			return v.expand(c.placeholders)
		case "base64", "base64offset":
			return v.base64(name == "base64offset")
		default:
			return v.utf16(name)
		}
	})
}

func (v value) windash() ([]value, error) {
	out := []value{{kind: textValue, source: v.source, bytes: v.bytes}}
	for _, x := range v.pattern {
		variants := []string{x.text}
		if x.kind == literal {
			var err error
			if variants, err = windashes(x.text); err != nil {
				return nil, err
			}
		}
		if len(out)*len(variants) > maxExpansion {
			return nil, errors.New("windash: too many combinations")
		}
		var next []value
		for _, head := range out {
			for _, s := range variants {
				w := head
				w.pattern = head.pattern.add(part{kind: x.kind, text: s})
				next = append(next, w)
			}
		}
		out = next
	}
	return out, nil
}

func (v value) expand(source func(string) []string) ([]value, error) {
	patterns, err := expandPlaceholders(v.pattern, source)
	if err != nil {
		return nil, err
	}
	out := make([]value, len(patterns))
	for i, p := range patterns {
		out[i] = value{kind: textValue, source: p.String(), pattern: p}
	}
	return out, nil
}

func (v value) utf16(name string) ([]value, error) {
	order := binary.AppendByteOrder(binary.LittleEndian)
	if name == "utf16be" {
		order = binary.BigEndian
	}
	if v.bytes {
		return nil, fmt.Errorf("modifier %q cannot follow another encoding", name)
	}
	v.pattern = v.pattern.mapText(func(s string) string { return encodeUTF16(s, order) })
	v.bytes = true
	if name == "utf16" {
		v.bom = true
		v.pattern = plainPattern("\xff\xfe").join(v.pattern)
	}
	return []value{v}, nil
}

func (v value) base64(offset bool) ([]value, error) {
	data, ok := v.pattern.plain()
	if !ok {
		return nil, errors.New("Base64 of a value with wildcards is not possible")
	}
	if data == "" {
		return nil, errors.New("Base64 of an empty value")
	}
	encoded := []string{base64.StdEncoding.EncodeToString([]byte(data))}
	if offset {
		var err error
		if encoded, err = base64Offsets(data); err != nil {
			return nil, err
		}
	}
	out := make([]value, len(encoded))
	for i, s := range encoded {
		out[i] = value{kind: textValue, source: v.source, pattern: plainPattern(s)}
	}
	return out, nil
}

// preds compiles one value into the predicate it stands for.
func (c *chain) pred(v value) (*pred, error) {
	p := &pred{predKey: predKey{field: c.field, cased: c.cased}}
	if c.cased && c.how != byPattern && c.how != byField {
		return nil, errors.New(`modifier "cased" applies to text only`)
	}
	var err error
	switch c.how {
	case byRegex:
		if err = p.setRegex(v, regexFlags(c.flags)); err != nil {
			return nil, err
		}
		if c.left.regexes -= p.re.size; c.left.regexes < 0 {
			err = errors.New("the regular expressions of the rule are too large together")
		}
	case byCIDR:
		err = p.setCIDR(v)
	case byNumber:
		p.kind, p.op = predCompare, c.op
		p.num, err = v.number()
		p.lit = strconv.FormatFloat(p.num, 'g', -1, 64)
	case byExists:
		if v.kind != boolValue {
			return nil, errors.New(`modifier "exists" needs true or false`)
		}
		p.kind = predExists
		if v.source == "true" {
			p.op = 1
		}
	case byField:
		err = c.setFieldRef(p, v)
	case byTime:
		err = c.setTime(p, v)
	default:
		err = c.setPattern(p, v)
	}
	return p, err
}

func (p *pred) setRegex(v value, flags string) (err error) {
	if v.kind == nullValue {
		return errors.New(`modifier "re" needs text`)
	}
	p.kind, p.lit = predRegex, flags+"/"+v.source
	p.re, err = compileRegex(v.source, flags)
	return err
}

func (p *pred) setCIDR(v value) error {
	s, plain := v.pattern.plain()
	if v.kind != textValue || !plain {
		return fmt.Errorf("%q is not a network", v.source)
	}
	prefix, err := netip.ParsePrefix(s)
	if addr, aerr := netip.ParseAddr(s); err != nil && aerr == nil {
		prefix, err = addr.Prefix(addr.BitLen())
	}
	if err != nil {
		return fmt.Errorf("%q is not a network in CIDR notation", v.source)
	}
	if prefix.Masked() != prefix {
		return fmt.Errorf("%q has bits set beyond its prefix length", v.source)
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	p.kind, p.cidr, p.lit = predCIDR, prefix, prefix.String()
	return nil
}

func (c *chain) setFieldRef(p *pred, v value) error {
	name, plain := parsePattern(v.source).plain() // before contains and the like added stars
	if v.kind != textValue || !plain || name == "" {
		return errors.New(`modifier "fieldref" needs the name of a field`)
	}
	p.kind, p.lit, p.op = predFieldRef, name, uint8(predExact)
	switch {
	case c.anchored && c.starts:
		p.op = uint8(predPrefix)
	case c.anchored && c.ends:
		p.op = uint8(predSuffix)
	case c.anchored:
		p.op = uint8(predContains)
	}
	return nil
}

func (c *chain) setTime(p *pred, v value) error {
	n, err := strconv.Atoi(v.source)
	if err != nil || n < c.least || n > c.most {
		return fmt.Errorf("%q must be a number from %d to %d here", v.source, c.least, c.most)
	}
	p.kind, p.op, p.lit = predTime, c.op, strconv.Itoa(n)
	return nil
}

// setPattern makes the cheapest predicate that means the same as the pattern.
func (c *chain) setPattern(p *pred, v value) error {
	switch {
	case v.kind == nullValue:
		if c.field == "" || c.cased {
			return errors.New("null needs a field and no modifier")
		}
		p.kind = predNull
		return nil
	case v.kind == numberValue && c.field != "":
		p.kind, p.lit, p.alt, p.cased = predNumber, canonicalNumber(v.source), fold(v.source), false
		return nil
	}
	if v.unsure && c.field != "" && !c.anchored && !c.changed {
		return fmt.Errorf("number %s is ambiguous: write it in decimal, or in quotes to mean the text", v.source)
	}
	pat := v.pattern
	if c.field == "" {
		if len(pat) == 0 {
			return errors.New("empty keyword")
		}
		pat = pat.withStars(true, true)
	}
	for _, x := range pat {
		if !utf8.ValidString(x.text) {
			return errors.New("UTF-16 bytes are no text: add base64 or base64offset")
		}
	}
	if !c.cased {
		pat = pat.mapText(fold)
	}
	p.setShape(pat)
	return nil
}

func (p *pred) setShape(pat pattern) {
	stars := func(i int) bool { return i >= 0 && i < len(pat) && pat[i].kind == star }
	lit := func(i int) bool { return i < len(pat) && pat[i].kind == literal }
	switch n := len(pat); {
	case n == 0:
		p.kind = predExact
	case n == 1 && stars(0):
		p.kind, p.cased = predAny, false
	case n == 1 && lit(0):
		p.kind, p.lit = predExact, pat[0].text
	case n == 2 && lit(0) && stars(1):
		p.kind, p.lit = predPrefix, pat[0].text
	case n == 2 && stars(0) && lit(1):
		p.kind, p.lit = predSuffix, pat[1].text
	case n == 3 && stars(0) && lit(1) && stars(2):
		p.kind, p.lit = predContains, pat[1].text
	default:
		p.kind, p.lit, p.glob = predGlob, pat.String(), newGlob(pat)
	}
}

// checkValues refuses combinations that only the whole item shows.
func (c *chain) checkValues(at *yaml.Node) error {
	switch {
	case c.field == "" && c.how != byPattern && c.how != byRegex && c.how != byCIDR:
		return faultf(at.Line, at.Column, "this comparison needs a field")
	case c.neg && (c.how == byExists || c.how == byNumber || c.how == byTime):
		return faultf(at.Line, at.Column, `modifier "neq" cannot be combined with this comparison`)
	case c.how == byExists && (len(c.groups) != 1 || c.all):
		return faultf(at.Line, at.Column, `modifier "exists" needs exactly one value`)
	}
	return nil
}

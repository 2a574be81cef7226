package sigma

import (
	"fmt"
	"strings"
)

const maxExpansion = 10_000 // values one listed value may become

// expandPlaceholders replaces every %name% in the pattern's literals by each
// of the values the source gives for it; "\%" is a percent sign. Values may
// hold wildcards.
func expandPlaceholders(p pattern, source func(name string) []string) ([]pattern, error) {
	out := []pattern{nil}
	for _, x := range p {
		if x.kind != literal {
			for i := range out {
				out[i] = out[i].add(x)
			}
			continue
		}
		var err error
		if out, err = expandText(out, x.text, source); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func expandText(heads []pattern, s string, source func(string) []string) ([]pattern, error) {
	for s != "" {
		before, name, after := cutPlaceholder(s)
		for i := range heads {
			heads[i] = heads[i].addText(strings.ReplaceAll(before, `\%`, "%"))
		}
		if s = after; name == "" {
			continue
		}
		var values []string
		if source != nil {
			values = source(name)
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("placeholder %%%s%% has no value here", name)
		}
		if len(heads)*len(values) > maxExpansion {
			return nil, fmt.Errorf("placeholder %%%s%% expands to more than %d values", name, maxExpansion)
		}
		next := make([]pattern, 0, len(heads)*len(values))
		for _, head := range heads {
			for _, v := range values {
				next = append(next, head.join(parsePattern(v)))
			}
		}
		heads = next
	}
	return heads, nil
}

// cutPlaceholder finds the first %name% of word characters whose first percent
// sign is not escaped.
func cutPlaceholder(s string) (before, name, after string) {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i > 0 && s[i-1] == '\\' {
			continue
		}
		end := strings.IndexByte(s[i+1:], '%')
		if end > 0 && strings.IndexFunc(s[i+1:i+1+end], func(r rune) bool { return !wordRune(r) }) < 0 {
			return s[:i], s[i+1 : i+1+end], s[i+end+2:]
		}
	}
	return s, "", ""
}

package sigma

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dlclark/regexp2"
	"go.yaml.in/yaml/v3"
)

// form is a text with wildcards: parts that are "*", "?" or "=" and a literal.
type form []string

// forms applies the modifiers in order to one value. The result holds where any
// of the forms does.
func (n *naive) forms(field string, mods modifiers, node *yaml.Node) []form {
	forms := []form{tokens(node.Value)}
	if node.Tag != "!!str" && node.Tag != "!!timestamp" {
		forms = []form{{"=" + node.Value}}
	}
	for _, m := range mods {
		var out []form
		for _, f := range forms {
			out = append(out, n.modified(m, f)...)
		}
		forms = out
	}
	if field == "" {
		for i, f := range forms {
			forms[i] = slices.Concat(form{"*"}, f, form{"*"})
		}
	}
	return forms
}

// tokens splits a Sigma string into "*", "?" and "=literal".
func tokens(s string) form {
	var out form
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

func (n *naive) modified(mod string, f form) []form {
	switch mod {
	case "contains":
		return []form{slices.Concat(form{"*"}, f, form{"*"})}
	case "startswith":
		return []form{slices.Concat(f, form{"*"})}
	case "endswith":
		return []form{slices.Concat(form{"*"}, f)}
	case "windash":
		return naiveWindash(f)
	case "base64":
		return []form{{"=" + base64.StdEncoding.EncodeToString([]byte(f.plain()))}}
	case "base64offset":
		return naiveOffsets(f.plain())
	case "wide", "utf16le", "utf16be":
		return []form{f.naiveUTF16(mod == "utf16be")}
	case "utf16":
		return []form{slices.Concat(form{"=\xff\xfe"}, f.naiveUTF16(false))}
	case "expand":
		return n.expanded(f)
	default:
		return []form{f}
	}
}

// plain is the text of a form without wildcards.
func (f form) plain() (text string) {
	for _, part := range f {
		text += part[1:]
	}
	return text
}

func (f form) naiveUTF16(bigEndian bool) form {
	out := slices.Clone(f)
	for i, part := range f {
		if part[0] != '=' {
			continue
		}
		out[i] = "="
		for _, u := range utf16.Encode([]rune(part[1:])) {
			pair := []byte{byte(u), byte(u >> 8)}
			if bigEndian {
				slices.Reverse(pair)
			}
			out[i] += string(pair)
		}
	}
	return out
}

// naiveOffsets encodes after 0, 1 and 2 unknown bytes and keeps what does not
// depend on them nor on what follows, found by trying.
func naiveOffsets(s string) []form {
	var out []form
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
		out = append(out, form{"=" + same})
	}
	return out
}

func naiveWindash(f form) []form {
	out := []form{{}}
	re := regexp2.MustCompile(`(?<![\p{L}\p{N}_])[-/](?=[\p{L}\p{N}_])`, regexp2.None)
	for _, part := range f {
		choices := []string{part}
		if part[0] == '=' {
			choices = []string{""}
			rest := []rune(part[1:])
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
		var grown []form
		for _, head := range out {
			for _, c := range choices {
				grown = append(grown, slices.Concat(head, form{c}))
			}
		}
		out = grown
	}
	return out
}

// expanded puts the values of placeholders, which may have wildcards, for their
// names; \% is a percent sign.
func (n *naive) expanded(f form) []form {
	placeholder := regexp2.MustCompile(`(?<!\\)%([\p{L}\p{N}_]+)%`, regexp2.None)
	for i, part := range f {
		if part[0] != '=' {
			continue
		}
		runes := []rune(part)
		m, _ := placeholder.FindRunesMatch(runes)
		if m == nil {
			continue
		}
		var out []form
		for _, value := range n.expand(m.Groups()[1].String()) {
			before, after := string(runes[:m.Index]), "="+string(runes[m.Index+m.Length:])
			for _, rest := range n.expanded(slices.Concat(form{after}, f[i+1:])) {
				out = append(out, slices.Concat(n.expanded(slices.Concat(f[:i], form{before}))[0], tokens(value), rest))
			}
		}
		return out
	}
	plain := slices.Clone(f)
	for i, part := range plain {
		plain[i] = strings.ReplaceAll(part, `\%`, "%")
	}
	return []form{plain}
}

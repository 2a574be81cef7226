package i18n

import (
	"fmt"
	"strconv"
	"strings"
)

// message is a text split at its placeholders.
type message struct {
	parts []part
	needs int // the number of arguments it asks for
}

// part is literal text (arg < 0), an argument, or a choice on an argument.
type part struct {
	text      string
	arg       int
	one, many string
}

func (p part) choose(arg any) string {
	if fmt.Sprint(arg) == "1" {
		return p.one
	}
	return p.many
}

// maxArgs bounds placeholders: a text with more is a mistake.
const maxArgs = 10

func parseMessage(text string) (message, error) {
	var m message
	for rest := text; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			m.parts = append(m.parts, part{text: rest, arg: -1})
			break
		}
		if open > 0 {
			m.parts = append(m.parts, part{text: rest[:open], arg: -1})
		}
		end := strings.IndexByte(rest[open:], '}')
		if end < 0 {
			return message{}, fmt.Errorf("placeholder without end in %q", text)
		}
		p, err := parsePlaceholder(rest[open+1 : open+end])
		if err != nil {
			return message{}, fmt.Errorf("in %q: %w", text, err)
		}
		m.parts = append(m.parts, p)
		m.needs = max(m.needs, p.arg+1)
		rest = rest[open+end+1:]
	}
	return m, nil
}

func parsePlaceholder(inner string) (part, error) {
	fields := strings.Split(inner, "|")
	n, err := strconv.Atoi(fields[0])
	if err != nil || n < 0 || n >= maxArgs {
		return part{}, fmt.Errorf("bad placeholder {%s}", inner)
	}
	switch len(fields) {
	case 1:
		return part{arg: n}, nil
	case 3:
		return part{arg: n, one: fields[1], many: fields[2]}, nil
	}
	return part{}, fmt.Errorf("placeholder {%s} needs no or two forms", inner)
}

// plain is the set of arguments the text shows, which translations share.
func (m message) plain() map[int]bool {
	set := map[int]bool{}
	for _, p := range m.parts {
		if p.arg >= 0 && p.one == "" && p.many == "" {
			set[p.arg] = true
		}
	}
	return set
}

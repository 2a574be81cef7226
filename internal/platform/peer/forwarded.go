package peer

import (
	"net/http"
	"net/netip"
	"strings"
)

// forwarded reads Forwarded (RFC 7239 section 4): the "for" of every element,
// the nearest hop last. A line that does not follow the grammar says nothing
// at all: an open quote in what a stranger wrote could otherwise swallow what
// the proxy added.
func forwarded(h http.Header) ([]netip.Addr, bool) {
	lines := h.Values("Forwarded")
	var hops []netip.Addr
	rest := strings.Join(lines, ",")
	for more := len(lines) > 0; more; {
		var hop netip.Addr
		var ok bool
		if hop, rest, more, ok = element(rest); !ok {
			return nil, true
		}
		hops = append(hops, hop)
	}
	return hops, len(lines) > 0
}

// element reads name=value pairs up to the next comma.
func element(text string) (hop netip.Addr, rest string, more, ok bool) {
	for {
		name, value, after, ok := pair(strings.TrimLeft(text, " \t"))
		if !ok {
			return hop, "", false, false
		}
		if strings.EqualFold(name, "for") {
			hop = addrOf(value)
		}
		text = strings.TrimLeft(after, " \t")
		switch {
		case text == "":
			return hop, "", false, true
		case text[0] == ',':
			return hop, text[1:], true, true
		case text[0] != ';':
			return hop, "", false, false
		}
		text = text[1:]
	}
}

// pair reads token "=" ( token / quoted-string ).
func pair(text string) (name, value, rest string, ok bool) {
	name, text = token(text)
	if name == "" || !strings.HasPrefix(text, "=") {
		return "", "", "", false
	}
	if text = text[1:]; !strings.HasPrefix(text, `"`) {
		value, rest = token(text)
		return name, value, rest, value != ""
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return name, b.String(), text[i+1:], true
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", "", false // the quote does not end
}

// token reads a token (RFC 9110 section 5.6.2). Proxies write ports without
// quotes, so a colon is let pass.
func token(text string) (tok, rest string) {
	i := strings.IndexFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/;<=>?@[\]{}`, r)
	})
	if i < 0 {
		return text, ""
	}
	return text[:i], text[i:]
}

package event

import (
	"net/netip"
	"strings"
)

// Classes of bytes in free text. A token is a run of bytes of any class but 0.
const (
	clsName  = 1 << iota // letters, digits, hyphen, underscore, bytes of other scripts
	clsDot               // .
	clsColon             // :
	clsAt                // @
	clsMail              // + and %, in the local part of a mail address or an IPv6 zone
	clsHex               // hexadecimal digit, together with clsName
)

// charClass gives each byte's classes. It is a constant in all but name: an
// array is looked up without the bounds check that a string needs.
var charClass = classTable() //nolint:gochecknoglobals // see above

func classTable() (t [256]uint8) {
	for c := range 256 {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			t[c] = clsName | clsHex
		case c >= 'g' && c <= 'z', c >= 'G' && c <= 'Z', c == '-', c == '_', c >= 0x80:
			t[c] = clsName
		}
	}
	t['.'], t[':'], t['@'], t['+'], t['%'] = clsDot, clsColon, clsAt, clsMail, clsMail
	return t
}

// scan finds observables anywhere in a text: it cuts the text into tokens and
// looks closer only at those that have a dot, a colon or an at sign in them, or
// the length of a hash.
func (c *collector) scan(text string) {
	for i := 0; i < len(text); {
		start := i
		seen, all := uint8(0), uint8(0xff)
		for i < len(text) {
			k := charClass[text[i]]
			if k == 0 {
				break
			}
			seen |= k
			all &= k
			i++
		}
		switch n := i - start; {
		case n < 2:
		case seen&clsColon != 0 && strings.HasPrefix(text[i:], "//") && text[i-1] == ':':
			if end := c.urlAt(text, i-1); end > i {
				i = end
				continue
			}
		case seen&(clsDot|clsColon|clsAt) != 0:
			c.token(text, start, i, seen)
		case all&clsHex != 0 && (n == 32 || n == 40 || n == 64):
			c.hash(text, start, i)
		}
		i++
	}
}

// token looks at one run of name bytes with a dot, colon or at sign.
func (c *collector) token(text string, start, end int, seen uint8) {
	for start < end && charClass[text[start]]&clsName == 0 && text[start] != ':' {
		start++
	}
	for end > start && charClass[text[end-1]]&clsName == 0 && text[end-1] != ':' {
		end--
	}
	token := text[start:end]
	if len(token) < 3 {
		return
	}
	if seen&clsAt != 0 && strings.IndexByte(token, '@') > 0 {
		c.mail(token)
		return
	}
	if seen&clsColon != 0 && strings.IndexByte(token, ':') >= 0 {
		if c.ipv6(token) {
			return
		}
		c.beforePort(text, start, end)
		return
	}
	c.name(text, start, end)
}

// beforePort looks at name:port, and at the part after a label such as "ip:".
func (c *collector) beforePort(text string, start, end int) {
	token := text[start:end]
	first := strings.IndexByte(token, ':')
	port := token[first+1:]
	if port == "" || digits(port[:min(len(port), 5)]) >= 0 {
		c.name(text, start, start+first)
		return
	}
	last := strings.LastIndexByte(token, ':')
	if strings.IndexByte(token[last+1:], '.') > 0 {
		c.name(text, start+last+1, end)
	}
}

// name adds an IPv4 address or a domain.
func (c *collector) name(text string, start, end int) {
	token := strings.TrimRight(text[start:end], ".")
	if strings.IndexByte(token, '.') < 0 {
		return
	}
	if d := token[len(token)-1]; d >= '0' && d <= '9' && token[0] <= '9' {
		c.ipv4(text, start, token)
		return
	}
	if c.role != nameRole && c.role != hostRole && !plausiblePlace(text, start, start+len(token)) {
		return
	}
	c.domain(token)
}

// ipv4 adds an address that is neither unspecified, reserved (240/4, so network
// masks) nor part of a longer dotted number.
func (c *collector) ipv4(text string, start int, token string) {
	a, err := netip.ParseAddr(token)
	if err != nil || !a.Is4() {
		return
	}
	if b := a.As4(); b[0] == 0 || b[0] >= 240 {
		return
	}
	if b := a.As4(); b[1]|b[2]|b[3] == 0 || versionBefore(text[:start]) {
		return
	}
	c.add(ObservableIPv4, a.String())
}

// versionBefore says whether a dotted number follows the word version.
func versionBefore(text string) bool {
	return strings.HasSuffix(strings.TrimRight(text, "=:/ "), "ersion")
}

// ipv6 adds an address and says whether the token was one. Fingerprints and
// hardware addresses of eight pairs, and names such as A::B, are none.
func (c *collector) ipv6(token string) bool {
	if n := strings.Count(token, ":"); n < 2 || n != 7 && !strings.Contains(token, "::") {
		return false
	}
	a, err := netip.ParseAddr(token)
	if err != nil {
		return false
	}
	if !strings.Contains(token, "::") && len(token) == 8*2+7 || len(token) < 5 && token != "::1" {
		return true
	}
	if a = a.WithZone("").Unmap(); a.IsUnspecified() {
		return true
	}
	kind := ObservableIPv6
	if a.Is4() {
		kind = ObservableIPv4
	}
	c.add(kind, a.String())
	return true
}

// hash adds an MD5, SHA-1 or SHA-256 in hexadecimal. What Sysmon labels
// IMPHASH has the length of an MD5 but is none; digits only are a number.
func (c *collector) hash(text string, start, end int) {
	token := text[start:end]
	if strings.HasSuffix(text[:start], "IMPHASH=") || strings.Trim(token, token[:1]) == "" || decimal(token) {
		return
	}
	kind := ObservableMD5
	switch len(token) {
	case 40:
		kind = ObservableSHA1
	case 64:
		kind = ObservableSHA256
	}
	c.add(kind, strings.ToLower(token))
}

func decimal(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] > '9' {
			return false
		}
	}
	return true
}

// plausiblePlace says whether a dotted name at text[start:end] may be a domain:
// not a path's element (but a UNC or scheme-less host), not a variable, not a
// function or a type in code.
func plausiblePlace(text string, start, end int) bool {
	if start > 0 {
		switch text[start-1] {
		case '$', '[', '#', '~':
			return false
		case '\\', '/':
			if start < 2 || text[start-2] != text[start-1] || start > 2 && charClass[text[start-3]] != 0 {
				return false
			}
		}
	}
	if end < len(text) && strings.IndexByte("(]", text[end]) >= 0 {
		return false
	}
	last := text[strings.LastIndexByte(text[start:end], '.')+start+1 : end]
	if fileLike(strings.ToLower(last)) {
		return false
	}
	return len(last) < 2 || last[0] < 'A' || last[0] > 'Z' || last[1] < 'a' || last[1] > 'z'
}

// fileLike lists the top-level domains that in logs are mostly endings of file
// names or members in code. They count only where a name is expected: in a URL,
// a mail address or a field that holds names.
func fileLike(tld string) bool {
	switch tld {
	case "zip", "mov", "sh", "py", "pl", "rs", "md", "so", "ps", "cat", "cab", "pub", "app", "cc", "pm", "la", "java",
		"name", "id", "is", "as", "to", "do", "in", "at", "my", "me", "it", "ms", "mm", "ml", "security", "data", "cpa",
		"map", "link", "next", "open", "select", "media", "style", "zone", "host", "run", "call", "case", "new", "prof",
		"properties", "network", "networks", "management", "services", "support", "tools", "vi", "st", "ax", "ink":
		return true
	}
	return false
}

package event

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// domain adds a domain name if it is one that can be public.
func (c *collector) domain(token string) bool {
	name, ok := publicDomain(token)
	if ok {
		c.add(ObservableDomain, name)
	}
	return ok
}

// publicDomain normalises a domain name and says whether it lies below a suffix
// of the Public Suffix List. Names below .arpa are addresses, not domains.
func publicDomain(token string) (string, bool) {
	if len(token) < 4 || len(token) > 253 {
		return "", false
	}
	name, ok := asciiName(token)
	if !ok {
		if name, ok = idnaName(token); !ok {
			return "", false
		}
	}
	suffix, icann := publicsuffix.PublicSuffix(name)
	if !icann && strings.IndexByte(suffix, '.') < 0 || suffix == "arpa" || strings.HasSuffix(suffix, ".arpa") {
		return "", false
	}
	if icann && len(name) <= len(suffix)+1 {
		return "", false
	}
	return name, true
}

// asciiName lower-cases a name and checks its labels (RFC 1035 section 2.3.1,
// with the underscore of RFC 8552).
func asciiName(token string) (string, bool) {
	label := 0
	for i := 0; i < len(token); i++ {
		switch ch := token[i]; {
		case ch == '.':
			if label == 0 || label > 63 || token[i-1] == '-' {
				return "", false
			}
			label = 0
			continue
		case ch >= 0x80 || charClass[ch]&clsName == 0:
			return "", false
		case ch == '-' && label == 0:
			return "", false
		}
		label++
	}
	if label < 2 || label > 63 || token[len(token)-1] == '-' {
		return "", false
	}
	return strings.ToLower(token), true
}

// idnaName turns a name with letters of other scripts into ASCII.
func idnaName(token string) (string, bool) {
	ascii := true
	for i := 0; i < len(token) && ascii; i++ {
		ascii = token[i] < 0x80
	}
	if ascii {
		return "", false
	}
	name, err := idna.Lookup.ToASCII(token)
	if err != nil {
		return "", false
	}
	return asciiName(name)
}

// mail adds a mail address and its domain.
func (c *collector) mail(token string) {
	at := strings.LastIndexByte(token, '@')
	local, host := token[:at], token[at+1:]
	if colon := strings.LastIndexByte(local, ':'); colon >= 0 { // mailto:a@b
		local = local[colon+1:]
	}
	host = strings.TrimRight(host, ".:")
	if local == "" || len(local) > 64 || strings.IndexByte(local, '@') >= 0 || strings.IndexByte(host, ':') >= 0 {
		return
	}
	name, ok := publicDomain(host)
	if !ok {
		return
	}
	c.add(ObservableEmail, strings.ToLower(local)+"@"+name)
	c.add(ObservableDomain, name)
}

// urlAt adds the URL whose "://" is at text[colon] and returns where it ends,
// 0 when there is none of a scheme that leads somewhere.
func (c *collector) urlAt(text string, colon int) int {
	start := colon
	for start > 0 && colon-start < 8 && (text[start-1]|0x20 >= 'a' && text[start-1]|0x20 <= 'z') {
		start--
	}
	if !knownScheme(text[start:colon]) {
		return 0
	}
	end := colon + 3
	for end < len(text) && urlByte(text[end]) {
		end++
	}
	for end > colon+3 && strings.IndexByte(".,;:!?)]}'", text[end-1]) >= 0 {
		end--
	}
	c.url(text[start:end])
	return end
}

func knownScheme(scheme string) bool {
	switch strings.ToLower(scheme) {
	case "http", "https", "ftp", "ftps", "sftp", "tftp", "ws", "wss", "ldap", "ldaps", "rmi", "dns", "smb", "ssh":
		return true
	}
	return false
}

// urlByte says whether a byte may stand in a URL as logs write them.
func urlByte(b byte) bool {
	return b > ' ' && b != 0x7f && strings.IndexByte("\"<>\\^`{|}", b) < 0
}

// url adds a URL, and its host as an address or a domain.
func (c *collector) url(raw string) {
	colon := strings.Index(raw, "://")
	rest := raw[colon+3:]
	cut := strings.IndexAny(rest, "/?#")
	if cut < 0 {
		cut = len(rest)
	}
	authority := rest[:cut]
	if authority == "" {
		return
	}
	user := strings.LastIndexByte(authority, '@') + 1
	name := hostPart(authority[user:])
	if name == "" || !c.urlHost(name) {
		return
	}
	c.add(ObservableURL, strings.ToLower(raw[:colon])+"://"+authority[:user]+strings.ToLower(authority[user:])+rest[cut:])
}

// urlHost adds the host of a URL as what it is and says whether it can be one.
func (c *collector) urlHost(name string) bool {
	if a, err := netip.ParseAddr(name); err == nil {
		a = a.WithZone("").Unmap()
		kind := ObservableIPv6
		if a.Is4() {
			kind = ObservableIPv4
		}
		if !a.IsUnspecified() {
			c.add(kind, a.String())
		}
		return true
	}
	if c.domain(strings.TrimSuffix(name, ".")) {
		return true
	}
	for i := 0; i < len(name); i++ {
		if charClass[name[i]]&(clsName|clsDot) == 0 {
			return false
		}
	}
	return true
}

// hostPart is host of host:port or [address]:port.
func hostPart(authority string) string {
	if strings.HasPrefix(authority, "[") {
		if end := strings.IndexByte(authority, ']'); end > 0 {
			return authority[1:end]
		}
		return ""
	}
	if colon := strings.LastIndexByte(authority, ':'); colon >= 0 {
		return authority[:colon]
	}
	return authority
}

// hostOfURL is the host of a normalised URL.
func hostOfURL(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	if cut := strings.IndexAny(rest, "/?#"); cut >= 0 {
		rest = rest[:cut]
	}
	return hostPart(rest[strings.LastIndexByte(rest, '@')+1:])
}

package search

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// identity is what a chunk of text names: an address, a domain, a CVE.
type identity struct {
	exact []string // its forms, the canonical one first
	wider []string // what else it is found by: networks, parent domains, years
	// certain identities are not looked for as words.
	certain bool
	// bare identities are not indexed as words either: their digits are none.
	bare bool
}

// maxChunk bounds what is looked at as an identifier, in bytes.
const maxChunk = 2048

var (
	cveForm    = regexp.MustCompile(`^cve-\d{4}-\d{1,19}$`)
	attackForm = regexp.MustCompile(`^(ta|[tgsmc])\d{4}(\.\d{3})?$`)
	stixForm   = regexp.MustCompile(`^([a-z][a-z0-9-]{1,40}--)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	hashForm   = regexp.MustCompile(`^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$`)
	nameForm   = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*$`)
)

// identify reads a folded chunk, defanged or not, with the punctuation that
// stands around it in text.
func identify(chunk string) (identity, bool) {
	if len(chunk) > maxChunk {
		return identity{}, false
	}
	chunk = trim(refang(chunk))
	for _, read := range []func(string) (identity, bool){readURL, readMail, readAddress, readNumbered, readName} {
		if id, ok := read(chunk); ok {
			return id, true
		}
	}
	return identity{}, false
}

// trim takes off what is no part of any identifier.
func trim(chunk string) string {
	return strings.TrimRight(strings.TrimLeft(chunk, `.,;!?()[]{}<>"'`+"`*"), `.,;!?()[]{}<>"'`+"`*")
}

// refang undoes the ways people make an indicator harmless in text.
func refang(s string) string {
	if strings.ContainsAny(s, "[({") {
		s = strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "[:]", ":", "[:/]", ":/",
			"[://]", "://", "[@]", "@", "[at]", "@", "(at)", "@").Replace(s)
		if !strings.Contains(s, "://") {
			s = strings.ReplaceAll(s, "[::]", "::")
		}
	}
	s = strings.TrimLeft(s, `("'<[{`)
	for _, form := range [][2]string{{"hxxps://", "https://"}, {"hxxp://", "http://"}, {"fxp://", "ftp://"}} {
		if rest, ok := strings.CutPrefix(s, form[0]); ok {
			return form[1] + rest
		}
	}
	return s
}

// bounded keeps long identifiers short: what is longer than a key should be
// is its SHA-256.
func bounded(id string) string {
	if len(id) <= 96 {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "#" + hex.EncodeToString(sum[:16])
}

func readURL(s string) (identity, bool) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme == "" || len(scheme) > 12 || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" {
		return identity{}, false
	}
	host := rest
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	if _, after, ok := strings.Cut(host, "@"); ok {
		host = after
	}
	id := identity{exact: []string{bounded(s)}, certain: true}
	if at, ok := readAddress(host); ok {
		id.wider = append(at.exact, at.wider...)
		return id, true
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	at, ok := readName(host)
	id.wider = append(at.exact, at.wider...)
	return id, ok
}

func readMail(s string) (identity, bool) {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || len(local) > 64 {
		return identity{}, false
	}
	at, ok := readName(domain)
	if !ok {
		return identity{}, false
	}
	return identity{exact: []string{bounded(local + "@" + at.exact[0])}, wider: append(at.exact, at.wider...), certain: true}, true
}

// readAddress reads an address or network, with a port or brackets too.
func readAddress(s string) (identity, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		p = p.Masked()
		exact := p.String()
		if p.IsSingleIP() {
			exact = p.Addr().String()
		}
		return identity{exact: []string{exact}, wider: prefixes(p.Addr(), p.Bits()), certain: true, bare: true}, true
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		port, err := netip.ParseAddrPort(s)
		if err != nil {
			return identity{}, false
		}
		addr = port.Addr()
	}
	addr = addr.WithZone("").Unmap()
	return identity{exact: []string{addr.String()}, wider: prefixes(addr, addr.BitLen()), certain: true, bare: true}, true
}

// prefixes are the whole octets or groups with which a network begins, but
// for all of an address: "203.", "203.0.", "203.0.113.".
func prefixes(a netip.Addr, bits int) []string {
	var list []string
	var b strings.Builder
	if a.Is4() {
		for i, octet := range a.As4() {
			if 8*(i+1) > bits || i == 3 {
				break
			}
			b.WriteString(strconv.Itoa(int(octet)))
			b.WriteByte('.')
			list = append(list, b.String())
		}
		return list
	}
	raw := a.As16()
	for i := 0; i < 14 && 8*(i+2) <= bits; i += 2 {
		b.WriteString(strconv.FormatUint(uint64(raw[i])<<8|uint64(raw[i+1]), 16))
		b.WriteByte(':')
		list = append(list, b.String())
	}
	return list
}

// networks are the networks that an address may have been listed with: every
// length of IPv4 that an indicator may have, and IPv6's usual ones.
func networks(a netip.Addr) []string {
	lengths := []int{16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}
	if a.Is6() {
		lengths = []int{32, 36, 40, 44, 48, 52, 56, 60, 64}
	}
	list := make([]string, len(lengths))
	for i, n := range lengths {
		list[i] = netip.PrefixFrom(a, n).Masked().String()
	}
	return list
}

// readNumbered reads a CVE, an ATT&CK id, a UUID or STIX id, or a hash.
func readNumbered(s string) (identity, bool) {
	switch {
	case cveForm.MatchString(s):
		return identity{exact: []string{s}, wider: []string{s[:len("cve-2026")]}, certain: true}, true
	case attackForm.MatchString(s):
		id := identity{exact: []string{s}, certain: true}
		if parent, _, ok := strings.Cut(s, "."); ok {
			id.wider = []string{parent}
		}
		return id, true
	case stixForm.MatchString(s):
		id := identity{exact: []string{s}, certain: true, bare: true}
		if _, uuid, ok := strings.Cut(s, "--"); ok {
			id.exact = append(id.exact, uuid)
		}
		return id, true
	case hashForm.MatchString(s):
		return identity{exact: []string{s}, certain: true, bare: true}, true
	}
	return identity{}, false
}

// readName reads a domain name, in letters of any script, "*." before it too.
func readName(s string) (identity, bool) {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "*."), ".")
	if !isPlain(s) {
		ascii, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return identity{}, false
		}
		s = ascii
	}
	if len(s) > 253 || !nameForm.MatchString(s) {
		return identity{}, false
	}
	id := identity{exact: []string{bounded(s)}}
	for _, rest, ok := strings.Cut(s, "."); ok && strings.Contains(rest, "."); _, rest, ok = strings.Cut(rest, ".") {
		id.wider = append(id.wider, bounded(rest))
	}
	return id, true
}

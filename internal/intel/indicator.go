package intel

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/stix"
)

// Indicator is one thing to look for, part of an advisory.
type Indicator struct {
	// ID is its STIX id, "indicator--…". It stays while the indicator stays
	// in the advisory; one that is taken out and put in again is a new one,
	// because recipients saw the old one revoked.
	ID    string
	Kind  event.ObservableKind
	Value string // normalised; a network as a prefix
	Under bool   // sub-domains match too (domains only)
	// Since is the first release that had it; zero before that. The store
	// sets it.
	Since time.Time
}

// MaxIndicators bounds an advisory's indicators.
const MaxIndicators = 2000

// maxValue bounds an indicator's length in bytes.
const maxValue = 2048

// indicatorForm is an indicator as stored.
type indicatorForm struct {
	ID    string    `json:"id"`
	Kind  string    `json:"kind"`
	Value string    `json:"value"`
	Under bool      `json:"under,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// MarshalJSON implements json.Marshaler.
func (i Indicator) MarshalJSON() ([]byte, error) {
	return json.Marshal(indicatorForm{i.ID, i.Kind.String(), i.Value, i.Under, i.Since})
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Indicator) UnmarshalJSON(data []byte) error {
	var f indicatorForm
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	*i = Indicator{ID: f.ID, Kind: KindNamed(f.Kind), Value: f.Value, Under: f.Under, Since: f.Since}
	return nil
}

// indicatorKinds are the kinds that may be indicators. Hosts and accounts are
// a member's own.
func indicatorKinds() []event.ObservableKind {
	return []event.ObservableKind{
		event.ObservableIPv4, event.ObservableIPv6, event.ObservableDomain, event.ObservableURL,
		event.ObservableEmail, event.ObservableMD5, event.ObservableSHA1, event.ObservableSHA256,
	}
}

// KindNamed is the kind with this name, ObservableUnknown for none.
func KindNamed(name string) event.ObservableKind {
	for _, k := range indicatorKinds() {
		if k.String() == name {
			return k
		}
	}
	return event.ObservableUnknown
}

// same reports whether two indicators look for the same.
func (i Indicator) same(o Indicator) bool {
	return i.Kind == o.Kind && i.Value == o.Value && i.Under == o.Under
}

// Line is the indicator as an analyst writes it: one line, "*." before a
// domain whose sub-domains match too.
func (i Indicator) Line() string {
	if i.Under {
		return "*." + i.Value
	}
	return i.Value
}

// ParseIndicator reads one line of any kind, defanged or not.
func ParseIndicator(line string) (Indicator, error) {
	value := refang(strings.TrimSpace(line))
	if value == "" || len(value) > maxValue {
		return Indicator{}, errs.New(errs.Invalid, "indicator.length", maxValue)
	}
	if refang(value) != value { // brackets in brackets: nobody can say what is meant
		return Indicator{}, errs.New(errs.Invalid, "indicator.unreadable", value)
	}
	ind, err := guessIndicator(value)
	if err != nil {
		return Indicator{}, err
	}
	return ind, checkExternal(ind)
}

func guessIndicator(value string) (Indicator, error) {
	switch {
	case strings.Contains(value, "://"):
		return urlIndicator(value)
	case strings.Contains(value, "@"):
		return mailIndicator(value)
	}
	if prefix, err := parsePrefix(value); err == nil {
		return addressIndicator(prefix)
	}
	if kind := hashKind(value); kind != event.ObservableUnknown {
		return Indicator{Kind: kind, Value: strings.ToLower(value)}, nil
	}
	rest, under := strings.CutPrefix(value, "*.")
	host, err := normaliseHost(rest)
	if err != nil {
		return Indicator{}, errs.New(errs.Invalid, "indicator.unreadable", value)
	}
	return Indicator{Kind: event.ObservableDomain, Value: host, Under: under}, nil
}

func hashKind(value string) event.ObservableKind {
	if _, err := stix.HashObservable(value); err != nil {
		return event.ObservableUnknown
	}
	return map[int]event.ObservableKind{
		32: event.ObservableMD5, 40: event.ObservableSHA1, 64: event.ObservableSHA256,
	}[len(value)]
}

func parsePrefix(value string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(value); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(value)
	return p.Masked(), err
}

// Networks wider than these are no indicator.
const (
	widestIPv4 = 16
	widestIPv6 = 32
)

func addressIndicator(p netip.Prefix) (Indicator, error) {
	kind, widest := event.ObservableIPv4, widestIPv4
	if p.Addr().Is6() {
		kind, widest = event.ObservableIPv6, widestIPv6
	}
	if p.Bits() < widest {
		return Indicator{}, errs.New(errs.Invalid, "indicator.too_wide", p.String(), widest)
	}
	value := p.String()
	if p.IsSingleIP() {
		value = p.Addr().String()
	}
	return Indicator{Kind: kind, Value: value}, nil
}

func mailIndicator(value string) (Indicator, error) {
	local, domain, _ := strings.Cut(value, "@")
	host, err := normaliseHost(domain)
	if err != nil || local == "" || strings.ContainsAny(local, " \t\"<>,;") || len(local) > 64 {
		return Indicator{}, errs.New(errs.Invalid, "indicator.unreadable", value)
	}
	return Indicator{Kind: event.ObservableEmail, Value: strings.ToLower(local) + "@" + host}, nil
}

// urlIndicator normalises a URL as package event does those in records:
// scheme and host in lower case, the rest as written.
func urlIndicator(value string) (Indicator, error) {
	bad := errs.New(errs.Invalid, "indicator.unreadable", value)
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(value, " \"<>\\^`{|}") {
		return Indicator{}, bad
	}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil {
		if _, err := normaliseHost(u.Hostname()); err != nil {
			return Indicator{}, bad
		}
	}
	scheme, rest, _ := strings.Cut(value, "://")
	cut := strings.IndexAny(rest, "/?#")
	if cut < 0 {
		cut = len(rest)
	}
	return Indicator{Kind: event.ObservableURL, Value: strings.ToLower(scheme) + "://" + strings.ToLower(rest[:cut]) + rest[cut:]}, nil
}

var hostForm = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*$`)

// normaliseHost gives a domain name in lower case and IDNA form, without a
// final dot. It has at least two labels.
func normaliseHost(host string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
	if err != nil {
		ascii = strings.ToLower(strings.TrimSuffix(host, "."))
	}
	if len(ascii) > 253 || !hostForm.MatchString(ascii) {
		return "", errs.New(errs.Invalid, "indicator.unreadable", host)
	}
	return ascii, nil
}

// refang undoes the ways people make an indicator harmless in text: ours
// ([web.Defang]) and those of others, who bracket every colon of an IPv6
// address, its "::", or the dots of a path too.
func refang(s string) string {
	if strings.ContainsAny(s, "[({") { // making a replacer costs more than all the rest
		s = strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "[:]", ":", "[:/]", ":/",
			"[://]", "://", "[@]", "@", "[at]", "@", "(at)", "@").Replace(s)
		if !strings.Contains(s, "://") { // there "[::]" is an address
			s = strings.ReplaceAll(s, "[::]", "::")
		}
	}
	lower := strings.ToLower(s)
	for from, to := range map[string]string{"hxxps://": "https://", "hxxp://": "http://", "fxp://": "ftp://"} {
		if strings.HasPrefix(lower, from) {
			return to + s[len(from):]
		}
	}
	return s
}

// checkExternal refuses what is inside somebody's network, and what would
// match everybody.
func checkExternal(i Indicator) error {
	host := i.host()
	if p, err := parsePrefix(host); err == nil {
		if isInternal(p.Addr()) {
			return errs.New(errs.Invalid, "indicator.internal", i.Value)
		}
		return nil
	}
	if host == "" {
		return nil
	}
	if internalName(host) {
		return errs.New(errs.Invalid, "indicator.internal", i.Value)
	}
	if suffix, icann := publicsuffix.PublicSuffix(host); icann && suffix == host && i.Kind == event.ObservableDomain {
		return errs.New(errs.Invalid, "indicator.public_suffix", i.Value)
	}
	return nil
}

// host is the address or domain in the indicator; empty for a hash.
func (i Indicator) host() string {
	switch i.Kind {
	case event.ObservableIPv4, event.ObservableIPv6, event.ObservableDomain:
		return i.Value
	case event.ObservableEmail:
		_, domain, _ := strings.Cut(i.Value, "@")
		return domain
	case event.ObservableURL:
		if u, err := url.Parse(i.Value); err == nil {
			return u.Hostname()
		}
	}
	return ""
}

// isInternal reports whether an address is never one of the internet's.
// Networks for documentation count as the internet's: exercises use them.
func isInternal(a netip.Addr) bool {
	a = a.Unmap()
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10) // RFC 6598
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() ||
		a.IsUnspecified() || shared.Contains(a) || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// internalName reports whether a name is used inside networks only
// (RFC 6762, RFC 8375, ICANN's .internal, and common habits).
func internalName(host string) bool {
	for _, suffix := range []string{".local", ".internal", ".lan", ".corp", ".home.arpa", ".home", ".intra", ".intranet", ".private", ".localdomain", ".localhost"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return !strings.Contains(host, ".")
}

// KindKey is the catalogue key of the indicator's kind.
func (i Indicator) KindKey() string { return "observable." + i.Kind.String() }

// KindKey is the catalogue key of the observable's kind.
func (p ProposedIndicator) KindKey() string { return "observable." + p.Kind.String() }

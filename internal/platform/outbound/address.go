package outbound

import (
	"net/netip"
)

// refused are the networks that nothing outside may make us reach: this
// machine, neighbours, and what no host on the internet has (IANA's
// special-purpose registries for IPv4 and IPv6, RFC 6890).
func refused() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8",       // this network
		"10.0.0.0/8",      // private
		"100.64.0.0/10",   // carriers' NAT (RFC 6598)
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link-local, and clouds' metadata
		"172.16.0.0/12",   // private
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relays (RFC 7526)
		"192.168.0.0/16",  // private
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/4",     // multicast
		"240.0.0.0/4",     // reserved, broadcast
		"::/96",           // unspecified, loopback, IPv4-compatible
		"64:ff9b:1::/48",  // local-use NAT64 (RFC 8215)
		"100::/64",        // discard
		"2001::/23",       // protocol assignments, Teredo among them
		"2001:db8::/32",   // documentation
		"3fff::/20",       // documentation
		"5f00::/16",       // segment routing
		"fc00::/7",        // unique local
		"fe80::/10",       // link-local
		"fec0::/10",       // site-local, deprecated
		"ff00::/8",        // multicast
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// embedded is the IPv4 address inside an IPv6 one: mapped (RFC 4291), NAT64
// (RFC 6052) or 6to4 (RFC 3056). Who routes these reaches the inner address.
func embedded(a netip.Addr) (netip.Addr, bool) {
	if a.Is4In6() {
		return a.Unmap(), true
	}
	if !a.Is6() {
		return netip.Addr{}, false
	}
	b := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// guard decides which addresses may be reached.
type guard struct{ allow, refuse []netip.Prefix }

// allowed reports whether the address may be reached: it is on the
// operator's list, or it is an ordinary address of the internet, inside and
// out.
func (g guard) allowed(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	if g.listed(a) {
		return true
	}
	if a.Zone() != "" {
		return false
	}
	if inner, ok := embedded(a); ok {
		return g.allowed(inner)
	}
	for _, p := range g.refuse {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// listed reports whether the operator allowed the address.
func (g guard) listed(a netip.Addr) bool {
	a = a.WithZone("")
	for _, p := range g.allow {
		if p.Contains(a) || p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

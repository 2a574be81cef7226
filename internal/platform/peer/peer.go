// Package peer knows who is at the other end of a request: the address, also
// behind proxies that the operator trusts, and the certificates that were
// shown on the connection.
package peer

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Peer is the other end. The zero Peer is unknown.
type Peer struct {
	Addr netip.Addr // without zone, IPv4 never as IPv6
	// Certificates were shown on a connection whose TLS ends here, the
	// client's own first. TLS proves that the client holds its key; nothing
	// is said about who issued it.
	Certificates []*x509.Certificate
}

type contextKey struct{}

// With returns a context that carries the peer.
func With(ctx context.Context, p Peer) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From is the peer of the request; the zero Peer if none was set.
func From(ctx context.Context) Peer {
	p, _ := ctx.Value(contextKey{}).(Peer)
	return p
}

// Proxies are networks whose word about the client's address is believed.
// The zero Proxies believe nobody.
type Proxies []netip.Prefix

// ParseNetworks reads addresses and networks in CIDR notation. The error
// names the first text that is neither.
func ParseNetworks(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range texts {
		p, err := ParseNetwork(text)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// ParseNetwork reads an address or a network in CIDR notation. Bits after
// the prefix are cleared.
func ParseNetwork(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q: want an address or a network such as 192.0.2.0/24 or 2001:db8::/32", text)
	}
	return p.Masked(), nil
}

// Within reports whether the address is in one of the networks.
func Within(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Client is the address of the client: that of the connection, or, when a
// trusted proxy is at its other end, the last hop that no trusted proxy is.
// What stands further left was written by somebody who is not trusted. When
// X-Forwarded-For and Forwarded (RFC 7239) name different clients, or one
// cannot be read, the proxy itself is the client: a proxy that writes only
// one of them passes the other on as a stranger wrote it.
func (p Proxies) Client(remote string, h http.Header) netip.Addr {
	direct := addrOf(remote)
	if !Within(p, direct) {
		return direct
	}
	client := netip.Addr{}
	for _, read := range []func(http.Header) ([]netip.Addr, bool){forwardedFor, forwarded} {
		hops, there := read(h)
		if !there {
			continue
		}
		said := p.last(direct, hops)
		if client.IsValid() && client != said {
			return direct
		}
		client = said
	}
	if !client.IsValid() {
		return direct
	}
	return client
}

// last is the rightmost hop that is not trusted. A hop that is no address
// ends the way: nobody knows what was before it.
func (p Proxies) last(direct netip.Addr, hops []netip.Addr) netip.Addr {
	client := direct
	for _, hop := range slices.Backward(hops) {
		if !hop.IsValid() {
			return client
		}
		client = hop
		if !Within(p, hop) {
			return client
		}
	}
	return client
}

func addrOf(hostport string) netip.Addr {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.WithZone("").Unmap()
}

// forwardedFor reads X-Forwarded-For: addresses, the nearest hop last.
func forwardedFor(h http.Header) ([]netip.Addr, bool) {
	lines := h.Values("X-Forwarded-For")
	var hops []netip.Addr
	for hop := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		hops = append(hops, addrOf(strings.TrimSpace(hop)))
	}
	return hops, len(lines) > 0
}

package peer_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/platform/peer"
)

func proxies(t testing.TB, texts ...string) peer.Proxies {
	t.Helper()
	p, err := peer.ParseNetworks(texts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestClient(t *testing.T) {
	trusted := proxies(t, "10.0.0.0/8", "2001:db8:ffff::/48", "127.0.0.1")
	for name, c := range map[string]struct {
		remote    string
		xff, fwd  []string
		want      string
		untrusted bool // the operator trusts nobody
	}{
		"direct":                   {"192.0.2.7:55", nil, nil, "192.0.2.7", false},
		"direct and lying":         {"192.0.2.7:55", []string{"198.51.100.1"}, []string{"for=198.51.100.1"}, "192.0.2.7", false},
		"nobody is trusted":        {"10.0.0.1:55", []string{"198.51.100.1"}, nil, "10.0.0.1", true},
		"one proxy":                {"10.0.0.1:55", []string{"198.51.100.1"}, nil, "198.51.100.1", false},
		"two proxies":              {"10.0.0.1:55", []string{"198.51.100.1, 10.0.0.2"}, nil, "198.51.100.1", false},
		"two lines":                {"10.0.0.1:55", []string{"198.51.100.1", "10.0.0.2"}, nil, "198.51.100.1", false},
		"a stranger wrote first":   {"10.0.0.1:55", []string{"10.9.9.9, 127.0.0.1, 198.51.100.1"}, nil, "198.51.100.1", false},
		"with ports":               {"10.0.0.1:55", []string{"198.51.100.1:4711"}, nil, "198.51.100.1", false},
		"IPv6 with a port":         {"[2001:db8:ffff::1]:55", []string{"[2001:db8::9]:4711"}, nil, "2001:db8::9", false},
		"mapped IPv4":              {"[::ffff:10.0.0.1]:55", []string{"::ffff:198.51.100.1"}, nil, "198.51.100.1", false},
		"unknown hop":              {"10.0.0.1:55", []string{"198.51.100.1, unknown, 10.0.0.2"}, nil, "10.0.0.2", false},
		"all trusted":              {"10.0.0.1:55", []string{"10.0.0.3, 10.0.0.2"}, nil, "10.0.0.3", false},
		"empty":                    {"10.0.0.1:55", []string{""}, nil, "10.0.0.1", false},
		"forwarded":                {"10.0.0.1:55", nil, []string{`for=198.51.100.1;proto=https;by=10.0.0.1`}, "198.51.100.1", false},
		"forwarded IPv6":           {"10.0.0.1:55", nil, []string{`proto=https; For="[2001:db8::9]:4711" , for=10.0.0.2`}, "2001:db8::9", false},
		"both agree":               {"10.0.0.1:55", []string{"198.51.100.1"}, []string{"for=198.51.100.1"}, "198.51.100.1", false},
		"both disagree":            {"10.0.0.1:55", []string{"198.51.100.1"}, []string{"for=203.0.113.1"}, "10.0.0.1", false},
		"an open quote":            {"10.0.0.1:55", nil, []string{`for=203.0.113.1;x=", for=198.51.100.1`}, "10.0.0.1", false},
		"an open quote and quotes": {"10.0.0.1:55", nil, []string{`for="203.0.113.1, for="[2001:db8::9]"`}, "10.0.0.1", false},
		"hidden":                   {"10.0.0.1:55", nil, []string{`for=_secret`}, "10.0.0.1", false},
	} {
		p := trusted
		if c.untrusted {
			p = nil
		}
		h := http.Header{"X-Forwarded-For": c.xff, "Forwarded": c.fwd}
		if got := p.Client(c.remote, h); got != netip.MustParseAddr(c.want) {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

// TestNobodyIsImpersonated: whatever a client writes into either header,
// behind any number of trusted proxies of any kind, it is taken for itself or
// for a proxy, never for somebody else.
func TestNobodyIsImpersonated(t *testing.T) {
	trusted := proxies(t, "10.0.0.0/8")
	stranger := rapid.Custom(func(t *rapid.T) string {
		return netip.AddrFrom4([4]byte{198, 51, 100, rapid.Byte().Draw(t, "host")}).String()
	})
	noise := rapid.OneOf(
		rapid.SampledFrom([]string{"", "unknown", "10.0.0.9", "127.0.0.1", `"`, `for="`, `\`, "for=203.0.113.66", ", ", ";", `for="[2001:db8::1]`, "203.0.113.66"}),
		rapid.StringMatching(`[a-z0-9.=;:"\[\], \\]{0,20}`),
	)
	property := func(t *rapid.T) {
		client := stranger.Draw(t, "client")
		written := func(label string) string {
			return strings.Join(rapid.SliceOfN(noise, 0, 4).Draw(t, label), rapid.SampledFrom([]string{"", ", "}).Draw(t, "separator"))
		}
		xff, fwd := written("X-Forwarded-For"), written("Forwarded")
		h := http.Header{}
		hop := client
		for i := range rapid.IntRange(1, 3).Draw(t, "proxies") {
			// Each proxy adds to one header, or to both, and passes the rest on.
			kind := rapid.SampledFrom([]string{"X-Forwarded-For", "Forwarded", "both"}).Draw(t, "kind")
			if kind != "Forwarded" {
				xff = join(xff, hop)
			}
			if kind != "X-Forwarded-For" {
				fwd = join(fwd, "for="+hop)
			}
			hop = netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}).String()
		}
		set(h, "X-Forwarded-For", xff)
		set(h, "Forwarded", fwd)
		got := trusted.Client(hop+":4711", h)
		if got != netip.MustParseAddr(client) && !peer.Within(trusted, got) {
			t.Fatalf("%s with %v is taken for %v", client, h, got)
		}
	}
	for range 20 {
		rapid.Check(t, property)
	}
}

func join(header, hop string) string {
	if header == "" {
		return hop
	}
	return header + ", " + hop
}

func set(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

func TestParseNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", " 192.0.2.77/24 ": "192.0.2.0/24", "2001:db8::1": "2001:db8::1/128",
		"::ffff:192.0.2.1": "192.0.2.1/32", "0.0.0.0/0": "0.0.0.0/0",
	} {
		if p, err := peer.ParseNetwork(text); err != nil || p.String() != want {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "x", "192.0.2.1/33", "192.0.2.0-255", "fe80::1%eth0", "::ffff:192.0.2.0/120", "192.0.2.1/24/24"} {
		if p, err := peer.ParseNetwork(text); err == nil || !strings.Contains(err.Error(), "want an address") {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
}

func FuzzClient(f *testing.F) {
	trusted := proxies(f, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, xff, fwd string) {
		h := http.Header{"X-Forwarded-For": {xff}, "Forwarded": {fwd}}
		if got := trusted.Client("192.0.2.7:1", h); got != netip.MustParseAddr("192.0.2.7") {
			t.Errorf("a direct client is taken for %v", got)
		}
		if !trusted.Client("10.0.0.1:1", h).IsValid() {
			t.Error("a client behind a proxy has no address")
		}
	})
}

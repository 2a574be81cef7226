package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func internet() guard { return guard{refuse: refused()} }

func TestAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "2606:4700:4700::1111": true, "172.15.255.255": true, "172.32.0.0": true,
		"100.63.255.255": true, "100.128.0.0": true, "223.255.255.255": true,
		"0.0.0.0": false, "0.1.2.3": false, "127.0.0.1": false, "127.255.255.254": false, "10.1.2.3": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "100.127.255.255": false, "198.18.0.1": false, "224.0.0.1": false, "239.255.255.255": false,
		"240.0.0.1": false, "255.255.255.255": false, "192.0.2.1": false,
		"::": false, "::1": false, "::7f00:1": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false,
		"fc00::1": false, "fd12:3456::1": false, "ff02::1": false, "2001:db8::1": false, "100::1": false,
		"2001:0:4136:e378:8000:63bf:3fff:fdd2": false, // Teredo
		// IPv4 inside IPv6: as good as what is inside.
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true,
		"64:ff9b::7f00:1": false, "64:ff9b::a00:1": false, "64:ff9b::808:808": true, "64:ff9b:1::808:808": false,
		"2002:7f00:1::": false, "2002:a00:1::1": false, "2002:c0a8:101::": false, "2002:808:808::1": true,
	} {
		if got := internet().allowed(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: allowed %v, want %v", text, got, want)
		}
	}
	if internet().allowed(netip.Addr{}) {
		t.Error("no address is allowed")
	}
}

func TestNoDisguiseOfAPrivateAddressPasses(t *testing.T) {
	private := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("224.0.0.0/4"),
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(private).Draw(t, "network")
		b := p.Addr().As4()
		for i, r := range rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "host") {
			keep := max(0, min(8, p.Bits()-8*i))
			b[i] |= r & byte(0xff>>keep)
		}
		inner := netip.AddrFrom4(b)
		mapped := netip.AddrFrom16(inner.As16())
		nat := netip.MustParseAddr("64:ff9b::").As16()
		copy(nat[12:], b[:])
		six := netip.MustParseAddr("2002::").As16()
		copy(six[2:], b[:])
		copy(six[6:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "rest"))
		for _, a := range []netip.Addr{inner, mapped, netip.AddrFrom16(nat), netip.AddrFrom16(six)} {
			if internet().allowed(a) {
				t.Fatalf("%s is allowed, inside is %s", a, inner)
			}
			g := guard{refuse: refused(), allow: []netip.Prefix{netip.PrefixFrom(inner, 32)}}
			if !g.allowed(a) {
				t.Fatalf("%s is refused though %s is on the list", a, inner)
			}
		}
	})
}

func TestCheck(t *testing.T) {
	c := New(Config{})
	for _, good := range []string{"https://hooks.example.org/a?b=c", "https://hooks.example.org.:8443/", "https://8.8.8.8/", "https://[2606:4700::1111]/", "https://例子.example.org/"} {
		if _, err := c.Check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "hooks.example.org", "http://hooks.example.org/", "ftp://hooks.example.org/", "file:///etc/passwd", "https://", "https:opaque",
		"https://u:p@hooks.example.org/", "https://hooks.example.org/#f", "https://a..b/", "https://a%20b/",
		"https://127.0.0.1/", "https://127.0.0.1./", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/",
		"https://localhost/", "https://localhost./", "https://a.localhost/",
		"https://2130706433/", "https://2130706433./", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/",
		"https://1.2.3.0x4/", "https://１２７.0.0.1/", "https://hooks.example.org/" + strings.Repeat("a", maxURL),
	} {
		if u, err := c.Check(bad); err == nil {
			t.Errorf("%s passed as %s", bad, u)
		}
	}
}

// request asks the client for the address.
func request(t *testing.T, c *Client, at string) (Answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(r)
}

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

func TestTheConnectionIsChecked(t *testing.T) {
	reached := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer srv.Close()
	// A name that looks harmless and resolves to this machine, as after a
	// rebinding: Check cannot see it, the dialer does.
	c := New(Config{Transport: func(tr *http.Transport) {
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dial(ctx, network, srv.Listener.Addr().String())
		}
	}})
	if _, err := request(t, c, "https://rebound.example.org/"); !errors.Is(err, ErrAddress) {
		t.Errorf("got %v, want %v", err, ErrAddress)
	}
	if reached {
		t.Error("the machine inside was reached")
	}
	if _, err := request(t, New(Config{Allow: loopback()}), srv.URL); err != nil || !reached {
		t.Errorf("an allowed address is not reached: %v", err)
	}
}

func TestRedirectsBodiesAndTimeAreBounded(t *testing.T) {
	inside := false
	mux := http.NewServeMux()
	mux.HandleFunc("/inside", func(http.ResponseWriter, *http.Request) { inside = true })
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/inside", http.StatusFound) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("a", 5000)) })
	mux.HandleFunc("/headers", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("a", 1<<20)) })
	hang := make(chan struct{})
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { <-hang })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer close(hang)
	c := New(Config{Allow: loopback(), MaxBody: 4096, Timeout: time.Second})
	answer, err := request(t, c, srv.URL+"/redirect")
	if err != nil || answer.Status != http.StatusFound || inside {
		t.Errorf("redirect: %d, %v, followed: %v", answer.Status, err, inside)
	}
	if _, err := request(t, c, srv.URL+"/large"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("large body: %v", err)
	}
	for _, path := range []string{"/headers", "/slow"} {
		if _, err := request(t, c, srv.URL+path); err == nil {
			t.Errorf("%s passed", path)
		}
	}
}

func TestNoProxyFromTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	New(Config{Transport: func(tr *http.Transport) {
		if tr.Proxy != nil {
			t.Error("the transport asks for a proxy")
		}
	}})
}

func FuzzCheck(f *testing.F) {
	c := New(Config{})
	f.Fuzz(func(t *testing.T, text string) {
		u, err := c.Check(text)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.User != nil {
			t.Errorf("%q passed", text)
		}
		if a, err := netip.ParseAddr(strings.TrimSuffix(u.Hostname(), ".")); err == nil && !internet().allowed(a) {
			t.Errorf("%q passed with a private address", text)
		}
	})
}

// TestHosts: with a list, nothing else is reached, not by asking either.
func TestHosts(t *testing.T) {
	reached := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer srv.Close()
	var hosts []string
	for _, text := range []string{"SIEM.bank.example.", "*.soc.example", "例子.example", "8.8.8.8"} {
		h, err := Host(text)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	c := New(Config{Allow: loopback(), Hosts: hosts})
	for _, good := range []string{"https://siem.bank.example/x", "https://a.siem.bank.example.:8443/", "https://soc.example/", "https://Hook.SOC.example/", "https://例子.example/", "https://8.8.8.8/"} {
		if _, err := c.Check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"https://bank.example/", "https://evilsoc.example/", "https://soc.example.evil.example/", "https://1.1.1.1/", "https://localhost/", srv.URL} {
		if _, err := c.Check(bad); !errors.Is(err, ErrHost) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := request(t, c, srv.URL); !errors.Is(err, ErrHost) || reached {
		t.Errorf("reached %v: %v", reached, err)
	}
	for _, bad := range []string{"", "https://x.example", "a..b", "1.2.3"} {
		if h, err := Host(bad); err == nil {
			t.Errorf("%q is the host %q", bad, h)
		}
	}
}

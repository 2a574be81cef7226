package wire

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what lists of breached passwords hold
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/password"
	"github.com/aspis-platform/aspis/internal/platform/secret"
	"github.com/aspis-platform/aspis/internal/sector"
)

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	tls  tls.Certificate
}

func (i issued) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}))
}

// issue makes a certificate, signed by another or by itself.
func issue(t *testing.T, by *issued, name pkix.Name, change func(*x509.Certificate)) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: name, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	change(template)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issued{cert, key, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}
func client(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }

// withTLS gives the program a certificate and returns what it is checked by.
func withTLS(t *testing.T, o *Options) *x509.CertPool {
	t.Helper()
	own := issue(t, nil, pkix.Name{CommonName: "centre"}, func(c *x509.Certificate) {
		authority(c)
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	})
	pkcs, err := x509.MarshalPKCS8PrivateKey(own.key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o.TLSCert, o.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, text := range map[string][]byte{o.TLSCert: []byte(own.pem()), o.TLSKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(own.cert)
	return roots
}

// browser asks without following redirects, showing the certificate if any.
func browser(t *testing.T, roots *x509.CertPool, shown *tls.Certificate) *http.Client {
	t.Helper()
	config := &tls.Config{RootCAs: roots}
	if shown != nil {
		config.Certificates = []tls.Certificate{*shown}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ask sends a request and returns the answer with its body read.
func ask(t *testing.T, c *http.Client, method, target, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func addMember(t *testing.T, p *Program, id sector.MemberID) {
	t.Helper()
	_, err := p.directory.CreateMember(t.Context(), sector.System(), sector.Member{ID: id, Name: "Bank " + string(id), NameZh: "銀行 " + string(id), Sector: sector.Banking})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOwnTLS(t *testing.T) {
	var roots *x509.CertPool
	p := start(t, func(o *Options) { roots = withTLS(t, o) })
	c := browser(t, roots, nil)
	resp, _ := ask(t, c, http.MethodGet, p.URL()+"/sign-in", "")
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || !strings.HasPrefix(p.URL(), "https://") {
		t.Errorf("%s answers %d over %s", p.URL(), resp.StatusCode, resp.Proto)
	}
	if sts := resp.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(sts, "max-age=31536000") {
		t.Errorf("Strict-Transport-Security: %q", sts)
	}
	link, err := p.SignInLink(t.Context(), sector.User{Email: "a@b.example", Roles: []sector.Role{sector.Analyst}})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	resp, _ = ask(t, c, http.MethodPost, p.URL()+"/enrol", url.Values{"token": {u.Fragment}}.Encode(),
		"Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range resp.Cookies() {
		if cookie.Name == "__Host-aspis" && cookie.Secure && cookie.HttpOnly && cookie.SameSite == http.SameSiteLaxMode && cookie.Path == "/" && cookie.Domain == "" {
			return
		}
	}
	t.Errorf("the session's cookie is %v", resp.Cookies())
}

func TestRedirect(t *testing.T) {
	p := start(t, func(o *Options) {
		withTLS(t, o)
		o.Redirect = "127.0.0.1:0"
	})
	plain := "http://" + p.redirectListener.Addr().String()
	c := browser(t, nil, nil)
	resp, _ := ask(t, c, http.MethodGet, plain+"/sign-in?next=%2Falerts", "")
	if where := resp.Header.Get("Location"); resp.StatusCode != http.StatusMovedPermanently || where != p.URL()+"/sign-in?next=%2Falerts" {
		t.Errorf("%d to %s", resp.StatusCode, where)
	}
	for _, target := range []string{"//evil.example/", "/%0d%0aSet-Cookie:x=y", `/\evil.example`, "/..//evil.example"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, plain, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque, r.Host = target, "evil.example"
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if where := resp.Header.Get("Location"); where != "" && !strings.HasPrefix(where, p.URL()+"/") || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s leads to %q", target, where)
		}
	}
	for _, r := range [][]string{{http.MethodPost, "/sign-in"}, {http.MethodGet, "/api/v1/advisories"}, {http.MethodGet, "/taxii2/"}} {
		if resp, _ := ask(t, c, r[0], plain+r[1], ""); resp.StatusCode != http.StatusForbidden {
			t.Errorf("%v: status %d", r, resp.StatusCode)
		}
	}
}

// TestClientCertificates uses the API with real certificates on real
// connections.
func TestClientCertificates(t *testing.T) {
	var roots *x509.CertPool
	p := start(t, func(o *Options) {
		roots = withTLS(t, o)
		o.ClientCertificates = true
	})
	addMember(t, p, "north-bank")
	addMember(t, p, "east-bank")
	soc := func(cn string) pkix.Name { return pkix.Name{CommonName: cn, Organization: []string{"Bank, Ltd."}} }
	ca := issue(t, nil, pkix.Name{CommonName: "Bank CA"}, authority)
	between := issue(t, &ca, pkix.Name{CommonName: "Issuing CA"}, authority)
	otherCA := issue(t, nil, pkix.Name{CommonName: "Bank CA"}, authority)
	one := issue(t, nil, soc("one"), client)
	named := issue(t, &between, soc("named"), client)
	renewed := issue(t, &ca, soc("named"), client)
	named.tls.Certificate = append(named.tls.Certificate, between.cert.Raw)
	bind := func(member sector.MemberID, networks string, cert sector.CertificateSpec) sector.Key {
		spec := sector.KeySpec{Member: member, Scopes: []sector.Scope{sector.ScopeAdvisories, sector.ScopeTAXII}}
		if networks != "" {
			spec.Networks = []netip.Prefix{netip.MustParsePrefix(networks)}
		}
		k, err := p.directory.IssueCertificateKey(t.Context(), sector.System(), spec, cert)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	byFingerprint := bind("north-bank", "", sector.CertificateSpec{Certificate: one.pem()})
	bind("east-bank", "", sector.CertificateSpec{Authority: ca.pem(), Subject: `CN=named,O=Bank\, Ltd.`})
	far := issue(t, nil, soc("far"), client)
	bind("east-bank", "192.0.2.0/24", sector.CertificateSpec{Certificate: far.pem()})
	late := issue(t, &ca, soc("named"), func(c *x509.Certificate) { client(c); c.NotAfter = time.Now().Add(-time.Minute) })
	server := issue(t, &ca, soc("named"), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	stranger, forged := issue(t, nil, soc("one"), client), issue(t, &otherCA, soc("named"), client)

	for name, x := range map[string]struct {
		shown *tls.Certificate
		path  string
		want  int
	}{
		"by fingerprint":          {&one.tls, "/api/v1/advisories", http.StatusOK},
		"by authority, with CA":   {&named.tls, "/api/v1/advisories", http.StatusOK},
		"renewed":                 {&renewed.tls, "/api/v1/advisories", http.StatusOK},
		"TAXII":                   {&one.tls, "/taxii2/sector/", http.StatusOK},
		"without the scope":       {&one.tls, "/api/v1/alerts", http.StatusForbidden},
		"from elsewhere":          {&far.tls, "/api/v1/advisories", http.StatusForbidden},
		"nobody's, of one's name": {&stranger.tls, "/api/v1/advisories", http.StatusUnauthorized},
		"another authority":       {&forged.tls, "/api/v1/advisories", http.StatusUnauthorized},
		"expired":                 {&late.tls, "/api/v1/advisories", http.StatusUnauthorized},
		"for servers":             {&server.tls, "/api/v1/advisories", http.StatusUnauthorized},
		"none":                    {nil, "/api/v1/advisories", http.StatusUnauthorized},
		"a page":                  {&one.tls, "/inbox", http.StatusUnauthorized},
	} {
		resp, body := ask(t, browser(t, roots, x.shown), http.MethodGet, p.URL()+x.path, "")
		if resp.StatusCode != x.want {
			t.Errorf("%s: status %d, want %d: %s", name, resp.StatusCode, x.want, body)
		}
		if cache := resp.Header.Get("Cache-Control"); x.want == http.StatusOK && !strings.Contains(cache, "no-store") && !strings.Contains(cache, "private") {
			t.Errorf("%s: may be kept by others: %q", name, resp.Header.Get("Cache-Control"))
		}
	}

	c := browser(t, roots, &one.tls)
	if resp, _ := ask(t, c, http.MethodPost, p.URL()+"/api/v1/advisories/x/answer", "{}", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a forged request with the browser's certificate: status %d", resp.StatusCode)
	}
	// A certificate is public: its bytes in place of a secret open nothing.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/taxii2/sector/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("x", string(one.cert.Raw))
	resp, err := browser(t, roots, nil).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the certificate's bytes as a password: status %d", resp.StatusCode)
	}
	if err := p.directory.RevokeKey(t.Context(), sector.System(), byFingerprint); err != nil {
		t.Fatal(err)
	}
	if resp, _ := ask(t, c, http.MethodGet, p.URL()+"/api/v1/advisories", ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("on the same connection after the key was revoked: status %d", resp.StatusCode)
	}
}

// TestClientBehindProxies: the networks of a key see through proxies that are
// trusted, and through no others.
func TestClientBehindProxies(t *testing.T) {
	for trusted, want := range map[string]map[string]int{
		"127.0.0.0/8": {"192.0.2.9": 200, "198.51.100.1": 403, "192.0.2.9, 198.51.100.1": 403, "198.51.100.1, 192.0.2.9": 200},
		"10.0.0.0/8":  {"192.0.2.9": 403},
	} {
		p := start(t, func(o *Options) { o.TrustedProxies = []string{trusted} })
		addMember(t, p, "north-bank")
		_, key, err := p.directory.IssueKey(t.Context(), sector.System(), sector.KeySpec{Member: "north-bank",
			Scopes: []sector.Scope{sector.ScopeAdvisories}, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
		if err != nil {
			t.Fatal(err)
		}
		for forwarded, status := range want {
			resp, body := ask(t, browser(t, nil, nil), http.MethodGet, p.URL()+"/api/v1/advisories", "",
				"Authorization", "Bearer "+key, "X-Forwarded-For", forwarded, "Accept-Language", "en")
			if resp.StatusCode != status {
				t.Errorf("trusting %s, from %s: status %d, want %d", trusted, forwarded, resp.StatusCode, status)
			}
			if status == http.StatusForbidden && !strings.Contains(body, "may not be used from") {
				t.Errorf("the answer does not say why: %s", body)
			}
		}
	}
}

func TestRequestsAreLimited(t *testing.T) {
	var log lockedBuffer
	at := time.Now()
	p := start(t, func(o *Options) {
		o.TrustedProxies, o.RequestsPerSecond = []string{"127.0.0.1"}, 1
		o.Now = func() time.Time { return at } // nothing is refilled
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	addMember(t, p, "north-bank")
	_, key, err := p.directory.CreateKey(t.Context(), sector.System(), "north-bank", []sector.Scope{sector.ScopeAdvisories, sector.ScopeRecords})
	if err != nil {
		t.Fatal(err)
	}
	c := browser(t, nil, nil)
	passed := func(method, path, from string, most int, header ...string) (n int, last *http.Response, body string) {
		for ; n < most; n++ {
			last, body = ask(t, c, method, p.URL()+path, `{"message":"m"}`, append(header, "X-Forwarded-For", from)...)
			if last.StatusCode == http.StatusTooManyRequests {
				return n, last, body
			}
		}
		return n, last, body
	}
	bearer := []string{"Authorization", "Bearer " + key}
	n, resp, _ := passed(http.MethodGet, "/api/v1/advisories", "192.0.2.1", 40, bearer...)
	if n != 10 || resp.Header.Get("Retry-After") == "" || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a key passed %d times; then %v", n, resp.Header)
	}
	if n, _, _ := passed(http.MethodGet, "/api/v1/advisories", "192.0.2.2", 1, bearer...); n != 0 {
		t.Error("the key is let through from another address")
	}
	if n, _, body := passed(http.MethodPost, "/api/v1/records", "192.0.2.1", 40, bearer...); n != 40 {
		t.Errorf("the door passed %d: %s", n, body)
	}
	if n, _, _ := passed(http.MethodPost, "/api/v1/records", "192.0.2.3", 40, "Authorization", "Bearer wrong"); n != 20 {
		t.Errorf("wrong keys passed the door %d times", n)
	}
	if n, _, _ := passed(http.MethodPost, "/api/v1/records", "192.0.2.4", 40); n != 20 {
		t.Errorf("nobody passed the door %d times", n)
	}
	n, resp, body := passed(http.MethodGet, "/sign-in", "2001:db8::1", 40, "Accept", "text/html")
	if n != 20 || !strings.Contains(body, "<h1") || resp.Header.Get("Retry-After") == "" {
		t.Errorf("an address passed %d times; then %v", n, resp.Header)
	}
	if n, _, _ := passed(http.MethodGet, "/sign-in", "2001:db8::2:1", 1); n != 0 {
		t.Error("a neighbour in the same /64 counts as somebody else")
	}
	if n, _, _ := passed(http.MethodGet, "/sign-in", "2001:db8:0:1::1", 1); n != 1 {
		t.Error("one address used up everybody's")
	}
	if !strings.Contains(log.String(), "client=2001:db8::1") || strings.Contains(log.String(), key) {
		t.Error("the log does not name the client, or does name the key")
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func TestMetricsAreForNeighbours(t *testing.T) {
	p := start(t, func(o *Options) {})
	if resp, _ := ask(t, browser(t, nil, nil), http.MethodGet, p.URL()+"/metrics", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("on this machine: status %d", resp.StatusCode)
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if resp, _ := ask(t, browser(t, nil, nil), http.MethodGet, p.URL()+"/metrics", "", name, "x"); resp.StatusCode != http.StatusNotFound {
			t.Errorf("with %s: status %d", name, resp.StatusCode)
		}
	}
}

func TestSecretsKeyStaysTheSame(t *testing.T) {
	data := t.TempDir()
	var sealed string
	for i := range 2 {
		p, err := Build(t.Context(), Options{Data: data, Listen: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if sealed, err = p.engines.secrets.Seal("test", "1", []byte("x")); err != nil {
				t.Fatal(err)
			}
		} else if plain, err := p.engines.secrets.Open("test", "1", sealed); err != nil || string(plain) != "x" {
			t.Errorf("after a restart: %q, %v", plain, err)
		}
		if parts := (health{p}).edgeParts(); len(parts) != 1 || parts[0].State != "note" || parts[0].Note == "" {
			t.Errorf("the health page does not say where the key lies: %+v", parts)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOptionsRefuse(t *testing.T) {
	base := func(o *Options) { o.Data, o.Listen = "d", "127.0.0.1:0" }
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"plain for all":        {func(o *Options) { o.Listen = "0.0.0.0:80" }, "cli.listen_plain"},
		"plain for all, empty": {func(o *Options) { o.Listen = ":80" }, "cli.listen_plain"},
		"half a pair":          {func(o *Options) { o.TLSCert = "c" }, "belong together"},
		"two sources":          {func(o *Options) { o.TLSCert, o.TLSKey, o.ACMEHosts = "c", "k", []string{"h.example"} }, "use either"},
		"certificates, no TLS": {func(o *Options) { o.ClientCertificates = true }, "--client-certificates"},
		"redirect, no TLS":     {func(o *Options) { o.Redirect = ":80" }, "--redirect"},
		"redirect to where":    {func(o *Options) { o.TLSCert, o.TLSKey, o.Redirect = "c", "k", "80" }, "HOST:PORT"},
		"no base":              {func(o *Options) { o.TLSCert, o.TLSKey, o.Listen = "c", "k", ":443" }, "--base-url"},
		"proxies":              {func(o *Options) { o.TrustedProxies = []string{"10.0.0.0/33"} }, "--trusted-proxies"},
		"metrics":              {func(o *Options) { o.MetricsFrom = []string{"everybody"} }, "--metrics-from"},
		"plain database":       {func(o *Options) { o.Database = "postgres://db.example/aspis" }, "cli.plain_database"},
		"fallback to plain":    {func(o *Options) { o.Database = "postgres://db.example/aspis?sslmode=prefer" }, "cli.plain_database"},
		"plain stream":         {func(o *Options) { o.NATS = "tls://a.example:4222,nats://b.example:4222" }, "cli.plain_nats"},
		"webhooks' hosts":      {func(o *Options) { o.WebhookHosts = []string{"https://x.example"} }, "cli.webhook_host"},
		"rate":                 {func(o *Options) { o.RequestsPerSecond = -1 }, "--requests-per-second"},
	} {
		var o Options
		base(&o)
		c.change(&o)
		if err := o.check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Options){
		"checked TLS": func(o *Options) {
			o.Database, o.NATS = "postgres://db.example/a?sslmode=verify-full", "tls://n.example:4222"
		},
		"this machine": func(o *Options) { o.Database, o.NATS = "postgres://127.0.0.1/a", "nats://localhost:4222" },
		"as they say": func(o *Options) {
			o.Database, o.NATS, o.PlainEngines = "postgres://db.example/a", "nats://n.example", true
		},
		"named webhook": func(o *Options) { o.WebhookHosts = []string{"siem.bank.example", "*.soc.example"} },
	} {
		var o Options
		base(&o)
		change(&o)
		if err := o.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, url := range []string{"ftp://centre.example", "https://centre.example/aspis", "https://u:p@centre.example", "https://centre.example/?x", "https://"} {
		if err := (&Edge{}).checkBase(url); err == nil {
			t.Errorf("--base-url %s is accepted", url)
		}
	}
	if err := (&Edge{TLSCert: "c"}).checkBase("http://centre.example"); err == nil {
		t.Error("plain links to a program that speaks TLS")
	}
	_, err := Build(t.Context(), Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Edge: Edge{SecretKey: secret.Text("c3VwZXItc2VjcmV0")}})
	if err == nil || strings.Contains(err.Error(), "c3Vw") {
		t.Errorf("a broken key: %v", err)
	}
}

// TestBreachedPasswordsEverywhere: the operator's list counts for first
// passwords that an administrator gives, and a file that is none stops the
// start.
func TestBreachedPasswordsEverywhere(t *testing.T) {
	const known = "correct horse battery staple"
	list := filepath.Join(t.TempDir(), "breached")
	if err := os.WriteFile(list, fmt.Appendf(nil, "%X:7\r\n", sha1.Sum([]byte(known))), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, func(o *Options) { o.BreachedPasswords = list })
	u := sector.User{Email: "mei@centre.example", Roles: []sector.Role{sector.Analyst}}
	if _, err := p.directory.CreateUser(t.Context(), sector.System(), u, known); err == nil || !strings.HasPrefix(err.Error(), "password.breached") {
		t.Errorf("a known password: %v", err)
	}
	if _, err := p.directory.CreateUser(t.Context(), sector.System(), u, "a sentence that nobody guesses"); err != nil {
		t.Errorf("another: %v", err)
	}
	_, err := Build(t.Context(), Options{Data: t.TempDir(), Listen: "127.0.0.1:0", BreachedPasswords: "edge_test.go"})
	if !errors.Is(err, password.ErrBreachedFile) {
		t.Errorf("a file that is no list: %v", err)
	}
}

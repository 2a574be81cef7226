package certs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"github.com/aspis-platform/aspis/internal/platform/certs"
	"github.com/aspis-platform/aspis/internal/platform/secret"
)

const host = "centre.aspis.example"

// resolver answers that every name is this machine.
func resolver(t *testing.T) string {
	t.Helper()
	l, _ := listen(t)
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			a.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)}}
		}
		_ = w.WriteMsg(a)
	})}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	return l.Addr().String()
}

// authority is Let's Encrypt's test server: its directory, a file with the
// certificate of its own TLS, and what its certificates are checked by. It
// calls back on the ports.
func authority(t *testing.T, httpPort, tlsPort uint16) (directory, tlsRoot string, roots *x509.CertPool) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	validator := va.New(quiet, int(httpPort), int(tlsPort), true, resolver(t), store)
	front := wfe.New(quiet, store, validator, issuer, []string{"pebble.example"}, true, false, 1, 1)
	server := httptest.NewUnstartedServer(front.Handler())
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	tlsRoot = filepath.Join(t.TempDir(), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(tlsRoot, text, 0o600); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	root, err := x509.ParseCertificate(issuer.GetRootCert(0).DER)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(root)
	return server.URL + wfe.DirectoryPath, tlsRoot, roots
}

func listen(t *testing.T) (net.Listener, uint16) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, netip.MustParseAddrPort(l.Addr().String()).Port()
}

// serve answers over TLS with certificates of the source.
func serve(t *testing.T, l net.Listener, s certs.Source) {
	t.Helper()
	server := &http.Server{Handler: http.NotFoundHandler(), TLSConfig: certs.Server(s, false), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { server.Close() })
}

// leaf connects under the name and returns the certificate that was shown.
func leaf(t *testing.T, addr, name string, roots *x509.CertPool) (*x509.Certificate, error) {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: name, RootCAs: roots}}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

func keeper(t *testing.T) *secret.Box {
	t.Helper()
	box, err := secret.New(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// TestACME gets a certificate by TLS-ALPN-01 from a real authority, keeps it
// sealed, and shows the same one after a restart.
func TestACME(t *testing.T) {
	l, port := listen(t)
	directory, tlsRoot, roots := authority(t, 1, port)
	config := certs.ACMEConfig{Hosts: []string{host}, Directory: directory, Authority: tlsRoot, Folder: t.TempDir(), Keeper: keeper(t)}
	source, err := certs.NewACME(config)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, source)
	if ends, _ := source.State(); !ends.IsZero() {
		t.Errorf("before anybody asked there is a certificate until %v", ends)
	}
	first, err := leaf(t, l.Addr().String(), host, roots)
	if err != nil {
		_, trouble := source.State()
		t.Fatal(err, trouble)
	}
	if ends, err := source.State(); err != nil || !ends.Equal(first.NotAfter) {
		t.Errorf("State = %v, %v; the certificate ends %v", ends, err, first.NotAfter)
	}
	if _, err := leaf(t, l.Addr().String(), "other.example", roots); err == nil {
		t.Error("there is a certificate for a stranger's name")
	}
	if _, err := source.State(); err != nil {
		t.Errorf("a stranger's name troubles us: %v", err)
	}
	files, err := os.ReadDir(config.Folder)
	if err != nil || len(files) < 2 { // the account and the certificate
		t.Errorf("kept are %v, %v", files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(config.Folder, f.Name()))
		if err != nil || strings.Contains(string(text), "PRIVATE KEY") {
			t.Errorf("%s lies open, %v", f.Name(), err)
		}
	}
	again, err := certs.NewACME(config)
	if err != nil {
		t.Fatal(err)
	}
	l2, _ := listen(t)
	serve(t, l2, again)
	second, err := leaf(t, l2.Addr().String(), host, roots)
	if err != nil || !second.Equal(first) {
		t.Errorf("after a restart another certificate is shown, %v", err)
	}
}

// TestACMEOverHTTP proves the name on the plain port, where that of TLS is
// not reached.
func TestACMEOverHTTP(t *testing.T) {
	l, _ := listen(t)
	plain, httpPort := listen(t)
	directory, tlsRoot, roots := authority(t, httpPort, 1)
	source, err := certs.NewACME(certs.ACMEConfig{Hosts: []string{host}, Directory: directory, Authority: tlsRoot, Folder: t.TempDir(), Keeper: keeper(t)})
	if err != nil {
		t.Fatal(err)
	}
	challenges := source.Challenges(http.NotFoundHandler())
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = host // as it is on port 80, which a test cannot have
		challenges.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(plain) }()
	t.Cleanup(func() { server.Close() })
	serve(t, l, source)
	if _, err := leaf(t, l.Addr().String(), host, roots); err != nil {
		_, trouble := source.State()
		t.Fatal(err, trouble)
	}
}

func TestACMERefusesWhatCannotWork(t *testing.T) {
	nothing := filepath.Join(t.TempDir(), "nothing.pem")
	if err := os.WriteFile(nothing, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]certs.ACMEConfig{
		"no host":           {},
		"plain directory":   {Hosts: []string{host}, Directory: "http://authority.example/dir"},
		"no such authority": {Hosts: []string{host}, Authority: nothing + "x"},
		"no PEM":            {Hosts: []string{host}, Authority: nothing},
	} {
		if _, err := certs.NewACME(c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

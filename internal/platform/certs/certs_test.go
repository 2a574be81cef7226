package certs_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/certs"
)

// pair writes a certificate of the serial number and its key.
func pair(t *testing.T, dir string, serial int64) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Duration(serial) * time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cert, key, roots
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestFilesAreReadAgain(t *testing.T) {
	dir, at := t.TempDir(), &clock{at: time.Now()}
	cert, key, roots := pair(t, dir, 11)
	var log bytes.Buffer
	files, err := certs.OpenFiles(cert, key, at.now, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	l, _ := listen(t)
	serve(t, l, files)
	serial := func(want int64, roots *x509.CertPool) {
		t.Helper()
		got, err := leaf(t, l.Addr().String(), host, roots)
		if err != nil || got.SerialNumber.Int64() != want {
			t.Errorf("serial %v, %v; want %d", got, err, want)
		}
	}
	serial(11, roots)
	_, _, newRoots := pair(t, dir, 222)
	serial(11, roots) // it is not looked at on every handshake
	at.pass(6 * time.Second)
	serial(222, newRoots)
	if err := os.WriteFile(cert, []byte("half a certifi"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		at.pass(6 * time.Second)
		serial(222, newRoots) // what does not load changes nothing
	}
	if _, err := files.State(); err == nil || strings.Count(log.String(), "former one stays") != 1 {
		t.Errorf("trouble %v, log:\n%s", err, log.String())
	}
	_, _, last := pair(t, dir, 3333)
	at.pass(6 * time.Second)
	serial(3333, last)
	if ends, err := files.State(); err != nil || time.Until(ends) < 3000*time.Hour {
		t.Errorf("State = %v, %v", ends, err)
	}
	if strings.Contains(log.String(), "PRIVATE") {
		t.Error("the key is in the log")
	}
}

func TestOpenFilesSaysWhichPairIsWrong(t *testing.T) {
	dir := t.TempDir()
	cert, key, _ := pair(t, dir, 1)
	_, otherKey, _ := pair(t, t.TempDir(), 2)
	for _, files := range [][2]string{{cert, otherKey}, {cert + "x", key}, {key, cert}} {
		if _, err := certs.OpenFiles(files[0], files[1], time.Now, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), files[0]) {
			t.Errorf("%v: %v", files, err)
		}
	}
}

func TestOldAndWeakTLSIsRefused(t *testing.T) {
	cert, key, roots := pair(t, t.TempDir(), 1)
	files, err := certs.OpenFiles(cert, key, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, _ := listen(t)
	serve(t, l, files)
	for name, c := range map[string]struct {
		config *tls.Config
		works  bool
	}{
		"1.3":           {&tls.Config{MinVersion: tls.VersionTLS13}, true},
		"1.2":           {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
		"1.1":           {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		"1.2 with CBC":  {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
		"1.2, no ECDHE": {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, false},
	} {
		c.config.ServerName, c.config.RootCAs = host, roots
		conn, err := (&tls.Dialer{Config: c.config}).DialContext(t.Context(), "tcp", l.Addr().String())
		if (err == nil) != c.works {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{ServerName: host, RootCAs: roots}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("spoken is %s", resp.Proto)
	}
}

package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACMEConfig says whom to ask for which certificates.
type ACMEConfig struct {
	Hosts     []string // names to be certified; handshakes for others fail
	Email     string   // whom the authority may warn; may be empty
	Directory string   // URL of the authority's directory; empty: Let's Encrypt
	Authority string   // file with certificates (PEM) that the directory's own TLS is checked by; empty: the system's
	Folder    string   // where account and certificates are kept
	Keeper    Keeper   // seals what is kept
}

// Keeper seals keys at rest; *secret.Box is one.
type Keeper interface {
	Seal(purpose, id string, plain []byte) (string, error)
	Open(purpose, id, sealed string) ([]byte, error)
}

// ACME is certificates from an authority, got on the first handshake and
// renewed before they end. Control over the name is shown by TLS-ALPN-01 (RFC
// 8737) on the program's own port, or by HTTP-01 where [ACME.Challenges] is
// reached on port 80.
type ACME struct {
	manager *autocert.Manager

	mu      sync.Mutex
	last    *tls.Certificate
	trouble error
}

// acmePatience bounds one conversation with the authority.
const acmePatience = 30 * time.Second

// NewACME checks the configuration. The authority is asked later.
func NewACME(c ACMEConfig) (*ACME, error) {
	if len(c.Hosts) == 0 {
		return nil, errors.New("ACME: no host to be certified")
	}
	if c.Directory == "" {
		c.Directory = autocert.DefaultACMEDirectory
	}
	if u, err := url.Parse(c.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("ACME: directory %q: want an https:// URL", c.Directory)
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if c.Authority != "" {
		text, err := os.ReadFile(c.Authority)
		if err != nil {
			return nil, fmt.Errorf("ACME: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ACME: %s holds no certificate in PEM", c.Authority)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &ACME{manager: &autocert.Manager{
		Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(c.Hosts...), Email: c.Email,
		Cache: sealedFolder{autocert.DirCache(c.Folder), c.Keeper},
		Client: &acme.Client{DirectoryURL: c.Directory, UserAgent: "aspis",
			HTTPClient: &http.Client{Transport: transport, Timeout: acmePatience}},
	}}, nil
}

// Get implements Source.
func (a *ACME) Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := a.manager.GetCertificate(hello)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil && leafOf(cert).NotAfter.After(leafOf(a.last).NotAfter) {
		a.last = cert
	}
	if a.manager.HostPolicy(hello.Context(), hello.ServerName) == nil { // strangers' names are no trouble of ours
		a.trouble = err
	}
	return cert, err
}

// State implements Source.
func (a *ACME) State() (time.Time, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return leafOf(a.last).NotAfter, a.trouble
}

// Protocols implements Source.
func (a *ACME) Protocols() []string { return []string{acme.ALPNProto} }

// Challenges answers the authority's questions over plain HTTP, and next
// everything else.
func (a *ACME) Challenges(next http.Handler) http.Handler { return a.manager.HTTPHandler(next) }

// sealedFolder keeps the account's and the certificates' private keys sealed.
type sealedFolder struct {
	folder autocert.DirCache
	keeper Keeper
}

const purpose = "acme"

// Get implements autocert.Cache.
func (s sealedFolder) Get(ctx context.Context, name string) ([]byte, error) {
	sealed, err := s.folder.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	plain, err := s.keeper.Open(purpose, filepath.Base(name), string(sealed))
	if err != nil {
		return nil, fmt.Errorf("ACME: file %s: %w", name, err)
	}
	return plain, nil
}

// Put implements autocert.Cache.
func (s sealedFolder) Put(ctx context.Context, name string, data []byte) error {
	sealed, err := s.keeper.Seal(purpose, filepath.Base(name), data)
	if err != nil {
		return err
	}
	return s.folder.Put(ctx, name, []byte(sealed))
}

// Delete implements autocert.Cache.
func (s sealedFolder) Delete(ctx context.Context, name string) error {
	return s.folder.Delete(ctx, name)
}

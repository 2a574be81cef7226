// Package certs is where TLS ends: what versions and suites are spoken, and
// where the program's certificate comes from: files, or an authority that
// speaks ACME (RFC 8555).
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Source is where certificates come from.
type Source interface {
	// Get answers a handshake.
	Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
	// State is when the certificate in use ends, and what went wrong when it
	// was last to be replaced; the zero time when there is none yet.
	State() (ends time.Time, trouble error)
	// Protocols are application protocols (ALPN) that the source needs.
	Protocols() []string
}

// Server is the configuration of a server: TLS 1.2 with forward secrecy and
// authenticated encryption only, TLS 1.3 as Go has it. askClients makes it
// ask for a client's certificate; it proves that the client holds its key,
// and leaves to the program whose it is.
func Server(s Source, askClients bool) *tls.Config {
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: s.Get,
		NextProtos:     append([]string{"h2", "http/1.1"}, s.Protocols()...),
		CipherSuites: []uint16{ // of TLS 1.2; those of 1.3 are all good
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
	if askClients {
		c.ClientAuth = tls.RequestClientCert
	}
	return c
}

// lookEvery is how often files are looked at for changes, at most.
const lookEvery = 5 * time.Second

// Files is a certificate in files, read again when they change. A pair that
// does not load leaves the former one in use.
type Files struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	seen    [2]fileState
	current *tls.Certificate
	trouble error
}

type fileState struct {
	changed time.Time
	size    int64
}

// OpenFiles reads a certificate with its chain and its key, both PEM.
func OpenFiles(cert, key string, now func() time.Time, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, now: now, log: log}
	if err := f.read(); err != nil {
		return nil, err
	}
	f.looked = now()
	return f, nil
}

// Get implements Source.
func (f *Files) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked) >= lookEvery {
		f.looked = now
		f.look()
	}
	return f.current, nil
}

func (f *Files) look() {
	state, err := f.stat()
	if err == nil && state == f.seen && f.trouble == nil {
		return
	}
	had := f.trouble
	if err = f.read(); err == nil {
		f.log.Info("certificate read again", "file", f.cert, "ends", f.current.Leaf.NotAfter)
	} else if had == nil {
		f.log.Error("the new certificate cannot be used, the former one stays", "error", err)
	}
}

func (f *Files) read() error {
	state, err := f.stat()
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(f.cert, f.key); err == nil {
			f.current, f.seen = &pair, state
		}
	}
	if err != nil {
		err = fmt.Errorf("certificate %s with key %s: %w", f.cert, f.key, err)
	}
	f.trouble = err
	return err
}

func (f *Files) stat() (state [2]fileState, err error) {
	for i, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return state, err
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	return state, nil
}

// State implements Source.
func (f *Files) State() (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return leafOf(f.current).NotAfter, f.trouble
}

// Protocols implements Source.
func (f *Files) Protocols() []string { return nil }

func leafOf(c *tls.Certificate) *x509.Certificate {
	if c == nil || c.Leaf == nil {
		return &x509.Certificate{}
	}
	return c.Leaf
}

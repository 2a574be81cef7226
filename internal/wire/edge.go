package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/peer"
	"github.com/aspis-platform/aspis/internal/platform/secret"
)

// Edge says how the program meets the network. Its zero value serves plain
// HTTP, trusts no proxy, and keeps the key of its secrets in the data folder.
type Edge struct {
	// TLSCert and TLSKey are PEM files, read again when they change.
	TLSCert, TLSKey string
	// ACMEHosts are names to get certificates for from the authority at
	// ACMEDirectory (default Let's Encrypt), which may warn ACMEEmail.
	// ACMERoots is a PEM file that the directory's own TLS is checked by.
	ACMEHosts                           []string
	ACMEEmail, ACMEDirectory, ACMERoots string
	// ClientCertificates lets machines show a certificate in place of a key.
	ClientCertificates bool
	// Redirect is HOST:PORT of a plain listener that sends people to BaseURL
	// and answers ACME's questions; empty: none.
	Redirect string
	// TrustedProxies are networks whose X-Forwarded-For and Forwarded count.
	TrustedProxies []string
	// MetricsFrom are networks that may read /metrics beside this machine.
	MetricsFrom []string
	// RequestsPerSecond is for each person or key; each address may ask twice
	// as often. 0: the default.
	RequestsPerSecond int
	// SecretKeyFile or SecretKey seal secrets at rest; see [secret.Parse].
	SecretKeyFile string
	SecretKey     secret.Text

	proxies, metricsFrom []netip.Prefix
}

const defaultRequestsPerSecond = 100

func (e *Edge) terminatesTLS() bool { return e.TLSCert != "" || len(e.ACMEHosts) > 0 }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// check fills defaults and returns every mistake.
func (e *Edge) check() (mistakes []error) {
	fail := func(text string, args ...any) { mistakes = append(mistakes, fmt.Errorf(text, args...)) }
	switch {
	case (e.TLSCert == "") != (e.TLSKey == ""):
		fail("--tls-cert and --tls-key belong together")
	case e.TLSCert != "" && len(e.ACMEHosts) > 0:
		fail("--tls-cert and --acme-host: use either")
	case !e.terminatesTLS() && e.ClientCertificates:
		fail("--client-certificates: TLS must end in this program; give --tls-cert and --tls-key, or --acme-host")
	case !e.terminatesTLS() && e.Redirect != "":
		fail("--redirect: there is no TLS to send people to; give --tls-cert and --tls-key, or --acme-host")
	}
	if _, _, err := net.SplitHostPort(e.Redirect); e.Redirect != "" && err != nil {
		fail("--redirect %q: want HOST:PORT, for example :80", e.Redirect)
	}
	if e.RequestsPerSecond < 0 {
		fail("--requests-per-second %d: want a positive number", e.RequestsPerSecond)
	}
	if e.RequestsPerSecond == 0 {
		e.RequestsPerSecond = defaultRequestsPerSecond
	}
	var err error
	if e.proxies, err = peer.ParseNetworks(e.TrustedProxies); err != nil {
		fail("--trusted-proxies %w", err)
	}
	if e.metricsFrom, err = peer.ParseNetworks(e.MetricsFrom); err != nil {
		fail("--metrics-from %w", err)
	}
	return mistakes
}

// baseURL is how people reach the program when nobody says.
func (e *Edge) baseURL(addr net.Addr) string {
	if len(e.ACMEHosts) > 0 {
		if _, port, err := net.SplitHostPort(addr.String()); err == nil && port != "443" {
			return "https://" + net.JoinHostPort(e.ACMEHosts[0], port)
		}
		return "https://" + e.ACMEHosts[0]
	}
	if e.TLSCert != "" {
		return "https://" + addr.String()
	}
	return "http://" + addr.String()
}

// checkBase refuses a base URL that contradicts the edge.
func (e *Edge) checkBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("--base-url %q: want http:// or https:// and a host", base)
	}
	if e.terminatesTLS() && u.Scheme != "https" {
		return errors.New("--base-url: this program speaks TLS, so people reach it by https://")
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("--base-url %q: want a scheme and a host, and nothing more", base)
	}
	return nil
}

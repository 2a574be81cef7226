package cli

import (
	"github.com/aspis-platform/aspis/internal/platform/secret"
	"github.com/aspis-platform/aspis/internal/wire"
)

// edgeFlags say how the centre meets the network.
type edgeFlags struct {
	TLSCert            string   `name:"tls-cert" type:"path" env:"ASPIS_TLS_CERT" help:"Certificate chain in PEM; read again when the file changes."`
	TLSKey             string   `name:"tls-key" type:"path" env:"ASPIS_TLS_KEY" help:"The certificate's private key in PEM."`
	ACMEHost           []string `name:"acme-host" env:"ASPIS_ACME_HOST" help:"Names to get certificates for by ACME."`
	ACMEEmail          string   `name:"acme-email" env:"ASPIS_ACME_EMAIL" help:"Whom the ACME authority may warn."`
	ACMEDirectory      string   `name:"acme-directory" env:"ASPIS_ACME_DIRECTORY" help:"The ACME authority's directory; default Let's Encrypt."`
	ACMERoots          string   `name:"acme-roots" type:"path" env:"ASPIS_ACME_ROOTS" help:"PEM file that the directory's own TLS is checked by."`
	ClientCertificates bool     `env:"ASPIS_CLIENT_CERTIFICATES" help:"Let machines show a certificate in place of a key."`
	Redirect           string   `env:"ASPIS_REDIRECT" help:"HOST:PORT of a plain listener that sends people to the base URL, such as :80."`
	TrustedProxies     []string `env:"ASPIS_TRUSTED_PROXIES" help:"Networks of proxies whose X-Forwarded-For and Forwarded are believed."`
	MetricsFrom        []string `env:"ASPIS_METRICS_FROM" help:"Networks that may read /metrics, beside this machine."`
	RequestsPerSecond  int      `env:"ASPIS_REQUESTS_PER_SECOND" help:"Requests a second of each person or key; 0: the default."`
	SecretKeyFile      string   `type:"path" env:"ASPIS_SECRET_KEY_FILE" help:"File with the keys that secrets at rest are sealed with, the current one first."`
	// From the environment only: a command line is seen by everybody.
	SecretKey secretFlag `hidden:"" env:"ASPIS_SECRET_KEY"`
}

// secretFlag is a value that never shows, not even in messages about flags.
type secretFlag struct{ secret.Text }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *secretFlag) UnmarshalText(text []byte) error {
	s.Text = secret.Text(text)
	return nil
}

func (f edgeFlags) edge() wire.Edge {
	return wire.Edge{
		TLSCert: f.TLSCert, TLSKey: f.TLSKey, ACMEHosts: f.ACMEHost, ACMEEmail: f.ACMEEmail, ACMEDirectory: f.ACMEDirectory, ACMERoots: f.ACMERoots,
		ClientCertificates: f.ClientCertificates, Redirect: f.Redirect, TrustedProxies: f.TrustedProxies, MetricsFrom: f.MetricsFrom,
		RequestsPerSecond: f.RequestsPerSecond, SecretKeyFile: f.SecretKeyFile, SecretKey: f.SecretKey.Text,
	}
}

package sector

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// Bounds on certificates.
const (
	maxCertificate = 64 << 10 // bytes of PEM
	maxSubject     = 500      // bytes of a distinguished name
	maxAuthorities = 20       // keys that name one subject under different authorities
)

// CertificateSpec says which certificates prove a key. Exactly one part is
// used: one certificate, or an authority and the subject that it certifies.
type CertificateSpec struct {
	Certificate string // PEM
	Authority   string // PEM of the authority's certificate
	Subject     string // RFC 4514, as `openssl x509 -noout -subject -nameopt RFC2253` prints it
}

// IssueCertificateKey returns a new key that is proven by a client
// certificate instead of a secret. Only the centre binds certificates to
// members: a certificate is no secret, and who could register a stranger's
// would be sent the stranger's records.
func (m *Machines) IssueCertificateKey(ctx context.Context, by Viewer, spec KeySpec, cert CertificateSpec) (Key, error) {
	c, hash, err := m.credentialOf(by, cert)
	if err != nil {
		return Key{}, err
	}
	return m.create(ctx, by, spec, c, hash)
}

// ReplaceCertificate adds a certificate to a key that has one; the former one
// works on for the overlap.
func (m *Machines) ReplaceCertificate(ctx context.Context, by Viewer, id string, overlap time.Duration, cert CertificateSpec) (Key, error) {
	c, hash, err := m.credentialOf(by, cert)
	if err != nil {
		return Key{}, err
	}
	return m.replace(ctx, by, id, overlap, c, hash)
}

func (m *Machines) credentialOf(by Viewer, spec CertificateSpec) (Credential, string, error) {
	fail := func(key string, args ...any) (Credential, string, error) {
		return Credential{}, "", errs.New(errs.Invalid, key, args...)
	}
	if by.Org != Centre {
		return Credential{}, "", errs.New(errs.Forbidden, "error.role")
	}
	if (spec.Certificate == "") == (spec.Authority == "") {
		return fail("key.certificate_one")
	}
	text := spec.Certificate + spec.Authority
	block, rest := pem.Decode([]byte(text))
	if len(text) > maxCertificate || block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return fail("key.certificate_form")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fail("key.certificate_form")
	}
	if !m.now().Before(cert.NotAfter) {
		return fail("key.certificate_past", cert.NotAfter.UTC().Format(time.DateOnly))
	}
	if spec.Certificate != "" {
		if !forClients(cert) {
			return fail("key.certificate_use")
		}
		return Credential{Proof: ByCertificate, Label: subjectOf(cert)}, certificateName(cert), nil
	}
	subject := strings.TrimSpace(spec.Subject)
	switch {
	case !cert.IsCA || !cert.BasicConstraintsValid:
		return fail("key.certificate_authority")
	case subject == "" || len(subject) > maxSubject:
		return fail("key.certificate_subject", maxSubject)
	}
	return Credential{Proof: BySubject, Label: subject, Authority: cert.Raw}, subjectName(cert, subject), nil
}

// AuthenticateCertificate returns the machine viewer of a client certificate
// whose key the peer has proven to hold. chain is what the peer sent, its own
// certificate first. Errors are as those of AuthenticateKey.
func (m *Machines) AuthenticateCertificate(ctx context.Context, chain []*x509.Certificate) (Viewer, error) {
	if len(chain) == 0 {
		return Viewer{}, errs.New(errs.Unauthenticated, "key.certificate_unknown")
	}
	leaf, now := chain[0], m.now()
	switch {
	case now.Before(leaf.NotBefore) || now.After(leaf.NotAfter):
		return Viewer{}, errs.New(errs.Unauthenticated, "key.certificate_expired", leaf.NotAfter.UTC().Format(time.DateOnly))
	case !forClients(leaf):
		return Viewer{}, errs.New(errs.Unauthenticated, "key.certificate_use")
	}
	known, err := m.recognise(ctx, certificateName(leaf), func() (Key, error) { return m.keyOfCertificate(ctx, chain) })
	if err != nil {
		if errs.Is(err, errs.Unauthenticated) {
			return Viewer{}, errs.New(errs.Unauthenticated, "key.certificate_unknown")
		}
		return Viewer{}, err
	}
	return m.admit(ctx, known)
}

// keyOfCertificate looks for the certificate itself, and then for an
// authority that certifies its subject.
func (m *Machines) keyOfCertificate(ctx context.Context, chain []*x509.Certificate) (Key, error) {
	k, err := m.keys.KeyByHash(ctx, certificateName(chain[0]))
	if !errs.Is(err, errs.NotFound) {
		return k, err
	}
	candidates, err := m.keys.KeysBySubject(ctx, subjectOf(chain[0]), maxAuthorities)
	if err != nil {
		return Key{}, err
	}
	for _, k := range candidates {
		if m.certifies(k.Credentials[0].Authority, chain) {
			return k, nil
		}
	}
	return Key{}, errs.New(errs.NotFound, "key.unknown")
}

func (m *Machines) certifies(authority []byte, chain []*x509.Certificate) bool {
	root, err := x509.ParseCertificate(authority)
	if err != nil {
		return false
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: m.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}

// forClients reports whether the certificate may prove a client: it says so,
// or says nothing about its use.
func forClients(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// certificateName and subjectName are how credentials are recognised. They
// begin so that no secret, which is known by its plain SHA-256, can be
// mistaken for the certificate whose bytes it repeats.
func certificateName(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return "certificate:" + hex.EncodeToString(sum[:])
}

func subjectName(authority *x509.Certificate, subject string) string {
	sum := sha256.Sum256(authority.Raw)
	return "subject:" + hex.EncodeToString(sum[:]) + ":" + subject
}

// subjectOf is the whole subject, every part in the order of the certificate.
func subjectOf(c *x509.Certificate) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(c.RawSubject, &name); err != nil || len(rest) > 0 {
		return ""
	}
	return name.String()
}

package identity

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/net/idna"
	"golang.org/x/oauth2"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Bounds of asking a provider.
const (
	providerPatience = 10 * time.Second
	clockSkew        = 5 * time.Minute  // that a provider's clock may be ahead
	providerLife     = 10 * time.Minute // from leaving for it to coming back
	maxDomains       = 20

	maxProviderAnswer = 1 << 20 // bytes
)

// errPrivate means that a provider's name leads to a private address.
var errPrivate = errors.New("a private address")

// outwardClient reaches providers. Unless private ones are allowed it refuses
// every address that is not public, at the moment of connecting, so that no
// name server can change its mind in between.
func outwardClient(private bool) *http.Client {
	dialer := &net.Dialer{Timeout: providerPatience}
	if !private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if ip := at.Addr().Unmap(); !ip.IsGlobalUnicast() || ip.IsPrivate() {
				return fmt.Errorf("%s: %w", ip, errPrivate)
			}
			return nil
		}
	}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: providerPatience,
		MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true}
	return &http.Client{
		Timeout:   providerPatience,
		Transport: bounded{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("a provider that redirects is not asked further")
		},
	}
}

// bounded reads answers up to a megabyte.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxProviderAnswer)
	}
	return resp, err
}

// SaveProvider keeps a member's provider after asking it for its
// configuration, so that a mistake shows here and not to the member's people.
// An empty secret keeps the one there is.
func (s *Service) SaveProvider(ctx context.Context, by sector.Viewer, p Provider, secret string) error {
	if _, err := s.People.Member(ctx, p.Member); err != nil {
		return err
	}
	u, err := url.Parse(p.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && !s.PrivateProviders {
		return errs.New(errs.Invalid, "provider.issuer_form")
	}
	if p.ClientID == "" {
		return errs.New(errs.Invalid, "provider.client_missing")
	}
	if p.Domains, err = cleanDomains(p.Domains); err != nil {
		return err
	}
	if secret != "" {
		if p.Secret, err = s.Vault.Seal(sealedProvider, string(p.Member), []byte(secret)); err != nil {
			return err
		}
	} else if old, err := s.Providers.Provider(ctx, p.Member); err == nil {
		p.Secret = old.Secret
	} else if !errs.Is(err, errs.NotFound) {
		return err
	}
	if _, err := s.discover(ctx, p.Issuer); err != nil {
		return errs.New(errs.Invalid, "provider.no_answer", p.Issuer).Because(err)
	}
	p.Since = s.now()
	e := about(by, "provider.set", sector.Viewer{Member: p.Member}, detail("issuer", p.Issuer, "domains", p.Domains))
	e.Object = "member:" + string(p.Member)
	return s.Providers.PutProvider(ctx, p, e)
}

func cleanDomains(domains []string) ([]string, error) {
	var clean []string
	for _, d := range domains {
		if d = strings.TrimPrefix(strings.TrimSpace(d), "@"); d == "" {
			continue
		}
		ascii, err := idna.Lookup.ToASCII(d)
		if err != nil || !strings.Contains(ascii, ".") {
			return nil, errs.New(errs.Invalid, "provider.domain_form", d)
		}
		clean = append(clean, strings.ToLower(ascii))
	}
	slices.Sort(clean)
	clean = slices.Compact(clean)
	if len(clean) == 0 || len(clean) > maxDomains {
		return nil, errs.New(errs.Invalid, "provider.domains_missing", maxDomains)
	}
	return clean, nil
}

// DropProvider ends signing in through the member's provider.
func (s *Service) DropProvider(ctx context.Context, by sector.Viewer, m sector.MemberID) error {
	e := about(by, "provider.remove", sector.Viewer{Member: m}, "")
	e.Object = "member:" + string(m)
	return s.Providers.RemoveProvider(ctx, m, e)
}

func (s *Service) discover(ctx context.Context, issuer string) (*oidc.Provider, error) {
	ctx, cancel := context.WithTimeout(ctx, providerPatience)
	defer cancel()
	return oidc.NewProvider(oidc.ClientContext(ctx, s.outward), issuer)
}

// Departure is a person on the way to its institution's provider. State stays
// on this side until it comes back.
type Departure struct {
	Where string // the provider's address with the request
	Host  string // of the provider, for the person to recognise
	State string
}

// departure is Departure.State.
type departure struct {
	Member   sector.MemberID `json:"member"`
	State    string          `json:"state"`
	Nonce    string          `json:"nonce"`
	Verifier string          `json:"verifier"` // PKCE (RFC 7636)
	At       time.Time       `json:"at"`
	Session  string          `json:"session,omitempty"` // to be proved, instead of signing in
	Next     string          `json:"next,omitempty"`
}

// Depart begins signing in with the provider that an address's domain belongs
// to, and goes on to next afterwards.
func (s *Service) Depart(ctx context.Context, email, next string, c Client) (Departure, error) {
	if err := s.throttle.spend(budget{"departures " + network(c.Address), 30, 5 * time.Second}); err != nil {
		return Departure{}, err
	}
	email, err := sector.MailAddress(email)
	if err != nil {
		return Departure{}, err
	}
	p, err := s.Providers.ProviderFor(ctx, email[strings.LastIndexByte(email, '@')+1:])
	if errs.Is(err, errs.NotFound) {
		return Departure{}, errs.New(errs.Invalid, "provider.none_for")
	}
	if err != nil {
		return Departure{}, err
	}
	return s.depart(ctx, p, departure{Next: next}, oauth2.SetAuthURLParam("login_hint", email))
}

// DepartToProve sends the session's person to its provider to sign in there
// once more.
func (s *Service) DepartToProve(ctx context.Context, st Standing) (Departure, error) {
	p, err := s.Providers.Provider(ctx, st.Viewer.Member)
	if err != nil {
		return Departure{}, err
	}
	return s.depart(ctx, p, departure{Session: st.Session.ID},
		oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
}

func (s *Service) depart(ctx context.Context, p Provider, d departure, more ...oauth2.AuthCodeOption) (Departure, error) {
	_, config, err := s.client(ctx, p)
	if err != nil {
		return Departure{}, err
	}
	d.Member, d.State, d.Nonce, d.Verifier, d.At = p.Member, rand.Text(), rand.Text(), oauth2.GenerateVerifier(), s.now()
	kept, err := json.Marshal(d)
	if err != nil {
		return Departure{}, err
	}
	where := config.AuthCodeURL(d.State, append(more, oidc.Nonce(d.Nonce), oauth2.S256ChallengeOption(d.Verifier))...)
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "https" && !s.PrivateProviders {
		return Departure{}, errs.New(errs.Unavailable, "provider.unreachable").Because(err)
	}
	return Departure{Where: where, Host: u.Host, State: string(kept)}, nil
}

// client asks the provider for its endpoints.
func (s *Service) client(ctx context.Context, p Provider) (*oidc.Provider, *oauth2.Config, error) {
	provider, err := s.discover(ctx, p.Issuer)
	if err != nil {
		return nil, nil, errs.New(errs.Unavailable, "provider.unreachable").Because(err)
	}
	var secret []byte
	if p.Secret != "" {
		if secret, err = s.Vault.Open(sealedProvider, string(p.Member), p.Secret); err != nil {
			return nil, nil, fmt.Errorf("provider's secret: %w", err)
		}
	}
	return provider, &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: string(secret), Endpoint: provider.Endpoint(),
		RedirectURL: s.ReturnURL(p.Member), Scopes: []string{oidc.ScopeOpenID, "email"},
	}, nil
}

// ReturnURL is where a member's provider sends people back to. Each has its
// own, so that one provider's answer cannot be taken for another's (RFC 9700,
// section 4.4).
func (s *Service) ReturnURL(m sector.MemberID) string {
	return s.base.JoinPath("/sign-in/institution", string(m)).String()
}

// Arrival is a person who came back.
type Arrival struct {
	Viewer sector.Viewer
	Next   string
	Proved bool // an open session was proved, none is to begin
}

// Arrive checks what came back from the member's provider: that we asked, and
// whom it vouches for. Only a person of this very member is let in; nobody is
// created.
func (s *Service) Arrive(ctx context.Context, m sector.MemberID, state string, q url.Values, c Client) (Arrival, error) {
	var d departure
	stale := errs.New(errs.Invalid, "provider.stale")
	if state == "" {
		return Arrival{}, stale
	}
	if err := json.Unmarshal([]byte(state), &d); err != nil {
		return Arrival{}, fmt.Errorf("departure: %w", err)
	}
	if d.Member != m || q.Get("state") != d.State || s.now().Sub(d.At) > providerLife {
		return Arrival{}, stale
	}
	if q.Get("error") != "" {
		return Arrival{}, errs.New(errs.Forbidden, "provider.denied").Because(fmt.Errorf("%.200q", q.Get("error")))
	}
	p, err := s.Providers.Provider(ctx, m)
	if err != nil {
		return Arrival{}, err
	}
	claims, err := s.exchange(ctx, p, d, q.Get("code"))
	if err != nil {
		return Arrival{}, err
	}
	v, err := s.known(ctx, p, claims)
	if errs.Is(err, errs.Forbidden) {
		return Arrival{}, s.refused(ctx, sector.User{Member: m}, "institution", err)
	}
	if err != nil || d.Session == "" {
		return Arrival{Viewer: v, Next: d.Next}, err
	}
	return Arrival{Viewer: v, Proved: true}, s.proveByProvider(ctx, d, v, claims)
}

// claims of an ID token (OpenID Connect Core 1.0, sections 2 and 5.1).
type claims struct {
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Verified *bool  `json:"email_verified"`
	AuthTime int64  `json:"auth_time"`
}

func (s *Service) exchange(ctx context.Context, p Provider, d departure, code string) (claims, error) {
	provider, config, err := s.client(ctx, p)
	if err != nil {
		return claims{}, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, s.outward), providerPatience)
	defer cancel()
	refused := func(err error) error { return errs.New(errs.Forbidden, "provider.refused").Because(err) }
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(d.Verifier))
	if err != nil {
		if _, answered := errors.AsType[*oauth2.RetrieveError](err); answered {
			return claims{}, refused(err)
		}
		return claims{}, errs.New(errs.Unavailable, "provider.unreachable").Because(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return claims{}, refused(errors.New("no id_token"))
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: p.ClientID, Now: s.Now}).Verify(ctx, raw)
	if err != nil {
		return claims{}, refused(err)
	}
	if id.Nonce != d.Nonce || id.Issuer != p.Issuer {
		return claims{}, refused(errors.New("nonce or issuer"))
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		return claims{}, refused(err)
	}
	return c, nil
}

// maxSubject is the longest sub in bytes (OpenID Connect Core 1.0, section 2).
const maxSubject = 255

// known is the person whom the provider calls by this sub. The first time, it
// is found by its address, and from then on by the sub alone: an address may
// be given to somebody else, a sub never is.
func (s *Service) known(ctx context.Context, p Provider, c claims) (sector.Viewer, error) {
	unknown := errs.New(errs.Forbidden, "provider.unknown_person")
	if c.Subject == "" || len(c.Subject) > maxSubject {
		return sector.Viewer{}, unknown
	}
	at := Subject{Member: p.Member, Issuer: p.Issuer, Subject: c.Subject, Since: s.now()}
	id, err := s.Subjects.SubjectOf(ctx, at)
	if errs.Is(err, errs.NotFound) {
		v, err := s.vouched(ctx, p, c)
		if err != nil {
			return sector.Viewer{}, err
		}
		at.User = v.User
		e := about(v, "subject.bind", v, detail("issuer", p.Issuer))
		if err := s.Subjects.BindSubject(ctx, at, e); errs.Is(err, errs.Conflict) {
			return sector.Viewer{}, errs.New(errs.Forbidden, "provider.another_person").Because(err)
		} else if err != nil {
			return sector.Viewer{}, err
		}
		return v, nil
	}
	if err != nil {
		return sector.Viewer{}, err
	}
	v, err := s.People.Refresh(ctx, id)
	if err == nil && v.Member != p.Member || errs.Is(err, errs.NotFound) {
		err = unknown
	}
	return v, err
}

// ForgetSubject makes the person's next sign-in at its provider count as the
// first: for accounts that the provider has made anew.
func (s *Service) ForgetSubject(ctx context.Context, by sector.Viewer, person sector.Viewer) error {
	return s.Subjects.ForgetSubject(ctx, person.User, about(by, "subject.forget", person, ""))
}

// vouched is the person of the member that the provider names by its address.
func (s *Service) vouched(ctx context.Context, p Provider, c claims) (sector.Viewer, error) {
	unknown := errs.New(errs.Forbidden, "provider.unknown_person")
	email, err := sector.MailAddress(c.Email)
	if err != nil || c.Verified != nil && !*c.Verified {
		return sector.Viewer{}, unknown.Because(err)
	}
	if !slices.Contains(p.Domains, email[strings.LastIndexByte(email, '@')+1:]) {
		return sector.Viewer{}, unknown
	}
	u, err := s.People.Person(ctx, email)
	if errs.Is(err, errs.NotFound) || err == nil && u.Member != p.Member {
		return sector.Viewer{}, unknown
	}
	if err != nil {
		return sector.Viewer{}, err
	}
	return s.People.Refresh(ctx, u.ID)
}

func (s *Service) proveByProvider(ctx context.Context, d departure, v sector.Viewer, c claims) error {
	session, err := s.Sessions.Session(ctx, d.Session)
	if err != nil {
		return err
	}
	if age := s.now().Sub(time.Unix(c.AuthTime, 0)); session.User != v.User || age > ProofLife || age < -clockSkew {
		return errs.New(errs.Forbidden, "provider.not_again")
	}
	return s.proved(ctx, v, d.Session, ByInstitution)
}

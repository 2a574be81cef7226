package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// provider is an OpenID provider that speaks the authorization code flow with
// PKCE over real HTTP and signs with a real key (OpenID Connect Core 1.0 and
// Discovery 1.0, RFC 7636). It knows one client.
type provider struct {
	t      *testing.T
	server *httptest.Server
	alg    jose.SignatureAlgorithm
	key    crypto.Signer
	now    func() time.Time

	mu     sync.Mutex
	codes  map[string]url.Values // the request that each code answers
	email  string                // who is signed in there
	claims func(map[string]any)  // changes the token before it is signed
	signer crypto.Signer         // signs instead of key, if set
	deny   bool
}

const (
	clientID     = "aspis"
	clientSecret = "provider secret & more"
)

func newProvider(t *testing.T, w *world, alg jose.SignatureAlgorithm) *provider {
	t.Helper()
	p := &provider{t: t, alg: alg, now: w.now, codes: map[string]url.Values{}, key: newKey(t, alg)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.configuration)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func newKey(t *testing.T, alg jose.SignatureAlgorithm) crypto.Signer {
	t.Helper()
	if alg == jose.ES256 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		return key
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return key
}

func (p *provider) issuer() string { return p.server.URL }

func (p *provider) json(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

func (p *provider) configuration(w http.ResponseWriter, _ *http.Request) {
	p.json(w, http.StatusOK, map[string]any{
		"issuer": p.issuer(), "authorization_endpoint": p.issuer() + "/authorize", "token_endpoint": p.issuer() + "/token",
		"jwks_uri": p.issuer() + "/keys", "id_token_signing_alg_values_supported": []string{string(p.alg)},
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
	})
}

func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.json(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k1", Algorithm: string(p.alg), Use: "sig"}}})
}

// authorize answers at once for whoever is signed in.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name, want := range map[string]string{"client_id": clientID, "response_type": "code", "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			p.t.Errorf("the request's %s is %q", name, q.Get(name))
		}
	}
	if q.Get("state") == "" || q.Get("nonce") == "" || q.Get("code_challenge") == "" {
		p.t.Errorf("the request lacks something: %v", q)
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		p.t.Error(err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := url.Values{"state": {q.Get("state")}}
	if p.deny {
		answer.Set("error", "access_denied")
	} else {
		code := rand.Text()
		p.codes[code] = q
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	user, secret, _ := r.BasicAuth()
	user, _ = url.QueryUnescape(user)
	secret, _ = url.QueryUnescape(secret)
	code := r.PostFormValue("code")
	asked, ok := p.codes[code]
	delete(p.codes, code)
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case user != clientID || secret != clientSecret:
		p.json(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	case !ok, base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge"), r.PostFormValue("redirect_uri") != asked.Get("redirect_uri"):
		p.json(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{
		"iss": p.issuer(), "sub": "subject of " + p.email, "aud": clientID, "nonce": asked.Get("nonce"), "email": p.email, "email_verified": true,
		"iat": p.now().Unix(), "exp": p.now().Add(5 * time.Minute).Unix(), "auth_time": p.now().Unix(),
	}
	if p.claims != nil {
		p.claims(claims)
	}
	p.json(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "id_token": p.sign(claims)})
}

func (p *provider) sign(claims map[string]any) string {
	var key any = p.key
	if p.signer != nil {
		key = p.signer
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	must(p.t, err)
	raw, err := json.Marshal(claims)
	must(p.t, err)
	signed, err := signer.Sign(raw)
	must(p.t, err)
	text, err := signed.CompactSerialize()
	must(p.t, err)
	return text
}

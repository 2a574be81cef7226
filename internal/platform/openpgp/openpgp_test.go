package openpgp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

func now() time.Time { return time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC) }

// made is a fresh key pair that lives for the time (0: for ever).
func made(t testing.TB, life time.Duration) *crypto.Key {
	t.Helper()
	k, err := crypto.PGP().KeyGeneration().AddUserId("資安", "soc@m1.example").
		GenerationTime(now().Add(-time.Hour).Unix()).Lifetime(int32(life.Seconds())).New().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(t testing.TB, k *crypto.Key) string {
	t.Helper()
	text, err := k.GetArmoredPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEncryptedIsReadWithThePrivateKeyAlone(t *testing.T) {
	private := made(t, 0)
	k, err := Parse(public(t, private), now())
	if err != nil {
		t.Fatal(err)
	}
	if k.Fingerprint != private.GetFingerprint() || !k.Expires.IsZero() || len(k.Names) != 1 || !strings.Contains(k.Names[0], "資安") {
		t.Errorf("read %+v", k)
	}
	entity, err := Entity("警訊 Warning", "內容 secret\n")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Encrypt(entity, now())
	if err != nil || strings.Contains(string(sealed), "secret") {
		t.Fatalf("%v: %s", err, sealed)
	}
	open := func(key *crypto.Key) ([]byte, error) {
		d, err := crypto.PGP().Decryption().DecryptionKey(key).New()
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Decrypt(sealed, crypto.Armor)
		if err != nil {
			return nil, err
		}
		return r.Bytes(), nil
	}
	plain, err := open(private)
	if err != nil || string(plain) != string(entity) {
		t.Errorf("read %q, %v", plain, err)
	}
	if _, err := open(made(t, 0)); err == nil {
		t.Error("somebody else's key opens it")
	}
}

func TestRefusedKeys(t *testing.T) {
	private := made(t, 0)
	secret, err := private.Armor()
	if err != nil {
		t.Fatal(err)
	}
	signing := made(t, 0)
	signing.GetEntity().Subkeys = nil
	revoked := made(t, 0)
	if err := revoked.GetEntity().Revoke(0, "lost", nil); err != nil {
		t.Fatal(err)
	}
	two := public(t, made(t, 0)) + "\n" + public(t, made(t, 0))
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":                       {"", ErrNoKey},
		"no key":                        {"hello", ErrNoKey},
		"half a key":                    {public(t, private)[:300], ErrNoKey},
		"private":                       {secret, ErrPrivate},
		"large":                         {strings.Repeat("a", MaxKey+1), ErrTooLarge},
		"expired":                       {public(t, made(t, time.Minute)), ErrExpired},
		"revoked":                       {public(t, revoked), ErrRevoked},
		"only for signed":               {public(t, signing), ErrNoEncryption},
		"a private disguised as public": {strings.ReplaceAll(secret, "PRIVATE KEY", "PUBLIC KEY"), ErrPrivate},
	} {
		if _, err := Parse(c.text, now()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if k, err := Parse(two, now()); err == nil && k.Fingerprint == "" {
		t.Error("two keys passed as none")
	}
}

func TestAKeyThatRunsOutIsNotUsed(t *testing.T) {
	k, err := Parse(public(t, made(t, 48*time.Hour)), now())
	if err != nil {
		t.Fatal(err)
	}
	if want := now().Add(47 * time.Hour); !k.Expires.Equal(want) {
		t.Errorf("expires %s, want %s", k.Expires, want)
	}
	if _, err := k.Encrypt([]byte("a"), now().Add(46*time.Hour)); err != nil {
		t.Error(err)
	}
	if _, err := k.Encrypt([]byte("a"), now().Add(48*time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("encrypted to an expired key: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(public(f, made(f, 0)))
	f.Fuzz(func(t *testing.T, text string) {
		k, err := Parse(text, now())
		if err == nil && (k.Fingerprint == "" || k.Armored == "") {
			t.Errorf("%q became an empty key", text)
		}
	})
}

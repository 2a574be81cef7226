package totp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/totp"
)

// The codes of RFC 6238, appendix B, for SHA-1; its eight digits end in our
// six.
func TestVectors(t *testing.T) {
	secret := totp.Secret("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471",
		1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := secret.Code(totp.Step(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// A clock that is half a minute off is right enough, one that is a minute
// off is not.
func TestClockSkew(t *testing.T) {
	secret := totp.NewSecret()
	now := time.Unix(1_800_000_015, 0)
	for off, want := range map[time.Duration]bool{
		0: true, -30 * time.Second: true, 30 * time.Second: true,
		-60 * time.Second: false, 60 * time.Second: false, time.Hour: false,
	} {
		code := secret.Code(totp.Step(now.Add(off)))
		step, ok := secret.Find(code, now)
		if ok != want || ok && step != totp.Step(now.Add(off)) {
			t.Errorf("a clock off by %v: %d, %v", off, step, ok)
		}
	}
	for _, bad := range []string{"", "000000x", "１２３４５６", strings.Repeat("9", 5000)} {
		if _, ok := secret.Find(bad, now); ok {
			t.Errorf("%.20q is taken", bad)
		}
	}
	code := secret.Code(totp.Step(now))
	if _, ok := secret.Find(code[:3]+" "+code[3:], now); !ok {
		t.Error("a code typed as the app shows it, in two groups, is refused")
	}
}

func TestSecretsAsText(t *testing.T) {
	secret := totp.NewSecret()
	again, err := totp.Parse(" " + strings.ToLower(secret.String()))
	if err != nil || again.String() != secret.String() {
		t.Errorf("%v, %v", again, err)
	}
	if _, err := totp.Parse("not base32!"); err == nil {
		t.Error("a bad secret is taken")
	}
	want := "otpauth://totp/Aspis:mei@jade.example?issuer=Aspis&secret=" + secret.String()
	if got := secret.URI("Aspis", "mei@jade.example"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

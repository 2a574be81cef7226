// Package totp makes and checks time-based one-time passwords (RFC 6238) as
// authenticator apps do: HMAC-SHA-1, six digits, 30 seconds.
package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	period     = 30 // seconds
	digits     = 6
	modulus    = 1_000_000
	secretSize = 20 // bytes: the output of SHA-1 (RFC 4226, section 4, R6)
	skew       = 1  // steps before and after now that are accepted (RFC 6238, section 5.2)
)

// Secret is shared by the server and the person's app.
type Secret []byte

// NewSecret returns a secret of 160 bits.
func NewSecret() Secret {
	s := make(Secret, secretSize)
	rand.Read(s)
	return s
}

// String is the secret as people type it into an app: base32 without padding.
func (s Secret) String() string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(s)
}

// Parse reads String's form; spaces and lower case are allowed.
func Parse(text string) (Secret, error) {
	text = strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("totp secret: %w", err)
	}
	return raw, nil
}

// URI is what the app's camera reads ("Key Uri Format" of Google
// Authenticator, which all apps follow).
func (s Secret) URI(issuer, account string) string {
	q := url.Values{"secret": {s.String()}, "issuer": {issuer}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + q.Encode()
}

// Step is the number of the period that t lies in.
func Step(t time.Time) int64 { return t.Unix() / period }

// Code is the code of a step.
func (s Secret) Code(step int64) string {
	mac := hmac.New(sha1.New, s)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf // RFC 4226, section 5.3
	n := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", digits, n%modulus)
}

// Find is the step near now whose code this is; false when there is none.
// The caller refuses a step that is not later than the last one used.
func (s Secret) Find(code string, now time.Time) (int64, bool) {
	code = strings.ReplaceAll(code, " ", "")
	found, ok := int64(0), false
	for step := Step(now) - skew; step <= Step(now)+skew; step++ {
		if subtle.ConstantTimeCompare([]byte(s.Code(step)), []byte(code)) == 1 {
			found, ok = step, true
		}
	}
	return found, ok
}

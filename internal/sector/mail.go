package sector

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// maxMail is the longest address in bytes (RFC 5321, section 4.5.3.1.3, less
// the angle brackets).
const maxMail = 254

// MailAddress is the one form in which an address is kept and compared: ASCII
// in lower case, a name of other letters in its domain as A-labels (RFC
// 5890). What could pass for another address is refused (errs.Invalid), with
// the reason: full-width and other compatibility forms, characters that
// cannot be seen, letters beyond ASCII before the @.
func MailAddress(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case len(text) > maxMail:
		return "", errs.New(errs.Invalid, "sector.mail_long", maxMail)
	case !utf8.ValidString(text):
		return "", errs.New(errs.Invalid, "sector.mail_form", strings.ToValidUTF8(text, "\ufffd"))
	}
	composed := norm.NFC.String(text)
	if _, ok := unseen(composed, ""); ok {
		return "", errs.New(errs.Invalid, "sector.mail_unseen")
	}
	if norm.NFKC.String(text) != composed {
		return "", errs.New(errs.Invalid, "sector.mail_width")
	}
	local, domain, found := cutLastAt(composed)
	if !found {
		return "", errs.New(errs.Invalid, "sector.mail_form", text)
	}
	if strings.ContainsFunc(local, func(r rune) bool { return r > unicode.MaxASCII }) {
		return "", errs.New(errs.Invalid, "sector.mail_letters")
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", errs.New(errs.Invalid, "sector.mail_form", text).Because(err)
	}
	a, err := mail.ParseAddress(local + "@" + ascii)
	if err != nil || a.Address != local+"@"+ascii {
		return "", errs.New(errs.Invalid, "sector.mail_form", text)
	}
	return strings.ToLower(a.Address), nil
}

func cutLastAt(s string) (local, domain string, found bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

package i18n

import (
	"net/http"

	"golang.org/x/text/language"
)

// CookieName is the cookie that keeps a viewer's choice of language.
const CookieName = "lang"

// HostPrefix begins the names of cookies that only this host sets, over TLS
// (RFC 6265bis, section 4.1.3.2).
const HostPrefix = "__Host-"

// Preference is the value of a preference's cookie; empty for none. The one
// that only this host can have set comes first.
func Preference(r *http.Request, name string) string {
	for _, n := range []string{HostPrefix + name, name} {
		if c, err := r.Cookie(n); err == nil {
			return c.Value
		}
	}
	return ""
}

// maxAccept bounds the header that is parsed.
const maxAccept = 256

// Negotiate is the language to answer a request in: the viewer's choice (a
// cookie), else ?lang=, else the first language of Accept-Language that the
// program speaks (every Chinese reader gets Traditional Chinese), else
// English.
func Negotiate(r *http.Request) Lang {
	if l := Lang(Preference(r, CookieName)); l.Valid() {
		return l
	}
	if l := Lang(r.URL.Query().Get("lang")); l.Valid() {
		return l
	}
	header := r.Header.Get("Accept-Language")
	if len(header) > maxAccept {
		header = ""
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return En
	}
	for _, tag := range tags {
		switch base, _ := tag.Base(); base.String() {
		case "zh":
			return ZhHant
		case "en":
			return En
		}
	}
	return En
}

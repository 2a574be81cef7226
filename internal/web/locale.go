package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// locale is what the words, numbers and times of a page depend on.
type locale struct {
	lang i18n.Lang
	zone string // IANA name
}

// The zones a viewer may choose. Taipei has had no daylight saving since
// 1979, so a fixed offset stands in where the machine has no zone data.
const (
	zoneTaipei = "Asia/Taipei"
	zoneUTC    = "UTC"
)

func zones() []string { return []string{zoneTaipei, zoneUTC} }

func (l locale) location() *time.Location {
	if l.zone == zoneUTC {
		return time.UTC
	}
	return time.FixedZone("UTC+8", 8*60*60)
}

func (s *Shell) localeOf(r *http.Request) locale {
	return locale{lang: i18n.Negotiate(r), zone: choice(r, cookieZone, zones())}
}

// Zone is the viewer's time zone, for reading times that a viewer typed.
func (s *Shell) Zone(r *http.Request) *time.Location { return s.localeOf(r).location() }

// The cookies that keep a viewer's preferences. They hold no identity.
const (
	cookieZone  = "zone"
	cookieTheme = "theme"
)

// themes: auto follows the system.
func themes() []string { return []string{"auto", "light", "dark"} }

// choice is the cookie's value when it is one of the options, else the first.
func choice(r *http.Request, name string, options []string) string {
	value := i18n.Preference(r, name)
	for _, o := range options {
		if value == o {
			return o
		}
	}
	return options[0]
}

// preferenceLife keeps a preference for a year.
const preferenceLife = 365 * 24 * time.Hour

// setPreference takes name=lang|zone|theme and value, and goes back to the
// page it was set on.
func (s *Shell) setPreference(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	name, value := r.FormValue("name"), r.FormValue("value")
	allowed := map[string][]string{
		i18n.CookieName: {string(i18n.ZhHant), string(i18n.En)},
		cookieZone:      zones(),
		cookieTheme:     themes(),
	}
	for _, o := range allowed[name] {
		if o == value {
			cookie := name
			if s.secure {
				cookie = i18n.HostPrefix + name
			}
			http.SetCookie(w, &http.Cookie{
				Name: cookie, Value: value, Path: "/", MaxAge: int(preferenceLife.Seconds()),
				HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure,
			})
			http.Redirect(w, r, withoutLang(safeBack(r.FormValue("next"))), http.StatusSeeOther)
			return nil
		}
	}
	return errs.New(errs.Invalid, "error.preference")
}

// safeBack is SafeNext for pages that may be one of signing in.
func safeBack(next string) string {
	if path, ok := ownPath(next); ok && signsIn(path) {
		return next
	}
	return SafeNext(next)
}

// withoutLang drops ?lang= so that a shared link does not contradict the
// choice just made.
func withoutLang(next string) string {
	u, err := url.Parse(next)
	if err != nil {
		return "/"
	}
	q := u.Query()
	q.Del("lang")
	u.RawQuery = q.Encode()
	return u.String()
}

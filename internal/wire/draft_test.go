package wire

import (
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"testing"

	"github.com/aspis-platform/aspis/internal/sector"
)

var draftKeyText = regexp.MustCompile(`data-draft-key="([^"]+)"`)

// TestDraftKeys: a person's drafts are kept with the same key in each of its
// sessions, with another than anybody else's, and no stranger has one.
func TestDraftKeys(t *testing.T) {
	p := running(t)
	key := func(email string) string {
		t.Helper()
		var c asker
		c.base = p.URL()
		if email != "" {
			link, err := p.SignInLink(t.Context(), sector.User{Email: email, Roles: []sector.Role{sector.Administrator}})
			if err != nil {
				t.Fatal(err)
			}
			cookie := redeem(t, link)
			c.sign = func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Accept", "text/html") }
		}
		path := "/people/new"
		if email == "" {
			path = "/sign-in"
		}
		m := draftKeyText.FindStringSubmatch(c.ask(t, http.MethodGet, path, "").body)
		if m == nil {
			return ""
		}
		return html.UnescapeString(m[1])
	}
	mei := key("mei@centre.example")
	if raw, err := base64.StdEncoding.DecodeString(mei); err != nil || len(raw) != 32 {
		t.Errorf("the key is %q: %v", mei, err)
	}
	if again, other, stranger := key("mei@centre.example"), key("zoe@centre.example"), key(""); again != mei || other == mei || other == "" || stranger != "" {
		t.Errorf("again %q, another's %q, a stranger's %q", again, other, stranger)
	}
}

package admin

import (
	"net/http"

	"github.com/aspis-platform/aspis/internal/web"
)

// secretModel is a secret that is shown once.
type secretModel struct {
	Title  string // catalogue key
	Lead   string // catalogue key
	Label  string // catalogue key
	Secret string
	Done   web.Link
}

// showSecret answers the POST itself: nothing that could show the secret
// again is kept, not even in the session.
func (p pages) showSecret(w http.ResponseWriter, r *http.Request, m secretModel) error {
	return p.views.Page(w, r, "secret", web.Page{Title: m.Title, Data: m, Status: http.StatusCreated})
}

// base is the address under which people reach the program.
func (p pages) base(r *http.Request) string {
	if p.BaseURL != "" {
		return p.BaseURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

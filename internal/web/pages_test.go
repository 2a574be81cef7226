package web_test

import (
	"net/http"
	"testing"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

func TestOwnPages(t *testing.T) {
	tests := []struct {
		name   string
		role   sector.Role
		path   string
		status int
	}{
		{"nothing there", "", "/no/such/page", http.StatusNotFound},
		{"nothing there, signed in", sector.Analyst, "/no/such/page", http.StatusNotFound},
	}
	for _, test := range tests {
		for _, lang := range i18n.Langs() {
			t.Run(test.name+" "+string(lang), func(t *testing.T) {
				page := webtest.New(t).Get(t, test.role, lang, test.path)
				if page.Status != test.status {
					t.Errorf("status %d, want %d", page.Status, test.status)
				}
				webtest.Check(t, page)
			})
		}
	}
}

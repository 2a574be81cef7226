package apidoc_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/apidoc"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

type part struct {
	Colour string `json:"colour" enum:"red,green"`
}

type in struct {
	ID   string `path:"id"`
	Last int    `query:"last" minimum:"1" maximum:"5" doc:"Words to look for."`
	Body struct {
		Parts []part `json:"parts"`
	}
}

type out struct {
	Body struct {
		Main part `json:"main"`
	}
}

// TestReference: operations that were mounted before and after are on the
// page, in both languages, with what they read and answer.
func TestReference(t *testing.T) {
	kit := webtest.New(t)
	work := func(context.Context, *in) (*out, error) { return &out{}, nil }
	if err := apidoc.Mount(kit.Routes, kit.Shell); err != nil {
		t.Fatal(err)
	}
	access.Operation(kit.Routes, "POST /api/v1/members/{id}", sector.WriteMembers, access.Doc{ID: "member-create", Tag: "members", Creates: true}, work)
	for lang, words := range map[i18n.Lang][]string{i18n.ZhHant: {"新增會員機構", "系統管理員", "必填", "要找的文字"}, i18n.En: {"Add a member", "Administrator", "required", "Words to look for"}} {
		page := kit.Get(t, sector.Analyst, lang, "/api")
		webtest.Check(t, page)
		for _, want := range append(words, "POST /api/v1/members/{id}", "member.write", "red | green", "Idempotency-Key", "integer 1–5", `href="#type-Apidoc_testPart"`) {
			if !strings.Contains(page.Body, want) {
				t.Errorf("%s: the page lacks %q", lang, want)
			}
		}
	}
}

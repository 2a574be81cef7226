package access_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

var update = flag.Bool("update", false, "write docs/permissions.md anew")

// column is a role or a key's scope.
type column struct {
	key   string // of its name
	holds func(sector.Grant) bool
}

func roles(orgs ...sector.OrgKind) []column {
	var all []column
	for _, r := range sector.Roles() {
		if slices.Contains(orgs, r.Org()) {
			all = append(all, column{"common.role." + string(r), func(g sector.Grant) bool { return slices.Contains(g.Roles, r) }})
		}
	}
	return all
}

func scopes() []column {
	var all []column
	for _, s := range sector.Scopes() {
		all = append(all, column{"common.scope." + string(s), func(g sector.Grant) bool { return slices.Contains(g.Scopes, s) }})
	}
	return all
}

// guide is docs/permissions.md: the table of package sector in words.
func guide(t *testing.T) string {
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("<!-- Rendered from internal/sector/permission.go by: go test ./internal/access -update -->\n")
	for _, lang := range i18n.Langs() {
		word := func(key string) string {
			text, err := texts.Text(lang, key)
			if err != nil {
				t.Error(err)
			}
			return text
		}
		fmt.Fprintf(&b, "\n# %s\n", word("permission.title"))
		table(&b, word, "permission.org.centre", roles(sector.Centre))
		table(&b, word, "permission.org.member", roles(sector.MemberOrg))
		table(&b, word, "permission.org.others", append(roles(sector.Authority, sector.Partner), scopes()...))
	}
	return b.String()
}

// table has a line for each permission that somebody in it holds.
func table(b *strings.Builder, word func(string) string, title string, columns []column) {
	fmt.Fprintf(b, "\n## %s\n\n| %s |", word(title), word("permission.permission"))
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", word(c.key))
	}
	fmt.Fprintf(b, "\n|---|%s\n", strings.Repeat(":-:|", len(columns)))
	for _, g := range sector.Grants() {
		if !slices.ContainsFunc(columns, func(c column) bool { return c.holds(g) }) {
			continue
		}
		fmt.Fprintf(b, "| %s `%s` |", word("permission."+string(g.Permission)), g.Permission)
		for _, c := range columns {
			fmt.Fprintf(b, " %s |", map[bool]string{true: "●"}[c.holds(g)])
		}
		b.WriteString("\n")
	}
}

// TestGuideIsCurrent: the guide says what the table says.
func TestGuideIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "permissions.md")
	want := guide(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), want); d != "" {
		t.Errorf("docs/permissions.md is old (go test ./internal/access -update):\n%s", d)
	}
}

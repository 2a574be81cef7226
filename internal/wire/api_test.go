package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// asker asks the running program as somebody.
type asker struct {
	base string
	sign func(*http.Request)
}

type reply struct {
	status int
	body   string
	header http.Header
}

func (c asker) ask(t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if c.sign != nil {
		c.sign(r)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, string(raw), resp.Header}
}

// want fails unless the answer has the status and, where given, the text.
func (r reply) want(t *testing.T, what string, status int, text string) reply {
	t.Helper()
	if r.status != status || !strings.Contains(r.body, text) {
		t.Errorf("%s: %d %.500s, want %d with %q", what, r.status, r.body, status, text)
	}
	return r
}

func (r reply) field(t *testing.T, name string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(r.body), &all); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	for _, part := range []string{"key", "token", "webhook"} { // what is made is beside its secret
		if inner, ok := all[part].(map[string]any); ok && all[name] == nil {
			return fmt.Sprint(inner[name])
		}
	}
	return fmt.Sprint(all[name])
}

// as asks as a person; members' people are north-bank's.
func as(t *testing.T, p *Program, email string, roles ...sector.Role) asker {
	t.Helper()
	return asOf(t, p, "north-bank", email, roles...)
}

// asOf asks as a person, of a member where its roles are.
func asOf(t *testing.T, p *Program, member sector.MemberID, email string, roles ...sector.Role) asker {
	t.Helper()
	u := sector.User{Email: email, Roles: roles}
	if u.Org() == sector.MemberOrg {
		u.Member = member
	}
	link, err := p.SignInLink(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	cookie := redeem(t, link)
	return asker{p.URL(), func(r *http.Request) { r.AddCookie(cookie) }}
}

// TestEveryRouteIsDescribed: a route of the API that is not in the document
// fails here.
func TestEveryRouteIsDescribed(t *testing.T) {
	p := running(t)
	n := 0
	for _, route := range p.routeTable {
		if strings.Contains(route.Pattern, " /api/") {
			n++
			if !p.described(route.Pattern) {
				t.Errorf("%s is not in the API's document: add it with access.Operation or access.Describe", route.Pattern)
			}
		}
	}
	if n < 30 {
		t.Errorf("the table has %d routes of the API", n)
	}
}

// TestDocument reads the document as programs do: every reference leads
// somewhere, every operation says what it is, whose it is and how it fails.
func TestDocument(t *testing.T) {
	p := running(t)
	raw := asker{base: p.URL()}.ask(t, "GET", "/api/v1/openapi.json", "", "Accept-Language", "en").want(t, "document", 200, `"openapi": "3.1.0"`)
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID, Summary string
			Tags                 []string
			Permission           string `json:"x-permission"`
			Security             []any
			Responses            map[string]any
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(raw.body), &doc); err != nil {
		t.Fatal(err)
	}
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			if !texts.Has("api.op."+op.OperationID) || len(op.Tags) != 1 || !texts.Has("api.tag."+op.Tags[0]) {
				t.Errorf("%s %s: operation %q in %v has no words", method, path, op.OperationID, op.Tags)
			}
			if op.Permission == "" || op.Responses["400"] == nil || op.Permission != "public" && len(op.Security) != 2 {
				t.Errorf("%s %s: permission %q, %d answers, security %v", method, path, op.Permission, len(op.Responses), op.Security)
			}
		}
	}
	for _, part := range strings.Split(raw.body, `"$ref": "#/components/schemas/`)[1:] {
		if name, _, _ := strings.Cut(part, `"`); doc.Components.Schemas[name] == nil {
			t.Errorf("nothing is called %s", name)
		}
	}
	chinese := asker{base: p.URL()}.ask(t, "GET", "/api/v1/openapi.json", "", "Accept-Language", "zh-TW").want(t, "in Chinese", 200, `"summary": "列出告警"`)
	for _, text := range descriptions(t, chinese.body) {
		if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%q is not in apidoc/fields.json", text)
		}
	}
	said := descriptions(t, raw.body)
	for text := range chineseFields(t) {
		if !slices.Contains(said, text) {
			t.Errorf("apidoc/fields.json has %q, which nothing says any more", text)
		}
	}
	asker{base: p.URL()}.ask(t, "GET", "/api/v1/openapi.yaml", "").want(t, "as YAML", 200, "openapi: 3.1.0")
	for lang, word := range map[string]string{"zh-TW": "列出告警", "en": "List alerts"} {
		page := asker{base: p.URL()}.ask(t, "GET", "/api", "", "Accept-Language", lang).want(t, "reference", 200, word)
		if strings.Contains(page.body, "⟦") || strings.Contains(page.body, "<script>") {
			t.Errorf("%s: the page lacks a word or has a script of its own", lang)
		}
	}
}

func chineseFields(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../apidoc/fields.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]string
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// descriptions are what a document says of its parts.
func descriptions(t *testing.T, doc string) (texts []string) {
	t.Helper()
	var all any
	if err := json.Unmarshal([]byte(doc), &all); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			if text, ok := v["description"].(string); ok {
				texts = append(texts, text)
			}
			for _, one := range v {
				walk(one)
			}
		}
	}
	walk(all)
	if len(texts) < 200 {
		t.Errorf("%d descriptions", len(texts))
	}
	return texts
}

// TestDraftOverTheAPI takes an advisory from nothing to a member's answer and
// back, with two people, as programs do.
func TestDraftOverTheAPI(t *testing.T) {
	p := running(t)
	if _, err := p.directory.CreateMember(t.Context(), sector.System(), sector.Member{ID: "north-bank", Name: "North Bank", NameZh: "北方銀行", Sector: sector.Banking}); err != nil {
		t.Fatal(err)
	}
	ana, duty, staff := as(t, p, "ana@centre.example", sector.Analyst), as(t, p, "duty@centre.example", sector.DutyManager), as(t, p, "s@north.example", sector.MemberStaff)
	made := ana.ask(t, "POST", "/api/v1/drafts", `{}`, "Idempotency-Key", "once").want(t, "draft", 201, `"state":"draft"`)
	if again := ana.ask(t, "POST", "/api/v1/drafts", `{}`, "Idempotency-Key", "once"); again.body != made.body {
		t.Errorf("the same request made another draft: %s", again.body)
	}
	id, tag := made.field(t, "id"), made.header.Get("ETag")
	path := "/api/v1/drafts/" + id
	content := func(title string) string {
		return `{"title":{"zh":"警訊","en":"` + title + `"},"body":{"zh":"請檢查","en":"Check"},"tlp":"AMBER+STRICT","pap":"GREEN","category":"INT",
			"indicators":["*.evil[.]example","198.51.100.7"],"audience":{"members":["north-bank"]}}`
	}
	ana.ask(t, "PUT", path, content("One")).want(t, "without If-Match", 400, "api.if_match_missing")
	ana.ask(t, "PUT", path, strings.Replace(content("One"), "198.51.100.7", "not an indicator", 1), "If-Match", tag).
		want(t, "a wrong indicator", 400, `"line":2,"code":"advisory.indicator_line"`)
	edited := ana.ask(t, "PUT", path, content("One"), "If-Match", tag).want(t, "edit", 200, `"*.evil.example"`)
	stale := duty.ask(t, "PUT", path, content("Two"), "If-Match", tag).want(t, "an old version", 412, `"fields":["title.zh","title.en","body.zh","body.en",`)
	stale.want(t, "the version now", 412, `"version":2`)
	ana.ask(t, "POST", path+"/check", content("North Bank was hit")).want(t, "check", 200, `"kind":"member_name"`)
	ana.ask(t, "GET", path+"/preview", "").want(t, "preview", 200, `"members":["north-bank"]`).want(t, "preview", 200, `"second_person":true`)
	ana.ask(t, "POST", path+"/release", "", "If-Match", edited.header.Get("ETag")).want(t, "alone", 403, "advisory.submit_first")
	ana.ask(t, "POST", path+"/approve", "", "If-Match", edited.header.Get("ETag")).want(t, "approve a draft", 409, "advisory.submit_first")
	put := ana.ask(t, "POST", path+"/submit", "", "If-Match", edited.header.Get("ETag")).want(t, "submit", 200, `"in_review"`)
	ana.ask(t, "POST", path+"/approve", "", "If-Match", put.header.Get("ETag")).want(t, "one's own", 403, "advisory.own_work")
	released := duty.ask(t, "POST", path+"/approve", "", "If-Match", put.header.Get("ETag")).want(t, "approve", 200, `"released"`)
	staff.ask(t, "GET", path, "").want(t, "a member reads the draft", 403, "error.role")
	staff.ask(t, "GET", "/api/v1/advisories/"+id, "").want(t, "a member reads the advisory", 200, `"One"`)
	staff.ask(t, "POST", "/api/v1/advisories/"+id+"/answers", `{"answer":"blocked"}`).want(t, "answer", 201, "blocked")
	ana.ask(t, "GET", path+"/deliveries", "").want(t, "deliveries", 200, `"answer":"blocked"`)
	ana.ask(t, "POST", path+"/withdraw", `{"reason":""}`, "If-Match", released.header.Get("ETag")).want(t, "no reason", 400, "advisory.problems")
	ana.ask(t, "POST", path+"/withdraw", `{"reason":"wrong"}`, "If-Match", released.header.Get("ETag")).want(t, "withdraw", 200, `"withdrawn"`)
	ana.ask(t, "GET", "/api/v1/drafts?limit=1&state=withdrawn", "").want(t, "list", 200, id)
	ana.ask(t, "GET", "/api/v1/drafts?colour=red", "").want(t, "an unknown parameter", 400, "query.unknown")
}

// TestAdministrationOverTheAPI: members, keys, people, tokens.
func TestAdministrationOverTheAPI(t *testing.T) {
	p := running(t)
	admin := as(t, p, "admin2@centre.example", sector.Administrator, sector.Analyst)
	for i := range 5 {
		body := fmt.Sprintf(`{"id":"bank-%d","name":"Bank %d","name_zh":"銀行%d","sector":"banking"}`, i, i, i)
		admin.ask(t, "POST", "/api/v1/members", body).want(t, "member", 201, `"name_zh":"銀行`)
	}
	admin.ask(t, "POST", "/api/v1/members", `{"id":"bank-0","name":"B","name_zh":"銀","sector":"banking"}`).want(t, "again", 409, "sector.member_taken")
	var seen []string
	for cursor := ""; ; {
		page := admin.ask(t, "GET", "/api/v1/members?limit=2&cursor="+url.QueryEscape(cursor), "").want(t, "page", 200, "members")
		if again := admin.ask(t, "GET", "/api/v1/members?limit=2&cursor="+url.QueryEscape(cursor), ""); again.body != page.body {
			t.Error("the same page is not the same")
		}
		seen = append(seen, page.body)
		if cursor = page.field(t, "next"); cursor == "<nil>" {
			break
		}
		if strings.Contains(cursor, "bank") {
			t.Errorf("the cursor %s can be read", cursor)
		}
	}
	if all := strings.Join(seen, ""); len(seen) != 3 || strings.Count(all, `"id":"bank-`) != 5 {
		t.Errorf("%d pages: %s", len(seen), all)
	}
	key := admin.ask(t, "POST", "/api/v1/members/bank-1/keys", `{"scopes":["advisories"]}`, "Idempotency-Key", "k").want(t, "key", 201, `"secret":"aspis_`)
	if again := admin.ask(t, "POST", "/api/v1/members/bank-1/keys", `{"scopes":["advisories"]}`, "Idempotency-Key", "k"); again.body != key.body {
		t.Error("the same request made another key")
	}
	end := time.Now().Add(90 * 24 * time.Hour).UTC()
	spec := `{"scopes":["records"],"name":"SIEM","networks":["192.0.2.7"],"expires_at":"` + end.Format(time.RFC3339) + `"}`
	admin.ask(t, "POST", "/api/v1/members/bank-1/keys", spec).want(t, "a key for a place and a time", 201, `"networks":["192.0.2.7/32"]`)
	admin.ask(t, "GET", "/api/v1/members/bank-1/keys", "").want(t, "when it ends", 200, `"expires_at":"`+end.Format(time.DateOnly))
	admin.ask(t, "POST", "/api/v1/members/bank-1/keys", `{"scopes":["records"],"expires_at":"2020-01-01T00:00:00Z"}`).want(t, "a past end", 400, "key.lifetime")
	if k := admin.ask(t, "POST", "/api/v1/members/bank-1/keys", `{"scopes":["records"],"endless":true}`).want(t, "an endless key", 201, "secret"); strings.Contains(k.body, "expires_at") {
		t.Errorf("an endless key ends: %s", k.body)
	}
	admin.ask(t, "POST", "/api/v1/members/bank-1/keys", `{"scopes":["records"],"networks":["nowhere"]}`).want(t, "no network", 400, "key.network_form")
	machine := asker{p.URL(), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key.field(t, "secret")) }}
	machine.ask(t, "GET", "/api/v1/advisories", "").want(t, "the key", 200, "advisories")
	admin.ask(t, "DELETE", "/api/v1/members/bank-2/keys/"+key.field(t, "id"), "").want(t, "another member's key", 404, "key.unknown")
	admin.ask(t, "DELETE", "/api/v1/members/bank-1/keys/"+key.field(t, "id"), "").want(t, "revoke", 204, "")
	machine.ask(t, "GET", "/api/v1/advisories", "").want(t, "the revoked key", 401, "key.invalid")
	person := admin.ask(t, "POST", "/api/v1/people", `{"email":"new@bank-1.example","roles":["member-administrator"],"member":"bank-1"}`).want(t, "person", 201, "bank-1")
	admin.ask(t, "POST", "/api/v1/people/"+person.field(t, "id")+"/link", "").want(t, "link", 201, "/enrol#")
	admin.ask(t, "GET", "/api/v1/people?member=bank-1", "").want(t, "people", 200, "new@bank-1.example")
	admin.ask(t, "GET", "/api/v1/health", "").want(t, "health", 200, `"parts"`)
	admin.ask(t, "GET", "/api/v1/pulse", "").want(t, "pulse", 200, `"stage":"door"`)
	personalTokens(t, p, admin)
}

// personalTokens follows a personal token of the administrator that is an analyst's
// only.
func personalTokens(t *testing.T, p *Program, admin asker) {
	t.Helper()
	made := admin.ask(t, "POST", "/api/v1/tokens", `{"name":"laptop","roles":["analyst"],"hours":24}`).want(t, "token", 201, `"secret":"aspis_pat_`)
	program := asker{p.URL(), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+made.field(t, "secret")) }}
	program.ask(t, "GET", "/api/v1/me", "").want(t, "me", 200, `"roles":["analyst"]`)
	program.ask(t, "GET", "/api/v1/drafts", "").want(t, "what an analyst may", 200, "drafts")
	program.ask(t, "GET", "/api/v1/people", "").want(t, "what the token may not", 403, "error.role")
	program.ask(t, "POST", "/api/v1/tokens", `{"name":"more","hours":24}`).want(t, "a token by a token", 403, "token.by_person")
	program.ask(t, "DELETE", "/api/v1/tokens/"+made.field(t, "id"), "").want(t, "revoke", 204, "")
	program.ask(t, "GET", "/api/v1/me", "").want(t, "the revoked token", 401, "token.invalid")
	form := url.Values{"name": {"screen"}, "days": {"7"}, "roles": {"analyst"}}.Encode()
	page := admin.ask(t, "POST", "/tokens", form, "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html").want(t, "page", 201, "aspis_pat_")
	admin.ask(t, "GET", "/tokens", "", "Accept", "text/html").want(t, "list", 200, "screen")
	if again := admin.ask(t, "GET", "/tokens", "", "Accept", "text/html"); strings.Contains(again.body, "aspis_pat_") {
		t.Errorf("the secret is shown again: %d", len(page.body))
	}
}

// TestStreamBeginsAtOnce: a stream says at once where it begins, so that a
// program that loses it has a place to go on from.
func TestStreamBeginsAtOnce(t *testing.T) {
	p := running(t)
	ana := as(t, p, "ana@centre.example", sector.Analyst)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/api/v1/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	ana.sign(r)
	start := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	head := make([]byte, len("retry: 3000\n\nevent: begin\n"))
	if _, err := io.ReadFull(resp.Body, head); err != nil || !strings.HasSuffix(string(head), "event: begin\n") || time.Since(start) > 5*time.Second {
		t.Errorf("%q, %v after %v", head, err, time.Since(start))
	}
}

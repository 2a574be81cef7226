package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
)

// banks makes two members.
func banks(t *testing.T, p *Program) {
	t.Helper()
	for _, m := range []sector.Member{
		{ID: "north-bank", Name: "North Bank", NameZh: "北方銀行", Sector: sector.Banking},
		{ID: "south-bank", Name: "South Bank", NameZh: "南方銀行", Sector: sector.Banking},
	} {
		if _, err := p.directory.CreateMember(t.Context(), sector.System(), m); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProfileOverTheAPI: a member changes its profile field by field and
// confirms it; the centre sees all, another member nothing.
func TestProfileOverTheAPI(t *testing.T) {
	p := running(t)
	banks(t, p)
	north, staff := as(t, p, "admin@north.example", sector.MemberAdmin), as(t, p, "staff@north.example", sector.MemberStaff)
	south, centre := asOf(t, p, "south-bank", "admin@south.example", sector.MemberAdmin), as(t, p, "admin2@centre.example", sector.Administrator)
	blank := north.ask(t, "GET", "/api/v1/profile", "").want(t, "before anything", 200, `"version":0`)
	north.ask(t, "PATCH", "/api/v1/profile", `{"size":"large"}`).want(t, "without If-Match", 400, "api.if_match_missing")
	first := north.ask(t, "PATCH", "/api/v1/profile", `{"domains":["north.example"],"contacts":{"desk":{"name":"Desk","phone":"+886 2 1234 5678","round":true}}}`,
		"If-Match", blank.header.Get("ETag")).want(t, "change", 200, `"version":1`).want(t, "kept", 200, `"name":"North Bank"`)
	north.ask(t, "PATCH", "/api/v1/profile", `{"size":"large"}`, "If-Match", first.header.Get("ETag")).want(t, "another field", 200, `"version":2`)
	merged := north.ask(t, "PATCH", "/api/v1/profile", `{"brands":["Polar"]}`, "If-Match", first.header.Get("ETag")).
		want(t, "on the version before", 200, `"version":3`).want(t, "others' change stays", 200, `"size":"large"`)
	north.ask(t, "PATCH", "/api/v1/profile", `{"size":"small"}`, "If-Match", first.header.Get("ETag")).
		want(t, "the same field", 412, `"fields":[{"field":"size","mine":"small","theirs":"large"}]`)
	north.ask(t, "PATCH", "/api/v1/profile", `{"networks":["192.0.2.1/24","10.0.0.0/8"],"bic":"x"}`, "If-Match", merged.header.Get("ETag"), "Accept-Language", "en").
		want(t, "three mistakes", 400, `"field":"networks","line":2,"code":"profile.network_inside"`).want(t, "in words", 400, "3 entries are wrong")
	north.ask(t, "PATCH", "/api/v1/profile", `{"contacts":{"boss":{}}}`, "If-Match", merged.header.Get("ETag")).want(t, "no such duty", 400, "organisation.duty_unknown")
	gone := north.ask(t, "PATCH", "/api/v1/profile", `{"contacts":{"desk":{}},"brands":[]}`, "If-Match", merged.header.Get("ETag")).want(t, "take away", 200, `"version":4`)
	if strings.Contains(gone.body, "Polar") || strings.Contains(gone.body, "Desk") {
		t.Errorf("what was taken away is there: %s", gone.body)
	}
	staff.ask(t, "GET", "/api/v1/profile", "").want(t, "staff reads", 200, "north.example")
	staff.ask(t, "PATCH", "/api/v1/profile", `{}`, "If-Match", `"v4"`).want(t, "staff changes", 403, "error.role")

	north.ask(t, "POST", "/api/v1/profile/confirm", `{"part":"contacts"}`, "If-Match", `"v3"`).want(t, "confirm an old version", 412, `"version":4`)
	north.ask(t, "POST", "/api/v1/profile/confirm", `{"part":"contacts"}`, "If-Match", `"v4"`).want(t, "confirm", 200, `"late":false`)
	north.ask(t, "GET", "/api/v1/profile/confirmations", "").want(t, "own standing", 200, `"member":"north-bank"`)

	south.ask(t, "PATCH", "/api/v1/profile", `{"domains":["mail.north.example"]}`, "If-Match", `"v0"`).want(t, "another's domain", 200, "mail.north.example")
	centre.ask(t, "GET", "/api/v1/members/north-bank/profile", "").want(t, "the overlap", 200, `"theirs":"mail.north.example","member":"south-bank"`)
	south.ask(t, "GET", "/api/v1/members/north-bank/profile", "").want(t, "another's profile", 403, "error.role")
	page := centre.ask(t, "GET", "/api/v1/confirmations?limit=1", "").want(t, "a page", 200, `"next"`)
	centre.ask(t, "GET", "/api/v1/confirmations?limit=1&cursor="+url.QueryEscape(page.field(t, "next")), "").want(t, "the next", 200, "-bank")
	centre.ask(t, "GET", "/api/v1/confirmations?late=true", "").want(t, "nobody is late", 200, `"confirmations":[]`)
	centre.ask(t, "POST", "/api/v1/members/south-bank/state", `{"state":"suspended","reason":""}`).want(t, "why", 400, "organisation.reason_missing")
	centre.ask(t, "POST", "/api/v1/members/south-bank/state", `{"state":"suspended","reason":"exercise"}`).want(t, "suspend", 200, `"suspended"`)
	south.ask(t, "GET", "/api/v1/profile", "").want(t, "the suspended", 401, "")
	centre.ask(t, "POST", "/api/v1/members/south-bank/state", `{"state":"active","reason":"over"}`).want(t, "let in again", 200, `"active"`)
}

// TestGroupsOverTheAPI: a group needs both sides, and shows a member no more
// than it may know.
func TestGroupsOverTheAPI(t *testing.T) {
	p := running(t)
	banks(t, p)
	north, south := as(t, p, "admin@north.example", sector.MemberAdmin), asOf(t, p, "south-bank", "admin@south.example", sector.MemberAdmin)
	centre := as(t, p, "admin2@centre.example", sector.Administrator)
	north.ask(t, "POST", "/api/v1/groups", `{"name":"Cards","name_zh":"","terms":{"zh":"條款","en":"Terms"}}`).want(t, "no name", 400, `"field":"name_zh"`)
	body := `{"name":"Cards","name_zh":"卡片","terms":{"zh":"條款","en":"Terms"}}`
	made := north.ask(t, "POST", "/api/v1/groups", body, "Idempotency-Key", "g").want(t, "open", 201, `"runs":true,"inside":true`)
	if again := north.ask(t, "POST", "/api/v1/groups", body, "Idempotency-Key", "g"); again.body != made.body {
		t.Error("the same request made another group")
	}
	path := "/api/v1/groups/" + made.field(t, "id")
	south.ask(t, "GET", path, "").want(t, "not known", 404, "group.unknown")
	here, absent := north.ask(t, "PUT", path+"/members/south-bank", ""), north.ask(t, "PUT", path+"/members/nobody-bank", "")
	here.want(t, "invite", 200, `"standing":"invited"`)
	absent.want(t, "invite who is not there", 200, `"member":"nobody-bank","standing":"invited"`)
	north.ask(t, "DELETE", path+"/members/nobody-bank", "").want(t, "take back", 204, "")
	seen := south.ask(t, "GET", path, "").want(t, "the invited", 200, `"standing":"invited"`)
	if strings.Contains(seen.body, `"members"`) {
		t.Errorf("the invited sees who is in it: %s", seen.body)
	}
	terms := south.ask(t, "GET", path+"/terms", "").want(t, "terms", 200, `"en":"Terms"`)
	south.ask(t, "POST", path+"/agree", `{"terms":7}`).want(t, "other terms", 409, "group.terms_changed")
	south.ask(t, "POST", path+"/agree", `{"terms":1}`).want(t, "accept", 200, `"inside":true,"standing":"joined"`)
	north.ask(t, "PUT", path+"/terms", `{"zh":"新條款","en":"New terms","names_shown":true}`).want(t, "without If-Match", 400, "api.if_match_missing")
	north.ask(t, "PUT", path+"/terms", `{"zh":"新條款","en":"New terms","names_shown":true}`, "If-Match", terms.header.Get("ETag")).want(t, "new terms", 200, `"version":2`)
	north.ask(t, "PUT", path+"/terms", `{"zh":"甲","en":"A"}`, "If-Match", terms.header.Get("ETag")).want(t, "old terms", 412, `"version":2`)
	south.ask(t, "PUT", path+"/terms", `{"zh":"甲","en":"A"}`, "If-Match", `"v2"`).want(t, "not the owner", 403, "group.not_owner")
	south.ask(t, "GET", path, "").want(t, "not in it until it accepts", 200, `"inside":false,"standing":"joined","accepted":1`)
	south.ask(t, "POST", path+"/agree", `{"terms":2}`).want(t, "accept the new", 200, `"members":[{"member":"`)
	south.ask(t, "POST", path+"/leave", "").want(t, "leave", 204, "")
	south.ask(t, "GET", "/api/v1/groups", "").want(t, "the list of who left", 200, `"groups":[]`)
	centre.ask(t, "GET", "/api/v1/groups?q=card", "").want(t, "the centre's list", 200, `"name":"Cards"`)
	north.ask(t, "POST", path+"/close", "").want(t, "close", 200, `"closed_at"`)
	north.ask(t, "PUT", path+"/members/south-bank", "").want(t, "closed", 409, "group.closed")
}

// TestRepeatedAtOnce: one request that comes many times at once is done once.
func TestRepeatedAtOnce(t *testing.T) {
	p := running(t)
	banks(t, p)
	north := as(t, p, "admin@north.example", sector.MemberAdmin)
	body := `{"name":"Cards","name_zh":"卡片","terms":{"zh":"條款","en":"Terms"}}`
	var all sync.WaitGroup
	var done atomic.Int64
	for range 8 {
		all.Go(func() {
			switch got := north.ask(t, "POST", "/api/v1/groups", body, "Idempotency-Key", "g"); {
			case got.status == http.StatusCreated:
				done.Add(1)
			case got.status != http.StatusConflict || !strings.Contains(got.body, "api.key_in_use"):
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	all.Wait()
	list := north.ask(t, "GET", "/api/v1/groups", "")
	if n := strings.Count(list.body, `"name":"Cards"`); n != 1 || done.Load() == 0 {
		t.Errorf("%d groups, %d answers", n, done.Load())
	}
}

// TestPeopleOverTheAPI: a member's administrator looks after its own people,
// and knows of nobody else's.
func TestPeopleOverTheAPI(t *testing.T) {
	p := running(t)
	banks(t, p)
	north, south := as(t, p, "admin@north.example", sector.MemberAdmin), asOf(t, p, "south-bank", "admin@south.example", sector.MemberAdmin)
	north.ask(t, "PATCH", "/api/v1/profile", `{"domains":["north.example"]}`, "If-Match", `"v0"`).want(t, "domains", 200, "")
	const people = "/api/v1/organisation/people"
	invited := north.ask(t, "POST", people, `{"emails":["new@north.example","x@south.example","admin@north.example"],"roles":["member"]}`).
		want(t, "invite", 201, `"email":"new@north.example","link":"`+p.URL()+"/enrol#").want(t, "the second", 201, `"line":2,"code":"people.not_yours"`)
	invited.want(t, "the third", 201, `"line":3,"code":"people.is_here"`)
	north.ask(t, "POST", people, `{"emails":["a@north.example"],"roles":["administrator"]}`).want(t, "not its role", 400, "people.role_not_yours")
	id := idOf(t, p, "new@north.example")
	link := strings.Split(strings.Split(invited.body, `"link":"`)[1], `"`)[0]
	cookie := redeem(t, link)
	colleague := asker{p.URL(), func(r *http.Request) { r.AddCookie(cookie) }}
	north.ask(t, "GET", people+"?q=new@", "").want(t, "find", 200, id)
	north.ask(t, "GET", people+"/"+id, "").want(t, "show", 200, `"roles":["member"]`)
	south.ask(t, "GET", people+"/"+id, "").want(t, "another's person", 404, "sector.user_unknown")
	south.ask(t, "DELETE", people+"/"+id, "").want(t, "remove another's", 404, "sector.user_unknown")
	north.ask(t, "PUT", people+"/"+id+"/roles", `{"roles":["member","incident-lead"]}`).want(t, "roles", 200, `"incident-lead"`)
	south.ask(t, "GET", "/api/v1/people/"+id+"/sessions", "").want(t, "another's sessions", 404, "sector.user_unknown")
	north.ask(t, "GET", "/api/v1/people/"+id+"/sessions", "").want(t, "sessions", 200, `"method":"link"`).want(t, "ways in", 200, `"passkeys":0,"app":false`)
	colleague.ask(t, "GET", "/api/v1/account", "").want(t, "one's own ways in", 200, `"email":"new@north.example","passkeys":[]`)
	mine := colleague.ask(t, "GET", "/api/v1/sessions", "").want(t, "one's own", 200, `"this":true`)
	if strings.Count(mine.body, `"id"`) != 1 {
		t.Errorf("sessions: %s", mine.body)
	}
	north.ask(t, "DELETE", "/api/v1/people/"+id+"/sessions", "").want(t, "sign out", 200, `"ended":1`)
	colleague.ask(t, "GET", "/api/v1/me", "").want(t, "signed out", 401, "")
	north.ask(t, "DELETE", people+"/"+id, "").want(t, "remove", 204, "")
	north.ask(t, "POST", people+"/"+id+"/restore", "").want(t, "restore", 200, "new@north.example")
	north.ask(t, "DELETE", people+"/"+idOf(t, p, "admin@north.example"), "").want(t, "the last", 409, "people.last_administrator")
	north.ask(t, "GET", "/api/v1/recoveries", "").want(t, "recoveries", 200, `"recoveries":[]`)
	north.ask(t, "DELETE", "/api/v1/sessions", "").want(t, "one's others", 200, `"ended":0`)
	centre := as(t, p, "admin2@centre.example", sector.Administrator)
	centre.ask(t, "GET", "/api/v1/members/north-bank/provider", "").want(t, "no provider", 404, "")
	centre.ask(t, "PUT", "/api/v1/members/north-bank/provider", `{"issuer":"http://x","client_id":"a","domains":["north.example"]}`).want(t, "no https", 400, "provider.issuer_form")
	centre.ask(t, "DELETE", "/api/v1/members/north-bank/provider", "").want(t, "remove what is not there", 404, "")
}

func idOf(t *testing.T, p *Program, email string) string {
	t.Helper()
	u, err := p.directory.Person(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return string(u.ID)
}

// TestKeysOverTheAPI: a key's whole life; a member administers its own.
func TestKeysOverTheAPI(t *testing.T) {
	p := running(t)
	banks(t, p)
	north, south := as(t, p, "admin@north.example", sector.MemberAdmin), asOf(t, p, "south-bank", "admin@south.example", sector.MemberAdmin)
	centre := as(t, p, "admin2@centre.example", sector.Administrator)
	made := north.ask(t, "POST", "/api/v1/members/north-bank/keys", `{"scopes":["advisories"],"name":"SIEM"}`).want(t, "create", 201, `"secret":"aspis_`)
	id := made.field(t, "id")
	for path, what := range map[string]string{"/api/v1/members/north-bank/keys": "sector.member_unknown", "/api/v1/keys/" + id: "key.unknown"} {
		south.ask(t, "GET", path, "").want(t, "another's: "+path, 404, what)
	}
	south.ask(t, "GET", "/api/v1/keys?member=north-bank", "").want(t, "another's list", 200, `"keys":[]`)
	south.ask(t, "PATCH", "/api/v1/keys/"+id, `{"name":"mine"}`).want(t, "change another's", 404, "key.unknown")
	south.ask(t, "POST", "/api/v1/keys/"+id+"/rotate", `{"overlap_days":0}`).want(t, "rotate another's", 404, "key.unknown")
	north.ask(t, "PATCH", "/api/v1/keys/"+id, `{"notes":"rack 4","networks":["127.0.0.0/8"]}`).want(t, "change", 200, `"name":"SIEM","notes":"rack 4"`)
	rotated := north.ask(t, "POST", "/api/v1/keys/"+id+"/rotate", `{"overlap_days":7}`, "Idempotency-Key", "r").want(t, "rotate", 201, `"ends_at"`)
	if again := north.ask(t, "POST", "/api/v1/keys/"+id+"/rotate", `{"overlap_days":7}`, "Idempotency-Key", "r"); again.body != rotated.body {
		t.Error("the same request rotated again")
	}
	bearer := func(r reply) asker {
		secret := r.field(t, "secret")
		return asker{p.URL(), func(req *http.Request) { req.Header.Set("Authorization", "Bearer "+secret) }}
	}
	bearer(made).ask(t, "GET", "/api/v1/advisories", "").want(t, "the former secret", 200, "advisories")
	bearer(rotated).ask(t, "GET", "/api/v1/advisories", "").want(t, "the new secret", 200, "advisories")
	var shown struct{ Credentials []struct{ ID string } }
	if err := json.Unmarshal([]byte(north.ask(t, "GET", "/api/v1/keys/"+id, "").body), &shown); err != nil || len(shown.Credentials) != 2 {
		t.Fatalf("credentials %+v, %v", shown, err)
	}
	north.ask(t, "DELETE", "/api/v1/keys/"+id+"/credentials/"+shown.Credentials[1].ID, "").want(t, "end the former", 204, "")
	bearer(made).ask(t, "GET", "/api/v1/advisories", "").want(t, "the ended secret", 401, "key.invalid")
	north.ask(t, "POST", "/api/v1/members/north-bank/certificates", `{"key":{"scopes":["records"]},"proof":{}}`).want(t, "a member binds", 403, "error.role")
	centre.ask(t, "POST", "/api/v1/members/north-bank/certificates", `{"key":{"scopes":["records"]},"proof":{"certificate":"x"}}`).want(t, "no certificate", 400, "key.certificate_form")
	for range 3 {
		centre.ask(t, "POST", "/api/v1/members/south-bank/keys", `{"scopes":["records"]}`).want(t, "more", 201, "")
	}
	seen := map[string]bool{}
	for cursor, pages := "", 0; pages < 9; pages++ {
		page := centre.ask(t, "GET", "/api/v1/keys?limit=2&state=valid&cursor="+url.QueryEscape(cursor), "").want(t, "page", 200, "keys")
		var got struct {
			Keys []struct{ ID string }
			Next string
		}
		if err := json.Unmarshal([]byte(page.body), &got); err != nil {
			t.Fatal(err)
		}
		for _, k := range got.Keys {
			if seen[k.ID] {
				t.Errorf("%s comes twice", k.ID)
			}
			seen[k.ID] = true
		}
		if cursor = got.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d keys on the pages", len(seen))
	}
	north.ask(t, "DELETE", "/api/v1/members/north-bank/keys/"+id, "").want(t, "revoke", 204, "")
	north.ask(t, "GET", "/api/v1/keys?state=revoked", "").want(t, "the revoked", 200, id)
}

// TestNotificationsOverTheAPI: choices, webhooks, and what could not be told.
func TestNotificationsOverTheAPI(t *testing.T) {
	p := running(t)
	banks(t, p)
	north, south := as(t, p, "admin@north.example", sector.MemberAdmin), asOf(t, p, "south-bank", "admin@south.example", sector.MemberAdmin)
	staff, centre := as(t, p, "staff@north.example", sector.MemberStaff), as(t, p, "admin2@centre.example", sector.Administrator)
	staff.ask(t, "GET", "/api/v1/notifications", "").want(t, "nothing yet", 200, `"notifications":[],"unread":0`)
	staff.ask(t, "GET", "/api/v1/notifications/settings", "").want(t, "settings", 200, `{"topic":"warning_urgent","mode":"now","fixed":true}`)
	staff.ask(t, "PUT", "/api/v1/notifications/settings", `{"modes":{"warning":"off"},"digest_hour":7}`).want(t, "choose", 200, `{"topic":"warning","mode":"off"}`)
	staff.ask(t, "PUT", "/api/v1/notifications/settings", `{"modes":{"weather":"off"},"digest_hour":7}`).want(t, "no topic", 400, "notify.topic_unknown")
	staff.ask(t, "PUT", "/api/v1/notifications/settings", `{"modes":{"warning":"loud"},"digest_hour":7}`).want(t, "no mode", 400, "notify.mode")
	staff.ask(t, "PUT", "/api/v1/notifications/settings/key", `{"key":"x"}`).want(t, "no key", 400, "notify.pgp")
	staff.ask(t, "GET", "/api/v1/notifications/mailbox", "").want(t, "the member's mailbox", 403, "error.role")
	north.ask(t, "PUT", "/api/v1/notifications/mailbox", `{"modes":{"alert":"digest"},"digest_hour":9}`).want(t, "mailbox", 200, `"digest_hour":9`)

	hook := north.ask(t, "POST", "/api/v1/webhooks", `{"url":"https://hooks.north.example/in","topics":["warning"]}`).want(t, "webhook", 201, `"secret":"whsec_`)
	id := hook.field(t, "id")
	north.ask(t, "POST", "/api/v1/webhooks", `{"url":"https://127.0.0.1/in","topics":["warning"]}`).want(t, "inside", 400, "notify.hook")
	if list := north.ask(t, "GET", "/api/v1/webhooks", "").want(t, "webhooks", 200, id); strings.Contains(list.body, "whsec_") {
		t.Errorf("the secret is shown again: %s", list.body)
	}
	south.ask(t, "GET", "/api/v1/webhooks", "").want(t, "another's list", 200, `"webhooks":[]`)
	south.ask(t, "POST", "/api/v1/webhooks/"+id+"/rotate", "").want(t, "rotate another's", 404, "")
	north.ask(t, "POST", "/api/v1/webhooks/"+id+"/rotate", "").want(t, "rotate", 201, `"former_secret_until"`)
	south.ask(t, "DELETE", "/api/v1/webhooks/"+id, "").want(t, "remove another's", 404, "")
	north.ask(t, "DELETE", "/api/v1/webhooks/"+id, "").want(t, "remove", 204, "")

	north.ask(t, "GET", "/api/v1/undelivered", "").want(t, "undelivered", 200, `"undelivered":[]`)
	north.ask(t, "POST", "/api/v1/undelivered/x/retry", "").want(t, "retry what is not there", 404, "")
	north.ask(t, "POST", "/api/v1/undelivered/x/drop", `{"reason":" "}`).want(t, "drop without why", 400, "notify.drop.why")
	duty := as(t, p, "duty@centre.example", sector.DutyManager)
	duty.ask(t, "GET", "/api/v1/calls", "").want(t, "calls", 200, `"calls":[]`)
	duty.ask(t, "POST", "/api/v1/calls/x/north-bank/close", "").want(t, "close what is not there", 404, "")
	readNotices(t, p, centre, staff)
}

// readNotices releases a warning, and reads it where it is told.
func readNotices(t *testing.T, p *Program, centre, staff asker) {
	t.Helper()
	ana := as(t, p, "ana@centre.example", sector.Analyst)
	made := ana.ask(t, "POST", "/api/v1/drafts", `{}`)
	path := "/api/v1/drafts/" + made.field(t, "id")
	edited := ana.ask(t, "PUT", path, `{"title":{"zh":"警訊","en":"Told"},"body":{"zh":"請檢查","en":"Check"},"tlp":"AMBER","pap":"GREEN","category":"INT",
		"indicators":["198.51.100.7"],"audience":{"members":["north-bank"]}}`, "If-Match", made.header.Get("ETag")).want(t, "edit", 200, "")
	ana.ask(t, "POST", path+"/release", "", "If-Match", edited.header.Get("ETag")).want(t, "release", 200, "released")
	var got struct {
		Notifications []struct{ ID, At string }
	}
	for deadline := time.Now().Add(20 * time.Second); len(got.Notifications) == 0; time.Sleep(50 * time.Millisecond) {
		list := staff.ask(t, "GET", "/api/v1/notifications?unread=true", "")
		if err := json.Unmarshal([]byte(list.body), &got); err != nil || time.Now().After(deadline) {
			t.Fatalf("%v: %s", err, list.body)
		}
	}
	one := got.Notifications[0]
	staff.ask(t, "GET", "/api/v1/notifications?topic=warning&limit=1", "").want(t, "in words", 200, `"title":{"zh":"警訊","en":"Told"}`)
	centre.ask(t, "POST", "/api/v1/notifications/"+one.ID+"/read", "").want(t, "another's", 404, "")
	staff.ask(t, "POST", "/api/v1/notifications/"+one.ID+"/read", "").want(t, "read", 204, "")
	staff.ask(t, "GET", "/api/v1/notifications", "").want(t, "read", 200, `"unread":0`)
	staff.ask(t, "POST", "/api/v1/notifications/read", fmt.Sprintf(`{"up_to":%q}`, one.At)).want(t, "all", 204, "")
	authority := as(t, p, "chief@authority.example", sector.Supervisor)
	authority.ask(t, "GET", "/api/v1/figures", "").want(t, "figures", 200, `"figures":[`)
}

// TestLedgerOverTheAPI: the centre reads all and takes a proof that holds; a
// member reads what is about itself, and not where it stands.
func TestLedgerOverTheAPI(t *testing.T) {
	p := running(t)
	banks(t, p)
	north, south := as(t, p, "admin@north.example", sector.MemberAdmin), asOf(t, p, "south-bank", "admin@south.example", sector.MemberAdmin)
	centre := as(t, p, "admin2@centre.example", sector.Administrator)
	north.ask(t, "PATCH", "/api/v1/profile", `{"size":"large"}`, "If-Match", `"v0"`).want(t, "something to explain", 200, "")
	type entries struct {
		Entries []struct{ Entry, Action string }
		Next    string
	}
	read := func(c asker, path string) (got entries) {
		t.Helper()
		if err := json.Unmarshal([]byte(c.ask(t, "GET", path, "").want(t, path, 200, "entries").body), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	mine := read(north, "/api/v1/organisation/ledger?action=profile.save")
	if len(mine.Entries) != 1 {
		t.Fatalf("own entries %+v", mine)
	}
	own := north.ask(t, "GET", "/api/v1/organisation/ledger/"+mine.Entries[0].Entry, "").want(t, "own entry", 200, `"fields":"size"`)
	if strings.Contains(own.body, "checkpoint") || strings.Contains(own.body, "index") {
		t.Errorf("a member is told where its entry stands: %s", own.body)
	}
	south.ask(t, "GET", "/api/v1/organisation/ledger/"+mine.Entries[0].Entry, "").want(t, "another's entry", 404, "ledger.unknown")
	north.ask(t, "GET", "/api/v1/ledger/"+mine.Entries[0].Entry, "").want(t, "the centre's way", 403, "error.role")
	first := read(centre, "/api/v1/ledger?limit=2")
	second := read(centre, "/api/v1/ledger?limit=2&cursor="+url.QueryEscape(first.Next))
	if len(first.Entries) != 2 || len(second.Entries) != 2 || first.Entries[1] == second.Entries[0] {
		t.Errorf("pages %+v, %+v", first, second)
	}
	north.ask(t, "GET", "/api/v1/organisation/ledger?cursor="+url.QueryEscape(first.Next), "").want(t, "a cursor of others", 400, "query.cursor")
	saved := read(centre, "/api/v1/ledger?member=north-bank&action=profile.save").Entries[0].Entry
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(centre.ask(t, "GET", "/api/v1/ledger/"+saved, "").body, `"state":"proved"`); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the entry is not proved")
		}
	}
	centre.ask(t, "GET", "/api/v1/ledger/"+saved, "").want(t, "with its place", 200, `"place":{"index":`)
	centre.ask(t, "GET", "/api/v1/ledger/checkpoint", "").want(t, "checkpoint", 200, `"size":`)
	taken := centre.ask(t, "POST", "/api/v1/ledger/"+saved+"/proof", `{"for":"member"}`).want(t, "proof", 201, ".tlog-proof")
	proof, err := ledger.ParseProof([]byte(taken.field(t, "proof")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Verify(p.engines.ledger.Key()); err != nil {
		t.Error(err)
	}
}

// TestViewsOverTheAPI: a person's views are its own.
func TestViewsOverTheAPI(t *testing.T) {
	p := running(t)
	ana, duty := as(t, p, "ana@centre.example", sector.Analyst), as(t, p, "duty@centre.example", sector.DutyManager)
	made := ana.ask(t, "POST", "/api/v1/views", `{"list":"/alerts","name":" Mine ","query":"severity=high&after=x"}`).want(t, "save", 201, `"name":"Mine","query":"severity=high"`)
	ana.ask(t, "POST", "/api/v1/views", `{"list":"/nowhere","name":"x","query":""}`).want(t, "no list", 400, "common.view.no_list")
	ana.ask(t, "GET", "/api/v1/views?list=/alerts", "").want(t, "list", 200, made.field(t, "id"))
	duty.ask(t, "GET", "/api/v1/views?list=/alerts", "").want(t, "another's", 200, `"views":[]`)
	duty.ask(t, "DELETE", "/api/v1/views/"+made.field(t, "id")+"?list=/alerts", "").want(t, "drop another's", 404, "common.view.gone")
	ana.ask(t, "DELETE", "/api/v1/views/"+made.field(t, "id")+"?list=/alerts", "").want(t, "drop", 204, "")
}

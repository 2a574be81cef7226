package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Why a page has no operation of its own.
const (
	aForm      = "a form: what it sends has an operation"
	aFile      = "a file for people, of rows that a program reads page by page"
	entering   = "how a browser gets in and out; programs have keys and tokens"
	waysIn     = "the ways to sign in: who found a token must not be able to make itself one"
	aPicture   = "made of what operations of their own answer"
	forPages   = "how pages look to one browser"
	aDocument  = "about the API or the program, for people"
	anOther    = "not a page: a machine's protocol, a probe, or what there is not"
	pageStream = "keeps a page current; programs follow the changes"
)

// twins says for each page which operation does for programs what it does for
// people, or why there is none.
func twins() map[string]string {
	return map[string]string{
		"GET /{$}":                                 aPicture,
		"GET /healthz":                             anOther,
		"GET /readyz":                              anOther,
		"GET /metrics":                             anOther,
		"/":                                        anOther,
		"/taxii2/":                                 anOther,
		"GET /static/":                             anOther,
		"GET /api":                                 aDocument,
		"POST /preferences":                        forPages,
		"GET /pulse":                               "GET /api/v1/pulse",
		"GET /pulse/events":                        pageStream,
		"GET /search":                              "GET /api/v1/search",
		"GET /search/suggest":                      "GET /api/v1/search",
		"POST /views":                              "POST /api/v1/views",
		"POST /views/{id}/drop":                    "DELETE /api/v1/views/{id}",
		"GET /tokens":                              "GET /api/v1/tokens",
		"POST /tokens":                             "POST /api/v1/tokens",
		"POST /tokens/{id}/revoke":                 "DELETE /api/v1/tokens/{id}",
		"GET /alerts":                              "GET /api/v1/alerts",
		"POST /export/alerts":                      aFile,
		"GET /alerts/{id}":                         "GET /api/v1/alerts/{id}",
		"POST /alerts/{id}":                        "PATCH /api/v1/alerts/{id}",
		"GET /events":                              "GET /api/v1/events",
		"GET /events/histogram":                    "GET /api/v1/events",
		"GET /events/{id}":                         "GET /api/v1/events/{id}",
		"GET /rejected":                            "GET /api/v1/records/rejected",
		"GET /rejected/{id}":                       "GET /api/v1/records/rejected/{id}",
		"POST /rejected/{id}":                      "POST /api/v1/records/rejected/{id}/resend",
		"POST /rejected/{id}/drop":                 "DELETE /api/v1/records/rejected/{id}",
		"GET /advisories":                          "GET /api/v1/drafts",
		"POST /export/advisories":                  aFile,
		"POST /advisories":                         "POST /api/v1/drafts",
		"GET /advisories/{id}":                     "GET /api/v1/drafts/{id}",
		"GET /advisories/{id}/edit":                aForm,
		"POST /advisories/{id}/edit":               "PUT /api/v1/drafts/{id}",
		"POST /advisories/{id}/check":              "POST /api/v1/drafts/{id}/check",
		"GET /advisories/{id}/preview":             "GET /api/v1/drafts/{id}/preview",
		"POST /advisories/{id}/submit":             "POST /api/v1/drafts/{id}/submit",
		"POST /advisories/{id}/release":            "POST /api/v1/drafts/{id}/release",
		"GET /advisories/{id}/withdraw":            aForm,
		"POST /advisories/{id}/withdraw":           "POST /api/v1/drafts/{id}/withdraw",
		"GET /inbox":                               "GET /api/v1/advisories",
		"POST /export/inbox":                       aFile,
		"GET /inbox/{id}":                          "GET /api/v1/advisories/{id}",
		"POST /inbox/{id}/answer":                  "POST /api/v1/advisories/{id}/answers",
		"GET /figures":                             "GET /api/v1/figures",
		"GET /ledger":                              "GET /api/v1/ledger",
		"GET /ledger/{entry}":                      "GET /api/v1/ledger/{entry}",
		"POST /ledger/{entry}/proof":               "POST /api/v1/ledger/{entry}/proof",
		"GET /my-ledger":                           "GET /api/v1/organisation/ledger",
		"GET /my-ledger/{entry}":                   "GET /api/v1/organisation/ledger/{entry}",
		"GET /admin/members":                       "GET /api/v1/members",
		"POST /export/admin/members":               aFile,
		"POST /export/admin/people":                aFile,
		"POST /export/people":                      aFile,
		"POST /export/events":                      aFile,
		"POST /export/rejected":                    aFile,
		"POST /export/ledger":                      aFile,
		"POST /export/my-ledger":                   aFile,
		"POST /admin/people/{id}/subject/forget":   "DELETE /api/v1/people/{id}/subject",
		"GET /admin/members/{id}":                  "GET /api/v1/members/{id}",
		"GET /admin/members/new":                   aForm,
		"POST /admin/members/new":                  "POST /api/v1/members",
		"GET /admin/members/{id}/profile":          "GET /api/v1/members/{id}/profile",
		"POST /admin/members/{id}/state":           "POST /api/v1/members/{id}/state",
		"GET /admin/confirmations":                 "GET /api/v1/confirmations",
		"GET /admin/people":                        "GET /api/v1/people",
		"GET /admin/people/new":                    aForm,
		"POST /admin/people/new":                   "POST /api/v1/people",
		"POST /admin/people/{id}/link":             "POST /api/v1/people/{id}/link",
		"GET /admin/health":                        "GET /api/v1/health",
		"GET /admin/recovery":                      "GET /api/v1/recoveries",
		"POST /admin/recovery/{id}/confirm":        "POST /api/v1/recoveries/{id}/confirm",
		"GET /admin/people/{id}/sessions":          "GET /api/v1/people/{id}/sessions",
		"POST /admin/people/{id}/sessions/end":     "DELETE /api/v1/people/{id}/sessions",
		"GET /admin/members/{id}/provider":         "GET /api/v1/members/{id}/provider",
		"POST /admin/members/{id}/provider":        "PUT /api/v1/members/{id}/provider",
		"POST /admin/members/{id}/provider/remove": "DELETE /api/v1/members/{id}/provider",

		"GET /profile":                                 "GET /api/v1/profile",
		"POST /profile":                                "PATCH /api/v1/profile",
		"POST /profile/confirm":                        "POST /api/v1/profile/confirm",
		"GET /people":                                  "GET /api/v1/organisation/people",
		"GET /people/new":                              aForm,
		"POST /people/new":                             "POST /api/v1/organisation/people",
		"GET /people/{id}":                             "GET /api/v1/organisation/people/{id}",
		"POST /people/{id}/roles":                      "PUT /api/v1/organisation/people/{id}/roles",
		"POST /people/{id}/link":                       "POST /api/v1/organisation/people/{id}/link",
		"POST /people/{id}/remove":                     "DELETE /api/v1/organisation/people/{id}",
		"POST /people/{id}/restore":                    "POST /api/v1/organisation/people/{id}/restore",
		"GET /groups":                                  "GET /api/v1/groups",
		"GET /groups/new":                              aForm,
		"POST /groups/new":                             "POST /api/v1/groups",
		"GET /groups/{id}":                             "GET /api/v1/groups/{id}",
		"POST /groups/{id}/terms":                      "PUT /api/v1/groups/{id}/terms",
		"POST /groups/{id}/invite":                     "PUT /api/v1/groups/{id}/members/{member}",
		"POST /groups/{id}/remove":                     "DELETE /api/v1/groups/{id}/members/{member}",
		"POST /groups/{id}/close":                      "POST /api/v1/groups/{id}/close",
		"POST /groups/{id}/agree":                      "POST /api/v1/groups/{id}/agree",
		"POST /groups/{id}/leave":                      "POST /api/v1/groups/{id}/leave",
		"GET /keys":                                    "GET /api/v1/keys",
		"GET /keys/new":                                aForm,
		"POST /keys/new":                               "POST /api/v1/members/{id}/keys",
		"GET /keys/certificate":                        aForm,
		"POST /keys/certificate":                       "POST /api/v1/members/{id}/certificates",
		"GET /keys/{id}":                               "GET /api/v1/keys/{id}",
		"POST /keys/{id}":                              "PATCH /api/v1/keys/{id}",
		"POST /keys/{id}/rotate":                       "POST /api/v1/keys/{id}/rotate",
		"POST /keys/{id}/certificate":                  "POST /api/v1/keys/{id}/certificate",
		"GET /keys/{id}/revoke":                        aForm,
		"POST /keys/{id}/revoke":                       "DELETE /api/v1/members/{id}/keys/{key}",
		"POST /keys/{id}/credentials/{credential}/end": "DELETE /api/v1/keys/{id}/credentials/{credential}",

		"GET /notifications":                         "GET /api/v1/notifications",
		"GET /notifications/live":                    pageStream,
		"GET /notifications/open/{id}":               "POST /api/v1/notifications/{id}/read",
		"POST /notifications/read":                   "POST /api/v1/notifications/read",
		"GET /notifications/settings":                "GET /api/v1/notifications/settings",
		"POST /notifications/settings":               "PUT /api/v1/notifications/settings",
		"POST /notifications/settings/key":           "PUT /api/v1/notifications/settings/key",
		"POST /notifications/settings/key/remove":    "DELETE /api/v1/notifications/settings/key",
		"GET /notifications/mailbox":                 "GET /api/v1/notifications/mailbox",
		"POST /notifications/mailbox":                "PUT /api/v1/notifications/mailbox",
		"POST /notifications/mailbox/key":            "PUT /api/v1/notifications/mailbox/key",
		"POST /notifications/mailbox/key/remove":     "DELETE /api/v1/notifications/mailbox/key",
		"GET /notifications/webhooks":                "GET /api/v1/webhooks",
		"POST /notifications/webhooks":               "POST /api/v1/webhooks",
		"GET /notifications/webhooks/{id}/rotate":    aForm,
		"POST /notifications/webhooks/{id}/rotate":   "POST /api/v1/webhooks/{id}/rotate",
		"GET /notifications/webhooks/{id}/remove":    aForm,
		"POST /notifications/webhooks/{id}/remove":   "DELETE /api/v1/webhooks/{id}",
		"GET /notifications/undelivered":             "GET /api/v1/undelivered",
		"POST /notifications/undelivered/{id}/retry": "POST /api/v1/undelivered/{id}/retry",
		"POST /notifications/undelivered/{id}/drop":  "POST /api/v1/undelivered/{id}/drop",
		"GET /notifications/desk":                    "GET /api/v1/calls",
		"POST /notifications/desk/{event}/{member}":  "POST /api/v1/calls/{event}/{member}/close",

		"GET /account":                         "GET /api/v1/account",
		"POST /account/sessions/{id}/end":      "DELETE /api/v1/sessions/{id}",
		"POST /account/sessions/end":           "DELETE /api/v1/sessions",
		"POST /account/change":                 waysIn,
		"POST /account/codes":                  waysIn,
		"POST /account/app/remove":             waysIn,
		"POST /account/passkeys/{id}/remove":   waysIn,
		"GET /account/set-up":                  waysIn,
		"GET /account/set-up/app.svg":          waysIn,
		"POST /account/set-up/app":             waysIn,
		"POST /account/set-up/password":        waysIn,
		"POST /account/set-up/passkey":         waysIn,
		"POST /account/set-up/passkey/options": waysIn,
		"POST /prove/options":                  entering,
		"POST /prove/institution":              entering,
		"GET /sign-in":                         entering,
		"POST /sign-in":                        entering,
		"GET /sign-in/second":                  entering,
		"POST /sign-in/second":                 entering,
		"POST /sign-in/second/options":         entering,
		"POST /sign-in/passkey":                entering,
		"POST /sign-in/passkey/options":        entering,
		"GET /sign-in/institution":             entering,
		"POST /sign-in/institution":            entering,
		"GET /sign-in/institution/{member}":    entering,
		"GET /enrol":                           entering,
		"POST /enrol":                          entering,
		"POST /sign-out":                       entering,
	}
}

// twinFaults is what contradicts: a page without an entry, an entry without
// its page, an operation that there is not, one that not everybody may call
// who may use the page, and one that asks for no proof where the page does.
func twinFaults(table []access.Route, known map[string]string, proven []string) (faults []string) {
	need := map[string]sector.Permission{}
	for _, r := range table {
		need[r.Pattern] = r.Need
	}
	for _, r := range table {
		if r.Pattern == "GET /design" { // in development builds only
			continue
		}
		if _, ok := known[r.Pattern]; !ok && !strings.Contains(r.Pattern, " /api/") {
			faults = append(faults, fmt.Sprintf("%s: name the operation that does for programs what the page does, or why there is none", r.Pattern))
		}
	}
	for page, twin := range known {
		if _, ok := need[page]; !ok {
			faults = append(faults, page+" is no route")
			continue
		}
		if !strings.Contains(twin, " /api/") {
			continue
		}
		may, ok := need[twin]
		if !ok {
			faults = append(faults, twin+" is no operation")
			continue
		}
		for _, role := range sector.Roles() {
			v := sector.Viewer{Org: role.Org(), User: "u", Roles: []sector.Role{role}}
			if v.May(need[page]) && !v.May(may) {
				faults = append(faults, fmt.Sprintf("%s may use %s and not %s", role, page, twin))
			}
		}
		if slices.Contains(proven, page) && !slices.Contains(proven, twin) {
			faults = append(faults, fmt.Sprintf("%s asks for a proof, %s does not", page, twin))
		}
	}
	return faults
}

// TestEveryPageHasAnOperation: what a page can do, a program can.
func TestEveryPageHasAnOperation(t *testing.T) {
	table := running(t).routeTable
	for _, fault := range twinFaults(table, twins(), provenRoutes()) {
		t.Error(fault)
	}
	known := twins()
	delete(known, "GET /profile")                               // a new page
	known["GET /gone"] = aForm                                  // one that is no more
	known["GET /keys"] = "GET /api/v1/nothing"                  // a slip
	known["GET /people"] = "GET /api/v1/people"                 // for the centre only
	known["POST /tokens"] = "POST /api/v1/tokens/without-proof" // planted below
	table = append(table, access.Route{Pattern: "POST /api/v1/tokens/without-proof", Need: sector.SignedIn})
	faults := strings.Join(twinFaults(table, known, provenRoutes()), "\n")
	for _, want := range []string{"GET /profile: name", "GET /gone is no route", "GET /api/v1/nothing is no operation",
		"member-administrator may use GET /people and not", "POST /tokens asks for a proof"} {
		if !strings.Contains(faults, want) {
			t.Errorf("a planted fault is not found: %q", want)
		}
	}
}

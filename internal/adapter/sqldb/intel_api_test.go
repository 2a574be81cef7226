package sqldb

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
	"github.com/aspis-platform/aspis/taxii"
)

// keyring is machine keys by secret.
type keyring map[string]sector.Viewer

func (k keyring) AuthenticateKey(_ context.Context, secret string) (sector.Viewer, error) {
	if v, ok := k[secret]; ok {
		return v, nil
	}
	return sector.Viewer{}, errs.New(errs.Unauthenticated, "key.invalid")
}

// identify puts the viewer of a request's key into it.
func (k keyring) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := httpx.BearerToken(r)
		next.ServeHTTP(w, r.WithContext(sector.WithViewer(r.Context(), k[token])))
	})
}

// apiServer serves the API and TAXII over the network to keys "m1-both",
// "m1-taxii", "m1-advisories" … of every member.
func apiServer(t *testing.T, w *inteltest.World, store *Advisories) *httptest.Server {
	t.Helper()
	keys := keyring{}
	for _, m := range w.Sector {
		v := sector.Viewer{Org: sector.MemberOrg, Member: m.ID, Sector: m.Sector, Key: "key-of-" + string(m.ID)}
		for name, scopes := range map[string][]sector.Scope{
			"both": {sector.ScopeTAXII, sector.ScopeAdvisories}, "taxii": {sector.ScopeTAXII}, "advisories": {sector.ScopeAdvisories},
		} {
			v.Scopes = scopes
			keys[string(m.ID)+"-"+name] = v
		}
	}
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(make([]byte, seal.KeySize), "test")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	edge := httpx.NewEdge(log, texts, nil)
	routes := access.New(edge)
	intel.MountAPI(routes, w.Service, sealer)
	backend := intel.NewTAXII(store, sealer, intel.Centre{ID: "identity--9c3e2f3a-4f4b-4c55-8a77-6c1d3f6d2a10", Name: "Test centre", Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err := intel.MountTAXII(routes, backend, keys, "", log); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(edge.Wrap(routes, keys.identify))
	t.Cleanup(server.Close)
	return server
}

// call sends a request and returns status, body and header.
func call(t *testing.T, server *httptest.Server, method, path, key, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw), res.Header
}

func TestAdvisoryAPI(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		c := inteltest.Content(1, sector.Audience{Sectors: []sector.SubSector{sector.Banking}}, "*.evil.example")
		c.RSIT = "fraud:phishing"
		a := w.Release(t, w.Draft(t, c), nil)
		item := "/api/v1/advisories/" + string(a.ID)
		server := apiServer(t, w, db.Advisories())
		tests := []struct {
			name, method, path, key, body string
			status                        int
			code                          string
		}{
			{"no key", "GET", "/api/v1/advisories", "", "", 401, "error.sign_in_first"},
			{"key of another scope", "GET", "/api/v1/advisories", "m1-taxii", "", 403, "error.scope"},
			{"list", "GET", "/api/v1/advisories", "m1-advisories", "", 200, ""},
			{"limit of none", "GET", "/api/v1/advisories?limit=0", "m1-both", "", 400, "query.limit"},
			{"limit too large", "GET", "/api/v1/advisories?limit=500", "m1-both", "", 400, "query.limit"},
			{"bad time", "GET", "/api/v1/advisories?added_after=now", "m1-both", "", 400, "query.time"},
			{"bad order", "GET", "/api/v1/advisories?order=random", "m1-both", "", 400, "query.value"},
			{"bad category", "GET", "/api/v1/advisories?category=ZZZ", "m1-both", "", 400, "query.value"},
			{"unknown filter", "GET", "/api/v1/advisories?tlp=RED", "m1-both", "", 400, "query.unknown"},
			{"forged cursor", "GET", "/api/v1/advisories?cursor=AAAA", "m1-both", "", 400, "query.cursor"},
			{"item", "GET", item, "m1-both", "", 200, ""},
			{"hidden item", "GET", item, "m3-both", "", 404, "advisory.not_found"},
			{"no such item", "GET", "/api/v1/advisories/" + stix.RandomUUID().String(), "m1-both", "", 404, "advisory.not_found"},
			{"not an id", "GET", "/api/v1/advisories/%00%ff", "m1-both", "", 404, "advisory.not_found"},
			{"answer to hidden", "POST", item + "/answers", "m3-both", `{"answer":"blocked"}`, 404, "advisory.not_found"},
			{"not JSON", "POST", item + "/answers", "m1-both", `blocked`, 400, "answer.not_json"},
			{"unknown member of JSON", "POST", item + "/answers", "m1-both", `{"answer":"blocked","member":"m2"}`, 400, "answer.not_json"},
			{"large", "POST", item + "/answers", "m1-both", `{"answer":"` + strings.Repeat("x", 20000) + `"}`, 413, "answer.too_large"},
			{"unknown answer", "POST", item + "/answers", "m1-both", `{"answer":"true_incident","reason":"x"}`, 400, "answer.unknown"},
			{"answer", "POST", item + "/answers", "m1-both", `{"answer":"blocked"}`, 201, ""},
		}
		for _, test := range tests {
			status, body, _ := call(t, server, test.method, test.path, test.key, test.body)
			var problem struct{ Code string }
			if err := json.Unmarshal([]byte(body), &problem); err != nil || status != test.status || problem.Code != test.code {
				t.Errorf("%s: %d %s, want %d %s", test.name, status, body, test.status, test.code)
			}
		}
		checkItem(t, server, item, a)
	})
}

// checkItem compares the item's JSON, and asks again with its tag.
func checkItem(t *testing.T, server *httptest.Server, item string, a intel.Advisory) {
	t.Helper()
	_, body, header := call(t, server, "GET", item, "m1-both", "")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	at := a.ReleasedAt.Format(time.RFC3339Nano)
	answer := got["answer"].(map[string]any)
	delete(answer, "answered_at")
	delete(got, "opened_at") // the answer's time
	want := map[string]any{
		"id": string(a.ID), "revision": 1.0, "state": "released", "tlp": "AMBER", "pap": "GREEN", "category": "INT", "rsit": "fraud:phishing",
		"title":       map[string]any{"zh": "警訊第 1 號", "en": "Warning number 1"},
		"body":        map[string]any{"zh": "請檢查。", "en": "Please check."},
		"released_at": at, "first_released_at": at, "answer": map[string]any{"answer": "blocked"},
		"indicators": []any{map[string]any{"id": a.Indicators[0].ID, "kind": "domain", "value": "evil.example", "subdomains": true,
			"pattern": "[domain-name:value = 'evil.example' OR domain-name:value LIKE '%.evil.example']"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("item (-want +got):\n%s", d)
	}
	if status, rest, _ := call(t, server, "GET", item, "m1-both", "", "If-None-Match", `"x", `+header.Get("ETag")); status != 304 || rest != "" {
		t.Errorf("asked again with the tag: %d %q", status, rest)
	}
	if _, mine, _ := call(t, server, "GET", item, "m2-both", ""); strings.Contains(mine, "blocked") {
		t.Errorf("another member sees the answer: %s", mine)
	}
}

// TestTAXIIClient reads releases, corrections and a withdrawal with our own
// client, as members' systems do.
func TestTAXIIClient(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		server := apiServer(t, w, db.Advisories())
		for path, statuses := range map[string]map[string]int{
			"/taxii2/": {"": 401, "wrong": 401, "m1-advisories": 403, "m1-taxii": 200},
			"/taxii2/sector/collections/" + intel.CollectionAdvisories + "/objects/": {"": 401, "m1-both": 200},
			"/taxii2/sector/collections/5e6a1d1c-0000-4000-8000-000000000000/":       {"m1-both": 404},
		} {
			for key, want := range statuses {
				if status, body, _ := call(t, server, "GET", path, key, "", "Accept", taxii.MediaType); status != want {
					t.Errorf("%s with %q: %d %s, want %d", path, key, status, body, want)
				}
			}
		}
		a := w.Release(t, w.Draft(t, inteltest.Content(1, sector.Audience{All: true}, "198.51.100.1", "evil.example")), nil)
		w.Release(t, w.Draft(t, inteltest.Content(2, sector.Audience{Members: []sector.MemberID{"m2"}}, "198.51.100.2")), nil)
		if d := cmp.Diff([]string{"198.51.100.1", "evil.example"}, poll(t, server, "m1")); d != "" {
			t.Errorf("first poll (-want +got):\n%s", d)
		}
		next := inteltest.Content(3, sector.Audience{All: true}, "198.51.100.1", "198.51.100.3")
		a = w.Release(t, a, &next)
		if d := cmp.Diff([]string{"198.51.100.1", "198.51.100.3", "evil.example revoked"}, poll(t, server, "m1")); d != "" {
			t.Errorf("after a correction (-want +got):\n%s", d)
		}
		w.Withdraw(t, a)
		if d := cmp.Diff([]string{"198.51.100.1 revoked", "198.51.100.3 revoked", "evil.example revoked"}, poll(t, server, "m1")); d != "" {
			t.Errorf("after the withdrawal (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"198.51.100.1 revoked", "198.51.100.2", "198.51.100.3 revoked", "evil.example revoked"}, poll(t, server, "m2")); d != "" {
			t.Errorf("the other member (-want +got):\n%s", d)
		}
	})
}

// poll reads a member's indicators over Basic, checks every object against
// the STIX rules, and lists the values.
func poll(t *testing.T, server *httptest.Server, member string) []string {
	t.Helper()
	client, err := taxii.NewClient(taxii.ClientConfig{BaseURL: server.URL, Credentials: taxii.Credentials{User: member, Password: member + "-taxii"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	d, err := client.Discovery(t.Context())
	if err != nil || len(d.APIRoots) != 1 {
		t.Fatalf("discovery %+v, %v", d, err)
	}
	list := []string{}
	last := map[stix.ID]stix.Object{}
	for page, err := range client.All(t.Context(), d.Default, "advisories", taxii.Poll{Limit: 4, Filter: taxii.Filter{Versions: taxii.VersionFilter{All: true}}}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range page.Objects {
			o := valid(t, raw)
			if before, ok := last[o.Head().ID]; ok && !o.Head().Modified.IsZero() {
				if err := stix.CheckVersion(before, o); err != nil {
					t.Errorf("%s: %v", o.Head().ID, err)
				}
			}
			last[o.Head().ID] = o
		}
	}
	for _, o := range last {
		if i, ok := o.(*stix.Indicator); ok {
			text := i.Name
			if i.Revoked {
				text += " revoked"
			}
			list = append(list, text)
		}
	}
	slices.Sort(list)
	return list
}

func valid(t *testing.T, raw []byte) stix.Object {
	t.Helper()
	o, err := stix.DecodeObject(raw, stix.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if err := stix.Validate(o); err != nil {
		t.Errorf("%s is not valid STIX: %v", raw, err)
	}
	head := o.Head()
	if head.Type != "identity" && head.Type != "marking-definition" && head.Created != (stix.Timestamp{}) {
		if head.CreatedByRef != "identity--9c3e2f3a-4f4b-4c55-8a77-6c1d3f6d2a10" || len(head.ObjectMarkingRefs) != 2 {
			t.Errorf("%s lacks its creator or markings", raw)
		}
	}
	return o
}

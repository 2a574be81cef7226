package taxii

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/stix"
)

// viewer is who asks in tests.
type viewer string

// held is one object version with those it is for; nil means everybody.
type held struct {
	Object
	audience []viewer
}

// memory is a Backend and Writer in memory, for conformance tests.
type memory struct {
	mu          sync.Mutex
	collections []Collection
	hidden      map[string][]viewer // collection id: the only viewers who know it
	objects     map[string][]held   // by collection id, in order of DateAdded
	statuses    map[string]Status
	err         error // returned by everything when set
}

func (m *memory) Collections(_ context.Context, v viewer, root string) ([]Collection, error) {
	if m.err != nil {
		return nil, m.err
	}
	if root != "sector" {
		return nil, nil
	}
	var seen []Collection
	for _, c := range m.collections {
		if only, hidden := m.hidden[c.ID]; !hidden || slices.Contains(only, v) {
			seen = append(seen, c)
		}
	}
	return seen, nil
}

func (m *memory) Objects(_ context.Context, v viewer, q Query) (Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return Page{}, m.err
	}
	after, err := readCursor(q.Cursor)
	if err != nil {
		return Page{}, err
	}
	seen := m.seen(v, q.Collection)
	var page Page
	for _, o := range seen {
		first, last := isEdge(seen, o)
		if !q.Filter.Matches(o, first, last) || cursorOf(o).compare(after) <= 0 {
			continue
		}
		if len(page.Objects) == q.Limit {
			page.More, page.Next = true, cursorOf(page.Objects[q.Limit-1]).String()
			break
		}
		if q.NoBodies {
			o.Body = nil
		}
		page.Objects = append(page.Objects, o)
	}
	return page, nil
}

func (m *memory) seen(v viewer, collection string) []Object {
	var seen []Object
	for _, h := range m.objects[collection] {
		if h.audience == nil || slices.Contains(h.audience, v) {
			seen = append(seen, h.Object)
		}
	}
	return seen
}

func isEdge(seen []Object, o Object) (first, last bool) {
	first, last = true, true
	for _, other := range seen {
		if other.ID == o.ID {
			first = first && !other.Version.Before(o.Version)
			last = last && !o.Version.Before(other.Version)
		}
	}
	return first, last
}

// place is a cursor: it holds only what the viewer has been sent.
type place struct {
	added int64
	id    string
}

func cursorOf(o Object) place { return place{o.DateAdded.UnixMicro(), string(o.ID)} }

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.added, o.added), cmp.Compare(p.id, o.id))
}

func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.added, 10) + "/" + p.id))
}

func readCursor(s string) (place, error) {
	if s == "" {
		return place{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return place{}, ErrCursor
	}
	added, id, ok := strings.Cut(string(raw), "/")
	n, err := strconv.ParseInt(added, 10, 64)
	if !ok || err != nil {
		return place{}, ErrCursor
	}
	return place{n, id}, nil
}

func (m *memory) Add(_ context.Context, v viewer, _, collection string, objects []json.RawMessage) (Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return Status{}, m.err
	}
	st := Status{ID: "2d086da7-4bdc-4f91-900e-d77486753710", Status: "complete", TotalCount: len(objects)}
	for _, raw := range objects {
		o, err := stix.DecodeObject(raw, stix.DefaultLimits())
		if err != nil {
			return Status{}, &RejectedError{Reason: err.Error()}
		}
		entry, err := ObjectOf(o, at(100+len(m.objects[collection])))
		if err != nil {
			return Status{}, err
		}
		m.objects[collection] = append(m.objects[collection], held{Object: entry})
		st.SuccessCount++
		st.Successes = append(st.Successes, StatusDetail{ID: string(entry.ID), Version: entry.Version.String()})
	}
	m.statuses[string(v)+st.ID] = st
	return st, nil
}

func (m *memory) Status(_ context.Context, v viewer, _, id string) (Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	st, ok := m.statuses[string(v)+id]
	if !ok {
		return st, ErrNotFound
	}
	return st, nil
}

const (
	collectionOpen   = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
	collectionSecret = "52892447-4d7e-4f70-b94d-d7f22742ff63"
	collectionInbox  = "64993447-4d7e-4f70-b94d-d7f22742ee63"
)

func at(minutes int) time.Time {
	return time.Date(2026, 1, 2, 3, 0, 0, 123_456_000, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func testID(typ string, n int) stix.ID {
	return stix.NameID(stix.ObservableNamespace(), typ, strconv.Itoa(n))
}

// testIndicator is version n of indicator id, added at minute n.
func testIndicator(id stix.ID, created, n int) Object {
	o := stix.NewIndicator(id, testID("identity", 0), "[domain-name:value = 'x"+strconv.Itoa(n)+".example']", stix.At(at(created)))
	o.Modified = stix.At(at(n))
	entry, err := ObjectOf(o, at(n))
	if err != nil {
		panic(err) // only in tests, and only if the package cannot encode its own objects
	}
	return entry
}

// testBackend holds, in the open collection: an indicator in three versions
// (minutes 1, 3, 5), another (2), a domain name (4), and one more indicator (6)
// for viewer "a" alone; in the secret one, which "a" alone knows, one object.
func testBackend() *memory {
	domain, err := stix.Observable{Type: "domain-name", Property: "value", Value: "x.example"}.Object()
	if err != nil {
		panic(err)
	}
	sco, err := ObjectOf(domain, at(4))
	if err != nil {
		panic(err)
	}
	one, two := testID("indicator", 1), testID("indicator", 2)
	return &memory{
		collections: []Collection{
			{ID: collectionOpen, Title: "Released", Alias: "released", CanRead: true, CanWrite: false},
			{ID: collectionSecret, Title: "For a", CanRead: true},
			{ID: collectionInbox, Title: "Inbox", CanWrite: true},
		},
		hidden: map[string][]viewer{collectionSecret: {"a"}},
		objects: map[string][]held{
			collectionOpen: {
				{Object: testIndicator(one, 1, 1)}, {Object: testIndicator(two, 2, 2)}, {Object: testIndicator(one, 1, 3)},
				{Object: sco}, {Object: testIndicator(one, 1, 5)}, {Object: testIndicator(testID("indicator", 3), 6, 6), audience: []viewer{"a"}},
			},
			collectionSecret: {{Object: testIndicator(testID("indicator", 4), 1, 1)}},
		},
		statuses: map[string]Status{},
	}
}

// testAuth takes Basic with the password "pw" or Bearer "tok-<viewer>".
func testAuth(r *http.Request) (viewer, error) {
	if user, password, ok := r.BasicAuth(); ok && password == "pw" {
		return viewer(user), nil
	}
	if name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer tok-"); ok {
		return viewer(name), nil
	}
	return "", fmt.Errorf("test: %w", ErrUnauthenticated)
}

func testConfig(m *memory) Config[viewer] {
	return Config[viewer]{
		Title: "F-ISAC", Description: "金融資安資訊分享", Contact: "soc@isac.example", Realm: "F-\"ISAC\"中",
		Roots: []Root{
			{Name: "sector", Path: "/taxii2/sector/", Title: "Sector"},
			{Name: "empty", Path: "/other/", Title: "Empty"},
		},
		Authenticate: testAuth, Backend: m, Writer: m, PageSize: 10, MaxPageSize: 20, MaxBody: 4096,
	}
}

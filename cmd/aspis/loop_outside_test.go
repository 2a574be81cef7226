package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/intel"
)

// view is everything somebody can see, by what was asked: status, headers and
// body.
type view map[string]string

// outsiderSees asks every channel as the member that the advisory is not for:
// its devices and its staff, in every way of listing, paging, searching and
// counting.
func (l *loop) outsiderSees() view {
	l.Helper()
	seen := view{}
	device := l.member(l.outsider.ID)
	for _, path := range l.devicePaths() {
		seen.ask(l, device, "device "+path, path)
	}
	staff := person(l, l.server.url, staffOf(l.outsider.ID), password)
	eventually(l, 10*time.Second, func() string { // else it comes in between
		if !strings.Contains(staff.page("/notifications").body, "A new way to sign in") {
			return "the outsider's staff is not told that it has set up its app"
		}
		return ""
	})
	for _, path := range l.staffPaths() {
		seen.ask(l, staff, "staff "+path, path)
	}
	seen.pages(l, device)
	seen.pulse(l, staff)
	if what := "device /api/v1/events?histogram=10&q=" + url.QueryEscape("domain:"+attackerName) + l.span(); !strings.Contains(seen[what], "past-outside") {
		l.Errorf("the outsider does not find its own record of days ago: %s", seen[what])
	}
	return seen
}

func (l *loop) devicePaths() []string {
	const root = "/taxii2/sector/"
	paths := []string{
		"/taxii2/", root, root + "collections/", "/api/v1/advisories", "/api/v1/advisories?limit=1&order=asc", "/api/v1/advisories?unanswered=true",
		"/api/v1/advisories?category=EWA", "/api/v1/advisories?added_after=2026-01-01T00:00:00Z", "/api/v1/advisories/00000000-0000-4000-8000-000000000000",
		"/api/v1/alerts?q=" + attackerName, "/api/v1/alerts?cause=retrohunt", "/api/v1/alerts?cause=indicator", "/api/v1/alerts?limit=200", "/api/v1/alerts?cause=correlation",
	}
	for _, col := range []string{intel.CollectionAdvisories, intel.CollectionIndicators, "advisories"} {
		base := root + "collections/" + col + "/"
		for _, query := range []string{"", "?limit=1", "?limit=3", "?match[version]=all", "?added_after=2026-01-01T00:00:00Z", "?match[type]=indicator", "?match[type]=report"} {
			paths = append(paths, base+"objects/"+query, base+"manifest/"+query)
		}
		paths = append(paths, base, base+"objects/indicator--00000000-0000-4000-8000-000000000000/")
	}
	for _, q := range []string{"domain:" + attackerName, "ip:" + attackerAddress, attackerName, "any:" + attackerName} {
		paths = append(paths, "/api/v1/events?histogram=10&q="+url.QueryEscape(q)+l.span())
	}
	return paths
}

func (l *loop) span() string {
	return "&from=2026-01-01T00:00:00Z&to=" + l.started().Format(time.RFC3339)
}

// started is a moment after all records were planted, the same at each call.
func (l *loop) started() time.Time {
	if l.asked.IsZero() {
		l.asked = time.Now().UTC().Truncate(time.Second)
	}
	return l.asked
}

func (l *loop) staffPaths() []string {
	return []string{
		"/inbox", "/inbox?q=" + attackerName, "/inbox?category=EWA", "/inbox/00000000-0000-4000-8000-000000000000", "/alerts", "/alerts?cause=retrohunt",
		"/alerts?q=" + attackerName, "/figures", "/advisories", "/advisories/00000000-0000-4000-8000-000000000000",
		"/events?from=2026-01-01T00%3A00&to=" + url.QueryEscape(l.started().Format("2006-01-02T15:04")) + "&q=" + url.QueryEscape(attackerName),
	}
}

// ask adds an answer. What is new with every answer by its nature is left
// out: the date, the request's id, the session's renewal, how long ago
// something was, links to the last hour.
func (v view) ask(t testing.TB, c *caller, what, path string, header ...string) {
	t.Helper()
	ago := regexp.MustCompile(`just now|\d+ (second|minute|hour)s? ago|from=[\dT-]+%3A\d\d&amp;q=[^"]*&amp;span=`)
	got := c.get(path, header...)
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", got.status)
	for _, name := range slices.Sorted(maps.Keys(got.header)) {
		switch name {
		case "Date", "X-Request-Id", "Set-Cookie":
			continue
		}
		fmt.Fprintf(&b, "%s: %q\n", name, got.header[name])
	}
	body := strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "REQUEST")
	v[what] = b.String() + "\n" + ago.ReplaceAllString(body, "AGO")
}

// pulse adds the figures of the member's loop, a line a station: what came in
// and what waits. Rates and charts move with time and are left out.
func (v view) pulse(t testing.TB, c *caller) {
	t.Helper()
	row := regexp.MustCompile(`(?s)<tr><th scope="row">(?:<a [^>]*>)?([^<]*).*?<td class="num">([^<]*)</td><td class="num">[^<]*</td><td class="num">([^<]*)</td>`)
	rows := row.FindAllStringSubmatch(c.get("/pulse").body, -1)
	if len(rows) < 10 {
		t.Fatalf("the pulse has %d stations", len(rows))
	}
	for _, r := range rows {
		v["pulse "+r[1]] = r[2] + " waiting " + r[3]
	}
}

// pages follows TAXII's pages of one object each to their end.
func (v view) pages(t testing.TB, c *caller) {
	t.Helper()
	path := "/taxii2/sector/collections/" + intel.CollectionAdvisories + "/objects/?limit=1"
	next := ""
	for n := range 100 {
		what := fmt.Sprint("page ", n)
		v.ask(t, c, what, path+next)
		_, after, more := strings.Cut(v[what], `"next":"`)
		if !more {
			return
		}
		token, _, _ := strings.Cut(after, `"`)
		next = "&next=" + url.QueryEscape(token)
	}
	t.Error("TAXII's pages have no end")
}

// nothingOutside compares what the outsider sees now with before the release,
// and asks for what it cannot know.
func (l *loop) nothingOutside(before view) {
	l.Helper()
	after := l.outsiderSees()
	if diff := cmp.Diff(before, after); diff != "" {
		l.Errorf("the release changed what a member outside the audience sees (-before +after):\n%s", diff)
	}
	if len(before) < 60 {
		l.Errorf("only %d answers were compared", len(before))
	}
	device := l.member(l.outsider.ID)
	staff := person(l, l.server.url, staffOf(l.outsider.ID), password)
	const taxii = "/taxii2/sector/collections/" + intel.CollectionAdvisories + "/objects/"
	l.sameAsNothing(device, "/api/v1/advisories/%s", l.advisory, "12345678-0000-4000-8000-000000000000")
	l.sameAsNothing(device, taxii+"%s/", l.address.ID, "indicator--12345678-0000-4000-8000-000000000000")
	l.sameAsNothing(device, taxii+"%s/versions/", l.address.ID, "indicator--12345678-0000-4000-8000-000000000000")
	l.sameAsNothing(device, taxii+"?match[id]=%s", l.address.ID, "indicator--12345678-0000-4000-8000-000000000000")
	l.sameAsNothing(staff, "/inbox/%s", l.advisory, "12345678-0000-4000-8000-000000000000")
	l.sameAsNothing(staff, "/advisories/%s", l.advisory, "12345678-0000-4000-8000-000000000000")
	refused := device.do(http.MethodPost, "/api/v1/advisories/"+l.advisory+"/answers", []byte(`{"answer":"affected"}`))
	if refused.status != http.StatusNotFound {
		l.Errorf("answering an advisory that is for others: %d %s", refused.status, refused.body)
	}
	l.timings()
}

// sameAsNothing compares the answers about what is hidden and about what does
// not exist.
func (l *loop) sameAsNothing(c *caller, path, hidden, absent string) {
	l.Helper()
	got := view{}
	got.ask(l, c, "hidden", fmt.Sprintf(path, hidden))
	got.ask(l, c, "absent", fmt.Sprintf(path, absent))
	if diff := cmp.Diff(strings.ReplaceAll(got["absent"], absent, "ID"), strings.ReplaceAll(got["hidden"], hidden, "ID")); diff != "" {
		l.Errorf("%s tells what is hidden from what is not there (-absent +hidden):\n%s", path, diff)
	}
}

// timings reports how long answers take for those who see something and for
// those who do not. Times of one machine prove nothing, so it only tells.
func (l *loop) timings() {
	l.Helper()
	median := func(c *caller, path string) time.Duration {
		var took []time.Duration
		for range 31 {
			began := time.Now()
			c.get(path)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	inside, outside := l.member(l.audience[0].ID), l.member(l.outsider.ID)
	for _, path := range []string{"/api/v1/advisories", "/taxii2/sector/collections/" + intel.CollectionIndicators + "/objects/?limit=2"} {
		l.Logf("median of %s: %v inside the audience, %v outside", path, median(inside, path), median(outside, path))
	}
}

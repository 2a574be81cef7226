package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/taxii"
)

// answers lets three members answer by their programs and the others on the page,
// and looks at what the centre and the authority see of it.
func (l *loop) answers() {
	l.Helper()
	l.progress("delivered", len(l.audience), 0, 0)
	for _, m := range l.audience[:3] {
		got := l.member(m.ID).do(http.MethodPost, "/api/v1/advisories/"+l.advisory+"/answers",
			[]byte(`{"answer":"true_incident","reason":"Two hosts called the address."}`), "Content-Type", "application/json")
		if got.status != http.StatusCreated {
			l.Fatalf("%s answers by its program: %d %s", m.ID, got.status, got.body)
		}
	}
	for i, m := range l.audience[3:] {
		l.answerOnPage(m, i)
	}
	l.progress("after the answers", len(l.audience), len(l.audience), len(l.audience))
	var own advisory
	l.member(l.audience[3].ID).read("/api/v1/advisories/"+l.advisory, &own)
	if own.Answer == nil || own.Answer.Answer != "false_alarm" || own.Answer.Reason == "" {
		l.Errorf("the member's own answer: %+v", own.Answer)
	}
	l.figures()
}

// answerOnPage opens the advisory and says 誤判; a reason is asked for.
func (l *loop) answerOnPage(m sector.Member, n int) {
	l.Helper()
	staff := person(l, l.server.url, staffOf(m.ID), password)
	inbox := staff.page("/inbox")
	path := "/inbox/" + l.advisory
	if !slices.Contains(inbox.links(l), path) {
		l.Fatalf("the inbox of %s has no link to %s: %s", m.ID, path, text(inbox.body))
	}
	page := staff.page(path)
	if !strings.Contains(page.body, "A new implant calls home") {
		l.Errorf("the advisory is not on %s's page: %s", m.ID, text(page.body))
	}
	l.namesNobodyElse(m, page)
	if n == 0 {
		l.progress("opened by one on its page", len(l.audience), 4, 3)
		if zh := staff.get(path, "Accept-Language", "zh-TW"); !strings.Contains(zh.body, "誤判") || !strings.Contains(zh.body, "新型後門程式連線警訊") {
			l.Errorf("the Chinese page offers no 誤判: %s", text(zh.body))
		}
	}
	f := page.form(l, path+"/answer")
	f.values.Set("answer", "false_alarm")
	f.values.Set("reason", "")
	if got := staff.submit(f); got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest {
		l.Errorf("誤判 without a reason: %d at %s", got.status, got.path)
	}
	f.values.Set("reason", "An update server of ours.")
	if got := staff.submit(f); got.status != http.StatusOK || got.path != path {
		l.Fatalf("%s answers on the page: %d at %s: %s", m.ID, got.status, got.path, text(got.body))
	}
}

func (l *loop) namesNobodyElse(self sector.Member, page answer) {
	l.Helper()
	for _, m := range l.all {
		if m.ID != self.ID && (strings.Contains(page.body, m.Name) || strings.Contains(page.body, string(m.ID))) {
			l.Errorf("a page of %s names %s: %s", self.ID, m.ID, text(page.body))
		}
	}
}

// progress is the centre's page: a row for each recipient.
func (l *loop) progress(when string, delivered, opened, answered int) {
	l.Helper()
	page := l.manager.page("/advisories/" + l.advisory)
	var got [3]int
	for _, row := range page.rows(l) {
		if len(row) != 6 {
			continue
		}
		for i, cell := range []int{2, 4} { // delivered, opened
			if row[cell] != "" && row[cell] != "–" && row[cell] != "—" {
				got[i]++
			}
		}
		if !strings.Contains(row[5], "No answer") && row[5] != "" && row[5] != "–" {
			got[2]++
		}
	}
	if want := [3]int{delivered, opened, answered}; got != want {
		l.Errorf("%s the centre sees %v delivered, opened, answered; want %v: %q", when, got, want, page.rows(l))
	}
}

// figures are the authority's totals, without names.
func (l *loop) figures() {
	l.Helper()
	authority := person(l, l.server.url, authorityMail, password)
	page := authority.page("/figures")
	l.namesNobody("the authority's page", text(page.body))
	var row []string
	for _, r := range page.rows(l) {
		if len(r) == 10 && strings.Contains(r[1], "A new implant") {
			row = r
		}
	}
	if row == nil {
		l.Fatalf("the authority sees no figures of the advisory: %s", text(page.body))
	}
	n := strconv.Itoa(len(l.audience))
	want := []string{n, n, n, "3", "0", strconv.Itoa(len(l.audience) - 3)}
	if !slices.Equal(row[4:], want) {
		l.Errorf("the authority's totals are %q, want %q: recipients, opened, answered, affected, blocked, not affected", row[4:], want)
	}
	if got := authority.get("/events"); got.status != http.StatusForbidden {
		l.Errorf("the authority looks up events: %d", got.status)
	}
}

// retroHunt: the member where the name was seen days ago is told so, about
// itself alone; the member outside the audience is told nothing.
func (l *loop) retroHunt() {
	l.Helper()
	found := l.audience[2]
	var own []alertJSON
	eventually(l, time.Minute, func() string {
		if own = l.member(found.ID).alerts("cause=retrohunt"); len(own) == 0 {
			return fmt.Sprintf("the retro-hunt raised no alert at %s; the centre sees %+v", found.ID, l.analyst.alerts("q="+attackerName))
		}
		return ""
	})
	for _, a := range own {
		if !slices.Equal(a.Members, []string{string(found.ID)}) {
			l.Errorf("the alert of %s shows the members %v", found.ID, a.Members)
		}
		one := l.member(found.ID).get("/api/v1/alerts/" + a.ID)
		for _, m := range l.all {
			if m.ID != found.ID && strings.Contains(one.body, string(m.ID)) {
				l.Errorf("the retro-hunt's alert at %s names %s: %s", found.ID, m.ID, one.body)
			}
		}
	}
	if all := l.analyst.alerts("cause=retrohunt&q=" + attackerName); len(all) == 0 {
		l.Error("the centre does not see the sighting from the past")
	}
	for _, c := range []string{"retrohunt", "indicator"} {
		if told := l.member(l.outsider.ID).alerts("cause=" + c); len(told) > 0 {
			l.Errorf("the member outside the audience was told of a hunt: %+v", told)
		}
	}
}

// newSightings: records that come in after the release match at once.
func (l *loop) newSightings() {
	l.Helper()
	m := l.audience[4]
	began := time.Now()
	l.send(m.ID, lookup("after-release", "cdn."+attackerName, began), lookup("after-release", attackerName, began))
	l.send(l.outsider.ID, lookup("after-outside", attackerName, began))
	eventually(l, 10*time.Second, func() string {
		if len(l.member(m.ID).alerts("cause=indicator&q="+attackerName)) == 0 {
			return "no sighting of a record that came after the release"
		}
		return ""
	})
	l.Logf("a new record is an alert after %v", time.Since(began).Round(time.Millisecond))
	if told := l.member(l.outsider.ID).alerts("cause=indicator"); len(told) > 0 {
		l.Errorf("the member outside the audience was told of a match: %+v", told)
	}
}

// sightings is how many records matched at a member.
func (l *loop) sightings(id sector.MemberID) int {
	l.Helper()
	n := 0
	for _, a := range l.member(id).alerts("cause=indicator") {
		n += a.Count
	}
	return n
}

// withdraw takes the advisory back, and looks at every place it had reached.
func (l *loop) withdraw() {
	l.Helper()
	reader := l.audience[len(l.audience)-1].ID
	old := l.indicatorAt(reader)
	path := "/advisories/" + l.advisory + "/withdraw"
	f := l.manager.page(path).form(l, path)
	f.values.Set("reason", "The address belongs to a content network.")
	if got := l.manager.submit(f); got.status != http.StatusOK {
		l.Fatalf("withdrawal: %d at %s: %s", got.status, got.path, text(got.body))
	}
	gone := l.indicatorAt(reader)
	if !gone.Revoked || gone.Modified <= old.Modified || gone.ID != old.ID {
		l.Errorf("after the withdrawal the indicator in TAXII is %s; before it was %s", gone.raw, old.raw)
	}
	var item advisory
	l.member(reader).read("/api/v1/advisories/"+l.advisory, &item)
	if item.State != "withdrawn" || item.WithdrawnAt.IsZero() {
		l.Errorf("after the withdrawal the advisory is %+v", item)
	}
	staff := person(l, l.server.url, staffOf(reader), password)
	if page := staff.page("/inbox/" + l.advisory); page.hasForm(l, "/inbox/"+l.advisory+"/answer") || !strings.Contains(text(page.body), "ithdrawn") {
		l.Errorf("the inbox does not say that the advisory is withdrawn: %s", text(page.body))
	}
	l.matchesNoMore()
	eventually(l, time.Minute, func() string { // people have the withdrawal in their digest
		mailboxes := slices.DeleteFunc(l.toMembers(), func(to string) bool { return strings.HasPrefix(to, "staff@") })
		if n := len(mailboxes); n != 2*len(l.audience) {
			return fmt.Sprintf("%d letters of release and withdrawal, want %d", n, 2*len(l.audience))
		}
		return ""
	})
	if got := l.office.recipients(); slices.Contains(got, mailOf(l.outsider.ID)) || slices.Contains(got, staffOf(l.outsider.ID)) {
		l.Error("a letter went to the member outside the audience")
	}
}

func (l *loop) indicatorAt(id sector.MemberID) stixObject {
	l.Helper()
	found := l.objectsOf(id, taxii.Poll{Filter: taxii.Filter{IDs: []string{l.name.ID}}})["indicators"]
	if len(found) != 1 {
		l.Fatalf("%s has %d last versions of the indicator", id, len(found))
	}
	return found[0]
}

// matchesNoMore sends a record that would have matched, and one behind it
// whose alert shows that both were looked at.
func (l *loop) matchesNoMore() {
	l.Helper()
	time.Sleep(time.Second) // a release, and so a withdrawal, may take this long to the matcher
	m := l.audience[5].ID
	before, at := l.sightings(m), time.Now()
	l.send(m, lookup("after-withdrawal", attackerName, at))
	l.send(m, needle("after-withdrawal", at))
	eventually(l, 10*time.Second, func() string {
		if len(l.member(m).alerts("rule="+needleRule+"&q=after-withdrawal")) == 0 {
			return "no alert of the record behind"
		}
		return ""
	})
	if now := l.sightings(m); now != before {
		l.Errorf("%d sightings at %s after the withdrawal, %d before", now, m, before)
	}
}

// ledger checks the chain of the stopped folder, and that a changed row
// breaks it.
func (l *loop) ledger() {
	l.Helper()
	var told struct{ Entries int }
	aspisJSON(l, &told, "", "ledger", "verify", "--data", l.server.data)
	if told.Entries < 60 {
		l.Errorf("the ledger has %d entries; this test alone did more", told.Entries)
	}
	file := filepath.Join(l.server.data, "aspis.db")
	if _, err := os.Stat(file); err != nil {
		l.Fatal(err)
	}
	change(l, file, "UPDATE ledger SET actor = 'somebody else' WHERE seq = (SELECT min(seq) FROM ledger WHERE action = 'advisory.release')")
	if got := aspis(l, "", "ledger", "verify", "--data", l.server.data); got.code != 1 || got.err == "" {
		l.Errorf("the ledger verifies after a row was changed: exit code %d, %q %q", got.code, got.out, got.err)
	}
}

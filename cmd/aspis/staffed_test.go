package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// staffed is a demonstration with somebody in every role, all of the same
// member where they are a member's, and with something on every page.
type staffed struct {
	*show
	people map[sector.Role]*caller
	member sector.Member // whose people the member's roles are
	alert  string        // across institutions
	sent   string        // the advisory that was released
}

func (s *staffed) mail(r sector.Role) string { return string(r) + "@staffed.example" }

// staff starts it, and does as the people do.
func staff(t *testing.T) *staffed {
	t.Helper()
	s := &staffed{show: demonstrate(t), people: map[sector.Role]*caller{}}
	s.member = s.members[0]
	for _, role := range sector.Roles() {
		var of []string
		if role.Org() == sector.MemberOrg {
			of = []string{"--member", string(s.member.ID)}
		}
		newPerson(t, s.server.data, s.mail(role), string(role), of...)
		s.people[role] = person(t, s.server.url, s.mail(role), password)
	}
	s.records()
	s.triage()
	s.advisories()
	s.organise()
	s.machines()
	return s
}

// attacker is what the planted records are about.
const stagedAddress = "203.0.113.90"

// records raise an alert across institutions, and one is refused.
func (s *staffed) records() {
	s.Helper()
	for i, m := range []sector.Member{s.member, s.members[1], s.members[2]} {
		record := connection(fmt.Sprintf("ws-%d.%s.example", i, m.ID), stagedAddress, time.Now())
		door := machine(s, s.server.url, s.keys[m.ID])
		if got := door.do(http.MethodPost, "/api/v1/records", []byte(record+"{\"broken\"\n")); got.status != http.StatusOK {
			s.Fatalf("records of %s: %d %s", m.ID, got.status, got.body)
		}
	}
	analyst := s.people[sector.Analyst]
	eventually(s, time.Minute, func() string {
		found := analyst.alerts("cause=correlation&q=" + stagedAddress)
		if len(found) == 0 {
			return "no alert about " + stagedAddress
		}
		s.alert = found[0].ID
		return ""
	})
}

// fill puts values into a form of a page and sends it.
func (c *caller) fill(page, action string, values url.Values) answer {
	c.t.Helper()
	f := c.page(page).form(c.t, action)
	maps.Copy(f.values, values)
	got := c.submit(f)
	if got.status >= http.StatusBadRequest {
		c.t.Fatalf("the form %s on %s: %d:\n%s", action, page, got.status, text(got.body))
	}
	return got
}

func (s *staffed) triage() {
	s.Helper()
	s.people[sector.SOCAnalyst].fill("/alerts/"+s.alert, "/alerts/"+s.alert, url.Values{
		"state": {"in_progress"}, "note": {"三家機構連往同一位址，已請各機構查明。\nCalled the three institutions."}})
	s.people[sector.SOCAnalyst].fill("/alerts?state=all", "/views", url.Values{"name": {"全部告警 / everything"}})
}

// advisories are one that was released, one that waits for a second person,
// and a draft; the member has answered the first.
func (s *staffed) advisories() {
	s.Helper()
	analyst, manager := s.people[sector.Analyst], s.people[sector.DutyManager]
	s.sent = s.draft("多家機構連往同一可疑主機", "Several institutions call the same suspicious host")
	waiting := s.draft("偽冒網銀登入頁", "A sign-in page that imitates a bank's")
	s.draft("釣魚郵件樣本", "Samples of phishing mail")
	for _, id := range []string{s.sent, waiting} {
		at := "/advisories/" + id
		analyst.fill(at+"/preview", at+"/submit", nil)
	}
	open := s.draft("金融卡詐騙提醒", "Beware of card fraud", "tlp", "CLEAR", "pap", "CLEAR", "category", "ANA", "answer_due", "", "reach", "public")
	for _, id := range []string{open} {
		at := "/advisories/" + id
		if page := analyst.page(at + "/preview"); page.hasForm(s, at+"/submit") {
			analyst.fill(at+"/preview", at+"/submit", nil)
		}
		manager.fill(at+"/preview", at+"/release", nil)
	}
	at := "/advisories/" + s.sent
	manager.fill(at+"/preview", at+"/release", nil)
	s.people[sector.MemberStaff].fill("/inbox/"+s.sent, "/inbox/"+s.sent+"/answer", url.Values{"answer": {"false_alarm"}, "reason": {"更新主機"}})
}

// draft writes an advisory from the alert; more are fields and their values.
func (s *staffed) draft(zh, en string, more ...string) string {
	s.Helper()
	analyst := s.people[sector.Analyst]
	page := analyst.submit(analyst.page("/alerts/"+s.alert).form(s, "/advisories"))
	parts := strings.Split(page.path, "/")
	if len(parts) != 4 {
		s.Fatalf("drafting leads to %s: %s", page.path, text(page.body))
	}
	at := "/advisories/" + parts[2]
	values := url.Values{
		"title_zh": {zh}, "title_en": {en}, "body_zh": {"請於防火牆阻擋下列位址，並清查過去 30 天的連線紀錄。"},
		"body_en": {"Block the address below and look through the connections of the past 30 days."},
		"tlp":     {string(sector.TLPAmberStrict)}, "pap": {string(sector.PAPGreen)}, "category": {"EWA"},
		"answer_due": {time.Now().UTC().Add(56 * time.Hour).Format("2006-01-02T15:04")},
		"indicators": {stagedAddress + "\nupdate.staged-depot.example.net\nhttps://login.staged-bank.example.net/ebank?next=1"},
		"reach":      {string(sector.Banking), "authority"}, "then": {"preview"},
	}
	for i := 0; i < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	analyst.fill(at+"/edit", at+"/edit", values)
	return parts[2]
}

// organise makes a group and a profile, asks to recover an administrator, and
// exchanges a word with the centre.
func (s *staffed) organise() {
	s.Helper()
	chief, admin := s.people[sector.Administrator], s.people[sector.MemberAdmin]
	made := chief.fill("/groups/new", "/groups/new", url.Values{
		"name_zh": {"網銀聯防小組"}, "name": {"Internet banking task force"}, "listed": {"yes"},
		"terms_zh": {"內容僅供組內使用。"}, "terms_en": {"What is shared here stays here."}})
	chief.fill(made.path, made.path+"/invite", url.Values{"member": {string(s.member.ID)}})
	admin.fill("/profile", "/profile", url.Values{
		"networks": {"203.0.113.0/26"}, "domains": {"lotus-harbour-bank.example"}, "brands": {"蓮港行動銀行"},
		"contact_security_name": {"林小姐"}, "contact_security_mail": {"soc@lotus-harbour-bank.example"}})
	admin.fill("/people/new", "/people/new", url.Values{"addresses": {"new@lotus-harbour-bank.example"}, "roles": {string(sector.Trainee)}})
	for _, link := range chief.page("/admin/people?q=" + s.mail(sector.MemberAdmin)).links(s) {
		if id, ok := strings.CutSuffix(strings.TrimPrefix(link, "/admin/people/"), "/sessions"); ok {
			got := chief.submit(form{"/admin/people/" + id + "/link", url.Values{}})
			if got.status != http.StatusConflict { // a second person decides
				s.Fatalf("recovering an administrator: %d: %s", got.status, text(got.body))
			}
		}
	}
}

func (s *staffed) machines() {
	s.Helper()
	s.people[sector.MemberAdmin].fill("/notifications/webhooks", "/notifications/webhooks", url.Values{
		"url": {"https://hooks.lotus-harbour-bank.example/in"}, "topics": {"warning"}})
	s.people[sector.Analyst].fill("/tokens", "/tokens", url.Values{"name": {"nightly report"}})
}

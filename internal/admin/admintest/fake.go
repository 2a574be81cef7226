// Package admintest has an invented sector for the administration pages.
package admintest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Secret is what every created link holds.
const Secret = "aspis_k3m7q2xw5n8rv4tz6bj9ch1fd"

// Fake is members, people and engines in memory.
type Fake struct {
	mu      sync.Mutex
	now     time.Time
	members []sector.Member
	users   []sector.User
	Sick    bool // the engines are not well
}

// New returns 24 members and some people, as of now.
func New(now time.Time) *Fake {
	f := &Fake{now: now}
	names := []struct{ id, zh, en string }{
		{"jade-bank", "玉山谷銀行", "Jade Valley Bank"}, {"harbour-bank", "港灣商業銀行", "Harbour Commercial Bank"},
		{"cypress-life", "檜木人壽", "Cypress Life"}, {"plum-securities", "梅嶺證券", "Plum Ridge Securities"},
		{"strait-clearing", "海峽結算所", "Strait Clearing House"}, {"camphor-bank", "樟樹銀行", "Camphor Bank"},
	}
	for i := range 24 {
		n := names[i%len(names)]
		m := sector.Member{ID: sector.MemberID(n.id), Name: n.en, NameZh: n.zh, Sector: sector.SubSectors()[i%4],
			Mail: "soc@" + n.id + ".example", CreatedAt: now.Add(-time.Duration(i) * 26 * time.Hour)}
		if i >= len(names) {
			m.ID, m.Name, m.NameZh = sector.MemberID(fmt.Sprintf("%s-%d", n.id, i)), fmt.Sprintf("%s %d", n.en, i), fmt.Sprintf("%s %d 號", n.zh, i)
		}
		f.members = append(f.members, m)
	}
	for i, role := range sector.Roles() {
		u := sector.User{ID: sector.UserID("u-" + string(role)), Email: string(role) + "@aspis.example", Roles: []sector.Role{role}, CreatedAt: now.Add(-time.Duration(i) * 30 * time.Hour)}
		if role.Org() == sector.MemberOrg {
			u.Member = "jade-bank"
		}
		f.users = append(f.users, u)
	}
	return f
}

// Members implements admin.Members.
func (f *Fake) Members(context.Context) ([]sector.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.members), nil
}

// Member implements admin.Members.
func (f *Fake) Member(_ context.Context, id sector.MemberID) (sector.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		if m.ID == id {
			return m, nil
		}
	}
	return sector.Member{}, errs.New(errs.NotFound, "sector.member_unknown", id)
}

// CreateMember implements admin.Members.
func (f *Fake) CreateMember(_ context.Context, _ sector.Viewer, m sector.Member) (sector.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.members, func(x sector.Member) bool { return x.ID == m.ID }) {
		return sector.Member{}, errs.New(errs.Conflict, "sector.member_taken")
	}
	m.CreatedAt = f.now
	f.members = append(f.members, m)
	return m, nil
}

// Users implements admin.People.
func (f *Fake) Users(context.Context) ([]sector.User, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.users), nil
}

// CreateUser implements admin.People.
func (f *Fake) CreateUser(_ context.Context, _ sector.Viewer, u sector.User, _ string) (sector.User, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.users, func(x sector.User) bool { return x.Email == u.Email }) {
		return sector.User{}, errs.New(errs.Conflict, "sector.user_taken")
	}
	u.ID, u.CreatedAt = sector.UserID("u-new"), f.now
	f.users = append(f.users, u)
	return u, nil
}

// CreateLink implements admin.People.
func (f *Fake) CreateLink(context.Context, sector.Viewer, sector.UserID, time.Duration) (string, error) {
	return Secret, nil
}

// Status implements admin.Engines.
func (f *Fake) Status(context.Context) (admin.Status, error) {
	s := admin.Status{
		Version: "0.2.0", Commit: "e321f7c", Go: "go1.26.8", Started: f.now.Add(-49 * time.Hour), Memory: 231 << 20,
		Parts: []admin.Part{
			{Name: "relational", Engine: "SQLite 3.51", State: "ok", Took: 3 * time.Millisecond},
			{Name: "stream", Engine: "NATS JetStream 2.15", State: "ok", Took: time.Millisecond},
			{Name: "history", Engine: "DuckDB 1.5", State: "ok", Took: 11 * time.Millisecond},
			{Name: "jobs", Engine: "River 0.51", State: "ok", Took: 2 * time.Millisecond},
			{Name: "mail", Engine: "SMTP", State: "ok", Took: 24 * time.Millisecond},
		},
		Queues: []admin.Queue{
			{Name: "records", Waiting: 412, Oldest: f.now.Add(-12 * time.Second), Bytes: 1_843_220},
			{Name: "deliveries", Waiting: 3, Oldest: f.now.Add(-40 * time.Second), Bytes: 8_112},
			{Name: "jobs"},
		},
		Disks: []admin.Disk{{Path: "/var/lib/aspis", Used: 38 << 30, Free: 310 << 30, Total: 466 << 30}},
	}
	if f.Sick {
		s.Parts[4].State, s.Parts[4].Detail = "down", "dial tcp 192.0.2.25:25: connection refused"
		s.Queues[1] = admin.Queue{Name: "deliveries", Waiting: 1203, Oldest: f.now.Add(-26 * time.Minute), Bytes: 3_118_112, Late: true}
		s.Disks[0].Free, s.Disks[0].Low = 4<<30, true
	}
	return s, nil
}

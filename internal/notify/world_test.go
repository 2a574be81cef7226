package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/platform/outbound"
	"github.com/aspis-platform/aspis/internal/platform/secret"
	"github.com/aspis-platform/aspis/internal/sector"
)

// queueStore is a real store whose jobs are run by the test, so that its
// clock may be a bubble's.
type queueStore struct {
	*sqldb.Notifications
	mu   sync.Mutex
	jobs []jobs.Job
}

func (q *queueStore) keep(work []jobs.Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, work...)
}

func (q *queueStore) Post(ctx context.Context, e notify.Event, keys []notify.FoldKey, plan func(map[notify.FoldKey]notify.Fold) notify.Plan, entry ledger.Entry) error {
	var work []jobs.Job
	err := q.Notifications.Post(ctx, e, keys, func(f map[notify.FoldKey]notify.Fold) notify.Plan {
		p := plan(f)
		work, p.Jobs = p.Jobs, nil
		return p
	}, entry)
	if err == nil {
		q.keep(work)
	}
	return err
}

func (q *queueStore) Settle(ctx context.Context, m notify.Message, work []jobs.Job, e ledger.Entry) error {
	q.keep(work)
	return q.Notifications.Settle(ctx, m, nil, e)
}

func (q *queueStore) Revive(ctx context.Context, f sector.Filter, id string, now time.Time, work []jobs.Job, e ledger.Entry) error {
	if err := q.Notifications.Revive(ctx, f, id, now, nil, e); err != nil {
		return err
	}
	q.keep(work)
	return nil
}

func (q *queueStore) Escalate(ctx context.Context, list []notify.Escalation, work []jobs.Job, e ledger.Entry) error {
	q.keep(work)
	return q.Notifications.Escalate(ctx, list, nil, e)
}

// take returns the next job that is due until a time.
func (q *queueStore) take(until time.Time) (jobs.Job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	slices.SortStableFunc(q.jobs, func(a, b jobs.Job) int { return a.At.Compare(b.At) })
	if len(q.jobs) == 0 || q.jobs[0].At.After(until) {
		return jobs.Job{}, false
	}
	j := q.jobs[0]
	q.jobs = q.jobs[1:]
	return j, true
}

// world is the service on a real store, with two members: m1 has a mailbox
// and people, m2 has neither mailbox nor an administrator.
type world struct {
	t        testing.TB
	svc      *notify.Service
	store    *queueStore
	db       *sqldb.DB
	members  []sector.Member
	users    []sector.User
	mails    []notify.Mail
	times    []time.Time // of the mails
	mailFail error
	// what the source knows
	gone   map[string]bool // objects that are no more
	opened map[sector.MemberID]bool
	told   []string
	failed []string
	phones map[sector.MemberID]string
	narrow bool // the marking lets no content out in plain mail
}

func newWorld(t testing.TB, caller interface {
	notify.Caller
	notify.URLChecker
}) *world {
	t.Helper()
	db, err := sqldb.Open(context.Background(), filepath.Join(t.TempDir(), "aspis.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	if caller == nil {
		caller = outbound.New(outbound.Config{})
	}
	w := &world{t: t, db: db, store: &queueStore{Notifications: db.Notifications()}, gone: map[string]bool{},
		opened: map[sector.MemberID]bool{}, phones: map[sector.MemberID]string{}}
	w.members = []sector.Member{
		{ID: "m1", Name: "First", NameZh: "第一", Sector: sector.Banking, Mail: "soc@m1.example"},
		{ID: "m2", Name: "Second", NameZh: "第二", Sector: sector.Insurance},
	}
	w.users = []sector.User{
		{ID: "staff1", Email: "staff@m1.example", Member: "m1", Roles: []sector.Role{sector.MemberStaff}},
		{ID: "admin1", Email: "admin@m1.example", Member: "m1", Roles: []sector.Role{sector.MemberAdmin}},
		{ID: "staff2", Email: "staff@m2.example", Member: "m2", Roles: []sector.Role{sector.MemberStaff}},
		{ID: "root", Email: "root@centre.example", Roles: []sector.Role{sector.Administrator}},
		{ID: "duty", Email: "duty@centre.example", Roles: []sector.Role{sector.DutyManager}},
	}
	w.svc = notify.New(notify.Config{
		Store: w.store, Directory: w, Mailer: w, Caller: caller, Hooks: caller, Secrets: box, Texts: texts,
		Sources: map[string]notify.Source{"advisory": w}, Contacts: w, BaseURL: "https://centre.example/", Now: time.Now,
	})
	return w
}

// run does all jobs that are due within the time, in a bubble of synctest.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	end := time.Now().Add(d)
	handlers := w.svc.Handlers()
	for {
		j, ok := w.store.take(end)
		if !ok {
			break
		}
		time.Sleep(time.Until(j.At))
		if err := handlers[j.Kind](context.Background(), j.Args); err != nil {
			w.t.Fatalf("%s: %v", j.Kind, err)
		}
	}
	time.Sleep(time.Until(end))
}

// post posts an event about an advisory to members.
func (w *world) post(t notify.Topic, id string, to ...sector.MemberID) {
	w.t.Helper()
	w.store.keep([]jobs.Job{notify.Job(notify.Event{
		ID: id, Topic: t, Object: "advisory:" + id, Ref: "r-" + id, At: w.svc.Now().UTC(),
		Audience: notify.Audience{Members: sector.Audience{Members: to}},
	}, time.Time{})})
}

func (w *world) viewer(id sector.UserID) sector.Viewer {
	v, err := w.Refresh(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// to are the addresses that were mailed, in order.
func (w *world) to() []string {
	var all []string
	for _, m := range w.mails {
		all = append(all, m.To)
	}
	return all
}

func (w *world) mailsTo(address string) []notify.Mail {
	var all []notify.Mail
	for _, m := range w.mails {
		if m.To == address {
			all = append(all, m)
		}
	}
	return all
}

// Members implements notify.Directory.
func (w *world) Members(context.Context) ([]sector.Member, error) { return w.members, nil }

// Users implements notify.Directory.
func (w *world) Users(context.Context) ([]sector.User, error) { return w.users, nil }

// Refresh implements notify.Directory.
func (w *world) Refresh(_ context.Context, id sector.UserID) (sector.Viewer, error) {
	for _, u := range w.users {
		if u.ID == id {
			return sector.Viewer{Org: u.Roles[0].Org(), Member: u.Member, User: u.ID, Email: u.Email, Roles: u.Roles}, nil
		}
	}
	return sector.Viewer{}, errs.New(errs.NotFound, "sector.user_unknown")
}

// Send implements notify.Mailer.
func (w *world) Send(_ context.Context, m notify.Mail) error {
	if w.mailFail != nil {
		return w.mailFail
	}
	w.mails, w.times = append(w.mails, m), append(w.times, time.Now())
	return nil
}

// Deputies implements notify.Contacts.
func (w *world) Deputies(_ context.Context, m sector.MemberID) ([]notify.Contact, error) {
	return []notify.Contact{
		{Name: "night", Mail: "night@" + string(m) + ".example", Phone: w.phones[m]},
	}, nil
}

// Letter implements notify.Source.
func (w *world) Letter(_ context.Context, v sector.Viewer, e notify.Event, sealed bool) (notify.Letter, error) {
	if w.gone[e.ObjectID()] {
		return notify.Letter{}, errs.New(errs.NotFound, "advisory.not_found")
	}
	if w.narrow && !sealed {
		return notify.Letter{Subject: "sign in", Text: "sign in to read\n", TLP: sector.TLPRed}, nil
	}
	id := e.ObjectID()
	return notify.Letter{Subject: "about " + id, Text: fmt.Sprintf("content of %s for %s\n", id, v.Member),
		TLP: sector.TLPAmber, Title: notify.Text{Zh: "題 " + id, En: "title " + id}}, nil
}

// Titles implements notify.Source.
func (w *world) Titles(_ context.Context, _ sector.Viewer, objects []string) (map[string]notify.Text, error) {
	titles := map[string]notify.Text{}
	for _, o := range objects {
		if id := strings.TrimPrefix(o, "advisory:"); !w.gone[id] {
			titles[o] = notify.Text{Zh: "題 " + id, En: "title " + id}
		}
	}
	return titles, nil
}

// Concerned implements notify.Source.
func (w *world) Concerned(_ context.Context, e notify.Event, members []sector.MemberID) ([]sector.MemberID, error) {
	return slices.DeleteFunc(slices.Clone(members), func(m sector.MemberID) bool { return w.opened[m] || w.gone[e.ObjectID()] }), nil
}

// Told implements notify.Source.
func (w *world) Told(_ context.Context, m sector.MemberID, e notify.Event) error {
	w.told = append(w.told, string(m)+" "+e.ID)
	return nil
}

// Failed implements notify.Source.
func (w *world) Failed(_ context.Context, m sector.MemberID, e notify.Event, reason string) error {
	w.failed = append(w.failed, string(m)+" "+e.ID+" "+reason)
	return nil
}

var errDown = errors.New("connection refused")

// audit fails the test unless the ledger holds.
func (w *world) audit() {
	w.t.Helper()
	var last ledger.Stored
	err := w.db.Ledger().ScanLedger(context.Background(), func(s ledger.Stored) error {
		if !s.Follows(last) {
			return fmt.Errorf("entry %d does not follow %d", s.Seq, last.Seq)
		}
		last = s
		return nil
	})
	if err != nil {
		w.t.Error(err)
	}
}

// actions are the ledger's, in order.
func (w *world) actions() []string {
	rows, err := w.db.Read().Query(`SELECT action FROM ledger ORDER BY seq`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

func raw(t testing.TB, v any) json.RawMessage {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

package sqldb

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// told is a time in 2026.
func told(minutes int) time.Time {
	return time.Date(2026, 3, 2, 1, minutes, 0, 0, time.UTC)
}

func why(action string) ledger.Entry {
	return ledger.Entry{Actor: "system", Action: action, Object: "event:x"}
}

func ofMember(id sector.MemberID) sector.Filter {
	return sector.Gate{}.For(sector.Viewer{Org: sector.MemberOrg, Member: id, Sector: sector.Banking, User: "u"})
}

func ofCentre() sector.Filter {
	return sector.Gate{}.For(sector.Viewer{Org: sector.Centre, User: "root"})
}

// collectOne posts an event to one recipient that collects what follows.
func collectOne(s *Notifications, e notify.Event, r notify.Recipient) error {
	key := notify.FoldKey{Recipient: r, Topic: notify.WarningOther}
	return s.Post(context.Background(), e, []notify.FoldKey{key}, func(folds map[notify.FoldKey]notify.Fold) notify.Plan {
		f := folds[key]
		p := notify.Plan{Items: map[string]bool{}, Folds: map[notify.FoldKey]notify.Fold{}}
		if f.Pending == "" {
			f.Pending = "message of " + e.ID
			p.Messages = []notify.Message{{ID: f.Pending, Recipient: r, Member: "m1", Topic: notify.WarningOther, State: notify.Waiting, Due: told(10), CreatedAt: told(0)}}
		}
		p.Items[f.Pending], p.Folds[key] = true, f
		return p
	}, why("notify.post"))
}

// Events that are posted at the same time are all collected, each once, and
// a message is sent by one alone.
func TestNotifyFoldsAtTheSameTime(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Notifications()
		var all sync.WaitGroup
		for i := range 20 {
			for range 2 { // each is posted twice
				all.Go(func() {
					if err := collectOne(s, notify.Event{ID: fmt.Sprint("e", i), Topic: notify.WarningOther, At: told(i)}, "member:m1"); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		var id string
		if err := db.read.QueryRow(`SELECT min(id) FROM notify_message`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := s.Claim(ctx, id, told(9)); ok || err != nil {
			t.Errorf("claimed before it is due: %v", err)
		}
		var mu sync.Mutex
		var claimed []notify.Message
		for range 4 {
			all.Go(func() {
				m, ok, err := s.Claim(ctx, id, told(10))
				if err != nil {
					t.Error(err)
				}
				if ok {
					mu.Lock()
					defer mu.Unlock()
					claimed = append(claimed, m)
				}
			})
		}
		all.Wait()
		if len(claimed) != 1 || len(claimed[0].Events) != 20 {
			t.Fatalf("claimed %d times: %+v", len(claimed), claimed)
		}
		if err := collectOne(s, notify.Event{ID: "late", Topic: notify.WarningOther, At: told(11)}, "member:m1"); err != nil {
			t.Fatal(err)
		}
		if m, ok, err := s.Claim(ctx, "message of late", told(10)); err != nil || !ok || len(m.Events) != 1 {
			t.Errorf("what came after the claim: %+v, %v, %v", m, ok, err)
		}
		if m, ok, err := s.Claim(ctx, id, told(30)); err != nil || !ok || len(m.Events) != 20 {
			t.Errorf("a claim whose program ended is not taken up: %v, %v", ok, err)
		}
	})
}

func TestNotifyDeadLetters(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Notifications()
		if err := collectOne(s, notify.Event{ID: "e", Topic: notify.WarningOther, At: told(0)}, "member:m1"); err != nil {
			t.Fatal(err)
		}
		m, ok, err := s.Claim(ctx, "message of e", told(10))
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		m.State, m.Attempts, m.FirstAt, m.DoneAt, m.Reason, m.Detail = notify.Dead, 9, told(10), told(20), "notify.fail.mail", "550"
		if err := s.Settle(ctx, m, []jobs.Job{jobs.New("x", 1)}, why("message.fail")); err != nil {
			t.Fatal(err)
		}
		for who, f := range map[string]sector.Filter{"m1": ofMember("m1"), "centre": ofCentre(), "m2": ofMember("m2"), "nobody": {}} {
			got, err := s.Letters(ctx, f, notify.Place{}, 10)
			if err != nil {
				t.Fatal(err)
			}
			if may := who == "m1" || who == "centre"; may != (len(got) == 1) {
				t.Errorf("%s sees %d letters", who, len(got))
			} else if may && (got[0].Detail != "550" || len(got[0].Events) != 1 || !got[0].DoneAt.Equal(told(20))) {
				t.Errorf("%s sees %+v", who, got[0])
			}
		}
		if got, err := s.Letters(ctx, ofCentre(), notify.Place{At: told(20), ID: m.ID}, 10); err != nil || len(got) != 0 {
			t.Errorf("after the last: %v, %v", got, err)
		}
		if b, err := s.Backlog(ctx); err != nil || b.Dead != 1 || b.Retrying != 0 || !b.Oldest.Equal(told(10)) {
			t.Errorf("backlog %+v, %v", b, err)
		}
		for _, f := range []sector.Filter{{}, ofMember("m2")} {
			if err := s.Drop(ctx, f, m.ID, told(21), why("message.drop")); !errs.Is(err, errs.NotFound) {
				t.Errorf("somebody else drops it: %v", err)
			}
		}
		if err := s.Revive(ctx, ofMember("m1"), m.ID, told(22), nil, why("message.retry")); err != nil {
			t.Fatal(err)
		}
		if err := s.Revive(ctx, ofMember("m1"), m.ID, told(22), nil, why("message.retry")); !errs.Is(err, errs.NotFound) {
			t.Errorf("revived twice: %v", err)
		}
		if _, ok, err := s.Claim(ctx, m.ID, told(22)); err != nil || !ok {
			t.Errorf("revived and not due: %v", err)
		}
		actionsAre(t, db, "notify.post", "message.fail", "message.retry")
	})
}

// actionsAre compares the ledger: nothing that failed is in it.
func actionsAre(t *testing.T, db *DB, want ...string) {
	t.Helper()
	rows, err := db.read.Query(`SELECT action FROM ledger ORDER BY seq`)
	got, err := collect(rows, err, func(row scanner) (string, error) {
		var one string
		return one, row.Scan(&one)
	})
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("ledger %v, want %v (%v)", got, want, err)
	}
	if _, err := db.VerifyLedger(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestNotifyNotices(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Notifications()
		for i := range 5 {
			e := notify.Event{ID: fmt.Sprint("e", i), Topic: notify.WarningOther, At: told(i), Args: []string{"x"}}
			err := s.Post(ctx, e, nil, func(map[notify.FoldKey]notify.Fold) notify.Plan {
				return notify.Plan{Notices: []notify.Notice{
					{ID: fmt.Sprint("n", i), User: "u", Member: "m1", At: told(i)}, {ID: fmt.Sprint("o", i), User: "other", Member: "m1", At: told(i)}}}
			}, why("notify.post"))
			if err != nil {
				t.Fatal(err)
			}
		}
		ids := func(f sector.Filter, u sector.UserID, q notify.NoticeQuery) []string {
			q.Limit = 2
			var all []string
			for {
				page, err := s.Notices(ctx, f, u, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range page {
					all = append(all, n.ID)
				}
				if len(page) < 2 {
					return all
				}
				q.After = notify.Place{At: page[1].At, ID: page[1].ID}
			}
		}
		if got := ids(ofMember("m1"), "u", notify.NoticeQuery{}); !cmp.Equal(got, []string{"n4", "n3", "n2", "n1", "n0"}) {
			t.Errorf("pages %v", got)
		}
		if got := ids(ofMember("m2"), "u", notify.NoticeQuery{}); got != nil {
			t.Errorf("after moving to another member: %v", got)
		}
		if err := s.Read(ctx, "u", "n4", time.Time{}, told(9)); err != nil {
			t.Fatal(err)
		}
		if err := s.Read(ctx, "u", "o3", told(1), told(9)); err != nil { // somebody else's, and all until e1
			t.Fatal(err)
		}
		if got := ids(ofMember("m1"), "u", notify.NoticeQuery{Unread: true}); !cmp.Equal(got, []string{"n3", "n2"}) {
			t.Errorf("unread %v", got)
		}
		if n, err := s.Unread(ctx, ofMember("m1"), "other"); err != nil || n != 5 {
			t.Errorf("the other has %d unread, %v", n, err)
		}
		if got := ids(ofMember("m1"), "u", notify.NoticeQuery{Topic: notify.AlertMine}); got != nil {
			t.Errorf("of another topic: %v", got)
		}
		if _, err := s.Notice(ctx, ofMember("m1"), "other", "n3"); !errs.Is(err, errs.NotFound) {
			t.Errorf("somebody else's notice: %v", err)
		}
		if n, err := s.Notice(ctx, ofMember("m1"), "u", "n3"); err != nil || n.Event.ID != "e3" || !slices.Equal(n.Event.Args, []string{"x"}) {
			t.Errorf("notice %+v, %v", n, err)
		}
	})
}

func TestNotifyChoices(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Notifications()
		p := notify.Preferences{Modes: map[notify.Topic]notify.Mode{notify.WarningOther: notify.Off, notify.AlertMine: notify.Now}, Hour: 17}
		for range 2 {
			if err := s.SetPreferences(ctx, "user:u", p, why("notify.choose")); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Preferences(ctx, "user:u"); err != nil || !cmp.Equal(got, p) {
			t.Errorf("chosen %+v, %v", got, err)
		}
		if got, err := s.Preferences(ctx, "user:v"); err != nil || len(got.Modes) != 0 || got.Hour != 8 {
			t.Errorf("of somebody who chose nothing: %+v, %v", got, err)
		}
		modes, hours, err := s.Chosen(ctx, notify.AlertMine)
		if err != nil || !cmp.Equal(modes, map[notify.Recipient]notify.Mode{"user:u": notify.Now}) || !cmp.Equal(hours, map[notify.Recipient]int{"user:u": 17}) {
			t.Errorf("chosen %v, %v, %v", modes, hours, err)
		}
		k := notify.PublicKey{Recipient: "user:u", Fingerprint: "ab", Armored: "-----", Expires: told(5), AddedAt: told(1)}
		for range 2 {
			if err := s.SetKey(ctx, k, why("pgpkey.add")); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Key(ctx, "user:u"); err != nil || !cmp.Equal(got, k) {
			t.Errorf("key %+v, %v", got, err)
		}
		for minute, want := range map[int]int{5: 0, 6: 1} {
			if got, err := s.KeysUntil(ctx, told(minute)); err != nil || len(got) != want {
				t.Errorf("%d keys until minute %d, %v", len(got), minute, err)
			}
		}
		if err := s.DropKey(ctx, "user:u", why("pgpkey.drop")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Key(ctx, "user:u"); !errs.Is(err, errs.NotFound) {
			t.Errorf("dropped: %v", err)
		}
	})
}

func TestNotifyHooksAndEscalations(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Notifications()
		h := notify.Hook{ID: "h", Member: "m1", URL: "https://a.example", Topics: []notify.Topic{notify.WarningUrgent}, Secret: "s", CreatedAt: told(1), ChangedAt: told(1)}
		if err := s.PutHook(ctx, h, why("webhook.create")); err != nil {
			t.Fatal(err)
		}
		h.Old, h.OldUntil, h.Secret = "s", told(9), "t"
		if err := s.PutHook(ctx, h, why("webhook.rotate")); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Hook(ctx, ofMember("m1"), "h"); err != nil || !cmp.Equal(got, h) {
			t.Errorf("hook %+v, %v", got, err)
		}
		for topic, want := range map[notify.Topic]int{notify.WarningUrgent: 1, notify.WarningOther: 0} {
			if got, err := s.HooksFor(ctx, topic); err != nil || len(got) != want {
				t.Errorf("%s: %d hooks, %v", topic, len(got), err)
			}
		}
		if got, err := s.Hooks(ctx, ofMember("m2")); err != nil || len(got) != 0 {
			t.Errorf("another member's: %v, %v", got, err)
		}
		if err := s.DropHook(ctx, ofMember("m2"), "h", why("webhook.drop")); !errs.Is(err, errs.NotFound) {
			t.Errorf("another member drops it: %v", err)
		}
		if err := s.DropHook(ctx, ofMember("m1"), "h", why("webhook.drop")); err != nil {
			t.Error(err)
		}
		escalations(t, s)
	})
}

func escalations(t *testing.T, s *Notifications) {
	t.Helper()
	ctx := context.Background()
	e := notify.Event{ID: "e", Topic: notify.WarningUrgent, Object: "advisory:a", At: told(0)}
	err := s.Post(ctx, e, nil, func(map[notify.FoldKey]notify.Fold) notify.Plan { return notify.Plan{} }, why("notify.post"))
	if err != nil {
		t.Fatal(err)
	}
	first := []notify.Escalation{{Event: e, Member: "m1", Step: 1, At: told(1)}, {Event: e, Member: "m2", Step: 1, At: told(1)}}
	if err := s.Escalate(ctx, first, nil, why("escalation")); err != nil {
		t.Fatal(err)
	}
	if desk, err := s.Escalations(ctx, ""); err != nil || len(desk) != 0 {
		t.Errorf("after the first step the desk has %+v, %v", desk, err)
	}
	// m2 answers: the next step leaves it alone.
	if err := s.EndEscalations(ctx, "e", []sector.MemberID{"m2"}, told(5), "system", "opened", why("escalation.end")); err != nil {
		t.Fatal(err)
	}
	if open, err := s.Escalations(ctx, "e"); err != nil || len(open) != 1 || open[0].Member != "m1" {
		t.Errorf("open %+v, %v", open, err)
	}
	if err := s.Escalate(ctx, []notify.Escalation{{Event: e, Member: "m2", Step: 2, At: told(6)}, {Event: e, Member: "m1", Step: 2, Phone: "55", At: told(6)}}, nil, why("escalation")); err != nil {
		t.Fatal(err)
	}
	desk, err := s.Escalations(ctx, "")
	if err != nil || len(desk) != 1 || desk[0].Member != "m1" || desk[0].Phone != "55" || desk[0].Event.Object != "advisory:a" {
		t.Errorf("the desk has %+v, %v", desk, err)
	}
	if err := s.EndEscalations(ctx, "e", []sector.MemberID{"m2"}, told(7), "user:duty", "called", why("escalation.end")); !errs.Is(err, errs.NotFound) {
		t.Errorf("ended twice: %v", err)
	}
	if got, err := s.Event(ctx, "e"); err != nil || got.Object != "advisory:a" {
		t.Errorf("event %+v, %v", got, err)
	}
}

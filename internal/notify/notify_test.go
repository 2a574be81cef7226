package notify_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ProtonMail/gopenpgp/v3/crypto"
	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// bubble runs the test in a bubble whose clock moves while all wait.
func bubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, nil)) })
}

func TestAWarningIsToldAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		for range 2 { // an event is one however often it is posted
			w.post(notify.WarningUrgent, "a", "m1")
			w.run(time.Second)
		}
		got := w.to()
		slices.Sort(got)
		if want := []string{"soc@m1.example", "staff@m1.example"}; !cmp.Equal(got, want) {
			t.Errorf("mailed %v, want %v", got, want)
		}
		if m := w.mailsTo("soc@m1.example")[0]; m.Subject != "about a" || m.Text != "content of a for m1\n" {
			t.Errorf("mail %+v", m)
		}
		for id, want := range map[sector.UserID]int{"staff1": 1, "admin1": 1, "staff2": 0, "root": 0} {
			lines, _, err := w.svc.Notices(t.Context(), w.viewer(id), notify.NoticeQuery{})
			if err != nil || len(lines) != want {
				t.Errorf("%s sees %d lines, want %d (%v)", id, len(lines), want, err)
			}
		}
		if !slices.Contains(w.told, "m1 a") || !slices.Contains(w.actions(), "message.send") {
			t.Errorf("told %v, ledger %v", w.told, w.actions())
		}
		w.audit()
	})
}

func TestWhatWasWithdrawnMeanwhileIsNotMailed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.post(notify.WarningUrgent, "a", "m1")
		w.gone["a"] = true
		w.run(time.Hour)
		if len(w.mails) != 0 || len(w.told) != 0 {
			t.Errorf("mailed %v, told %v", w.to(), w.told)
		}
		lines, _, err := w.svc.Notices(t.Context(), w.viewer("staff1"), notify.NoticeQuery{})
		if err != nil || len(lines) != 1 || lines[0].Title != (notify.Text{}) {
			t.Errorf("the page shows %+v, %v", lines, err)
		}
	})
}

func TestAMemberIsNeverWithoutARecipient(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		staff := w.viewer("staff2")
		// Urgent warnings cannot be switched off by a person with that duty.
		all := map[notify.Topic]notify.Mode{}
		for _, r := range notify.Table() {
			all[r.Topic] = notify.Off
		}
		if err := w.svc.Choose(ctx, staff, false, all, 9); err != nil {
			t.Fatal(err)
		}
		w.post(notify.WarningUrgent, "a", "m2")
		w.run(time.Second)
		if !cmp.Equal(w.to(), []string{"staff@m2.example"}) {
			t.Errorf("m2 without a mailbox: mailed %v", w.to())
		}
		w.mails = nil
		// An executive is not told by mail unless nobody else is there.
		w.users[2].Roles = []sector.Role{sector.Executive}
		w.post(notify.WarningUrgent, "b", "m2")
		w.run(time.Second)
		if !cmp.Equal(w.to(), []string{"staff@m2.example"}) {
			t.Errorf("nobody else is there: mailed %v", w.to())
		}
		w.mails = nil
		if err := w.svc.Choose(ctx, w.viewer("admin1"), true, all, 9); err != nil {
			t.Fatal(err)
		}
		w.post(notify.WarningUrgent, "c", "m1")
		w.post(notify.WarningOther, "d", "m1")
		w.run(time.Second)
		if n := len(w.mailsTo("soc@m1.example")); n != 1 {
			t.Errorf("the mailbox got %d mails, want the urgent one", n)
		}
	})
}

func TestDigest(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		for i := range 5 {
			w.post(notify.WarningOther, fmt.Sprint("a", i), "m2")
			w.run(time.Minute)
		}
		w.gone["a3"] = true
		w.post(notify.AlertMine, "b", "m2")
		w.run(24 * time.Hour)
		mails := w.mailsTo("staff@m2.example")
		if len(mails) != 1 {
			t.Fatalf("%d mails, want one digest", len(mails))
		}
		if at := w.times[0].In(time.FixedZone("", 8*3600)); at.Hour() != 8 || at.Minute() != 0 {
			t.Errorf("the digest came at %s", at)
		}
		for id, want := range map[string]bool{"a0": true, "a4": true, "b": true, "a3": false} {
			if strings.Contains(mails[0].Text, "content of "+id+" ") != want {
				t.Errorf("content of %s: want %v in\n%s", id, want, mails[0].Text)
			}
		}
		if !strings.HasPrefix(mails[0].Subject, "[TLP:AMBER] ") {
			t.Errorf("subject %q", mails[0].Subject)
		}
	})
}

// TestBursts runs a burst through the real store; the property over all
// bursts is in fold_test.go.
func TestBursts(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		for i := range 40 {
			w.post(notify.WarningUrgent, fmt.Sprint("e", i), "m1")
			w.run(10 * time.Second)
		}
		w.run(time.Hour)
		mails := w.mailsTo("soc@m1.example")
		if len(mails) != 7 { // three, three summaries a window later, and one more
			t.Errorf("%d mails", len(mails))
		}
		var text strings.Builder
		for _, m := range mails {
			text.WriteString(m.Text)
		}
		for i := range 40 {
			if n := strings.Count(text.String(), fmt.Sprintf("content of e%d for", i)); n != 1 {
				t.Errorf("content %d arrived %d times", i, n)
			}
		}
		w.audit()
	})
}

func TestMailServerDown(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.mailFail = errDown
		w.post(notify.WarningOther, "a", "m1")
		w.run(time.Hour)
		b, err := w.store.Backlog(ctx)
		if err != nil || b.Retrying != 1 || b.Dead != 0 || !strings.Contains(w.failed[0], "connection refused") {
			t.Fatalf("backlog %+v, %v; noted %v", b, err, w.failed)
		}
		w.mailFail = nil
		w.run(3 * time.Hour)
		if !slices.Contains(w.to(), "soc@m1.example") {
			t.Error("what waited was not sent when the server came back")
		}
		w.mails, w.mailFail = nil, errDown
		w.post(notify.WarningOther, "b", "m1")
		w.run(60 * time.Hour)
		letters, _, err := w.svc.DeadLetters(ctx, w.viewer("admin1"), notify.Place{})
		own := slices.DeleteFunc(slices.Clone(letters), func(m notify.Message) bool { return m.Recipient != "member:m1" })
		if err != nil || len(own) != 1 || own[0].Reason != "notify.fail.mail" || own[0].Detail != "" {
			t.Fatalf("the member's dead letters %+v, %v", letters, err)
		}
		if n := own[0].Attempts; n < 8 || n > 25 {
			t.Errorf("%d attempts in a day", n)
		}
		if foreign, _, err := w.svc.DeadLetters(ctx, w.viewer("staff2"), notify.Place{}); err != nil || slices.ContainsFunc(foreign, func(m notify.Message) bool { return m.Member != "m2" }) {
			t.Errorf("another member sees %+v, %v", foreign, err)
		}
		retryAndDrop(t, w, own[0])
		w.audit()
	})
}

func retryAndDrop(t *testing.T, w *world, m notify.Message) {
	ctx := context.Background()
	if err := w.svc.Retry(ctx, w.viewer("staff2"), m.ID); !errs.Is(err, errs.NotFound) {
		t.Errorf("another member tries it again: %v", err)
	}
	if err := w.svc.Drop(ctx, w.viewer("staff2"), m.ID, "mine"); !errs.Is(err, errs.NotFound) {
		t.Errorf("another member drops it: %v", err)
	}
	w.mailFail = nil
	if err := w.svc.Retry(ctx, w.viewer("admin1"), m.ID); err != nil {
		t.Fatal(err)
	}
	w.run(time.Second)
	if n := len(w.mailsTo("soc@m1.example")); n != 1 {
		t.Errorf("%d mails after the retry", n)
	}
	letters, _, err := w.svc.DeadLetters(ctx, w.viewer("root"), notify.Place{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range letters {
		if err := w.svc.Drop(ctx, w.viewer("root"), l.ID, " "); !errs.Is(err, errs.Invalid) {
			t.Errorf("dropped without a reason: %v", err)
		}
		if err := w.svc.Drop(ctx, w.viewer("root"), l.ID, "address is gone"); err != nil {
			t.Error(err)
		}
	}
	if letters, _, err = w.svc.DeadLetters(ctx, w.viewer("root"), notify.Place{}); err != nil || len(letters) != 0 {
		t.Errorf("left over: %v, %v", letters, err)
	}
	if got := w.actions(); !slices.Contains(got, "message.retry") || !slices.Contains(got, "message.drop") {
		t.Errorf("ledger: %v", got)
	}
}

// pgp makes a key pair that lives for the time from now.
func pgp(t *testing.T, life time.Duration) (*crypto.Key, string) {
	t.Helper()
	k, err := crypto.PGP().KeyGeneration().AddUserId("soc", "soc@m1.example").
		GenerationTime(time.Now().Add(-time.Minute).Unix()).Lifetime(int32(life.Seconds())).New().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public, err := k.GetArmoredPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return k, public
}

func TestNarrowMarkingsGoOutEncryptedOrWithoutContent(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.narrow = true
		private, public := pgp(t, 0)
		if _, err := w.svc.SetKey(context.Background(), w.viewer("admin1"), true, public); err != nil {
			t.Fatal(err)
		}
		w.post(notify.WarningUrgent, "a", "m1")
		w.run(time.Second)
		plain, sealed := w.mailsTo("staff@m1.example")[0], w.mailsTo("soc@m1.example")[0]
		if plain.Sealed != nil || strings.Contains(plain.Text, "content") {
			t.Errorf("without a key: %+v", plain)
		}
		if sealed.Text != "" || strings.Contains(sealed.Subject, "about") || sealed.Sealed == nil {
			t.Fatalf("with a key: %+v", sealed)
		}
		d, err := crypto.PGP().Decryption().DecryptionKey(private).New()
		if err != nil {
			t.Fatal(err)
		}
		opened, err := d.Decrypt(sealed.Sealed, crypto.Armor)
		if err != nil || !strings.Contains(string(opened.Bytes()), "content of a for m1") || !strings.Contains(string(opened.Bytes()), "Subject: about a") {
			t.Errorf("decrypted %q, %v", opened.Bytes(), err)
		}
	})
}

func TestAnExpiredKeyIsAnErrorThatSomebodySees(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		_, public := pgp(t, 20*24*time.Hour)
		if _, err := w.svc.SetKey(ctx, w.viewer("staff1"), false, public); err != nil {
			t.Fatal(err)
		}
		w.run(30 * 24 * time.Hour)
		w.post(notify.WarningUrgent, "a", "m1")
		w.run(time.Minute)
		for _, m := range w.mailsTo("staff@m1.example") {
			if strings.Contains(m.Text+m.Subject, "content") || strings.Contains(m.Text, "about a") {
				t.Errorf("in plain text to the owner of an expired key: %+v", m)
			}
		}
		if n := len(w.mailsTo("staff@m1.example")); n != 1 {
			t.Errorf("%d mails say that the key has expired", n)
		}
		lines, _, err := w.svc.Notices(ctx, w.viewer("staff1"), notify.NoticeQuery{Topic: notify.Security})
		if err != nil || len(lines) != 1 || lines[0].Event.Key != "notify.line.pgp_expired" {
			t.Errorf("the owner's page: %+v, %v", lines, err)
		}
		lines, _, err = w.svc.Notices(ctx, w.viewer("root"), notify.NoticeQuery{Topic: notify.DeliveryFails})
		if err != nil || len(lines) != 1 {
			t.Errorf("the centre's page: %+v, %v", lines, err)
		}
		letters, _, err := w.svc.DeadLetters(ctx, w.viewer("root"), notify.Place{})
		if err != nil || len(letters) != 1 || letters[0].Reason != "notify.fail.key" {
			t.Errorf("dead letters %+v, %v", letters, err)
		}
		_, fresh := pgp(t, 0)
		if _, err := w.svc.SetKey(ctx, w.viewer("staff1"), false, fresh); err != nil {
			t.Fatal(err)
		}
		if err := w.svc.Retry(ctx, w.viewer("root"), letters[0].ID); err != nil {
			t.Fatal(err)
		}
		w.run(time.Second)
		if mails := w.mailsTo("staff@m1.example"); len(mails) != 2 || mails[1].Sealed == nil {
			t.Error("with a new key the letter was not sent, encrypted")
		}
	})
}

func TestKeysThatRunOutSoonAreTold(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		_, public := pgp(t, 20*24*time.Hour)
		if _, err := w.svc.SetKey(ctx, w.viewer("staff1"), false, public); err != nil {
			t.Fatal(err)
		}
		work, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- w.svc.WatchKeys(work, func(err error) { t.Error(err) }) }()
		for day, want := range map[int]int{3: 0} {
			time.Sleep(time.Duration(day) * 24 * time.Hour)
			if n, err := w.svc.Unread(ctx, w.viewer("staff1")); err != nil || int(n) != want {
				t.Errorf("day %d: %d notices, %v", day, n, err)
			}
		}
		time.Sleep(7 * 24 * time.Hour)
		if n, err := w.svc.Unread(ctx, w.viewer("staff1")); err != nil || n != 1 {
			t.Errorf("ten days before the end: %d notices, %v", n, err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestRefusedKeysSayWhy(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		private, _ := pgp(t, 0)
		secret, err := private.Armor()
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.svc.SetKey(t.Context(), w.viewer("staff1"), false, secret)
		if !errs.Is(err, errs.Invalid) || !strings.HasPrefix(err.Error(), "notify.pgp.private") || strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("a private key: %v", err)
		}
		if _, err := w.svc.SetKey(t.Context(), w.viewer("root"), true, secret); !errs.Is(err, errs.Forbidden) {
			t.Errorf("the centre has no mailbox of a member: %v", err)
		}
	})
}

func TestEscalation(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.phones["m1"] = "+886-2-5550-0100"
		w.post(notify.WarningUrgent, "a", "m1", "m2")
		w.run(29 * time.Minute)
		if len(w.mailsTo("night@m1.example")) != 0 {
			t.Error("the deputies were told too early")
		}
		w.opened["m2"] = true
		w.run(2 * time.Minute)
		if mails := w.mailsTo("night@m1.example"); len(mails) != 1 || !strings.Contains(mails[0].Subject, "Not opened yet") {
			t.Errorf("m1's deputy got %+v", mails)
		}
		if n := len(w.mailsTo("night@m2.example")); n != 0 {
			t.Errorf("m2 opened it, and its deputy got %d mails", n)
		}
		if calls, err := w.svc.Calls(ctx, w.viewer("duty")); err != nil || len(calls) != 0 {
			t.Errorf("the desk has %+v, %v", calls, err)
		}
		w.run(30 * time.Minute)
		calls, err := w.svc.Calls(ctx, w.viewer("duty"))
		if err != nil || len(calls) != 1 || calls[0].Member != "m1" || calls[0].Phone != "+886-2-5550-0100" || calls[0].Name != "night" {
			t.Fatalf("the desk has %+v, %v", calls, err)
		}
		if n, err := w.svc.Unread(ctx, w.viewer("duty")); err != nil || n != 1 {
			t.Errorf("the duty manager has %d notices, %v", n, err)
		}
		if _, err := w.svc.Calls(ctx, w.viewer("admin1")); !errs.Is(err, errs.Forbidden) {
			t.Errorf("a member sees the desk: %v", err)
		}
		w.opened["m1"] = true
		w.run(6 * time.Minute)
		if calls, err = w.svc.Calls(ctx, w.viewer("duty")); err != nil || len(calls) != 0 {
			t.Errorf("somebody opened it, and the desk still has %+v, %v", calls, err)
		}
		if len(w.store.jobs) != 0 {
			t.Errorf("it is still looked after: %v", w.store.jobs)
		}
		w.audit()
	})
}

func TestACallEndsTheEscalation(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.post(notify.WarningUrgent, "a", "m1")
		w.run(65 * time.Minute)
		duty := w.viewer("duty")
		if err := w.svc.Called(ctx, duty, "a", "m1"); err != nil {
			t.Fatal(err)
		}
		if err := w.svc.Called(ctx, duty, "a", "m1"); !errs.Is(err, errs.NotFound) {
			t.Errorf("called twice: %v", err)
		}
		w.run(2 * time.Hour)
		if calls, err := w.svc.Calls(ctx, duty); err != nil || len(calls) != 0 || len(w.store.jobs) != 0 {
			t.Errorf("after the call: %+v, %v, %d jobs", calls, err, len(w.store.jobs))
		}
	})
}

func TestAnOverdueAnswerIsToldToThoseWhoOweIt(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.opened["m1"] = true
		w.post(notify.AnswerOverdue, "a", "m1", "m2")
		w.run(time.Second)
		if !cmp.Equal(w.to(), []string{"staff@m2.example"}) {
			t.Errorf("mailed %v", w.to())
		}
	})
}

func TestSomebodyWhoLeftIsNotMailed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.post(notify.WarningUrgent, "a", "m2")
		if j, ok := w.store.take(time.Now()); !ok || w.svc.Handlers()[j.Kind](t.Context(), j.Args) != nil {
			t.Fatal("not posted")
		}
		w.users[2].Member = "m1" // moved to another member
		w.run(time.Minute)
		if len(w.mails) != 0 {
			t.Errorf("mailed %v", w.to())
		}
		if n, err := w.svc.Unread(t.Context(), w.viewer("staff2")); err != nil || n != 0 {
			t.Errorf("%d notices of the old member, %v", n, err)
		}
		if got := raw(t, w.actions()); !strings.Contains(string(got), "message.void") {
			t.Errorf("ledger %s", got)
		}
	})
}

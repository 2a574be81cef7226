package sqldb

import (
	"context"
	"database/sql"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// putDeadLetters stores dead letters of bank-a.
func putDeadLetters(t *testing.T, db *DB, ids ...string) {
	t.Helper()
	var list []monitor.DeadLetter
	for i, id := range ids {
		list = append(list, monitor.DeadLetter{ID: id, Member: "bank-a", At: monday, Rejection: monitor.Rejection{Line: i + 1, Reason: "bad_json"}, Raw: []byte("{"), Bytes: 1})
	}
	must(t, db.Receipts().Keep(t.Context(), monitor.Receipt{Batch: "b", Member: "bank-a", At: monday}, list, monitor.Resent{}))
}

func ledgerOf(t *testing.T, db *DB) []ledger.Entry {
	t.Helper()
	rows, err := db.read.QueryContext(t.Context(), `SELECT seq, at, actor, action, object, member, detail, hash FROM ledger ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []ledger.Entry
	for rows.Next() {
		e, err := scanLedger(rows)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Entry)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func letterIDs(t *testing.T, db *DB) []string {
	t.Helper()
	var ids []string
	for _, l := range value[[]monitor.DeadLetter](t)(db.Receipts().Letters(t.Context(), "bank-a", "", 100)) {
		ids = append(ids, l.ID)
	}
	return ids
}

func about(action, id string) ledger.Entry {
	return ledger.Entry{Actor: "user:u1", Action: action, Object: "letter:" + id, Member: "bank-a", Detail: `{"n":1}`}
}

// An entry is there if and only if a letter went.
func TestLettersGoWithTheirEntry(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, s := context.Background(), db.Receipts()
		putDeadLetters(t, db, "b-1", "b-2", "b-3")
		for _, who := range [][2]string{{"bank-b", "b-1"}, {"bank-a", "b-9"}} {
			if err := s.DropLetter(ctx, sector.MemberID(who[0]), who[1], about("letter.drop", who[1])); !errs.Is(err, errs.NotFound) {
				t.Errorf("%v: %v", who, err)
			}
		}
		if list := ledgerOf(t, db); len(list) != 0 {
			t.Errorf("nothing happened, and the ledger says %v", list)
		}
		must(t, s.DropLetter(ctx, "bank-a", "b-1", about("letter.drop", "b-1")))
		if err := s.DropLetter(ctx, "bank-a", "b-1", about("letter.drop", "b-1")); !errs.Is(err, errs.NotFound) {
			t.Errorf("dropped twice: %v", err)
		}
		r := monitor.Receipt{Batch: "again", Member: "bank-a", Accepted: 1, At: monday}
		sent := monitor.Resent{Letter: "b-2", Entry: about("letter.resend", "b-2")}
		for range 2 { // repeating is safe
			must(t, s.Keep(ctx, r, nil, sent))
		}
		other := monitor.Receipt{Batch: "other", Member: "bank-b", Accepted: 1, At: monday}
		must(t, s.Keep(ctx, other, nil, monitor.Resent{Letter: "b-3", Entry: about("letter.resend", "b-3")})) // not bank-b's
		want := []ledger.Entry{about("letter.drop", "b-1"), about("letter.resend", "b-2")}
		if diff := cmp.Diff(want, ledgerOf(t, db)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"b-3"}, letterIDs(t, db)); diff != "" {
			t.Error(diff)
		}
		if n := value[int64](t)(db.VerifyLedger(ctx)); n != 2 {
			t.Errorf("the chain has %d entries", n)
		}
	})
}

// A ledger that takes no entry keeps the letters where they are.
func TestLettersStayWithoutTheirEntry(t *testing.T) {
	for name, breakIt := range map[string]string{
		"no head":        `DELETE FROM ledger_head`,
		"number is used": `UPDATE ledger_head SET seq = 0`,
	} {
		t.Run(name, func(t *testing.T) {
			forEachEngine(t, func(t *testing.T, db *DB) {
				ctx, s := context.Background(), db.Receipts()
				putDeadLetters(t, db, "b-1", "b-2", "b-3")
				must(t, s.DropLetter(ctx, "bank-a", "b-1", about("letter.drop", "b-1")))
				must(t, db.Write(ctx, func(tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, breakIt)
					return err
				}))
				if err := s.DropLetter(ctx, "bank-a", "b-2", about("letter.drop", "b-2")); err == nil {
					t.Error("dropped without an entry")
				}
				r := monitor.Receipt{Batch: "again", Member: "bank-a", Accepted: 1, At: monday}
				fresh := []monitor.DeadLetter{{ID: "again-1", Member: "bank-a", At: monday, Raw: []byte("{"), Bytes: 1}}
				if err := s.Keep(ctx, r, fresh, monitor.Resent{Letter: "b-2", Entry: about("letter.resend", "b-2")}); err == nil {
					t.Error("kept without an entry")
				}
				if diff := cmp.Diff([]string{"b-3", "b-2"}, letterIDs(t, db)); diff != "" {
					t.Error(diff)
				}
				if list := value[[]monitor.Receipt](t)(s.Find(ctx, "again", "")); len(list) != 0 {
					t.Errorf("the receipt is there: %v", list)
				}
				must(t, s.Keep(ctx, r, nil, monitor.Resent{})) // what needs no entry goes on
				if diff := cmp.Diff([]ledger.Entry{about("letter.drop", "b-1")}, ledgerOf(t, db)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

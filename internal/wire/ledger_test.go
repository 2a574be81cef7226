package wire

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/datadir"
	"github.com/aspis-platform/aspis/internal/sector"
)

// serveUntilSigned runs a centre on the folder until its ledger is signed, and
// lets fn look before it stops.
func serveUntilSigned(t *testing.T, data string, fn func(p *Program)) {
	t.Helper()
	p, err := Build(t.Context(), Options{Data: data, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	for s := p.publisher.State(); s.Published == 0 || s.Behind() > 0; s = p.publisher.State() {
		if s.Err != nil {
			t.Fatal(s.Err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	fn(p)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The whole life of a ledger: written, signed, copied while the centre runs,
// proved, checked when it has stopped, and a change found.
func TestLedgerOfARunningCentre(t *testing.T) {
	ctx, data, log := t.Context(), t.TempDir(), slog.New(slog.DiscardHandler)
	if r, err := VerifyLedger(ctx, data, "", "", "", log); err == nil {
		t.Errorf("an empty folder has a good ledger: %+v", r)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	var proof []byte
	serveUntilSigned(t, data, func(p *Program) {
		if err := CopyLedger(ctx, data, copied); err != nil {
			t.Error(err)
		}
		if _, err := VerifyLedger(ctx, data, "", "", "", log); !errors.Is(err, datadir.ErrInUse) || !strings.Contains(err.Error(), "cli.ledger.running") {
			t.Errorf("while it runs: %v", err)
		}
		var err error
		if proof, err = p.audit.Export(ctx, sector.System(), 1, false); err != nil {
			t.Error(err)
		}
	})
	key, err := LedgerKey(data)
	if err != nil {
		t.Fatal(err)
	}
	entry, _, err := VerifyProof(strings.NewReader(string(proof)), key)
	if err != nil || entry.Fields[2].Value != "program.start" {
		t.Errorf("%+v, %v", entry, err)
	}
	if r, err := VerifyLedgerCopy(ctx, copied, key); err != nil || len(r.Findings) > 0 || *r.InCopy == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	r, err := VerifyLedger(ctx, data, "", copied, "", log)
	if err != nil || len(r.Findings) > 0 || r.InLog == 0 || r.Entries < r.InLog {
		t.Errorf("%+v, %v", r, err)
	}

	// A second start writes the rules again only when they are others.
	serveUntilSigned(t, data, func(p *Program) {
		last, ok, err := p.engines.db.Ledger().LastOf(ctx, "rules.load")
		if err != nil || !ok || last.Seq > 2 {
			t.Errorf("rules that are the same are entry %d, %v", last.Seq, err)
		}
	})
	change(t, data, `UPDATE ledger SET actor = 'user:x' WHERE seq = 2`)
	r, err = VerifyLedger(ctx, data, "", copied, key, log)
	if err != nil || len(r.Findings) == 0 || r.Findings[0].Entry != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	other, err := ledger.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := ledger.PublicKey(other)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := VerifyLedgerCopy(ctx, copied, vkey); err != nil || len(r.Findings) == 0 || r.Findings[0].File != "copy/checkpoint" {
		t.Errorf("with another's key: %+v, %v", r, err)
	}
}

func change(t *testing.T, data, statement string) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), filepath.Join(data, databaseFile), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWitnessesAreRead(t *testing.T) {
	for _, bad := range []string{"", "key", "@https://witness.example", "key@", "key@not a url"} {
		if _, err := witnesses([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	got, err := witnesses([]string{"witness.example+0a1b2c3d+BGt=@https://witness.example/log"})
	if err != nil || got[0].Key != "witness.example+0a1b2c3d+BGt=" || got[0].URL != "https://witness.example/log" {
		t.Errorf("%+v, %v", got, err)
	}
}

// Passwords of servers are not in the ledger.
func TestStartIsNotedWithoutSecrets(t *testing.T) {
	if got := hostOf("smtp://centre:do-not-tell@mail.example:587"); got != "mail.example:587" {
		t.Errorf("%q", got)
	}
}

package wire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/adapter/tiles"
	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/audit"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/datadir"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// What the ledger keeps in the data folder.
const (
	ledgerDir       = "ledger"       // the log's tiles
	ledgerKeyFile   = "ledger.key"   // signs checkpoints
	ledgerBlindFile = "ledger.blind" // makes the leaves' salts
)

// ledgerSecrets are made once.
func ledgerSecrets(dir *datadir.Dir) (key []byte, blind ledger.Blinder, err error) {
	fresh, err := ledger.NewKey()
	if err != nil {
		return nil, blind, err
	}
	if key, err = dir.Once(ledgerKeyFile, func() []byte { return fresh }); err != nil {
		return nil, blind, err
	}
	secret, err := dir.Secret(ledgerBlindFile, ledger.BlindSize)
	if err != nil {
		return nil, blind, err
	}
	blind, err = ledger.NewBlinder(secret)
	return key, blind, err
}

func (e *engines) openLedger(ctx context.Context, opts Options) error {
	key, blind, err := ledgerSecrets(e.dir)
	if err != nil {
		return err
	}
	dir, err := e.dir.Sub(ledgerDir)
	if err != nil {
		return err
	}
	asked, err := witnesses(opts.Witnesses)
	if err != nil {
		return err
	}
	e.blinder = blind
	e.ledger, err = tiles.Open(ctx, tiles.Config{Dir: dir, Key: key, Witnesses: asked})
	return err
}

// witnesses reads KEY@URL.
func witnesses(list []string) ([]tiles.Witness, error) {
	var all []tiles.Witness
	for _, text := range list {
		key, at, ok := strings.Cut(text, "@")
		if u, err := url.Parse(at); !ok || key == "" || err != nil || u.Host == "" {
			return nil, fmt.Errorf("--ledger-witness %q: want KEY@URL, the witness's verifier key and its address", text)
		}
		all = append(all, tiles.Witness{Key: key, URL: at})
	}
	return all, nil
}

// newLedger builds what copies the ledger's rows into the log and what shows
// them.
func (p *Program) newLedger() {
	e := p.engines
	p.publisher = tiles.NewPublisher(e.ledger, e.db.Ledger(), e.blinder, p.log)
	p.audit = audit.NewService(audit.Config{
		Store: e.db.Ledger(), Log: e.ledger, Blinder: e.blinder,
		NotYet: func(err error) bool { return errors.Is(err, tiles.ErrNotYet) }})
	gauge := func(name, help string, value func(tiles.State) int64) {
		p.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return float64(value(p.publisher.State())) }))
	}
	gauge("aspis_ledger_entries", "Entries in the ledger.", func(s tiles.State) int64 { return s.Rows })
	gauge("aspis_ledger_behind", "Entries that no signed checkpoint covers yet.", tiles.State.Behind)
	gauge("aspis_ledger_witnesses_missing", "Witnesses that have not signed the newest checkpoint.",
		func(s tiles.State) int64 { return int64(s.Asked - s.Witnessed) })
	gauge("aspis_ledger_stopped", "1 while the log does not go on.", func(s tiles.State) int64 {
		if s.Err != nil {
			return 1
		}
		return 0
	})
}

func (p *Program) checkLedger(context.Context) error { return p.publisher.State().Err }

func (p *Program) checkWitnesses(context.Context) error {
	if s := p.publisher.State(); s.Witnessed < s.Asked {
		return fmt.Errorf("%d of %d witnesses have signed the newest checkpoint", s.Witnessed, s.Asked)
	}
	return nil
}

// ledgerLate is how long entries may wait for a checkpoint.
const ledgerLate = time.Minute

func (p *Program) ledgerQueue() admin.Queue {
	s := p.publisher.State()
	return admin.Queue{Name: "ledger", Waiting: s.Behind(),
		Late: s.Err != nil || s.Behind() > 0 && p.opts.Now().Sub(s.At) > ledgerLate}
}

// noteStart puts into the ledger with what the program starts: its version,
// its configuration, and the rules where they are others than last time.
func (p *Program) noteStart(ctx context.Context) error {
	store := p.engines.db.Ledger()
	entries := []ledger.Entry{p.startEntry("program.start", map[string]any{
		"version": p.opts.Version, "listen": p.opts.Listen, "base_url": p.opts.BaseURL,
		"database": engineName(p.opts.Database, "sqlite", "postgresql"), "nats": engineName(p.opts.NATS, "in-process", "cluster"),
		"smtp": hostOf(p.opts.SMTP), "mail_from": p.opts.MailFrom, "quota": p.opts.RecordsPerSecond,
		"witnesses": len(p.opts.Witnesses), "ledger_key": p.engines.ledger.Key(),
		"tls": p.opts.terminatesTLS(), "acme_hosts": p.opts.ACMEHosts, "client_certificates": p.opts.ClientCertificates,
		"trusted_proxies": p.opts.TrustedProxies, "metrics_from": p.opts.MetricsFrom,
	})}
	catalogue := p.rulesEntry()
	last, ok, err := store.LastOf(ctx, catalogue.Action)
	if err != nil {
		return err
	}
	if !ok || last.Detail != catalogue.Detail {
		entries = append(entries, catalogue)
	}
	return store.Note(ctx, entries...)
}

func (p *Program) startEntry(action string, detail map[string]any) ledger.Entry {
	raw, err := json.Marshal(detail)
	if err != nil { // plain values always encode
		raw = nil
	}
	return ledger.Entry{Actor: sector.System().Actor(), Action: action, Object: "program:aspis", Detail: string(raw)}
}

// rulesEntry says which rules are in use: the digest changes with any rule.
func (p *Program) rulesEntry() ledger.Entry {
	loaded := p.soc.catalogue.Rules()
	versions := make([]string, 0, loaded.Len())
	for _, r := range loaded.Set.Rules() {
		versions = append(versions, r.ID+" "+r.Version())
	}
	slices.Sort(versions)
	sum := sha256.Sum256([]byte(strings.Join(versions, "\n")))
	return p.startEntry("rules.load", map[string]any{
		"rules": loaded.Len(), "refused": len(loaded.Problems), "folders": p.opts.Rules, "digest": hex.EncodeToString(sum[:])})
}

func engineName(address, without, with string) string {
	if address == "" {
		return without
	}
	return with
}

// hostOf is a server's name without the password that may stand before it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// LedgerReport is what a check of the ledger found.
type LedgerReport = tiles.Report

// VerifyLedger checks the ledger of a stopped data folder: rows, log and, if
// one is named, a copy. dsn names the database where it is not in the folder;
// key is the public key to check with, the folder's own by default.
func VerifyLedger(ctx context.Context, data, dsn, copied, key string, log *slog.Logger) (LedgerReport, error) {
	if dsn == "" {
		dsn = filepath.Join(data, databaseFile)
		// Opening would make an empty folder, whose ledger is in order.
		if _, err := os.Stat(dsn); err != nil {
			return LedgerReport{}, errs.New(errs.Invalid, "cli.no_data_folder", data).Because(err)
		}
	}
	dir, err := datadir.Open(data)
	if errors.Is(err, datadir.ErrInUse) {
		return LedgerReport{}, errs.New(errs.Conflict, "cli.ledger.running", data).Because(err)
	}
	if err != nil {
		return LedgerReport{}, err
	}
	defer dir.Close() //nolint:errcheck // only a lock
	blind, key, err := keptSecrets(dir, key)
	if err != nil {
		return LedgerReport{}, err
	}
	db, err := sqldb.Open(ctx, dsn, log)
	if err != nil {
		return LedgerReport{}, err
	}
	r, err := tiles.Verify(ctx, db.Ledger(), blind, dir.Path(ledgerDir), copied, key)
	return r, errors.Join(err, db.Close())
}

// keptSecrets reads what a log is checked with, and makes nothing: a folder in
// which no centre has run yet has no log.
func keptSecrets(dir *datadir.Dir, key string) (ledger.Blinder, string, error) {
	var none ledger.Blinder
	if _, err := os.Stat(dir.Path(ledgerDir)); errors.Is(err, fs.ErrNotExist) {
		return none, key, nil
	}
	secret, err := os.ReadFile(dir.Path(ledgerBlindFile))
	if err != nil {
		return none, "", errs.New(errs.Invalid, "cli.ledger.no_secret", ledgerBlindFile).Because(err)
	}
	blind, err := ledger.NewBlinder(secret)
	if err != nil || key != "" {
		return blind, key, err
	}
	key, err = LedgerKey(dir.Path())
	return blind, key, err
}

// VerifyLedgerCopy checks a copy by itself.
func VerifyLedgerCopy(ctx context.Context, dir, key string) (LedgerReport, error) {
	return tiles.VerifyCopy(ctx, dir, key)
}

// LedgerKey is the public key of a data folder's ledger, running or not.
func LedgerKey(data string) (string, error) {
	key, err := os.ReadFile(filepath.Join(data, ledgerKeyFile))
	if err != nil {
		return "", errs.New(errs.Invalid, "cli.ledger.no_key", data).Because(err)
	}
	return ledger.PublicKey(key)
}

// CopyLedger makes or brings up to date a copy of a data folder's log, running
// or not.
func CopyLedger(ctx context.Context, data, to string) error {
	return tiles.Copy(ctx, filepath.Join(data, ledgerDir), to)
}

// VerifyProof checks a proof's text with a public key, and witnesses' keys,
// and returns the shown entry and the signed state of the log.
func VerifyProof(r io.Reader, key string, witnesses ...string) (ledger.Shown, ledger.Checkpoint, error) {
	text, err := io.ReadAll(io.LimitReader(r, ledger.MaxProof+1))
	if err != nil {
		return ledger.Shown{}, ledger.Checkpoint{}, err
	}
	proof, err := ledger.ParseProof(text)
	if err != nil {
		return ledger.Shown{}, ledger.Checkpoint{}, err
	}
	cp, err := proof.Verify(key, witnesses...)
	return proof.Entry, cp, err
}

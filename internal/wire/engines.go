package wire

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/aspis-platform/aspis/internal/adapter/duckdb"
	"github.com/aspis-platform/aspis/internal/adapter/natsbus"
	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/adapter/tiles"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/datadir"
	"github.com/aspis-platform/aspis/internal/platform/password"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/platform/secret"
	"github.com/aspis-platform/aspis/internal/sector"
)

// engines are the open stores.
type engines struct {
	dir     *datadir.Dir
	db      *sqldb.DB
	stream  *natsbus.Bus
	history *duckdb.History
	ledger  *tiles.Log
	blinder ledger.Blinder
	sealKey []byte
	secrets *secret.Box
	keyFrom secret.Origin // where the secrets' key is
	// breached are passwords that others know; nil: there is no list.
	breached *password.Breached
}

// openEngines opens the data folder and every engine on it.
func openEngines(ctx context.Context, opts Options) (*engines, error) {
	e := &engines{}
	if err := e.open(ctx, opts); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *engines) open(ctx context.Context, opts Options) error {
	var err error
	if e.dir, err = datadir.Open(opts.Data); err != nil {
		return err
	}
	if e.sealKey, err = e.dir.Secret("seal.key", seal.KeySize); err != nil {
		return err
	}
	e.secrets, e.keyFrom, err = secret.Load(opts.SecretKeyFile, opts.SecretKey,
		func() ([]byte, error) { return e.dir.Once("secret.key", secret.Generate) })
	if err != nil {
		return err
	}
	if opts.BreachedPasswords != "" {
		if e.breached, err = password.OpenBreached(opts.BreachedPasswords); err != nil {
			return err
		}
	}
	dsn := opts.Database
	if dsn == "" {
		dsn = e.dir.Path(databaseFile)
	}
	if e.db, err = sqldb.Open(ctx, dsn, opts.Log); err != nil {
		return err
	}
	e.db.Telling(tell)
	bus := natsbus.Config{URL: opts.NATS, Logger: opts.Log}
	if opts.NATS == "" {
		if bus.Dir, err = e.dir.Sub("stream"); err != nil {
			return err
		}
	}
	if e.stream, err = natsbus.Open(ctx, bus); err != nil {
		return err
	}
	e.history, err = duckdb.Open(ctx, duckdb.Config{
		Path: e.dir.Path("history", "events.duckdb"), MemoryMB: opts.HistoryMemoryMB, Logger: opts.Log})
	if err != nil {
		return err
	}
	return e.openLedger(ctx, opts)
}

// close closes what is open, readers before what they read.
func (e *engines) close() error {
	var all []error
	if e.history != nil {
		all = append(all, e.history.Close())
	}
	if e.stream != nil {
		all = append(all, e.stream.Close())
	}
	if e.db != nil {
		all = append(all, e.db.Close())
	}
	if e.breached != nil {
		all = append(all, e.breached.Close())
	}
	if e.dir != nil {
		all = append(all, e.dir.Close())
	}
	return errors.Join(all...)
}

// draftKey is what a person's browser keeps its drafts with, in Base64: the
// same in every session, so that a draft survives them, and known to nobody
// who has only the browser's disk.
func (e *engines) draftKey(user sector.UserID) string {
	key, err := hkdf.Expand(sha256.New, e.sealKey, "aspis draft "+string(user), seal.KeySize)
	if err != nil { // only of lengths that are too large
		return ""
	}
	return base64.StdEncoding.EncodeToString(key)
}

// sealer makes tokens for one purpose.
func (e *engines) sealer(purpose string) (*seal.Sealer, error) {
	s, err := seal.New(e.sealKey, purpose)
	if err != nil {
		return nil, fmt.Errorf("sealer: %w", err)
	}
	return s, nil
}

package wire

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/aspis-platform/aspis/internal/adapter/localsock"
	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/platform/datadir"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// Admin is what can be done from the command line.
type Admin = localsock.Admin

// OpenAdmin administers the data folder: through the socket of the server
// that runs on it, or, when none does, directly. done releases the folder.
func OpenAdmin(ctx context.Context, data string, log *slog.Logger) (admin Admin, done func() error, err error) {
	dir, err := datadir.Open(data)
	if errors.Is(err, datadir.ErrInUse) {
		return localsock.Dial(data), func() error { return nil }, nil
	}
	if err != nil {
		return nil, nil, err
	}
	db, err := sqldb.Open(ctx, dir.Path(databaseFile), log)
	if err != nil {
		return nil, nil, errors.Join(err, dir.Close())
	}
	return newDirectory(db), func() error { return errors.Join(db.Close(), dir.Close()) }, nil
}

// VerifyLedger checks the ledger of a stopped data folder and returns the
// number of its entries.
func VerifyLedger(ctx context.Context, data string, log *slog.Logger) (int64, error) {
	// Opening would make an empty folder, whose ledger is in order.
	if _, err := os.Stat(filepath.Join(data, databaseFile)); err != nil {
		return 0, errs.New(errs.Invalid, "cli.no_data_folder", data).Because(err)
	}
	dir, err := datadir.Open(data)
	if err != nil {
		return 0, err
	}
	defer dir.Close() //nolint:errcheck // only a lock
	db, err := sqldb.Open(ctx, dir.Path(databaseFile), log)
	if err != nil {
		return 0, err
	}
	n, err := db.VerifyLedger(ctx)
	return n, errors.Join(err, db.Close())
}

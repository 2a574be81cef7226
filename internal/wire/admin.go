package wire

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aspis-platform/aspis/internal/adapter/localsock"
	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/platform/datadir"
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
	db.Telling(tell) // the program does the work when it starts
	return newDirectory(db), func() error { return errors.Join(db.Close(), dir.Close()) }, nil
}

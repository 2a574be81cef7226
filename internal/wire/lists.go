package wire

import (
	"context"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// listStore is the relational store as the shell wants it.
type listStore struct{ *sqldb.Lists }

var _ web.ListStore = listStore{}

// Views implements web.ListStore.
func (s listStore) Views(ctx context.Context, user sector.UserID, list string) ([]web.SavedView, error) {
	rows, err := s.Lists.Views(ctx, user, list)
	views := make([]web.SavedView, len(rows))
	for i, v := range rows {
		views[i] = web.SavedView{ID: v.ID, User: user, List: list, Name: v.Name, Query: v.Query, Preferred: v.Preferred}
	}
	return views, err
}

// SaveView implements web.ListStore.
func (s listStore) SaveView(ctx context.Context, v web.SavedView, most int, e ledger.Entry) error {
	row := sqldb.SavedView{Name: v.Name, Query: v.Query, Preferred: v.Preferred}
	return s.Lists.SaveView(ctx, v.User, v.List, row, most, e)
}

package webtest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// Lists is saved views in memory, with the entries of every change.
type Lists struct {
	mu      sync.Mutex
	views   []web.SavedView
	Entries []ledger.Entry
}

var _ web.ListStore = (*Lists)(nil)

// Views implements web.ListStore.
func (l *Lists) Views(_ context.Context, user sector.UserID, list string) ([]web.SavedView, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.views), func(v web.SavedView) bool { return v.User != user || v.List != list }), nil
}

// SaveView implements web.ListStore.
func (l *Lists) SaveView(_ context.Context, v web.SavedView, _ int, e ledger.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.views = slices.DeleteFunc(l.views, func(o web.SavedView) bool { return o.User == v.User && o.List == v.List && o.Name == v.Name })
	for i, o := range l.views {
		if v.Preferred && o.User == v.User && o.List == v.List {
			l.views[i].Preferred = false
		}
	}
	v.ID = fmt.Sprint("v", len(l.Entries))
	l.views, l.Entries = append(l.views, v), append(l.Entries, e)
	return nil
}

// DropView implements web.ListStore.
func (l *Lists) DropView(_ context.Context, user sector.UserID, id string, e ledger.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.views, func(v web.SavedView) bool { return v.User == user && v.ID == id })
	if i < 0 {
		return errs.New(errs.NotFound, "common.view.gone")
	}
	l.views, l.Entries = slices.Delete(l.views, i, i+1), append(l.Entries, e)
	return nil
}

// Exported implements web.ListStore.
func (l *Lists) Exported(_ context.Context, e ledger.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Entries = append(l.Entries, e)
	return nil
}

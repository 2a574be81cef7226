package wire

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/datadir"
	"github.com/aspis-platform/aspis/internal/search"
)

func newSearch(p *Program) (*search.Service, error) {
	sealer, err := p.engines.sealer("search")
	if err != nil {
		return nil, err
	}
	pages, err := search.Guides()
	if err != nil {
		return nil, err
	}
	pages = append(rulePages(p.soc.catalogue.Rules()), pages...)
	return search.New(p.engines.db.Search(), search.NewStatic(pages), sealer, p.opts.Now), nil
}

// rulePages makes the catalogue findable.
func rulePages(rules *monitor.Rules) []search.Page {
	var pages []search.Page
	for _, r := range rules.Set.Rules() {
		pages = append(pages, search.Page{
			Kind: search.Rule, ID: r.ID, Title: search.Text{Zh: rules.TitleZh(r), En: r.Title}, Body: search.Text{En: r.Description},
			More: append([]string{r.File, r.Logsource.Product, r.Logsource.Category, r.Logsource.Service}, r.Tags...),
			Href: "/alerts?" + url.Values{"state": {"all"}, "q": {r.Title}}.Encode(),
		})
	}
	return pages
}

// keepIndex makes the index anew if another version of the program made it.
// Everything else goes on meanwhile, and without it too.
func (p *Program) keepIndex(ctx context.Context) error {
	store := p.engines.db.Search()
	ready, err := store.Ready(ctx)
	if err == nil && !ready {
		began := time.Now()
		err = store.Rebuild(ctx, false)
		p.log.InfoContext(ctx, "search index made", slog.Duration("took", time.Since(began)))
	}
	if err != nil && ctx.Err() == nil {
		p.log.ErrorContext(ctx, "the search index was not made; the next start tries again", slog.Any("error", err))
	}
	return nil
}

// Reindex makes the search index of a stopped data folder anew.
func Reindex(ctx context.Context, data string, log *slog.Logger) error {
	dir, err := datadir.Open(data)
	if err != nil {
		return fmt.Errorf("reindex: %w", err)
	}
	defer dir.Close() //nolint:errcheck // only a lock
	db, err := sqldb.Open(ctx, dir.Path(databaseFile), log)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // what was written is on disk
	return db.Search().Rebuild(ctx, true)
}

package sqldb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrNewer means that a newer program has already changed the schema.
var ErrNewer = errors.New("the data was written by a newer version of aspis; start that version, or restore a backup made before the upgrade")

// words are the few spellings that the engines do not share. Migrations write
// {{name}}.
func (d Dialect) words() *strings.Replacer {
	if d == Postgres {
		return strings.NewReplacer("{{blob}}", "bytea", "{{serial}}", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
			"{{search_index}}", d.searchIndex())
	}
	return strings.NewReplacer("{{blob}}", "blob", "{{serial}}", "integer PRIMARY KEY AUTOINCREMENT",
		"{{search_index}}", d.searchIndex())
}

// migrate brings the schema to this program's version, refusing a newer one.
func (d *DB) migrate(ctx context.Context) error {
	files, err := d.migrationTexts()
	if err != nil {
		return err
	}
	dialect := database.DialectSQLite3
	if d.dialect == Postgres {
		dialect = database.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, d.write, files)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > want {
		return fmt.Errorf("schema %d, this program knows %d: %w", have, want, ErrNewer)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (d *DB) migrationTexts() (fs.FS, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	texts := fstest.MapFS{}
	for _, name := range names {
		raw, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		texts[strings.TrimPrefix(name, "migrations/")] = &fstest.MapFile{Data: []byte(d.dialect.words().Replace(string(raw)))}
	}
	return texts, nil
}

package sqldb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// forEachEngine runs a store's conformance suite on every engine: SQLite
// always, PostgreSQL when ASPIS_TEST_POSTGRES names a server (CI fails when
// it does not), each time on a database of its own.
func forEachEngine(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		test(t, openForTest(t, filepath.Join(t.TempDir(), "aspis.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		server := os.Getenv("ASPIS_TEST_POSTGRES")
		if server == "" {
			t.Skip("ASPIS_TEST_POSTGRES is not set: no PostgreSQL server to test on")
		}
		test(t, openForTest(t, freshDatabase(t, server)))
	})
}

func openForTest(t *testing.T, dsn string) *DB {
	t.Helper()
	db, err := Open(context.Background(), dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// freshDatabase creates a database on the server and drops it afterwards.
func freshDatabase(t testing.TB, server string) string {
	t.Helper()
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := "aspis_" + strings.ToLower(rand.Text())
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

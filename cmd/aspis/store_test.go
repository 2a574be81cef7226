package main

import (
	"database/sql"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the engine of the stopped folder

	"github.com/aspis-platform/aspis/internal/demo"
)

// needleRule is the shipped rule that needles fire.
const needleRule = "c2e47b18-0f93-47d6-9e1c-6a8b2d5f4644"

// needle is a record that raises an alert of its own: each host its own group.
func needle(host string, at time.Time) string {
	return string(demo.RecoveryNeedle(host, at)) + "\n"
}

// change alters the database of a stopped folder, as somebody with a disk in
// their hands could. It must change exactly one row.
func change(t testing.TB, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	done, err := db.ExecContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%s changed %d rows: %v", statement, n, err)
	}
}

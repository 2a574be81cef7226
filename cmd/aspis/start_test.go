package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRefusedStart: what a server cannot start on is said on standard error,
// with what to do.
func TestRefusedStart(t *testing.T) {
	checkGoroutines(t)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	server := serve(t, data)
	inUse := strings.TrimPrefix(server.url, "http://")
	file := filepath.Join(dir, "file")
	write(t, file, "not a folder")
	newer := filepath.Join(dir, "newer")
	write(t, filepath.Join(newer, "format"), "999\n")
	foreign := filepath.Join(dir, "foreign")
	write(t, filepath.Join(foreign, "format"), "something else\n")
	broken := filepath.Join(dir, "broken")
	write(t, filepath.Join(broken, "aspis.db"), strings.Repeat("this is no database ", 1000))
	for _, tc := range []struct {
		name, data, listen string
		says               []string
	}{
		{"port in use", filepath.Join(dir, "other"), inUse, []string{inUse, "address already in use", "--listen"}},
		{"two servers on a folder", data, "127.0.0.1:0", []string{data, "Another aspis", "--data"}},
		{"a file for a folder", file, "127.0.0.1:0", []string{file, "not a directory"}},
		{"below a file", filepath.Join(file, "data"), "127.0.0.1:0", []string{file, "cannot be created"}},
		{"a newer version's folder", newer, "127.0.0.1:0", []string{newer, "999", "newer version"}},
		{"a folder of something else", foreign, "127.0.0.1:0", []string{foreign, "data folder of aspis"}},
		{"a broken database", broken, "127.0.0.1:0", []string{"aspis.db"}},
		{"an address of the outside", filepath.Join(dir, "other"), "0.0.0.0:0", []string{"--listen", "0.0.0.0:0"}},
		{"no port", filepath.Join(dir, "other"), "localhost", []string{"--listen", "HOST:PORT"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := start(t, tc.data, tc.listen)
			if code := p.exit(20 * time.Second); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			said := p.out.String()
			for _, word := range tc.says {
				if !strings.Contains(said, word) {
					t.Errorf("standard error does not say %q:\n%s", word, said)
				}
			}
			if strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") {
				t.Errorf("that was a crash:\n%s", said)
			}
		})
	}
	if left, err := os.ReadFile(filepath.Join(newer, "format")); err != nil || string(left) != "999\n" {
		t.Errorf("the newer folder was touched: %q %v", left, err)
	}
	if entries, err := os.ReadDir(newer); err != nil || len(entries) > 2 {
		t.Errorf("the newer folder was written to: %v %v", entries, err)
	}
	server.stop()
}

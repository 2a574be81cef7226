package datadir

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "data")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Errorf("second Open: %v, want ErrInUse", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	again.Close()
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		format, want string
	}{
		"newer":      {"99\n", "datadir.newer"},
		"not a data": {"hello", "datadir.format"},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			if err := os.WriteFile(filepath.Join(path, "format"), []byte(c.format), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open: %v; want the folder's name and %q", err, c.want)
			}
		})
	}
	t.Run("a file in its place", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil {
			t.Error("a file was opened as a folder")
		}
	})
}

func TestSecretStaysTheSame(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	one, err := d.Secret("key", 32)
	if err != nil {
		t.Fatal(err)
	}
	two, err := d.Secret("key", 32)
	if err != nil || !bytes.Equal(one, two) || len(one) != 32 {
		t.Errorf("Secret = %x then %x, %v", one, two, err)
	}
	if _, err := d.Secret("key", 16); err == nil {
		t.Error("a secret of the wrong size was returned")
	}
}

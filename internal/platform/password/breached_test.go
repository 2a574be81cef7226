package password

import (
	"crypto/sha1" //nolint:gosec // what the lists hold
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// list writes a list of the words' hashes as Have I Been Pwned does.
func list(t testing.TB, counts bool, words ...string) string {
	t.Helper()
	var lines []string
	for i, w := range words {
		line := strings.ToUpper(fmt.Sprintf("%x", sha1.Sum([]byte(w)))) //nolint:gosec // see above
		if counts {
			line += fmt.Sprintf(":%d\r", i*i*i)
		}
		lines = append(lines, line+"\n")
	}
	slices.Sort(lines)
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBreached(t *testing.T) {
	var words []string
	for i := range 300 {
		words = append(words, fmt.Sprintf("password %d", i))
	}
	words = append(words, "caf\u00e9 caf\u00e9 caf\u00e9")
	for name, counts := range map[string]bool{"with counts": true, "plain": false} {
		for _, n := range []int{1, 2, 3, len(words)} {
			b, err := OpenBreached(list(t, counts, words[len(words)-n:]...))
			if err != nil {
				t.Fatalf("%s, %d lines: %v", name, n, err)
			}
			for i, w := range append(slices.Clone(words), "not among them") {
				want := i >= len(words)-n && i < len(words)
				if got, err := b.Holds(w); got != want || err != nil {
					t.Errorf("%s, %d lines: %q: %v, %v", name, n, w, got, err)
				}
			}
			if got, err := b.Holds("cafe\u0301 cafe\u0301 cafe\u0301"); !got || err != nil {
				t.Errorf("%s, %d lines: typed with decomposed letters: %v, %v", name, n, got, err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if got, err := (*Breached)(nil).Holds("password 1"); got || err != nil {
		t.Errorf("without a list: %v, %v", got, err)
	}
}

func TestBreachedFilesThatAreNone(t *testing.T) {
	a, b := strings.Repeat("0", 40), strings.Repeat("F", 40)
	for name, text := range map[string]string{
		"nothing": "", "words": "letmein\nhunter2\n", "out of order": b + "\n" + a + "\n", "twice": a + "\n" + a + "\n",
		"longer hashes": a + a + "\n", "one line without end": strings.Repeat(a, 1000),
	} {
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenBreached(path); !errors.Is(err, ErrBreachedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenBreached(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// FuzzBreached: whatever the file holds, looking ends, and what it says it
// holds is there.
func FuzzBreached(f *testing.F) {
	f.Add([]byte(strings.Repeat("0", 40)+":3\r\n"+strings.Repeat("F", 40)+":1"), "x")
	f.Add([]byte("\n\n\n"), "")
	f.Fuzz(func(t *testing.T, text []byte, word string) {
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := OpenBreached(path)
		if err != nil {
			return
		}
		defer b.Close()
		if _, err := b.Holds(word); err != nil && !errors.Is(err, ErrBreachedFile) {
			t.Error(err)
		}
	})
}

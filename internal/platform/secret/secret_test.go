package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/platform/secret"
)

func box(t testing.TB, first ...byte) *secret.Box {
	t.Helper()
	var keys [][]byte
	for _, b := range first {
		keys = append(keys, bytes.Repeat([]byte{b}, secret.KeySize))
	}
	b, err := secret.New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealedOpensOnlyForItsPurposeAndID(t *testing.T) {
	b := box(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z.]{1,4}`)
		purpose, id := word.Draw(t, "purpose"), word.Draw(t, "id")
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := b.Seal(purpose, id, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Open(purpose, id, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %q, %v", got, err)
		}
		otherPurpose, otherID := word.Draw(t, "other purpose"), word.Draw(t, "other id")
		if otherPurpose == purpose && otherID == id {
			return
		}
		if _, err := b.Open(otherPurpose, otherID, sealed); !errors.Is(err, secret.ErrInvalid) {
			t.Fatalf("sealed for %s/%s, opened for %s/%s: %v", purpose, id, otherPurpose, otherID, err)
		}
	})
}

func TestEveryChangedByteIsFound(t *testing.T) {
	b := box(t, 1, 2)
	sealed, err := b.Seal("totp", "user-1", []byte("JBSWY3DPEHPK3PXP"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		for _, c := range []byte("Ax.") {
			changed := sealed[:i] + string(c) + sealed[i+1:]
			if changed == sealed {
				continue
			}
			if plain, err := b.Open("totp", "user-1", changed); err == nil {
				t.Errorf("byte %d as %q still opens, as %q", i, c, plain)
			}
		}
	}
}

func TestRotation(t *testing.T) {
	old := box(t, 1)
	sealed, err := old.Seal("webhook", "1", []byte("s"))
	if err != nil {
		t.Fatal(err)
	}
	both := box(t, 2, 1)
	if plain, err := both.Open("webhook", "1", sealed); err != nil || string(plain) != "s" {
		t.Errorf("the former key does not open: %q, %v", plain, err)
	}
	if old.Stale(sealed) || !both.Stale(sealed) {
		t.Error("what the former key sealed is not told from what the current one did")
	}
	if _, err := box(t, 2).Open("webhook", "1", sealed); !errors.Is(err, secret.ErrUnknownKey) {
		t.Errorf("without its key: %v", err)
	}
	again, err := both.Seal("webhook", "1", []byte("s"))
	if err != nil || both.Stale(again) {
		t.Errorf("sealed with a former key: %v", err)
	}
}

func TestTextShowsItselfToNobody(t *testing.T) {
	type holder struct {
		Name   string
		Secret secret.Text
	}
	const plain = "hunter2"
	h := holder{"x", plain}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("m", "s", h.Secret, "h", h, "p", &h)
	}
	asJSON, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(asJSON) + h.Secret.String() + fmt.Errorf("with %s", h.Secret).Error()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb, h) + fmt.Sprintf(verb, h.Secret)
	}
	for _, leak := range []string{plain, fmt.Sprintf("%x", plain)} {
		if strings.Contains(shown, leak) {
			t.Errorf("shows %q: %s", leak, shown)
		}
	}
	if h.Secret.Reveal() != plain {
		t.Error("Reveal does not")
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, append([]byte("# current\n"), append(secret.Generate(), secret.Generate()...)...), 0o600); err != nil {
		t.Fatal(err)
	}
	generated := func() ([]byte, error) { return secret.Generate(), nil }
	for _, c := range []struct {
		file, value string
		want        secret.Origin
	}{
		{file, "", secret.FromFile},
		{"", string(secret.Generate()), secret.FromEnvironment},
		{"", "", secret.FromDataFolder},
	} {
		b, origin, err := secret.Load(c.file, secret.Text(c.value), generated)
		if err != nil || b == nil || origin != c.want {
			t.Errorf("from %s: %v, %v", c.want, origin, err)
		}
	}
}

func TestLoadSaysWhatIsWrongAndNotTheKey(t *testing.T) {
	key := strings.TrimSpace(string(secret.Generate()))
	fallback := func() ([]byte, error) { return nil, errors.New("not asked for") }
	for name, c := range map[string]struct{ file, value, want string }{
		"both":       {"/somewhere", key, "keep one"},
		"short":      {"", key[:20], "line 1"},
		"second":     {"", key + "\n" + key + "x", "line 2"},
		"empty":      {"", "\n# nothing\n", "no key"},
		"no file":    {filepath.Join(t.TempDir(), "none"), "", "key file"},
		"a folder":   {t.TempDir(), "", "key file"},
		"long lines": {"", strings.Repeat("A", 1<<17), "no key"},
	} {
		_, _, err := secret.Load(c.file, secret.Text(c.value), fallback)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), key[:20]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	b := box(f, 1)
	f.Fuzz(func(t *testing.T, sealed string) {
		if plain, err := b.Open("p", "i", sealed); err == nil {
			t.Errorf("%q opens as %q", sealed, plain)
		}
		b.Stale(sealed)
	})
}

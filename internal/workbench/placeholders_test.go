package workbench

import (
	"slices"
	"strings"
	"testing"
)

func TestPlaceholders(t *testing.T) {
	dir := t.TempDir()
	source, err := Placeholders(write(t, dir, "good.yml", "one: root\nmany: [a, 'b*', 7]\nnone: []\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"one": {"root"}, "many": {"a", "b*", "7"}, "none": {}, "unknown": nil} {
		if got := source(name); !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "list": "- a\n", "deep": "a: {b: c}\n", "broken": "a: [\n", "long": "a: " + strings.Repeat("x", maxPlaceholderFile),
	} {
		if _, err := Placeholders(write(t, dir, name+".yml", bad)); err == nil || !strings.Contains(err.Error(), name+".yml") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Placeholders(dir + "/nowhere.yml"); err == nil {
		t.Error("a file that is not there is no error")
	}
}

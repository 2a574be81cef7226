package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable: Chinese characters are two columns wide, and nothing moves the
// terminal's cursor.
func TestTable(t *testing.T) {
	var b bytes.Buffer
	err := table{head: []string{"代碼", "NAME", "X"}, rows: [][]string{
		{"north", "北方銀行", "a"}, {"蓮花商業銀行", "Lotus…", "b\x1b[2J\u202ec"}, {"x", "", ""},
	}}.print(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"代碼          NAME      X",
		"north         北方銀行  a",
		"蓮花商業銀行  Lotus…    b\uFFFD[2J\uFFFDc",
		"x",
		"",
	}, "\n")
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestDefang(t *testing.T) {
	if got := defang("https://a.example/x@y"); got != "hxxps://a[.]example/x[@]y" {
		t.Error(got)
	}
}

func FuzzTable(f *testing.F) {
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var out bytes.Buffer
		if err := (table{rows: [][]string{{a, b}, {c}}}).print(&out); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); strings.Count(text, "\n") != 2 || strings.ContainsAny(text, "\x1b\r\x07\u202e") {
			t.Errorf("%q", text)
		}
	})
}

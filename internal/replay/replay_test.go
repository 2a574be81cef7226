package replay

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"
)

// collect reads all records and all errors' texts.
func collect(t *testing.T, opt Options, paths ...string) (records []Record, errs []error) {
	t.Helper()
	for r, err := range Open(paths, opt) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		records = append(records, r)
	}
	return records, errs
}

func texts(records []Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, string(r.Raw))
	}
	return out
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSplit(t *testing.T) {
	tests := map[string]struct {
		in   string
		want []string
		errs []string // each in the error of that rank
	}{
		"ndjson":          {"{\"a\":1}\n{\"a\": 2 }\n", []string{`{"a":1}`, `{"a": 2 }`}, nil},
		"no last newline": {"{\"a\":1}\r\n{\"a\":2}", []string{`{"a":1}`, `{"a":2}`}, nil},
		"bom":             {"\xef\xbb\xbf{\"a\":1}\n", []string{`{"a":1}`}, nil},
		"list":            {`[{"a":1},{"a":[2,{}]}]`, []string{`{"a":1}`, `{"a":[2,{}]}`}, nil},
		"pretty": {
			"{\n  \"a\": \"x  y\",\n  \"b\": [\n    1\n  ]\n}\n{\n\"c\":3.10\n}\n",
			[]string{`{"a":"x  y","b":[1]}`, `{"c":3.10}`}, nil,
		},
		"pretty list":  {"[\n  {\n    \"a\": 1\n  },\n  {\"a\":2}\n]\n{\"a\":3}\n", []string{`{"a":1}`, `{"a":2}`, `{"a":3}`}, nil},
		"concatenated": {`{"a":1}{"a":2} {"a":3}`, []string{`{"a":1}`, `{"a":2}`, `{"a":3}`}, nil},
		"cloudtrail":   {`{"Records":[{"a":1},{"a":2}]}` + "\n" + `{"a":3}`, []string{`{"a":1}`, `{"a":2}`, `{"a":3}`}, nil},
		"braces in strings": {
			`{"a":"}{\"\\"}` + "\n" + `{"b":"\\\""}`, []string{`{"a":"}{\"\\"}`, `{"b":"\\\""}`}, nil,
		},
		"text": {
			"<13>Jan  2 03:04:05 h p: x\n\n[Mon] an error, [1]\ntype=CWD msg=audit(1.2:3): cwd=\"/\"\n",
			[]string{"<13>Jan  2 03:04:05 h p: x", "[Mon] an error, [1]", `type=CWD msg=audit(1.2:3): cwd="/"`}, nil,
		},
		"cut-off record": {
			"{\"a\":1}\n{\"a\":{\"b\":2\n{\"a\":3}\n{\"a\":\"x\n{\"a\":4}\n{\"a\":",
			[]string{`{"a":1}`, `{"a":3}`, `{"a":4}`}, []string{":2: ", ":4: ", ":6: "},
		},
		"too long": {
			"{\"a\":1}\n{\"a\":\"" + strings.Repeat("x", 200) + "\"}\n" + strings.Repeat("y", 200) + "\n{\"a\":2}\n",
			[]string{`{"a":1}`, `{"a":2}`}, []string{":2: ", ":3: "},
		},
		"empty": {" \n\n", nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "x.json", []byte(tt.in))
			got, errs := collect(t, Options{MaxRecord: 100}, path)
			if diff := cmp.Diff(tt.want, texts(got)); diff != "" {
				t.Error(diff)
			}
			if len(errs) != len(tt.errs) {
				t.Fatalf("errors: %v", errs)
			}
			for i, want := range tt.errs {
				if !strings.Contains(errs[i].Error(), want) || !strings.Contains(errs[i].Error(), path) {
					t.Errorf("error %d is %q, want file and %q", i, errs[i], want)
				}
			}
		})
	}
}

func TestLines(t *testing.T) {
	in := "{\"a\":1}\n\n{\n\"a\":2}\n[\n{\"a\":3},\n{\"a\":4}]\ntext\n"
	got, errs := collect(t, Options{}, write(t, t.TempDir(), "x.json", []byte(in)))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var lines []int
	for _, r := range got {
		lines = append(lines, r.Line)
	}
	if want := []int{1, 3, 6, 7, 8}; !slices.Equal(lines, want) {
		t.Errorf("lines %v, want %v", lines, want)
	}
}

func gzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func xzed(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		body := []byte(`{"in":"` + name + `"}`)
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(body)), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, body := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFolderWithEveryPacking(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "a.json", []byte(`{"in":"a"}`))
	write(t, dir, "b.json.gz", gzipped(t, []byte(`{"in":"b"}`)))
	write(t, dir, "c.tar.gz", gzipped(t, tarred(t, "c1.json", "skip.md", "c2.log")))
	write(t, dir, "d.ndjson.xz", xzed(t, []byte(`{"in":"d"}`)))
	write(t, dir, "e.zip", zipped(t, map[string][]byte{"e.json": []byte(`{"in":"e"}`), "e.csv": []byte("x,y")}))
	write(t, dir, "sub/f.log", []byte("a line"))
	write(t, dir, "ignored.txt", []byte("no"))
	got, errs := collect(t, Options{}, dir)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := []string{
		`{"in":"a"}`, `{"in":"b"}`, `{"in":"c1.json"}`, `{"in":"c2.log"}`, `{"in":"d"}`, `{"in":"e"}`, "a line",
	}
	if diff := cmp.Diff(want, texts(got)); diff != "" {
		t.Error(diff)
	}
	if name := got[2].File; name != filepath.Join(dir, "c.tar.gz")+"!c1.json" {
		t.Errorf("record in an archive says %q", name)
	}
	files, err := Files([]string{dir})
	if err != nil || len(files) != 6 {
		t.Errorf("Files: %v, %v", files, err)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	broken := gzipped(t, bytes.Repeat([]byte("{\"a\":1}\n"), 1000))
	tests := map[string]struct {
		path string
		want error
	}{
		"missing":        {filepath.Join(dir, "none.json"), os.ErrNotExist},
		"unknown format": {write(t, dir, "x.pdf", []byte("%PDF-1.7\n\x00\x01")), ErrFormat},
		"not gzip":       {write(t, dir, "x.json.gz", []byte("hello there")), gzip.ErrHeader},
		"not zip":        {write(t, dir, "x.zip", []byte("hello there")), zip.ErrFormat},
		"cut gzip":       {write(t, dir, "y.json.gz", broken[:len(broken)-20]), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, errs := collect(t, Options{}, tt.path)
			if len(errs) != 1 || tt.want != nil && !errors.Is(errs[0], tt.want) {
				t.Fatalf("errors: %v, want one, %v", errs, tt.want)
			}
			if !strings.Contains(errs[0].Error(), tt.path) {
				t.Errorf("error does not name the file: %v", errs[0])
			}
		})
	}
}

func TestBombs(t *testing.T) {
	dir := t.TempDir()
	line := []byte("{\"a\":\"" + strings.Repeat("x", 1000) + "\"}\n")
	path := write(t, dir, "x.json.gz", gzipped(t, bytes.Repeat(line, 100_000)))
	if _, errs := collect(t, Options{}, path); len(errs) != 1 || !errors.Is(errs[0], ErrRatio) {
		t.Errorf("ratio: %v", errs)
	}
	got, errs := collect(t, Options{MaxTotal: 200_000}, path)
	if len(errs) != 1 || !errors.Is(errs[0], ErrTooLarge) {
		t.Errorf("total: %v", errs)
	}
	if len(got) == 0 || len(got) > 200 {
		t.Errorf("%d records of 200,000 bytes", len(got))
	}
	nested := tarred(t, "a.json")
	for range 6 {
		nested = gzipped(t, nested)
	}
	deep := write(t, dir, "x.tar.gz.gz.gz.gz.gz.gz", nested)
	if _, errs := collect(t, Options{}, deep); len(errs) != 1 {
		t.Errorf("nesting: %v", errs)
	}
}

func TestStopsWhenTold(t *testing.T) {
	path := write(t, t.TempDir(), "x.json", bytes.Repeat([]byte("{\"a\":1}\n"), 10))
	n := 0
	for range Open([]string{path, path}, Options{}) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d records", n)
	}
}

// TestRealSets reads every recording and shifts every record of the shared
// sets.
func TestRealSets(t *testing.T) {
	data := os.Getenv("ASPIS_DATA")
	if data == "" {
		t.Skip("ASPIS_DATA is not set")
	}
	const delta = 1234 * 24 * time.Hour
	records, moved := 0, 0
	for r, err := range Open([]string{filepath.Join(data, "events")}, Options{}) {
		if err != nil {
			t.Error(err)
			continue
		}
		records++
		before, err := event.Decode(r.Raw, event.Limits{})
		if err != nil {
			t.Fatalf("%s:%d: %v", r.File, r.Line, err)
		}
		when, ok := before.Time()
		if !ok || records%10 != 0 {
			continue
		}
		after, err := event.Decode(Shift(r.Raw, delta), event.Limits{})
		if err != nil {
			t.Fatalf("%s:%d: shifted: %v", r.File, r.Line, err)
		}
		then, _ := after.Time()
		if !then.Equal(when.Add(delta)) {
			t.Fatalf("%s:%d: %v moved to %v", r.File, r.Line, when, then)
		}
		moved++
	}
	t.Logf("%d records, %d of every tenth shifted", records, moved)
	if records < 300_000 {
		t.Errorf("only %d records", records)
	}
}

// FuzzSplit: whatever the bytes, splitting ends, records are whole lines within
// the limit, and what begins like an object is balanced.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		"{\"a\":1}\n{\"a\":2}", "[{\"a\":1},{}]", "{\n\"a\":\n[1\n]\n}", `{"Records":[{"a":1}]}`, "text\n\n[x]\n",
		"{\"a\":\"\n{\"b\":1}", "\xef\xbb\xbf{}", "[[{}]]", "{]}", "]", "[\n\n{", `{"Records" : [ ] } {}`,
		`{"took":1,"hits":{"total":{},"hits":[{"a":1}]}}`, `{"value":[{"a":1}],"x":"]"}`, "<Event>\n<a/>\n</Event><Event>",
		"<?xml version='1.0'?><Events><Event x='1'>a\r\nb</Event></Events>", "\xff\xfe{\x00}\x00\n\x00",
		"#separator \\x09\n#fields\ta\tb\n#types\tcount\tset[string]\n1\tx,\\x41\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		seen := 0
		r := &reader{opt: Options{MaxRecord: 64}.withDefaults(), budget: &budget{opt: Options{}.withDefaults()}}
		r.yield = func(rec Record, err error) bool {
			if seen++; seen > len(in)+2 {
				t.Fatal("does not end")
			}
			if err != nil {
				return true
			}
			if len(rec.Raw) == 0 || len(rec.Raw) > 6*66 || bytes.IndexByte(rec.Raw, '\n') >= 0 {
				t.Fatalf("record %q", rec.Raw)
			}
			if rec.Line < 1 || rec.Line > bytes.Count(in, []byte{'\n'})+1 {
				t.Fatalf("line %d", rec.Line)
			}
			return true
		}
		r.content("x.json", "x.json", bytes.NewReader(in))
	})
}

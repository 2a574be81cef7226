package evtx_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/event/evtx"
	"github.com/aspis-platform/aspis/internal/workbench"
	"github.com/aspis-platform/aspis/sigma"
	"github.com/google/go-cmp/cmp"
)

// TestRealEvents writes real events as logs, with templates and typed values as
// Windows does, and lets all public rules judge both forms: they must say the
// same of each event, and each event the same in every field.
func TestRealEvents(t *testing.T) {
	rules, archives := realInput(t)
	events, matches := 0, 0
	for _, archive := range archives {
		originals := realEvents(t, archive)
		flats, lines := make([]map[string]any, len(originals)), []byte(nil)
		for i, line := range originals {
			flats[i], lines = line.flat, append(append(lines, line.text...), '\n')
		}
		log := evtx.Log(flats)
		sameFields(t, originals, log)
		dir := t.TempDir()
		got := judge(t, rules, write(t, dir, "log.evtx", log))
		want := judge(t, rules, write(t, dir, "log.json", lines))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -JSON +evtx\n%s", archive, diff)
		}
		events, matches = events+len(originals), matches+len(got)
	}
	t.Logf("%d events, %d matches", events, matches)
	if events < 5000 || matches < 30 {
		t.Errorf("only %d events and %d matches", events, matches)
	}
}

// TestPackedLogs: logs compressed, in archives and in folders, among JSON, are
// read like others.
func TestPackedLogs(t *testing.T) {
	rules, archives := realInput(t)
	originals := realEvents(t, archives[0])
	originals = originals[:min(len(originals), 500)]
	var flats []map[string]any
	var lines []byte
	for _, line := range originals {
		flats, lines = append(flats, line.flat), append(append(lines, line.text...), '\n')
	}
	log := evtx.Log(flats)
	dir := t.TempDir()
	want := judge(t, rules, write(t, dir, "plain.evtx", log))
	if len(want) == 0 {
		t.Fatal("no matches")
	}

	var gz, archive bytes.Buffer
	zw := gzip.NewWriter(&gz)
	_, err := zw.Write(log)
	if err = errors.Join(err, zw.Close()); err != nil {
		t.Fatal(err)
	}
	aw := zip.NewWriter(&archive)
	for name, content := range map[string][]byte{"a/log.evtx": log, "b/log.json": lines} {
		if f, err := aw.Create(name); err != nil {
			t.Fatal(err)
		} else if _, err = f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := aw.Close(); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(folder, "inner"), 0o750); err != nil {
		t.Fatal(err)
	}
	write(t, folder, "1.json", lines)
	write(t, folder, "inner/2.evtx", log)
	write(t, folder, "inner/3.evtx.gz", gz.Bytes())
	write(t, folder, "inner/4.EVTX", log)
	for name, tt := range map[string]struct {
		path  string
		times int
	}{
		"gzip":    {write(t, dir, "log.evtx.gz", gz.Bytes()), 1},
		"archive": {write(t, dir, "logs.zip", archive.Bytes()), 2},
		"folder":  {folder, 4},
	} {
		got := judge(t, rules, tt.path)
		slices.Sort(got)
		all := slices.Sorted(slices.Values(slices.Repeat(want, tt.times)))
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// realInput returns the public rules and the archives of real events, of which
// there are many: all in the long suite, some in the quick one.
func realInput(t *testing.T) (*workbench.Rules, []string) {
	t.Helper()
	data := os.Getenv("ASPIS_DATA")
	if data == "" {
		t.Skip("ASPIS_DATA is not set")
	}
	archives, err := filepath.Glob(filepath.Join(data, "events/windows/*/*.zip"))
	if err != nil || len(archives) == 0 {
		t.Fatal("no real events", err)
	}
	if os.Getenv("ASPIS_LONG") == "" {
		archives = archives[:4]
	}
	rules := workbench.Load([]string{filepath.Join(data, "sigma-rules.tar.xz")}, sigma.Options{})
	if rules.Loaded() < 3000 {
		t.Fatalf("%d rules", rules.Loaded())
	}
	return rules, archives
}

// judge returns which rules match which event, as "event rule".
func judge(t *testing.T, rules *workbench.Rules, path string) (matches []string) {
	t.Helper()
	_, err := workbench.Evaluation{
		Rules: rules, Events: []string{path}, Routed: true,
		Match: func(m workbench.Match) error {
			matches = append(matches, fmt.Sprint(m.Event, " ", m.Rule, " ", m.Title))
			return nil
		},
		Problem: func(err error) { t.Error(err) },
	}.Eval(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return matches
}

// original is what Windows wrote of a real event.
type original struct {
	flat map[string]any
	text []byte
}

// realEvents reads the events of an archive, the first of them in the quick suite,
// but for those that fill a chunk alone.
func realEvents(t *testing.T, name string) (events []original) {
	t.Helper()
	most := 2000
	if os.Getenv("ASPIS_LONG") != "" {
		most = 1 << 30
	}
	archive, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for _, file := range archive.File {
		content, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		scan := bufio.NewScanner(content)
		scan.Buffer(nil, 4<<20)
		for scan.Scan() && len(events) < most {
			var flat map[string]any
			dec := json.NewDecoder(bytes.NewReader(scan.Bytes()))
			dec.UseNumber()
			if err := dec.Decode(&flat); err != nil || len(scan.Bytes()) > 16<<10 {
				continue
			}
			flat = evtx.Original(flat)
			text, err := json.Marshal(flat)
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, original{flat, text})
		}
		if err := errors.Join(scan.Err(), content.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

// sameFields compares what the two forms of each event say in their fields.
func sameFields(t *testing.T, originals []original, log []byte) {
	t.Helper()
	r := evtx.NewReader(bytes.NewReader(log), evtx.Limits{})
	for _, o := range originals {
		rec, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		want, err := event.Decode(o.text, event.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := event.Decode(rec.JSON, event.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Logsource() != want.Logsource() {
			t.Fatalf("%s\n%s\nlog sources %+v, %+v", o.text, rec.JSON, want.Logsource(), got.Logsource())
		}
		for name, v := range o.flat {
			s, ok := v.(string)
			if other := systemName(name); other != "" && ok {
				if v, _ := got.Field(other); !strings.EqualFold(v.Text(), strings.TrimRight(s, "\x00")) {
					t.Fatalf("%s\n%s\n%s = %q, want %q", o.text, rec.JSON, other, v.Text(), s)
				}
			}
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("more records than events: %v", err)
	}
}

// systemName is the name in Sigma's taxonomy of what agents call name, none of
// what they write in another way.
func systemName(name string) string {
	switch name {
	case "Hostname":
		return "Computer"
	case "SourceName":
		return "Provider_Name"
	case "ProviderGuid":
		return "Provider_Guid"
	case "UserID":
		return "Security_UserID"
	case "TimeCreated", "EventTime", "ActivityID", "Keywords", "Task", "Level":
		return ""
	}
	return name
}

// TestIndependentRealEvents: other readers find in logs of real events what ours
// finds.
func TestIndependentRealEvents(t *testing.T) {
	_, archives := realInput(t)
	flats, seen := []map[string]any(nil), map[string]int{}
	for _, archive := range archives {
		for _, o := range realEvents(t, archive) {
			kind := fmt.Sprint(o.flat["SourceName"], o.flat["EventID"])
			if seen[kind]++; seen[kind] <= 5 {
				flats = append(flats, o.flat)
			}
		}
	}
	evtx.Agree(t, evtx.Log(flats), nil)
	t.Logf("%d events", len(flats))
}

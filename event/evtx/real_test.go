package evtx

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/event"
)

// TestRealEvents writes real Windows events as event log files and reads them
// back: each must say in every field what its JSON says.
func TestRealEvents(t *testing.T) {
	data := os.Getenv("ASPIS_DATA")
	if data == "" {
		t.Skip("ASPIS_DATA is not set")
	}
	names, err := filepath.Glob(filepath.Join(data, "events/windows/credential_access/*.zip"))
	if err != nil || len(names) == 0 {
		t.Fatal("no real events", err)
	}
	total := 0
	for _, name := range names[:min(len(names), 4)] {
		total += roundTrip(t, name)
	}
	t.Logf("%d events", total)
	if total < 1000 {
		t.Errorf("only %d events", total)
	}
}

// roundTrip returns how many events of an archive came back as they were.
func roundTrip(t *testing.T, name string) int {
	t.Helper()
	lines := realLines(t, name)
	var chunks [][]byte
	w := newChunk()
	for i, line := range lines {
		before := *w
		w.record(uint64(i), asXML(t, line))
		if len(w.buf) > chunkSize {
			*w = before
			chunks = append(chunks, w.chunk())
			w = newChunk()
			w.record(uint64(i), asXML(t, line))
		}
	}
	chunks = append(chunks, w.chunk())
	n := 0
	for rec, err := range all(file(chunks...), Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		same(t, lines[rec.ID], rec.JSON)
		n++
	}
	if n != len(lines) {
		t.Errorf("%s: %d of %d events", name, n, len(lines))
	}
	return n
}

// realLines reads the first events of an archive, but for those that fill a
// chunk alone.
func realLines(t *testing.T, name string) (lines []string) {
	t.Helper()
	archive, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	content, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	scan := bufio.NewScanner(content)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() && len(lines) < 2000 {
		if len(scan.Text()) < 16<<10 {
			lines = append(lines, scan.Text())
		}
	}
	return lines
}

// systemNames are the names that NXLog gives the parts of System.
var systemNames = []string{"EventID", "Channel", "Hostname", "SourceName"}

// asXML is a flat event as Windows would have written it.
func asXML(t *testing.T, line string) xml {
	t.Helper()
	var flat map[string]any
	if err := json.Unmarshal([]byte(line), &flat); err != nil {
		t.Fatal(err)
	}
	word := func(name string) xml { s, _ := flat[name].(string); return text(s) }
	id, _ := flat["EventID"].(float64)
	var data []xml
	var values []val
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		if s, ok := flat[name].(string); ok && !slices.Contains(systemNames, name) {
			data = append(data, named(name, sub(len(values))))
			values = append(values, str(s))
		}
	}
	values = append(values, integerOf(typeUint16, uint64(id), 2))
	return fragmentOf{inst{template: line, values: values, body: el{"Event", nil, []xml{
		el{"System", nil, []xml{
			el{"Provider", []attr{{"Name", []xml{word("SourceName")}}}, nil},
			el{"EventID", nil, []xml{sub(len(values) - 1)}},
			el{"Channel", nil, []xml{word("Channel")}},
			el{"Computer", nil, []xml{word("Hostname")}},
		}},
		el{"EventData", nil, data},
	}}}}
}

// same compares what two forms of an event say.
func same(t *testing.T, line string, back []byte) {
	t.Helper()
	want, err := event.Decode([]byte(line), event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := event.Decode(back, event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Logsource() != want.Logsource() {
		t.Fatalf("%s\n%s\nlog sources %+v, %+v", line, back, want.Logsource(), got.Logsource())
	}
	var flat map[string]any
	if err := json.Unmarshal([]byte(line), &flat); err != nil {
		t.Fatal(err)
	}
	for name, v := range flat {
		s, ok := v.(string)
		switch {
		case name == "Hostname":
			name = "Computer"
		case name == "SourceName":
			name = "Provider_Name"
		case !ok || name == "EventID":
			continue
		}
		if v, _ := got.Field(name); v.Text() != strings.TrimRight(s, "\x00") {
			t.Fatalf("%s\n%s\n%s = %q, want %q", line, back, name, v.Text(), s)
		}
	}
}

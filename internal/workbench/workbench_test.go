package workbench

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func rule(id, logsource, detection string) string {
	return fmt.Sprintf("title: T %s\nid: %s\nlevel: low\nlogsource: {%s}\ndetection: {%s}\n", id, id, logsource, detection)
}

// eval judges and returns the matches as "event rule", and what was said.
func eval(t *testing.T, routed bool, rules *Rules, events ...string) (matches []string, done Judged, problems []error) {
	t.Helper()
	done, err := Evaluation{
		Rules: rules, Events: events, Routed: routed,
		Match:   func(m Match) error { matches = append(matches, fmt.Sprintf("%d %s", m.Event, m.Rule)); return nil },
		Problem: func(err error) { problems = append(problems, err) },
	}.Eval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return matches, done, problems
}

func packed(t *testing.T, kind string, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	switch kind {
	case ".zip":
		w := zip.NewWriter(&b)
		for name, content := range files {
			f, err := w.Create(name)
			if err == nil {
				_, err = f.Write([]byte(content))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	case ".tar.gz":
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(packed(t, ".tar", files))); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	case ".tar.xz":
		w, err := xz.NewWriter(&b)
		if err == nil {
			_, err = w.Write([]byte(packed(t, ".tar", files)))
		}
		if err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	w := tar.NewWriter(&b)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLoadFromEverywhere(t *testing.T) {
	const detection = "s: {A: 1}, condition: s"
	for _, kind := range []string{".zip", ".tar", ".tar.gz", ".tar.xz"} {
		t.Run(kind, func(t *testing.T) {
			file := write(t, t.TempDir(), "rules"+kind, packed(t, kind, map[string]string{
				"a/x.yml": rule("x", "product: p", detection), "a/bad.yaml": "title: [", "a/readme.md": "# no rule",
			}))
			r := Load([]string{file}, sigma.Options{})
			if r.Loaded() != 1 || len(r.Problems) != 1 || r.Problems[0].File != file+"!a/bad.yaml" || r.Problems[0].Line == 0 {
				t.Errorf("loaded %d, problems %+v", r.Loaded(), r.Problems)
			}
		})
	}
	dir := t.TempDir()
	write(t, dir, "deep/down/x.yml", rule("x", "product: p", detection))
	odd := write(t, dir, "rule.txt", rule("y", "product: p", detection)+"---\n"+rule("x", "product: p", detection))
	cut := write(t, dir, "cut.tar.gz", packed(t, ".tar.gz", map[string]string{"x.yml": "title: x"})[:40])
	r := Load([]string{dir + "/deep", odd, cut, filepath.Join(dir, "nowhere")}, sigma.Options{})
	if r.Loaded() != 2 || len(r.Problems) != 3 {
		t.Fatalf("loaded %d, problems %v", r.Loaded(), r.Problems)
	}
	for i, want := range []string{"cut.tar.gz", "nowhere", "rule.txt"} {
		if !strings.Contains(r.Problems[i].File, want) {
			t.Errorf("problem %d is %v, want of %s", i, r.Problems[i], want)
		}
	}
}

func TestArchiveBomb(t *testing.T) {
	b := &allowance{files: 2, bytes: 1000}
	archive := packed(t, ".tar", map[string]string{"a": "1", "b": "2", "c": "3"})
	if err := eachTarred(strings.NewReader(archive), b, func(string, io.Reader) error { return nil }); !errors.Is(err, errArchive) {
		t.Errorf("three files where two are allowed: %v", err)
	}
	b = &allowance{files: 10, bytes: 100}
	if err := eachTarred(b.meter(strings.NewReader(archive)), b, func(string, io.Reader) error { return nil }); !errors.Is(err, errArchive) {
		t.Errorf("more bytes than allowed: %v", err)
	}
}

func TestNames(t *testing.T) {
	dir := t.TempDir()
	anonymous := func(v string) string {
		return "title: t\nlogsource: {product: p}\ndetection: {s: {A: " + v + "}, condition: s}\n"
	}
	write(t, dir, "one.yml", anonymous("1")+"---\n"+anonymous("2"))
	write(t, dir, "two.yml", strings.Replace(anonymous("3"), "title: t", "title: t\nname: named", 1))
	r := Load([]string{dir}, sigma.Options{})
	var names []string
	for _, rule := range r.Set.Rules() {
		names = append(names, r.Name(rule))
	}
	if diff := cmp.Diff([]string{"one.yml", "one.yml#2", "named"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestRouting: an event is judged by the rules of its log source; where that is
// not known, by all that what is known does not contradict.
func TestRouting(t *testing.T) {
	dir := t.TempDir()
	for id, source := range map[string]string{
		"process": "product: windows, category: process_creation", "image": "product: windows, category: image_load",
		"security": "product: windows, service: security", "linux": "product: linux, category: process_creation",
		"not": "product: zeek, service: rdp", "okta": "product: okta, service: okta", "proxy": "category: proxy", "cisco": "product: cisco, service: aaa", "syslog": "product: linux, service: syslog", "sshd": "product: linux, service: sshd",
	} {
		detection := "s: {Image: x}, condition: s"
		if id == "cisco" || id == "syslog" || id == "sshd" {
			detection = "s: [x], condition: s"
		}
		if id == "not" {
			detection = "s: {Source: inside}, condition: not s"
		}
		write(t, dir, id+".yml", rule(id, source, detection))
	}
	rules := Load([]string{dir}, sigma.Options{})
	tests := []struct{ name, event, want string }{
		{"known", `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"x"}`, "process"},
		{"known channel, no category", `{"EventID":4624,"Channel":"Security","Image":"x"}`, "security"},
		{"known channel without rules", `{"EventID":4624,"Channel":"Microsoft-Windows-WinRM/Operational","Image":"x"}`, ""},
		{"no channel", `{"EventID":4624,"SourceName":"Something","Image":"x"}`, "image process proxy security"},
		{"forwarded", `{"EventID":4624,"Channel":"ForwardedEvents","Image":"x"}`, "image process proxy security"},
		{"plain object", `{"Image":"x"}`, "cisco image linux okta process proxy security sshd syslog"},
		{"plain object that looks like a proxy's", `{"Image":"x","c-uri":"/"}`, "cisco image linux okta process proxy security sshd syslog"},
		{"plain object that a rule of negations knows a field of", `{"Source":"outside","a":"b"}`, "not"},
		{"number without a channel", `{"EventID":1,"Computer":"c","Image":"x"}`, "image process proxy security"},
		{"provider", `{"EventID":1,"Provider_Name":"Microsoft-Windows-Sysmon","Image":"x"}`, "process"},
		{"resembles a cloud's log", `{"eventType":"a","actor":{"id":"b"},"Image":"x"}`, "cisco image linux okta process proxy security sshd syslog"},
		{"states its product", `{"Image":"x","logsource":{"product":"windows"}}`, "image process proxy security"},
		{"states its service", `{"Image":"x","logsource":{"product":"windows","service":"security"}}`, "image process proxy security"},
		{"states all", `{"Image":"x","logsource":{"product":"okta","service":"okta","category":"c"}}`, "okta"},
		{"ECS of no known system", `{"@timestamp":"2026-01-01T00:00:00Z","event":{"category":"process","type":"start"},"Image":"x"}`, "linux okta process security cisco syslog sshd"},
		{"ECS of Windows", `{"@timestamp":"2026-01-01T00:00:00Z","event":{"category":"process","type":"start"},"host":{"os":{"type":"windows"}},"Image":"x"}`, "process security"},
		{"syslog of a device", `<13>Jan  2 03:04:05 router AAA-5: x`, "cisco sshd syslog"},
		{"syslog of sshd", `<13>Jan  2 03:04:05 host sshd[1]: x`, "sshd"},
		{"text", `x`, "cisco sshd syslog"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := write(t, t.TempDir(), "e.log", tt.event+"\n")
			matches, _, problems := eval(t, true, rules, file)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			got := make([]string, len(matches))
			for i, m := range matches {
				got[i] = strings.TrimPrefix(m, "0 ")
			}
			slices.Sort(got)
			want := strings.Fields(tt.want)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("asked %v, want %v", got, want)
			}
			for ev, err := range Events([]string{file}) {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rules.Set.Rules() {
					if slices.Contains(want, r.ID) && !asks(ev.Event, r, false) {
						t.Errorf("%s was asked, and asks denies it", r.ID)
					}
				}
			}
			if all, _, _ := eval(t, false, rules, file); len(all) < len(got) || strings.Contains(tt.event, "Image") && len(all) < 6 {
				t.Errorf("without routing only %v", all)
			}
		})
	}
}

// TestNegationsOfOneLogsource: a rule of negations is asked about an event that
// has none of its fields where nothing else could be meant.
func TestNegationsOfOneLogsource(t *testing.T) {
	dir := t.TempDir()
	one := write(t, dir, "one.yml", rule("one", "product: zeek, service: rdp", "s: {A|neq: x}, condition: s"))
	other := write(t, dir, "other.yml", rule("other", "product: okta", "s: {B: null}, condition: s"))
	plain := write(t, dir, "plain.json", `{"c":1}`)
	says := write(t, dir, "says.json", `{"c":1,"logsource":{"product":"zeek","service":"rdp"}}`)
	for _, tt := range []struct{ rules, events, want string }{
		{one, plain, "0 one"}, {one, says, "0 one"}, {one + " " + other, plain, ""}, {one + " " + other, says, "0 one"}, {other, says, ""},
	} {
		matches, _, _ := eval(t, true, Load(strings.Fields(tt.rules), sigma.Options{}), tt.events)
		if got := strings.Join(matches, ","); got != tt.want {
			t.Errorf("%s on %s: %q, want %q", tt.rules, tt.events, got, tt.want)
		}
	}
}

const logon = `title: f
id: f
logsource: {product: windows, service: security}
detection: {s: {EventID: 4625}, condition: s}
---
title: c
id: c
correlation: {type: value_count, rules: [f], group-by: [Ip], timespan: 1m, condition: {field: User, gte: 2}}
`

func failed(second int, ip, user string) string {
	return fmt.Sprintf(`{"EventID":4625,"Channel":"Security","@timestamp":%q,"Ip":%q,"User":%q}`+"\n",
		time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC).Format(time.RFC3339), ip, user)
}

// TestCorrelationsAcrossFiles: what counts is the events' time, not where they
// stand.
func TestCorrelationsAcrossFiles(t *testing.T) {
	dir := t.TempDir()
	rules := Load([]string{write(t, dir, "r.yml", logon)}, sigma.Options{})
	first := write(t, dir, "1.ndjson", failed(7200, "a", "x")+failed(0, "a", "x")+failed(100, "b", "x"))
	second := write(t, dir, "2.ndjson", `{"EventID":4625,"Channel":"Security","Ip":"a","User":"z"}`+"\n"+failed(30, "a", "y")+failed(200, "b", "y"))
	var found []Match
	done, err := Evaluation{
		Rules: rules, Events: []string{first, second}, Routed: true, Problem: func(err error) { t.Error(err) },
		Match: func(m Match) error { found = append(found, m); return nil },
	}.Eval(context.Background())
	if err != nil || done.Timeless != 1 || done.Events != 6 || done.Matches != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := []Match{{
		Event: 1, File: second, Rule: "c", Title: "c",
		Correlation: &Correlated{
			Type: sigma.ValueCount, Group: map[string]string{"Ip": "a"}, First: start, Last: start.Add(30 * time.Second), Count: 2, Distinct: 2,
			Values: []string{"x", "y"},
		},
		Events: []Place{{first, 1}, {second, 1}},
	}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}

// TestCorrelationsDecidedAtTheEnd: what waits for later events is told when
// there are none, and a chain with its own events.
func TestCorrelationsDecidedAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	once := strings.NewReplacer("value_count", "event_count", "field: User, gte: 2", "eq: 1").Replace(logon)
	chain := "---\ntitle: both\nid: both\ncorrelation: {type: event_count, rules: [c], timespan: 1h, condition: {gte: 2}}\n"
	events := write(t, dir, "e.ndjson", failed(0, "a", "x")+failed(1, "b", "x")+failed(2, "b", "y")+failed(40, "d", "x"))
	for name, tt := range map[string]struct {
		rules string
		want  []string
	}{
		"exactly once": {once, []string{"0 c", "3 c"}},
		"chain":        {once + chain, []string{"3 both"}},
	} {
		t.Run(name, func(t *testing.T) {
			rules := Load([]string{write(t, t.TempDir(), "r.yml", tt.rules)}, sigma.Options{})
			if len(rules.Problems) > 0 {
				t.Fatal(rules.Problems)
			}
			got, _, _ := eval(t, true, rules, events)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEpisodesEnd: a long recording does not keep all findings, and tells each
// once.
func TestEpisodesEnd(t *testing.T) {
	dir := t.TempDir()
	rules := Load([]string{write(t, dir, "r.yml", strings.NewReplacer("value_count", "event_count", "field: User, ", "").Replace(logon))}, sigma.Options{})
	told := 0
	e := newEpisodes(rules, func(Match) error { told++; return nil })
	const n = 3 * sweep
	for i := range n {
		at := time.Unix(int64(i/2)*3600, 0)
		e.queue.add(sigma.Occurrence{Rule: "f", Time: at, RecordID: fmt.Sprintf("0:%d", i), Lookup: func(string) (string, bool) { return "a", true }})
	}
	e.queue.flush()
	if open := len(e.found); open > sweep || told < n/2-sweep {
		t.Errorf("%d findings are kept, %d told", open, told)
	}
	if err := e.finish(); err != nil || told != n/2 {
		t.Errorf("told of %d findings, want %d: %v", told, n/2, err)
	}
}

func TestQueueKeepsOrder(t *testing.T) {
	var got []string
	q := queue{next: func(o sigma.Occurrence) { got = append(got, o.RecordID) }}
	for i, second := range []int{3, 1, 2, 1} {
		q.add(sigma.Occurrence{RecordID: fmt.Sprint(i), Time: time.Unix(int64(second), 0)})
	}
	q.flush()
	if diff := cmp.Diff([]string{"1", "3", "2", "0"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadEventsDoNotStop(t *testing.T) {
	dir := t.TempDir()
	rules := Load([]string{write(t, dir, "r.yml", rule("r", "product: p", "s: {A: 1}, condition: s"))}, sigma.Options{})
	events := write(t, dir, "e.ndjson", "{\"A\":1}\n{\"A\":\"x\n{\"A\":1}\n{\"A\":\"\x01\"}\n{\"A\":1}\n")
	matches, done, problems := eval(t, true, rules, filepath.Join(dir, "none.json"), events)
	if len(matches) != 3 || len(problems) != 3 || done.Problems != 3 {
		t.Fatalf("matches %v, problems %v", matches, problems)
	}
	for i, want := range []string{"none.json", "e.ndjson:2: ", "e.ndjson:4: "} {
		if !strings.Contains(problems[i].Error(), want) {
			t.Errorf("problem %v, want %s", problems[i], want)
		}
	}
}

func TestEvalStops(t *testing.T) {
	dir := t.TempDir()
	rules := Load([]string{write(t, dir, "r.yml", rule("r", "product: p", "s: {A: 1}, condition: s"))}, sigma.Options{})
	events := write(t, dir, "e.ndjson", strings.Repeat("{\"A\":1}\n", 10))
	full := errors.New("disk full")
	v := Evaluation{Rules: rules, Events: []string{events}, Match: func(Match) error { return full }, Problem: func(error) {}}
	if done, err := v.Eval(context.Background()); !errors.Is(err, full) || done.Events != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := v.Eval(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestExplain(t *testing.T) {
	dir := t.TempDir()
	rules := Load([]string{write(t, dir, "r.yml", logon+"---\n"+rule("dns", "product: windows, category: dns_query", "s: {EventID: 4625, Nope: 1}, condition: s"))}, sigma.Options{})
	var got []Explained
	problems := 0
	err := Explain(rules, []string{write(t, dir, "e.ndjson", failed(0, "a", "x")+"{\n")},
		func(x Explained) error { got = append(got, x); return nil }, func(error) { problems++ })
	if err != nil || problems != 1 || len(got) != 2 {
		t.Fatalf("%v, %d problems, %+v", err, problems, got)
	}
	if x := got[0]; x.Rule != "f" || !x.Asked || !x.Matched || x.Logsource != (Logsource{Product: "windows", Service: "security"}) {
		t.Errorf("%+v", x)
	}
	if x := got[1]; x.Rule != "dns" || x.Asked || x.Matched || x.Selections[0].Alternatives[0].Items[0].Missing || !x.Selections[0].Alternatives[0].Items[1].Missing {
		t.Errorf("%+v", x)
	}
	enough := errors.New("enough")
	if err := Explain(rules, []string{filepath.Join(dir, "e.ndjson")}, func(Explained) error { return enough }, nil); !errors.Is(err, enough) {
		t.Errorf("stopped with %v", err)
	}
}

func TestTestFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "ok/rule.yml", rule("r", "product: windows, category: process_creation", "s: {Image: x}, condition: s"))
	write(t, dir, "ok/positive.json", "[{\"Image\":\"x\"},\n{\"Image\":\"X\"}]")
	write(t, dir, "ok/positive.2.ndjson", `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"x"}`)
	write(t, dir, "ok/negative.log", `{"EventID":3,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"x"}`)
	write(t, dir, "bad/rule.yml", logon)
	write(t, dir, "bad/positive.ndjson", failed(0, "a", "x")+failed(1, "a", "y")+"\n"+failed(0, "a", "x")+"\n"+failed(0, "b", "x")+failed(1, "b", "y"))
	write(t, dir, "bad/negative.ndjson", failed(0, "a", "x")+failed(1, "a", "y"))
	dirs, err := RuleFolders([]string{dir, filepath.Join(dir, "ok")})
	if err != nil || len(dirs) != 2 {
		t.Fatalf("%v, %v", dirs, err)
	}
	if r := TestFolder(dirs[1], sigma.Options{}); !r.OK() || r.Positive != 3 || r.Negative != 1 {
		t.Errorf("%+v", r)
	}
	r := TestFolder(dirs[0], sigma.Options{})
	var got []string
	for _, f := range r.Failures {
		got = append(got, fmt.Sprintf("%s:%d %s", filepath.Base(f.File), f.Line, f.Reason))
	}
	if diff := cmp.Diff([]string{"positive.ndjson:4 must match and does not", "negative.ndjson:1 must not match and does"}, got); diff != "" || r.Positive != 3 {
		t.Errorf("%d positive; %s", r.Positive, diff)
	}
	if _, err := RuleFolders([]string{t.TempDir()}); !errors.Is(err, ErrNoFolders) {
		t.Errorf("a folder without rules: %v", err)
	}
}

func TestMeasure(t *testing.T) {
	dir := t.TempDir()
	rules := write(t, dir, "r.yml", logon+"---\n"+rule("a", "product: windows", "s: {Ip: a}, condition: s")+"---\n"+rule("d", "product: windows, category: dns_query", "s: {Ip|contains: a}, condition: s"))
	events := write(t, dir, "e.log", failed(0, "a", "x")+failed(1, "a", "x")+failed(2, "b", "x")+"<13>Jan  2 03:04:05 h p: x\n{\n")
	problems, rewritten := 0, 0
	m := Measurement{
		Rules: []string{rules}, Events: []string{events}, Least: time.Millisecond,
		Problem: func(error) { problems++ }, Rewritten: func(n int) { rewritten = n },
	}
	got, err := m.Measure()
	if err != nil || problems != 1 || rewritten != 1 {
		t.Fatalf("%v, %d problems, %d rewritten", err, problems, rewritten)
	}
	if got.Rules != 3 || got.Events != 4 || got.Matches != 5 || got.Ratio <= 0 || got.OwnDecodeRatio <= 0 || got.HeapMB <= 0 || got.LoadSeconds <= 0 || got.CandidatesPerEvent < 5.0/4 {
		t.Errorf("%+v", got)
	}
	m.All, m.PerLogsource = true, 2
	if got, err = m.Measure(); err != nil || got.Events != 3 || got.Matches != 6 {
		t.Errorf("%+v, %v", got, err)
	}
	m.Sample = 1
	if got, err = m.Measure(); err != nil || got.Rules != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	m.Events = []string{rules + ".none"}
	if _, err = m.Measure(); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing to measure: %v", err)
	}
}

// TestMeasureAnyForm: whatever is evaluated is measured.
func TestMeasureAnyForm(t *testing.T) {
	dir := t.TempDir()
	rules := write(t, dir, "r.yml", rule("x", "product: linux, service: auditd", "s: {type: EXECVE, a0: curl}, condition: s")+"---\n"+logon)
	for name, text := range map[string]string{
		"audit.log": "type=EXECVE msg=audit(1604994496.155:92733): argc=1 a0=\"curl\"\ntype=CWD msg=audit(1604994496.155:92733): cwd=\"/\"\n",
		"e.csv":     "EventID,Channel,Ip\n4625,Security,a\n4624,Security,b\n",
		"e.xml":     "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><EventID>4625</EventID><Channel>Security</Channel></System></Event>\n",
	} {
		m := Measurement{
			Rules: []string{rules}, Events: []string{write(t, dir, name, text)}, Least: time.Millisecond,
			Problem: func(err error) { t.Error(name, err) }, Rewritten: func(int) {},
		}
		if got, err := m.Measure(); err != nil || got.Matches != 1 || got.Ratio <= 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	ev, err := event.Decode([]byte("type=EXECVE msg=audit(1.0:2): a0=\"curl\" a0=\"sh\""), event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(fieldsAsJSON(ev), &fields); err != nil || fields["type"] != "EXECVE" {
		t.Errorf("%v, %v", fields, err)
	}
}

package replay

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/aspis-platform/aspis/event"
	"github.com/google/go-cmp/cmp"
)

func utf16File(text string, bigEndian bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		if bigEndian {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

func TestFormats(t *testing.T) {
	zeek := strings.Join([]string{
		`#separator \x09`, "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tdns", "#open\t2025-01-02-03-04-05",
		"#fields\tts\tuid\tid.orig_h\tid.orig_p\tquery\tAA\tanswers\tTTLs\tnote",
		"#types\ttime\tstring\taddr\tport\tstring\tbool\tvector[string]\tvector[interval]\tstring",
		"1735787045.678901\tC1\t10.0.0.1\t53\ta\\x2cb.example\tT\tx,10.0.0.2\t60.0,1.5\t-",
		"1735787046.5\tC2\t10.0.0.1\t53\t(empty)\tF\t(empty)\t-\t日本",
		"#close\t2025-01-02-03-05-05",
	}, "\n")
	tests := map[string]struct {
		file string
		in   string
		want []string
		errs []string
	}{
		"utf-16":                 {"x.json", string(utf16File("\ufeff{\"a\":\"日本😀\"}\r\n{\"b\":1}", false)), []string{`{"a":"日本😀"}`, `{"b":1}`}, nil},
		"utf-16, big-endian":     {"x.json", string(utf16File("\ufeff{\"a\":1}", true)), []string{`{"a":1}`}, nil},
		"utf-16, no mark":        {"x.json", string(utf16File("[{\"a\":1}]", false)), []string{`{"a":1}`}, nil},
		"utf-16, xml":            {"x.xml", string(utf16File("\ufeff<Event>\n<a>1</a></Event>", false)), []string{`<Event><a>1</a></Event>`}, nil},
		"utf-16, table":          {"x.csv", string(utf16File("\ufeffa;b\n1;\"x\ny\"", false)), []string{`{"a":"1","b":"x\ny"}`}, nil},
		"any text that is named": {"x.txt", "a line\n{\"a\":1}", []string{"a line", `{"a":1}`}, nil},
		"zeek": {"dns.log", zeek, []string{
			`{"_path":"dns","ts":1735787045.678901,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":53,"query":"a,b.example","AA":true,"answers":["x","10.0.0.2"],"TTLs":[60.0,1.5]}`,
			`{"_path":"dns","ts":1735787046.5,"uid":"C2","id.orig_h":"10.0.0.1","id.orig_p":53,"query":"","AA":false,"answers":[],"note":"日本"}`,
		}, nil},
		"zeek, not utf-8": {"dns.log", "#separator \\x09\n#fields\ta\nx\xff\ny", []string{`{"_path":"","a":"y"}`}, []string{":3: "}},
		"w3c": {"u_ex.log", "#Software: x\r\n#Fields: date time c-ip cs-uri-query sc-status cs(User-Agent)\r\n2025-01-02 03:04:05 10.0.0.1 id=1'+or+1=1 200 \"a b\"\r\n2025-01-02 03:04:06 - - 404\r\n", []string{
			`{"date":"2025-01-02","time":"03:04:05","c-ip":"10.0.0.1","cs-uri-query":"id=1'+or+1=1","sc-status":"200","cs(User-Agent)":"a b","timestamp":"2025-01-02T03:04:05Z"}`,
			`{"date":"2025-01-02","time":"03:04:06","sc-status":"404","timestamp":"2025-01-02T03:04:06Z"}`,
		}, nil},
		"table": {"x.csv", "\ufeffEventID,Command Line,a.b,empty\r\n1,\"a \"\"b\"\", <c>\",2,\r\n\r\n4688,x,,y", []string{
			`{"EventID":"1","Command Line":"a \"b\", <c>","a.b":"2","empty":""}`, `{"EventID":"4688","Command Line":"x","a.b":"","empty":"y"}`,
		}, nil},
		"table with tabs":         {"x.tsv", "a\tb\n1,5\t2\n", []string{`{"a":"1,5","b":"2"}`}, nil},
		"table with a hint":       {"x.csv", "sep=;\na;b,c\n1;2\n", []string{`{"a":"1","b,c":"2"}`}, nil},
		"table, short row":        {"x.csv", "a,b\n1\n2,3", []string{`{"a":"1"}`, `{"a":"2","b":"3"}`}, nil},
		"table, long row":         {"x.csv", "a,b\n1,2,3\n4,5", []string{`{"a":"4","b":"5"}`}, []string{":2: "}},
		"table, names only":       {"x.csv", "a,b\n", nil, nil},
		"table, quote never ends": {"x.csv", "a,b\n1,\"2\n3,4\n", nil, []string{":2: "}},
		"table, huge row":         {"x.csv", "a,b\n1," + strings.Repeat("x", 500) + "\n3,4\n", []string{`{"a":"3","b":"4"}`}, []string{":2: "}},
		"table, not utf-8":        {"x.csv", "a,b\n1,\xff\n3,4\n", []string{`{"a":"3","b":"4"}`}, []string{":2: "}},
		"xml": {"x.xml", "<?xml version=\"1.0\"?>\r\n<Events>\r\n<!-- two -->\r\n<Event xmlns='x'\r\n y='z'>\r\n  <Data>a\r\nb</Data>\r\n</Event>\r\n<Event><b/></Event></Events>", []string{
			`<Event xmlns='x'  y='z'><Data>a&#13;&#10;b</Data></Event>`, `<Event><b/></Event>`,
		}, nil},
		"xml, cut off":  {"x.xml", "<Event>\n<a>\n<Event><b/></Event>\n<Event>", []string{`<Event><b/></Event>`}, []string{":1: ", ":4: "}},
		"xml, huge":     {"x.xml", "<Event>" + strings.Repeat("<a/>", 200) + "</Event>\n<Event><b/></Event>", []string{`<Event><b/></Event>`}, []string{":1: "}},
		"xml in syslog": {"x.xml", "2025-01-02T03:04:05Z h sysmon: <Event><a/></Event>\n", []string{"2025-01-02T03:04:05Z h sysmon: <Event><a/></Event>"}, nil},
		"elasticsearch": {"x.json", `{"took":3,"timed_out":false,"_shards":{"total":1},"hits":{"total":{"value":2},"max_score":null,"hits":[{"_source":{"a":1}},{"_source":{"a":2}}]},"aggregations":{"x":[{"b":1}]}}` + "\n" + `{"c":1}`,
			[]string{`{"_source":{"a":1}}`, `{"_source":{"a":2}}`, `{"c":1}`}, nil},
		"graph": {"x.json", "{\n\"@odata.context\": \"x\",\n\"value\": [\n{\"a\":1}\n]\n}", []string{`{"a":1}`}, nil},
		"cloudwatch logs": {"x.json", `{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[{"id":"1","message":"{}"},{"id":"2"}]}`,
			[]string{`{"id":"1","message":"{}"}`, `{"id":"2"}`}, nil},
		"aws look-up":       {"x.json", `{"Events":[{"CloudTrailEvent":"{}"}]}`, []string{`{"CloudTrailEvent":"{}"}`}, nil},
		"windows, from xml": {"x.json", `{"Events":{"Event":[{"System":{}},{"System":{}}]}}`, []string{`{"System":{}}`, `{"System":{}}`}, nil},
		"one event":         {"x.json", `{"Event":{"System":{}}}`, []string{`{"Event":{"System":{}}}`}, nil},
		"json sequence":     {"x.json", "\x1e{\"a\":1}\n\x1e{\n\"a\":2}\n", []string{`{"a":1}`, `{"a":2}`}, nil},
		"azure records":     {"x.json", `{"records":[{"a":1},{"a":2}]}`, []string{`{"a":1}`, `{"a":2}`}, nil},
		"empty envelope":    {"x.json", `{"value":[]}{"a":1}`, []string{`{"a":1}`}, nil},
		"no envelope":       {"x.json", `{"id":1,"events":[{"a":1}]}`, []string{`{"id":1,"events":[{"a":1}]}`}, nil},
		"list of scalars":   {"x.json", `{"value":["a"]}`, []string{`{"value":["a"]}`}, nil},
		"not an event log":  {"x.evtx", "hello", nil, []string{"this is no event log file"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), tt.file, []byte(tt.in))
			got, errs := collect(t, Options{MaxRecord: 300}, path)
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

// TestLongNames: names that are much longer than what stands under them do not
// make a flood of a small file.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	dir := t.TempDir()
	for _, path := range []string{
		write(t, dir, "a.csv", []byte(long+",b\n"+strings.Repeat("1,2\n", 10_000))),
		write(t, dir, "b.log", []byte("#separator \\x09\n#fields\t"+long+"\tb\n"+strings.Repeat("1\t2\n", 10_000))),
	} {
		got, errs := collect(t, Options{}, path)
		if len(errs) != 1 || !errors.Is(errs[0], ErrRatio) || len(got) > 1000 {
			t.Errorf("%d records, errors %v", len(got), errs)
		}
	}
}

// TestPackedFormats: the name before it was packed tells the format.
func TestPackedFormats(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.csv.gz", gzipped(t, []byte("a,b\n1,2\n")))
	write(t, dir, "b.zip", zipped(t, map[string][]byte{"x.xml": []byte("<Event>\n<a/></Event>")}))
	got, errs := collect(t, Options{}, dir)
	if want := []string{`{"a":"1","b":"2"}`, `<Event><a/></Event>`}; !cmp.Equal(texts(got), want) || len(errs) > 0 {
		t.Errorf("%q, errors %v", texts(got), errs)
	}
}

// TestIndex: records are counted within their file, and those that are passed
// over count.
func TestIndex(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.json", []byte("{\"a\":1}\n\n{\"a\":{\"b\":2\n{\"a\":3}\n[{\"a\":4}]"))
	write(t, dir, "b.csv", []byte("a,b\n1,2\n1,2,3\n3,4\n"))
	write(t, dir, "c.zip", zipped(t, map[string][]byte{"c.json": []byte("{}\n{}")}))
	got, errs := collect(t, Options{}, dir)
	if len(errs) != 2 {
		t.Errorf("errors: %v", errs)
	}
	var indexes []int
	for _, r := range got {
		indexes = append(indexes, r.Index)
	}
	if want := []int{0, 2, 3, 0, 2, 0, 1}; !cmp.Equal(indexes, want) {
		t.Errorf("indexes %v, want %v", indexes, want)
	}
}

// TestEventLog reads a Windows event log file, plain and packed, under any name.
func TestEventLog(t *testing.T) {
	text, err := os.ReadFile("../../event/evtx/testdata/three.evtx.gz.base64")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		t.Fatal(err)
	}
	unpacker, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	log, err := io.ReadAll(unpacker)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, path := range []string{
		write(t, dir, "a.evtx", log), write(t, dir, "b.evtx.gz", packed),
		write(t, dir, "c.zip", zipped(t, map[string][]byte{"c.evtx": log})), write(t, dir, "d", log),
	} {
		got, errs := collect(t, Options{}, path)
		if len(got) != 3 || len(errs) != 1 || !strings.Contains(errs[0].Error(), path) || !strings.Contains(errs[0].Error(), "chunk 1, byte ") {
			t.Fatalf("%s: %d records, errors %v", path, len(got), errs)
		}
		for i, r := range got {
			e, err := event.Decode(r.Raw, event.Limits{})
			if err != nil || e.Dialect() != event.WindowsEVTX || r.Index != i || r.Line != i+1 || !strings.HasPrefix(r.File, path) {
				t.Errorf("record %d: %+v, %v", i, r, err)
			}
		}
	}
	if _, errs := collect(t, Options{MaxTotal: 50_000}, filepath.Join(dir, "a.evtx")); len(errs) != 1 || !errors.Is(errs[0], ErrTooLarge) {
		t.Errorf("errors %v", errs)
	}
}

// TestBadRecords: what is too much is refused with its reason, here or by the
// decoder, and the rest goes on.
func TestBadRecords(t *testing.T) {
	good := `{"a":1}` + "\n"
	fields := "{" + strings.Repeat(`"f":1,`, 20_000) + `"f":1}` + "\n"
	deep := `{"a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}\n"
	open := strings.Repeat(`{"a":`, 100_000) + "1\n"
	huge := `{"a":"` + strings.Repeat("x", 10<<20) + `"}` + "\n"
	path := write(t, t.TempDir(), "x.json", []byte(good+fields+good+deep+good+huge+good+open+good))
	got, errs := collect(t, Options{}, path)
	var reasons []string
	whole := 0
	for _, r := range got {
		var refused *event.DecodeError
		switch _, err := event.Decode(r.Raw, event.Limits{}); {
		case err == nil:
			whole++
		case errors.As(err, &refused):
			reasons = append(reasons, refused.Reason)
		default:
			t.Error(err)
		}
	}
	if want := []string{event.ReasonTooManyFields, event.ReasonTooDeep}; !cmp.Equal(reasons, want) || whole != 5 {
		t.Errorf("%d whole records, refused: %v, want %v", whole, reasons, want)
	}
	if len(errs) != 2 || !errors.Is(errs[0], ErrRecordTooLarge) || !errors.Is(errs[1], ErrBroken) {
		t.Errorf("errors: %v", errs)
	}
}

// FuzzTable: whatever the bytes, reading ends and rows are objects of one line.
func FuzzTable(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\n\"x\n\"\"y\";2", "sep=|\na|b\n", "a\n\"", "\xef\xbb\xbfa,a\n1,2,3\n", ",\n,\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		seen := 0
		r := &reader{opt: Options{MaxRecord: 64}.withDefaults(), budget: &budget{opt: Options{}.withDefaults()}}
		r.yield = func(rec Record, err error) bool {
			if seen++; seen > len(in)+2 {
				t.Fatal("does not end")
			}
			if err == nil && (rec.Raw[0] != '{' || bytes.IndexByte(rec.Raw, '\n') >= 0 || rec.Line > bytes.Count(in, []byte{'\n'})+1 && !bytes.ContainsRune(in, 0)) {
				t.Fatalf("line %d: %q", rec.Line, rec.Raw)
			}
			return true
		}
		r.content("x.csv", "x.csv", bytes.NewReader(in))
	})
}

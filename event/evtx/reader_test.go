package evtx

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/google/go-cmp/cmp"
)

// all reads a file to its end.
func all(data []byte, lim Limits) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		r := NewReader(bytes.NewReader(data), lim)
		for {
			rec, err := r.Next()
			if errors.Is(err, io.EOF) || !yield(rec, err) {
				return
			}
		}
	}
}

// read returns all records of a file as JSON, and all errors' texts.
func read(t *testing.T, data []byte, lim Limits) (records, faults []string) {
	t.Helper()
	for rec, err := range all(data, lim) {
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		if !json.Valid(rec.JSON) {
			t.Fatalf("record %d is no JSON: %s", rec.ID, rec.JSON)
		}
		records = append(records, string(rec.JSON))
	}
	return records, faults
}

func named(name string, value ...xml) xml {
	return el{"Data", []attr{{"Name", []xml{text(name)}}}, value}
}

// sysmon is an event as Sysmon's template makes it: System written out, its
// values and the event's own substituted, the latter in a template of its own
// within a value.
func sysmon(id int, image, commandLine string) xml {
	data := inst{template: "data", values: []val{
		str("-"), {kind: typeGUID, data: guid}, integerOf(typeUint32, 4711, 4), str(image), str(commandLine),
	}, body: el{"EventData", nil, []xml{
		named("RuleName", sub(0)), named("ProcessGuid", sub(1)), named("ProcessId", sub(2)),
		named("Image", sub(3)), named("CommandLine", sub(4)),
	}}}
	return fragmentOf{inst{template: "event", values: []val{
		integerOf(typeUint16, uint64(id), 2), integerOf(typeHex64, 1<<63, 8),
		integerOf(typeFileTime, fileTime(time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC))+6789012, 8),
		{}, integerOf(typeUint32, 1234, 4), {kind: typeSID, data: sid(18)},
		{kind: typeBinXML, nested: fragmentOf{data}},
	}, body: el{"Event", []attr{{"xmlns", []xml{text("http://schemas.example/event")}}}, []xml{
		el{"System", nil, []xml{
			el{"Provider", []attr{{"Name", []xml{text("Microsoft-Windows-Sysmon")}}, {"Guid", []xml{text("{5770385f-c22a-43e0-bf4c-06f5698ffbd9}")}}}, nil},
			el{"EventID", nil, []xml{sub(0)}},
			el{"Keywords", nil, []xml{sub(1)}},
			el{"TimeCreated", []attr{{"SystemTime", []xml{sub(2)}}}, nil},
			el{"Correlation", []attr{{"ActivityID", []xml{opt(3)}}}, nil},
			el{"Execution", []attr{{"ProcessID", []xml{sub(4)}}}, nil},
			el{"Channel", nil, []xml{text("Microsoft-Windows-Sysmon/Operational")}},
			el{"Computer", nil, []xml{text("H")}},
			el{"Security", []attr{{"UserID", []xml{opt(5)}}}, nil},
		}},
		opt(6),
	}}}}
}

const sysmonJSON = `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon","Guid":"{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"}},` +
	`"EventID":1,"Keywords":"0x8000000000000000","TimeCreated":{"#attributes":{"SystemTime":"2025-01-02T03:04:05.6789012Z"}},"Correlation":null,` +
	`"Execution":{"#attributes":{"ProcessID":1234}},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"H",` +
	`"Security":{"#attributes":{"UserID":"S-1-5-18"}}},"EventData":{"RuleName":"-","ProcessGuid":"{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",` +
	`"ProcessId":4711,"Image":"C:\\a.exe","CommandLine":"a \"b\" <&> 日本語 😀"}}}`

func TestEvent(t *testing.T) {
	w := newChunk()
	w.record(1, sysmon(1, `C:\a.exe`, `a "b" <&> 日本語 😀`))
	w.record(2, sysmon(1, `C:\b.exe`, ``)) // refers to the templates and names of the first
	got, faults := read(t, file(w.chunk()), Limits{})
	if len(faults) > 0 || len(got) != 2 {
		t.Fatalf("%d records, faults %v", len(got), faults)
	}
	if diff := cmp.Diff(sysmonJSON, got[0]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(got[1], `"Image":"C:\\b.exe","CommandLine":""`) {
		t.Errorf("second record: %s", got[1])
	}
}

var update = flag.Bool("update", false, "write the golden files")

// TestGolden keeps a file for tests elsewhere, packed and as text: two chunks with
// three records, the second cut off behind its record.
func TestGolden(t *testing.T) {
	const golden = "testdata/three.evtx.gz.base64"
	data, at := three()
	data = data[:at[2]+2048]
	if *update {
		var text bytes.Buffer
		encoder := base64.NewEncoder(base64.StdEncoding, &text)
		packer := gzip.NewWriter(encoder)
		if _, err := packer.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(packer.Close(), encoder.Close(), os.WriteFile(golden, text.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.Open(golden)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	packed, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, text))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, data) {
		t.Error("the file is not what these tests write: run with -update")
	}
}

// TestFlatView: what the records become in the decoder's hands.
func TestFlatView(t *testing.T) {
	for rec, err := range all(one(sysmon(1, `C:\a.exe`, "a -b")), Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := event.Decode(rec.JSON, event.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if want := (event.Logsource{Product: "windows", Category: "process_creation", Service: "sysmon"}); e.Logsource() != want {
			t.Errorf("log source %+v", e.Logsource())
		}
		for name, want := range map[string]string{
			"EventID": "1", "Image": `C:\a.exe`, "CommandLine": "a -b", "Provider_Name": "Microsoft-Windows-Sysmon",
			"Execution_ProcessID": "1234", "Security_UserID": "S-1-5-18", "ProcessId": "4711", "Computer": "H",
		} {
			if v, _ := e.Field(name); v.Text() != want {
				t.Errorf("%s = %q, want %q", name, v.Text(), want)
			}
		}
		if when, ok := e.Time(); !ok || when.Format(time.RFC3339Nano) != "2025-01-02T03:04:05.6789012Z" {
			t.Errorf("time %v, %v", when, ok)
		}
	}
}

// many is n elements of as many names, and the same again.
func many(n int) (list []xml) {
	for i := range 2 * n {
		list = append(list, named(fmt.Sprint("n", i%n), text(fmt.Sprint(i))))
	}
	return list
}

func manyJSON(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"n%d":["%d","%d"]`, i, i, i+n))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func TestXML(t *testing.T) {
	data := func(children ...xml) xml { return fragmentOf{el{"Event", nil, []xml{el{"EventData", nil, children}}}} }
	unnamed := func(value ...xml) xml { return el{"Data", nil, value} }
	tests := map[string]struct {
		in   xml
		want string // what EventData holds
	}{
		"one unnamed":     {data(unnamed(text("a"))), `{"Data":"a"}`},
		"unnamed":         {data(unnamed(text("a")), unnamed(text("b")), el{"Binary", nil, nil}), `{"Data":["a","b"],"Binary":null}`},
		"one name twice":  {data(named("x", text("a")), named("x", text("b"))), `{"x":["a","b"]}`},
		"many names":      {data(many(40)...), manyJSON(40)},
		"name with space": {data(named("Threat Name", text("a"))), `{"Threat Name":"a"}`},
		"pieces of text":  {data(unnamed(text("a"), cdata("<b>"), char('&'), entityRef("quot"), entityRef("other"))), `{"Data":"a<b>&\"&other;"}`},
		"control characters": {
			data(unnamed(text("a\tb\r\nc\x01\x00d"))), `{"Data":"a\tb\r\nc\u0001\u0000d"}`,
		},
		"processing instruction": {data(pi{"x", "y"}, unnamed(text("a"))), `{"Data":"a"}`},
		"attributes and text": {
			data(el{"EventID", []attr{{"Qualifiers", []xml{text("0")}}}, []xml{text("7")}}),
			`{"EventID":{"#attributes":{"Qualifiers":"0"},"#text":"7"}}`,
		},
		"white space between elements": {data(text(" \r\n "), unnamed(text("a")), text(" ")), `{"Data":"a"}`},
		"empty":                        {fragmentOf{el{"Event", nil, []xml{el{"EventData", nil, []xml{}}}}}, `null`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, faults := read(t, one(tt.in), Limits{})
			if want := []string{`{"Event":{"EventData":` + tt.want + `}}`}; !cmp.Equal(got, want) || len(faults) > 0 {
				t.Errorf("%s, faults %v, want %s", got, faults, want)
			}
		})
	}
}

// TestAbsent: what a null value leaves out: an element that depends on it, an
// attribute that it is optional in whatever else that has, and otherwise itself.
func TestAbsent(t *testing.T) {
	null, number := val{}, integerOf(typeUint8, 1, 1)
	attrs := func(name string, value ...xml) el { return el{name, []attr{{"a", value}}, []xml{text("t")}} }
	tests := map[string]struct {
		in   xml
		want string
	}{
		"optional":                       {named("x", opt(0)), `{"x":""}`},
		"optional with text around":      {named("x", text("t"), opt(0), text("u")), `{"x":"tu"}`},
		"optional with another":          {named("x", opt(1), opt(0)), `{"x":"1"}`},
		"optional, not null":             {named("x", opt(1)), `{"x":1}`},
		"optional in an attribute":       {attrs("x", opt(0)), `{"x":"t"}`},
		"optional in attribute and text": {attrs("x", text("t"), opt(0)), `{"x":"t"}`},
		"optional in an attribute twice": {attrs("x", opt(1), opt(1)), `{"x":{"#attributes":{"a":"11"},"#text":"t"}}`},
		"normal":                         {named("x", sub(0)), `{"x":""}`},
		"normal with text around":        {named("x", text("t"), sub(0), text("u")), `{"x":"tu"}`},
		"normal in an attribute":         {attrs("x", sub(0)), `{"x":"t"}`},
		"attribute of no text":           {attrs("x", text("")), `{"x":"t"}`},
		"name of no text":                {named("", text("t")), `{"Data":"t"}`},
		"name in pieces":                 {el{"Data", []attr{{"Name", []xml{text("a"), entityRef("amp"), text("b")}}}, []xml{text("t")}}, `{"a&b":"t"}`},
		"depends on null":                {dependent{attrs("x", text("t")), 0}, `null`},
		"depends on a value":             {dependent{attrs("x", text("t")), 1}, `{"x":{"#attributes":{"a":"t"},"#text":"t"}}`},
		"depends on what is not there":   {dependent{named("x", text("t")).(el), 9}, `{"x":"t"}`},
		"a part depends on null":         {el{"x", nil, []xml{dependent{el{"y", nil, nil}, 0}, el{"z", nil, nil}}}, `{"x":{"z":null}}`},
		"namespaces are no attributes":   {el{"x", []attr{{"xmlns:auto-ns2", []xml{text("n")}}, {"xmlns", []xml{text("m")}}}, []xml{text("t")}}, `{"x":"t"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := inst{template: "x", values: []val{null, number}, body: el{"Event", nil, []xml{el{"EventData", nil, []xml{tt.in}}}}}
			got, faults := read(t, one(fragmentOf{in}), Limits{})
			if want := []string{`{"Event":{"EventData":` + tt.want + `}}`}; !cmp.Equal(got, want) || len(faults) > 0 {
				t.Errorf("%s, faults %v, want %s", got, faults, want)
			}
		})
	}
}

// TestNoData: an event whose data is null is an event all the same.
func TestNoData(t *testing.T) {
	in := inst{template: "x", values: []val{{}}, body: el{"Event", nil, []xml{el{"System", nil, []xml{el{"EventID", nil, []xml{text("1")}}}}, typed{tokenOptional, 0, typeBinXML}}}}
	got, faults := read(t, one(fragmentOf{in}), Limits{})
	if want := []string{`{"Event":{"System":{"EventID":"1"}}}`}; !cmp.Equal(got, want) || len(faults) > 0 {
		t.Errorf("%s, faults %v, want %s", got, faults, want)
	}
}

// TestNested: values that are XML, in all the forms that they come in.
func TestNested(t *testing.T) {
	inner := el{"UserData", nil, []xml{el{"x", nil, []xml{el{"y", nil, []xml{text("1")}}}}}}
	event := func(v val) xml {
		return fragmentOf{inst{template: "x", body: el{"Event", nil, []xml{opt(0)}}, values: []val{v}}}
	}
	template := inst{template: "inner", body: inner}
	for name, v := range map[string]val{
		"element":           {kind: typeBinXML, nested: inner},
		"fragment":          {kind: typeBinXML, nested: fragmentOf{inner}},
		"template instance": {kind: typeBinXML, nested: template},
		"with dependencies": {kind: typeBinXML, nested: with{inner}},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults := read(t, one(event(v)), Limits{})
			if want := []string{`{"Event":{"UserData":{"x":{"y":"1"}}}}`}; !cmp.Equal(got, want) || len(faults) > 0 {
				t.Errorf("%s, faults %v, want %s", got, faults, want)
			}
		})
	}
}

// TestNoTemplate: records that have their XML written out, with dependency
// identifiers and without.
func TestNoTemplate(t *testing.T) {
	event := el{"Event", []attr{{"a", []xml{text("1")}}}, []xml{el{"b", nil, []xml{text("2")}}}}
	for name, in := range map[string]xml{"with": with{event}, "without": without{event}} {
		got, faults := read(t, one(fragmentOf{in}), Limits{})
		if want := []string{`{"Event":{"#attributes":{"a":"1"},"b":"2"}}`}; !cmp.Equal(got, want) || len(faults) > 0 {
			t.Errorf("%s: %s, faults %v, want %s", name, got, faults, want)
		}
	}
}

// without writes XML without dependency identifiers where there may be some.
type without struct{ xml }

func (x without) write(w *chunkWriter) {
	w.inside = false
	x.xml.write(w)
	w.inside = true
}

// with writes XML with dependency identifiers where there should be none.
type with struct{ xml }

func (x with) write(w *chunkWriter) {
	w.inside = true
	x.xml.write(w)
	w.inside = false
}

func TestPositions(t *testing.T) {
	data, at := three()
	i := 0
	for rec, err := range all(data, Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.ID != uint64(i+1) || rec.Offset != int64(at[i]) || rec.Chunk != i/2 {
			t.Errorf("record %d: %d in chunk %d at %d, want at %d", i, rec.ID, rec.Chunk, rec.Offset, at[i])
		}
		i++
	}
}

func TestSourceFails(t *testing.T) {
	data, _ := three()
	for _, n := range []int{0, 100, fileHeaderSize, fileHeaderSize + 100, fileHeaderSize + chunkSize} {
		failed := errors.New("the disk is gone")
		r := NewReader(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(failed)), Limits{})
		var err error
		for range 20 {
			if _, err = r.Next(); errors.Is(err, failed) {
				break
			}
		}
		if !errors.Is(err, failed) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// FuzzReader: whatever the bytes, reading ends, records are JSON within the
// limit, and places lie within the file.
func FuzzReader(f *testing.F) {
	data, at := three()
	f.Add(data[:fileHeaderSize+2048])
	for i := range 24 {
		broken := bytes.Clone(data[:fileHeaderSize+2048])
		broken[at[0]+24+i*7] ^= byte(1 << (i % 8))
		f.Add(broken)
	}
	for _, file := range [][]byte{Log([]map[string]any{
		{"SourceName": "P", "EventID": json.Number("1"), "ProviderGuid": "{57703850-0000-0000-0000-000000000001}", "a": "S-1-5-18", "b": "0x1f", "c": "true"},
		{"SourceName": "P", "EventID": json.Number("1"), "ProviderGuid": "{57703850-0000-0000-0000-000000000001}", "a": "text", "b": "-1", "c": "{57703850-0000-0000-0000-000000000001}"},
	}), one(fragmentOf{inst{template: "x", values: []val{{}, {kind: typeString | arrayFlag, data: utf16Bytes("a\x00b\x00")}}, body: el{"Event", []attr{{"a", []xml{opt(0)}}}, []xml{
		dependent{el{"x", nil, nil}, 0}, named("y", text("t"), sub(1), cdata("u"), char('&'), entityRef("lt")), pi{"p", "q"}, el{"Binary", nil, []xml{opt(0)}},
	}}}})} {
		f.Add(file[:fileHeaderSize+4096])
	}
	f.Add(selfish()[:fileHeaderSize+1024])
	f.Add([]byte(fileSignature))
	f.Fuzz(func(t *testing.T, in []byte) {
		seen, size := 0, 0
		for rec, err := range all(in, Limits{MaxRecord: 100_000, MaxChunk: 1 << 20}) {
			if seen++; seen > len(in)+8 {
				t.Fatal("does not end")
			}
			var broken *Error
			if err != nil {
				if !errors.As(err, &broken) || broken.Offset < 0 || broken.Offset > int64(len(in))+chunkSize || broken.Reason == "" {
					t.Fatalf("error %v", err)
				}
				continue
			}
			size += len(rec.JSON)
			if !json.Valid(rec.JSON) || len(rec.JSON) > 100_000 || bytes.IndexByte(rec.JSON, '\n') >= 0 || rec.Offset >= int64(len(in)) {
				t.Fatalf("record at %d: %q", rec.Offset, rec.JSON)
			}
		}
		if size > (1<<20)*(1+len(in)/chunkSize) {
			t.Fatalf("%d bytes of JSON from %d", size, len(in))
		}
	})
}

// BenchmarkReader reads a log of four chunks as Windows writes them.
func BenchmarkReader(b *testing.B) {
	const process, parent = "{9f85ce58-5a6a-5f2b-a900-000000000400}", "{9f85ce58-59dc-5f2b-1000-000000000400}"
	flats := make([]map[string]any, 150)
	for i := range flats {
		flats[i] = map[string]any{
			"SourceName": "Microsoft-Windows-Sysmon", "ProviderGuid": "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}",
			"Channel": "Microsoft-Windows-Sysmon/Operational", "Hostname": "WORKSTATION5.example", "UserID": "S-1-5-18",
			"EventID": json.Number("1"), "Version": json.Number("5"), "Level": json.Number("4"), "Task": json.Number("1"),
			"OpcodeValue": json.Number("0"), "ExecutionProcessID": json.Number("3888"), "ThreadID": json.Number("4208"), "Keywords": "0x8000000000000000",
			"RuleName": "-", "UtcTime": "2020-08-07 14:32:22.692", "ProcessGuid": process, "ProcessId": fmt.Sprint(1000 + i),
			"Image": `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, "FileVersion": "10.0.18362.1 (WinBuild.160101.0800)",
			"Description": "Windows PowerShell", "Product": "Microsoft® Windows® Operating System", "Company": "Microsoft Corporation",
			"OriginalFileName": "PowerShell.EXE", "CommandLine": `powershell.exe -NoProfile -Command "Get-ChildItem C:\Users"`,
			"CurrentDirectory": `C:\Users\someone\`, "User": `EXAMPLE\someone`, "LogonGuid": process, "LogonId": "0x2ba622",
			"TerminalSessionId": "2", "IntegrityLevel": "Medium", "ParentProcessGuid": parent, "ParentProcessId": "3052",
			"Hashes":      "SHA1=6CBCE4A295C163791B60FC23D285E6D84F28EE4C,MD5=7353F60B1739074EB17C5F4DDDEFE239",
			"ParentImage": `C:\Windows\explorer.exe`, "ParentCommandLine": `C:\Windows\Explorer.EXE`,
		}
	}
	data := Log(flats)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, err := range all(data, Limits{}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

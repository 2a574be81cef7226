package evtx

import (
	"bytes"
	"encoding/binary"
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

// TestGolden keeps a file for tests elsewhere: two chunks with three records,
// the second cut off behind its record.
func TestGolden(t *testing.T) {
	const golden = "testdata/three.evtx"
	data, at := three()
	data = data[:at[2]+2048]
	if *update {
		if err := os.WriteFile(golden, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(golden)
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

func TestValues(t *testing.T) {
	array := func(kind byte, parts ...[]byte) val { return val{kind: kind | arrayFlag, data: bytes.Join(parts, nil)} }
	systemTime := []byte{0xe9, 7, 1, 0, 4, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0xa6, 2}
	tests := map[string]struct {
		in   val
		want string
	}{
		"null":                 {val{}, `""`},
		"text":                 {str("日本"), `"日本"`},
		"text ends with NUL":   {str("a\x00\x00"), `"a"`},
		"empty text":           {str(""), `""`},
		"half a surrogate":     {val{kind: typeString, data: []byte{0x3d, 0xd8, 0x61, 0}}, "\"\ufffda\""},
		"ansi":                 {val{kind: typeANSI, data: []byte("abc\x00")}, `"abc"`},
		"ansi, code page 1252": {val{kind: typeANSI, data: []byte{'a', 0x80, 0xe9}}, `"a€é"`},
		"int8":                 {integerOf(typeInt8, 0xff, 1), `-1`},
		"uint8":                {integerOf(typeUint8, 0xff, 1), `255`},
		"int16":                {integerOf(typeInt16, 0x8000, 2), `-32768`},
		"uint16":               {integerOf(typeUint16, 0x8000, 2), `32768`},
		"int32":                {integerOf(typeInt32, 0xfffffffe, 4), `-2`},
		"uint32":               {integerOf(typeUint32, 0xfffffffe, 4), `4294967294`},
		"int64":                {integerOf(typeInt64, 1<<64-3, 8), `-3`},
		"uint64":               {integerOf(typeUint64, 1<<64-3, 8), `18446744073709551613`},
		"integer of no length": {val{kind: typeUint32}, `""`},
		"real32":               {real32(1.5), `1.5`},
		"real64":               {real64(-0.25), `-0.25`},
		"real of odd length":   {val{kind: typeReal32, data: []byte{0xab}}, `"AB"`},
		"infinity":             {real64(inf()), `"1.#INF"`},
		"true":                 {integerOf(typeBool, 1, 4), `true`},
		"false":                {integerOf(typeBool, 0, 4), `false`},
		"binary":               {val{kind: typeBinary, data: []byte{0x4d, 0x5a, 0xff}}, `"4D5AFF"`},
		"guid":                 {val{kind: typeGUID, data: guid}, `"{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"`},
		"half a guid":          {val{kind: typeGUID, data: guid[:4]}, `"5F387057"`},
		"size":                 {integerOf(typeSize, 0x1000, 8), `"0x1000"`},
		"filetime":             {integerOf(typeFileTime, 133_801_250_451_234_567, 8), `"2024-12-31T13:24:05.1234567Z"`},
		"filetime of nothing":  {integerOf(typeFileTime, 0, 8), `"1601-01-01T00:00:00.0000000Z"`},
		"systemtime":           {val{kind: typeSysTime, data: systemTime}, `"2025-01-02T03:04:05.678Z"`},
		"sid":                  {val{kind: typeSID, data: sid(21, 3461203602, 1000)}, `"S-1-5-21-3461203602-1000"`},
		"sid cut off":          {val{kind: typeSID, data: sid(21, 1)[:12]}, `"010200000000000515000000"`},
		"hex32":                {integerOf(typeHex32, 0xc000006d, 4), `"0xc000006d"`},
		"hex64":                {integerOf(typeHex64, 0x8020000000000000, 8), `"0x8020000000000000"`},
		"handle":               {val{kind: 0x20, data: []byte{1, 2}}, `"0102"`},
		"xml text":             {val{kind: typeXML, data: utf16Bytes("<a/>")}, `"<a/>"`},
		"array of texts":       {array(typeString, utf16Bytes("a\x00\x00b\x00")[:]), `["a","","b"]`},
		"array of one":         {array(typeString, utf16Bytes("a")), `"a"`},
		"array of none":        {array(typeString), `""`},
		"array of ansi":        {array(typeANSI, []byte("a\x00b")), `["a","b"]`},
		"array of uint16":      {array(typeUint16, []byte{1, 0, 2, 1}), `[1,258]`},
		"array of uint8":       {array(typeUint8, []byte{1, 2}), `[1,2]`},
		"array of bool":        {array(typeBool, []byte{1, 0, 0, 0, 0, 0, 0, 0}), `[true,false]`},
		"array of hex64":       {array(typeHex64, integerOf(0, 17, 8).data, integerOf(0, 1, 8).data), `["0x11","0x1"]`},
		"array of guid":        {array(typeGUID, guid, guid), `["{5770385f-c22a-43e0-bf4c-06f5698ffbd9}","{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"]`},
		"array of sid":         {array(typeSID, sid(18), sid(32, 544)), `["S-1-5-18","S-1-5-32-544"]`},
		"array of systemtime":  {array(typeSysTime, systemTime, systemTime), `["2025-01-02T03:04:05.678Z","2025-01-02T03:04:05.678Z"]`},
		"array of size32":      {array(typeSize, []byte{1, 0, 0, 0}), `"0x1"`},
		"array cut off":        {array(typeUint32, []byte{1, 0, 0, 0, 2, 0}), `[1,2]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := fragmentOf{inst{template: "x", body: el{"Event", nil, []xml{named("v", sub(0))}}, values: []val{tt.in}}}
			got, faults := read(t, one(in), Limits{})
			if want := []string{`{"Event":{"v":` + tt.want + `}}`}; !cmp.Equal(got, want) || len(faults) > 0 {
				t.Errorf("%s, faults %v, want %s", got, faults, want)
			}
		})
	}
}

func inf() float64 {
	zero := 0.0
	return 1 / zero
}

// TestOptional: what an optional substitution leaves out.
func TestOptional(t *testing.T) {
	in := fragmentOf{inst{template: "x", values: []val{{}}, body: el{"Event", []attr{{"a", []xml{opt(0)}}, {"b", []xml{sub(0)}}}, []xml{
		named("optional", opt(0)), named("normal", sub(0)),
	}}}}
	got, faults := read(t, one(in), Limits{})
	if want := []string{`{"Event":{"#attributes":{"b":""},"optional":null,"normal":""}}`}; !cmp.Equal(got, want) || len(faults) > 0 {
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
		"with dependencies": {kind: typeBinXML, nested: dependent{inner}},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults := read(t, one(event(v)), Limits{})
			if want := []string{`{"Event":{"UserData":{"x":{"y":"1"}}}}`}; !cmp.Equal(got, want) || len(faults) > 0 {
				t.Errorf("%s, faults %v, want %s", got, faults, want)
			}
		})
	}
}

// dependent writes XML with dependency identifiers where there should be none.
type dependent struct{ xml }

func (d dependent) write(w *chunkWriter) {
	w.dependencies = true
	d.xml.write(w)
}

// three returns a file of two chunks with three records, and where the records
// are in it.
func three() (data []byte, at [3]int) {
	a, b := newChunk(), newChunk()
	at[0] = fileHeaderSize + a.record(1, sysmon(1, "1", ""))
	at[1] = fileHeaderSize + a.record(2, sysmon(2, "2", ""))
	at[2] = fileHeaderSize + chunkSize + b.record(3, sysmon(3, "3", ""))
	return file(a.chunk(), b.chunk()), at
}

// TestDamage: what is damaged is named, and the rest is read.
func TestDamage(t *testing.T) {
	put := binary.LittleEndian.PutUint32
	tests := map[string]struct {
		damage func(data []byte, at [3]int) []byte
		images string   // of the records that are left
		faults []string // each in the fault of its rank
	}{
		"none":               {func(d []byte, _ [3]int) []byte { return d }, "123", nil},
		"unused chunk":       {func(d []byte, _ [3]int) []byte { return append(d, make([]byte, chunkSize)...) }, "123", nil},
		"not a log":          {func([]byte, [3]int) []byte { return []byte("hello") }, "", []string{"file header, byte 0: this is no event log file"}},
		"nothing":            {func([]byte, [3]int) []byte { return nil }, "", []string{"signature is missing"}},
		"cut in its header":  {func(d []byte, _ [3]int) []byte { return d[:1000] }, "", []string{"byte 1000: the file ends within its header"}},
		"cut in a chunk":     {func(d []byte, at [3]int) []byte { return d[:at[1]+100] }, "1", []string{"chunk 0, byte", "a record's size is wrong"}},
		"cut between chunks": {func(d []byte, _ [3]int) []byte { return d[:fileHeaderSize+chunkSize+100] }, "12", []string{"chunk 1, byte 69732: the file ends within the header of this chunk"}},
		"file checksum":      {func(d []byte, _ [3]int) []byte { d[30] ^= 1; return d }, "123", []string{"the checksum of the file header is wrong"}},
		"chunk checksum":     {func(d []byte, _ [3]int) []byte { d[fileHeaderSize+9] ^= 1; return d }, "123", []string{"chunk 0, byte 4220: the checksum of this chunk's header"}},
		"records checksum": {
			func(d []byte, at [3]int) []byte { d[at[0]+9] ^= 1; return d }, "123",
			[]string{"chunk 0, byte 4148: the checksum of this chunk's records"},
		},
		"checksums that need not hold": {func(d []byte, at [3]int) []byte {
			d[at[0]+9] ^= 1
			d[fileHeaderSize+chunkFlagsAt] = chunkNoCRC
			return d
		}, "123", nil},
		"chunk signature": {func(d []byte, _ [3]int) []byte { d[fileHeaderSize] ^= 1; return d }, "3", []string{"chunk 0, byte 4096: this is no chunk"}},
		"record signature": {
			func(d []byte, at [3]int) []byte { d[at[0]] ^= 1; return dirty(d) }, "23",
			[]string{fmt.Sprintf("chunk 0, byte %d: a record has no signature", fileHeaderSize+chunkHeaderSize)},
		},
		"size of a record": {
			func(d []byte, at [3]int) []byte { put(d[at[1]+4:], 1<<31); return dirty(d) }, "13",
			[]string{"a record's size is wrong"},
		},
		"copy of the size": {
			func(d []byte, at [3]int) []byte { put(d[at[1]-4:], 0); return dirty(d) }, "23",
			[]string{"a record's size differs from its copy at the end"},
		},
		"free space": {func(d []byte, _ [3]int) []byte {
			put(d[fileHeaderSize+freeSpaceAt:], 1<<30)
			return dirty(d)
		}, "123", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data, at := three()
			got, faults := read(t, tt.damage(data, at), Limits{})
			images := ""
			for _, r := range got {
				_, after, _ := strings.Cut(r, `"Image":"`)
				images += after[:1]
			}
			if images != tt.images || len(faults) != len(tt.faults) {
				t.Fatalf("records %q, want %q, faults %q", images, tt.images, faults)
			}
			for i, want := range tt.faults {
				if !strings.Contains(faults[i], want) {
					t.Errorf("fault %d is %q, want %q", i, faults[i], want)
				}
			}
		})
	}
}

// dirty marks a file as one whose checksums need not hold.
func dirty(data []byte) []byte {
	data[fileFlagsAt] = fileDirty
	return data
}

// TestHostile: files that would cost much to read do not.
func TestHostile(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	deep := xml(text("x"))
	for range 40 {
		deep = el{"e", nil, []xml{deep}}
	}
	wide := el{"e", nil, nil}
	for range 1000 {
		wide.children = append(wide.children, sub(0), sub(0))
	}
	tests := map[string]struct {
		file  []byte
		fault string
	}{
		"nested too deep":           {one(fragmentOf{deep}), "elements are nested too deep"},
		"one value many times":      {one(fragmentOf{inst{template: "x", body: wide, values: []val{str(long)}}}), tooLarge},
		"template that is its own":  {selfish(), "nested too deep"},
		"value that is not there":   {one(fragmentOf{inst{template: "x", body: el{"e", nil, []xml{sub(7)}}}}), "does not have"},
		"unknown token":             {one(raw{0x30}), "an unknown token"},
		"nothing in it":             {one(fragmentOf{}), "a record is empty"},
		"name outside":              {one(raw{tokenOpenStart, 0xff, 0xff, 9, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}), "a name lies outside"},
		"template outside":          {one(raw{tokenTemplate, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}), "a template lies outside"},
		"more values than room":     {one(crowded), "more values than"},
		"start tag without end":     {one(fragmentOf{raw{tokenOpenStart, 0xff, 0xff, 9, 0, 0, 0, 8, 0, 0, 0, 0x30}}), ""},
		"text goes beyond its size": {one(fragmentOf{el{"e", nil, []xml{raw{tokenValue, 1, 0xff, 0x7f}}}}), "a text goes beyond"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, faults := read(t, tt.file, Limits{})
			if len(got) != 0 || len(faults) != 1 || !strings.Contains(faults[0], tt.fault) || !strings.Contains(faults[0], "chunk 0, byte ") {
				t.Errorf("%d records, faults %q, want %q", len(got), faults, tt.fault)
			}
		})
	}
}

// raw is bytes as they are.
type raw []byte

func (r raw) write(w *chunkWriter) { w.bytes(r...) }

// crowded is an instance of an empty template that claims 2³²−1 values. The
// template stands where its offset says, behind it: at 546 in the chunk.
var crowded = append(append(raw{tokenTemplate, 1, 0, 0, 0, 0, 0x22, 2, 0, 0}, make([]byte, 20)...), 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)

// selfish has a template that has an instance of itself in it, twice.
func selfish() []byte {
	w := newChunk()
	w.templates["self"] = chunkHeaderSize + 24 + 4 + 10 // where the one below will stand
	self := inst{template: "self"}
	w.record(1, fragmentOf{inst{template: "outer", body: el{"e", nil, []xml{self, self}}}})
	return file(w.chunk())
}

// TestChunkLimit: many small records that refer to one large template do not
// become a flood.
func TestChunkLimit(t *testing.T) {
	w := newChunk()
	body := el{"e", nil, []xml{text(strings.Repeat("x", 10_000))}}
	for id := range uint64(500) {
		w.record(id, fragmentOf{inst{template: "x", body: body}})
	}
	whole, faults := read(t, file(w.chunk()), Limits{})
	if len(whole) != 500 || len(faults) > 0 {
		t.Fatalf("%d records, faults %v", len(whole), faults)
	}
	got, faults := read(t, file(w.chunk(), w.chunk()), Limits{MaxRecord: 50_000, MaxChunk: 1_000_000})
	if len(got) < 90 || len(got) > 100 || len(faults) != 2 || !strings.Contains(faults[0], "passed over") {
		t.Errorf("%d records, faults %v", len(got), faults)
	}
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

func BenchmarkReader(b *testing.B) {
	w := newChunk()
	for id := uint64(1); len(w.buf) < chunkSize-1000; id++ {
		w.record(id, sysmon(1, `C:\Windows\System32\cmd.exe`, `cmd.exe /c whoami /all`))
	}
	data := file(w.chunk(), w.chunk(), w.chunk(), w.chunk())
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

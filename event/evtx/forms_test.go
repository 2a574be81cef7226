package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/aspis-platform/aspis/event"
	"github.com/google/go-cmp/cmp"
)

// Forms that Windows' logs have beside the common one, written byte by byte
// where the writer knows the common one only.

// TestPlaces: names and templates may stand anywhere in the chunk.
func TestPlaces(t *testing.T) {
	const record = chunkHeaderSize + 24      // where the XML of the first record begins
	name := func(w *chunkWriter, s string) { // with its link and hash, without its offset
		w.u32(0)
		w.u16(int(nameHash(s)))
		w.text(s)
		w.u16(0)
	}
	tests := map[string]raw{}
	write := func(f func(w *chunkWriter)) raw {
		w := newChunk()
		w.buf = make([]byte, record)
		f(w)
		return raw(w.buf[record:])
	}
	tests["a name further on"] = write(func(w *chunkWriter) {
		const at = record + 4 + 11 + 1 + 5 + 1 + 1
		w.bytes(tokenFragment, 1, 1, 0)
		w.bytes(tokenOpenStart)
		w.u32(4 + 1 + 5 + 1)
		w.u32(at)
		w.bytes(tokenCloseStart, tokenValue, typeString)
		w.text("x")
		w.bytes(tokenEndElement, tokenEOF)
		w.buf = slices.Grow(w.buf, at)[:at]
		name(w, "Event")
	})
	tests["a template further on"] = write(func(w *chunkWriter) {
		const at = record + 4 + 2 + 4 + 4 + 4 + 1
		w.bytes(tokenFragment, 1, 1, 0, tokenTemplate, 1)
		w.u32(77)
		w.u32(at)
		w.u32(0) // values
		w.bytes(tokenEOF)
		w.buf = append(w.buf, make([]byte, 4+16)...)
		w.inside = true
		w.sized(func() { fragmentOf{el{"Event", nil, []xml{text("x")}}}.write(w) })
	})
	tests["bytes behind the end of a template"] = write(func(w *chunkWriter) {
		w.bytes(tokenFragment, 1, 1, 0, tokenTemplate, 1)
		w.u32(77)
		w.u32(len(w.buf) + 4)
		w.buf = append(w.buf, make([]byte, 4+16)...)
		w.inside = true
		w.sized(func() {
			fragmentOf{el{"Event", nil, []xml{sub(0)}}}.write(w)
			w.bytes(0, 0, 8, 8, 0, 0, 0, 0) // as in [MS-EVEN6] section 4.8
		})
		w.u32(1)
		w.u16(2)
		w.bytes(typeString, 0, 'x', 0, tokenEOF)
	})
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			got, faults := read(t, one(in), Limits{})
			if want := []string{`{"Event":"x"}`}; !cmp.Equal(got, want) || len(faults) > 0 {
				t.Errorf("%s, faults %v, want %s", got, faults, want)
			}
		})
	}
}

// TestEmptyLog: a log of 68 KiB that nothing was written to.
func TestEmptyLog(t *testing.T) {
	c := make([]byte, chunkSize)
	copy(c, chunkSignature)
	for _, at := range []int{8, 24} { // the first records that come
		binary.LittleEndian.PutUint64(c[at:], 1)
		binary.LittleEndian.PutUint64(c[at+8:], 1<<64-1)
	}
	binary.LittleEndian.PutUint32(c[40:], 128)
	binary.LittleEndian.PutUint32(c[freeSpaceAt:], chunkHeaderSize)
	binary.LittleEndian.PutUint32(c[checksumAt:], crc32.ChecksumIEEE(append(c[:headerCRCFirst:headerCRCFirst], c[tablesAt:chunkHeaderSize]...)))
	got, faults := read(t, file(c), Limits{})
	if len(got) > 0 || len(faults) > 0 {
		t.Errorf("records %q, faults %q", got, faults)
	}
}

// TestKindsOfEvents: what the decoder finds in events of other kinds than most.
func TestKindsOfEvents(t *testing.T) {
	system := func(provider string, id int, channel string) xml {
		return el{"System", nil, []xml{
			el{"Provider", []attr{{"Name", []xml{text(provider)}}}, nil},
			el{"EventID", []attr{{"Qualifiers", []xml{sub(0)}}}, []xml{sub(1)}},
			el{"Level", nil, []xml{text("4")}},
			el{"Channel", nil, []xml{text(channel)}},
			el{"Computer", nil, []xml{text("H")}},
		}}
	}
	data := func(list ...xml) xml { return el{"EventData", nil, list} }
	user := func(list ...xml) xml { return el{"UserData", nil, list} }
	array := val{kind: typeString | arrayFlag, data: utf16Bytes("Available\x00None\x00\tHostName=ConsoleHost\r\n\x00")}
	tests := map[string]struct {
		provider string
		id       int
		channel  string
		in       xml
		values   []val
		want     map[string]string
	}{
		"strings without names": {
			"PowerShell", 400, "Windows PowerShell",
			data(el{"Data", nil, []xml{sub(2)}}, dependent{el{"Binary", nil, []xml{opt(3)}}, 3}), []val{array, {}},
			map[string]string{"Data": `["Available","None","\tHostName=ConsoleHost\r\n"]`, "Binary": ""},
		},
		"a service and its bytes": {
			"Service Control Manager", 7036, "System",
			data(named("param1", sub(2)), named("param2", text("running")), dependent{el{"Binary", nil, []xml{opt(3)}}, 3}),
			[]val{str("BITS"), {kind: typeBinary, data: []byte("B\x00")}},
			map[string]string{"param1": "BITS", "Binary": "4200", "EventID_Qualifiers": "16384"},
		},
		"nothing but bytes": {
			"P", 1, "System", data(el{"Binary", nil, []xml{sub(2)}}), []val{{kind: typeBinary, data: []byte{0xab, 0xcd}}},
			map[string]string{"Binary": "ABCD"},
		},
		"a log cleared": {
			"Microsoft-Windows-Eventlog", 1102, "Security",
			user(el{"LogFileCleared", []attr{{"xmlns", []xml{text("m")}}}, []xml{
				el{"SubjectUserSid", nil, []xml{sub(2)}}, el{"SubjectUserName", nil, []xml{text("u")}}, el{"Channel", nil, []xml{text("other")}},
			}}), []val{{kind: typeSID, data: sid(18)}},
			map[string]string{"SubjectUserSid": "S-1-5-18", "SubjectUserName": "u", "Channel": "Security"},
		},
		"a session": {
			"Microsoft-Windows-TerminalServices-LocalSessionManager", 21, "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
			user(el{"EventXML", []attr{{"xmlns:auto-ns2", []xml{text("a")}}, {"xmlns", []xml{text("Event_NS")}}}, []xml{
				el{"User", nil, []xml{sub(2)}}, el{"Address", nil, []xml{text("10.0.0.1")}},
			}}), []val{str(`D\u`)},
			map[string]string{"User": `D\u`, "Address": "10.0.0.1"},
		},
		"an application blocked": {
			"Microsoft-Windows-AppLocker", 8004, "Microsoft-Windows-AppLocker/EXE and DLL",
			user(el{"RuleAndFileData", nil, []xml{el{"FilePath", nil, []xml{sub(2)}}, el{"TargetProcessId", nil, []xml{sub(3)}}}}),
			[]val{str(`%OSDRIVE%\A.EXE`), integerOf(typeUint32, 1234, 4)},
			map[string]string{"FilePath": `%OSDRIVE%\A.EXE`, "TargetProcessId": "1234"},
		},
		"a document printed": {
			"Microsoft-Windows-PrintService", 316, "Microsoft-Windows-PrintService/Admin",
			user(el{"DriverAdded", nil, []xml{el{"Param1", nil, []xml{sub(2)}}}}), []val{str("UNIDRV.DLL, kernelbase.dll")},
			map[string]string{"Param1": "UNIDRV.DLL, kernelbase.dll"},
		},
		"names with spaces": {
			"Microsoft-Windows-Windows Defender", 1116, "Microsoft-Windows-Windows Defender/Operational",
			data(named("Threat Name", sub(2)), named("Source Name", text("System"))), []val{str("Virus:DOS/EICAR_Test_File")},
			map[string]string{"Threat Name": "Virus:DOS/EICAR_Test_File", "ThreatName": "Virus:DOS/EICAR_Test_File"},
		},
		"data of a declared type": {
			"P", 1, "System", data(el{"Data", []attr{{"Name", []xml{text("x")}}, {"Type", []xml{text("win:UnicodeString")}}}, []xml{sub(2)}}),
			[]val{str("v")}, map[string]string{"x": "v"},
		},
		"data with a name of its own": {
			"P", 1, "System", el{"EventData", []attr{{"Name", []xml{text("EVENT_HIVE_LEAK")}}}, []xml{named("Detail", sub(2))}},
			[]val{str("v")}, map[string]string{"Detail": "v"},
		},
		"complex data": {
			"P", 1, "System", data(el{"ComplexData", []attr{{"Name", []xml{text("c")}}}, []xml{named("x", sub(2)), named("y", text("2"))}}),
			[]val{str("1")}, map[string]string{"c.x": "1", "c.y": "2"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			values := append([]val{integerOf(typeUint16, 16384, 2), integerOf(typeUint16, uint64(tt.id), 2)}, tt.values...)
			body := el{"Event", nil, []xml{system(tt.provider, tt.id, tt.channel), tt.in}}
			got, faults := read(t, one(fragmentOf{inst{template: "x", values: values, body: body}}), Limits{})
			if len(got) != 1 || len(faults) > 0 {
				t.Fatalf("%s, faults %v", got, faults)
			}
			e, err := event.Decode([]byte(got[0]), event.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			tt.want["Provider_Name"], tt.want["Level"], tt.want["Computer"] = tt.provider, "4", "H"
			for field, want := range tt.want {
				if v, _ := e.Field(field); v.Text() != want {
					t.Errorf("%s = %q, want %q in %s", field, v.Text(), want, got[0])
				}
			}
		})
	}
}

// TestAroundEvent: what stands beside System and the data.
func TestAroundEvent(t *testing.T) {
	system := el{"System", nil, []xml{el{"Level", nil, []xml{text("0")}}, el{"Channel", nil, []xml{text("Security")}}}}
	in := fragmentOf{el{"Event", nil, []xml{
		system,
		el{"ProcessingErrorData", nil, []xml{el{"ErrorCode", nil, []xml{text("15005")}}, el{"EventPayload", nil, []xml{text("8041")}}}},
		el{"RenderingInfo", []attr{{"Culture", []xml{text("en-US")}}}, []xml{
			el{"Message", nil, []xml{text("m")}}, el{"Level", nil, []xml{text("Information")}}, el{"Channel", nil, []xml{}},
			el{"Keywords", nil, []xml{el{"Keyword", nil, []xml{text("Audit Success")}}}},
		}},
	}}}
	got, faults := read(t, one(in), Limits{})
	want := []string{`{"Event":{"System":{"Level":"0","Channel":"Security"},"ProcessingErrorData":{"ErrorCode":"15005","EventPayload":"8041"},` +
		`"RenderingInfo":{"#attributes":{"Culture":"en-US"},"Message":"m","Level":"Information","Channel":null,"Keywords":{"Keyword":"Audit Success"}}}}`}
	if !cmp.Equal(got, want) || len(faults) > 0 {
		t.Fatalf("%s, faults %v, want %s", got, faults, want)
	}
	e, err := event.Decode([]byte(got[0]), event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"Level": "0", "Channel": "Security"} {
		if v, _ := e.Field(field); v.Text() != want {
			t.Errorf("%s = %q, want %q", field, v.Text(), want)
		}
	}
}

// TestLongLog: of a log of any length the reader holds a chunk.
func TestLongLog(t *testing.T) {
	w := newChunk()
	for id := range uint64(20) {
		w.record(id, sysmon(1, `C:\a.exe`, "a"))
	}
	const chunks = 1000
	sources := []io.Reader{bytes.NewReader(file())}
	for range chunks {
		sources = append(sources, bytes.NewReader(w.chunk()))
	}
	r, n := NewReader(io.MultiReader(sources...), Limits{}), 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, err := r.Next(); !errors.Is(err, io.EOF); _, err = r.Next() {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; n != 20*chunks || spent > chunks*chunkSize/10 {
		t.Errorf("%d records took %d bytes", n, spent)
	}
}

package evtx

import (
	"bytes"
	"encoding/json"
	stdxml "encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// These tests give what our writer writes to two readers that others made,
// libevtx and python-evtx. That they find in it what our reader finds shows that
// writer and reader are of the real format, and not of one that we made up.

const (
	libevtx    = "libevtx"
	pythonEvtx = "python-evtx"
)

// reading is what a reader made of one record.
type reading struct {
	Reader string
	Record uint64
	XML    string
	Error  string
}

// independently reads a file with the other readers, by their name and the
// record's number.
func independently(t *testing.T, data []byte) map[string]map[uint64]reading {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has them
	if err := exec.CommandContext(t.Context(), python, "-c", "import Evtx, pyevtx").Run(); err != nil {
		t.Skip("the packages python3-evtx and python3-libevtx are not installed")
	}
	path := filepath.Join(t.TempDir(), "log.evtx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/readers.py", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[uint64]reading{libevtx: {}, pythonEvtx: {}}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var r reading
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[r.Reader][r.Record] = r
	}
}

// content is what a record says: texts by the path of element or attribute.
type content map[string][]string

func (c content) add(path, text string) { c[path] = append(c[path], canonical(text)) }

// ofXML is the content of an event's XML, in which an attribute without text is
// none.
func ofXML(t *testing.T, text string) content {
	t.Helper()
	c, path, open := content{}, []string{}, []string{}
	for dec := stdxml.NewDecoder(strings.NewReader(text)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return c
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		switch token := token.(type) {
		case stdxml.StartElement:
			name, attrs := token.Name.Local, content{}
			for _, a := range token.Attr {
				switch {
				case a.Value == "", a.Name.Local == "xmlns", a.Name.Space == "xmlns":
				case name == "Data" && a.Name.Local == "Name":
					name = a.Value
				default:
					attrs.add(a.Name.Local, a.Value)
				}
			}
			path, open = append(path, name), append(open, "")
			for name, values := range attrs {
				c.add(strings.Join(path, "/")+"@"+name, values[0])
			}
		case stdxml.CharData:
			if len(open) > 0 {
				open[len(open)-1] += string(token)
			}
		case stdxml.EndElement:
			n := len(path) - 1
			if text := open[n]; strings.TrimSpace(text) != "" {
				c.add(strings.Join(path, "/"), text)
			}
			path, open = path[:n], open[:n]
		}
	}
}

// ofJSON is the content of a record as our reader writes it.
func ofJSON(t *testing.T, text []byte) content {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	c := content{}
	c.walk("", v)
	return c
}

func (c content) walk(path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			switch {
			case name == "#text":
				c.walk(path, member)
			case name == "#attributes":
				for name, value := range member.(map[string]any) {
					c.walk(path+"@"+name, value)
				}
			case path == "":
				c.walk(name, member)
			default:
				c.walk(path+"/"+name, member)
			}
		}
	case []any:
		for _, item := range v {
			c.walk(path, item)
		}
	case string:
		if strings.TrimSpace(v) != "" {
			c.add(path, v)
		}
	case json.Number:
		c.add(path, v.String())
	case bool:
		c.add(path, strconv.FormatBool(v))
	}
}

var (
	hexadecimal = regexp.MustCompile(`^0x0*([0-9a-f]+)$`)
	fraction    = regexp.MustCompile(`^-?[0-9]+\.[0-9]+(e[+-][0-9]+)?$`)
)

// canonical is a text without the liberties that readers take: the case of
// identifiers, digits of numbers, the precision and form of times, ends of lines.
func canonical(text string) string {
	text = strings.ToLower(strings.ReplaceAll(text, "\r\n", "\n"))
	if m := hexadecimal.FindStringSubmatch(text); m != nil {
		return "0x" + m[1]
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && fraction.MatchString(text) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	for _, layout := range []string{"2006-01-02t15:04:05.999999999z", "2006-01-02 15:04:05.999999999"} {
		if when, err := time.Parse(layout, text); err == nil {
			return when.Truncate(100 * time.Microsecond).Format(time.RFC3339Nano)
		}
	}
	return text
}

// Agree compares what the three readers make of a file. Why another reader is
// not asked about a record, unlike says by the record's number.
func Agree(t *testing.T, data []byte, unlike map[uint64]map[string]string) {
	t.Helper()
	others, n := independently(t, data), 0
	for rec, err := range all(data, Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		ours := ofJSON(t, rec.JSON)
		for name, records := range others {
			if unlike[rec.ID][name] != "" {
				continue
			}
			r, ok := records[rec.ID]
			if !ok || r.Error != "" {
				t.Errorf("record %d: %s cannot read it: %s\n%s", rec.ID, name, r.Error, rec.JSON)
				continue
			}
			if diff := cmp.Diff(ofXML(t, r.XML), ours); diff != "" {
				t.Errorf("record %d: -%s +ours\n%s", rec.ID, name, diff)
			}
		}
	}
	if n == 0 || n > max(len(others[libevtx]), len(others[pythonEvtx])) {
		t.Errorf("%d records, others have %d and %d", n, len(others[libevtx]), len(others[pythonEvtx]))
	}
}

// TestIndependentValues: values of every type.
func TestIndependentValues(t *testing.T) {
	array := func(kind byte, parts ...[]byte) val { return val{kind: kind | arrayFlag, data: bytes.Join(parts, nil)} }
	const (
		sign     = "takes the sign bit alone for the sign"
		missing  = "does not know the type"
		decimal  = "writes it in decimal, against the specification"
		encoded  = "writes it in Base64, against the specification"
		astral   = "does not put surrogates together"
		fragment = "writes elements into the text"
		ascii    = "knows no code page"
		millis   = "takes milliseconds for microseconds"
	)
	tests := []struct {
		name                string
		in                  val
		libevtx, pythonEvtx string
	}{
		{"null", val{}, "knows null in optional substitutions only", ""},
		{"text", str("日本 <&> \"q\" 'a'"), "", ""},
		{"text beyond the first plane", str("😀"), astral, ""},
		{"text with NUL", str("a\x00"), "", ""},
		{"ansi", val{kind: typeANSI, data: []byte("abc\x00")}, "", ""},
		{"ansi of code page 1252", val{kind: typeANSI, data: []byte{'a', 0x80, 0xe9}}, "", ascii},
		{"int8", integerOf(typeInt8, 0xff, 1), sign, ""},
		{"int8 above zero", integerOf(typeInt8, 0x7f, 1), "", ""},
		{"uint8", integerOf(typeUint8, 0xff, 1), "", ""},
		{"int16", integerOf(typeInt16, 0xfffe, 2), sign, ""},
		{"uint16", integerOf(typeUint16, 0x8000, 2), "", ""},
		{"int32", integerOf(typeInt32, 0xfffffffe, 4), sign, ""},
		{"uint32", integerOf(typeUint32, 0xfffffffe, 4), "", ""},
		{"int64", integerOf(typeInt64, 1<<64-3, 8), sign, ""},
		{"uint64", integerOf(typeUint64, 1<<64-3, 8), "", ""},
		{"real32", real32(1.5), "", ""},
		{"real64", real64(-0.25), "", ""},
		{"true", integerOf(typeBool, 1, 4), "", ""},
		{"false", integerOf(typeBool, 0, 4), "", ""},
		{"boolean of one byte", integerOf(typeBool, 1, 1), "", ""},
		{"binary", val{kind: typeBinary, data: []byte{0x4d, 0x5a, 0xff}}, "", encoded},
		{"guid", val{kind: typeGUID, data: guid}, "", ""},
		{"size of 64 bits", integerOf(typeSize, 0x1000, 8), decimal, decimal},
		{"filetime", integerOf(typeFileTime, 133_801_250_451_234_567, 8), "", ""},
		{"systemtime", val{kind: typeSysTime, data: []byte{0xe9, 7, 1, 0, 4, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0xa6, 2}}, "", millis},
		{"sid", val{kind: typeSID, data: sid(21, 3461203602, 1000)}, "", ""},
		{"hex32", integerOf(typeHex32, 0xc000006d, 4), "", ""},
		{"hex64", integerOf(typeHex64, 0x8020000000000000, 8), "", ""},
		{"small hex64", integerOf(typeHex64, 0x3e7, 8), "", ""},
		{"texts", array(typeString, utf16Bytes("a\x00\x00b\x00")), "", fragment},
		{"no texts", array(typeString), "", ""},
		{"texts of one byte a character", array(typeANSI, []byte("a\x00b\x00")), "", missing},
		{"array of uint8", array(typeUint8, []byte{1, 2}), "", missing},
		{"array of uint16", array(typeUint16, []byte{1, 0, 2, 1}), "", missing},
		{"array of hex64", array(typeHex64, integerOf(0, 17, 8).data, integerOf(0, 1, 8).data), "", missing},
		{"array of filetime", array(typeFileTime, integerOf(0, 133_801_250_451_234_567, 8).data, integerOf(0, 133_801_250_451_234_567, 8).data), "", missing},
	}
	w, unlike := newChunk(), map[uint64]map[string]string{}
	for i, tt := range tests {
		id := uint64(i + 1)
		unlike[id] = map[string]string{libevtx: tt.libevtx, pythonEvtx: tt.pythonEvtx}
		kind := tt.in.kind
		if kind == typeNull {
			kind = typeString
		}
		w.record(id, fragmentOf{inst{template: tt.name, values: []val{tt.in}, body: el{"Event", nil, []xml{el{"EventData", nil, []xml{
			named("v", typed{tokenSubstitution, 0, kind}),
		}}}}}})
	}
	Agree(t, file(w.chunk()), unlike)
}

// TestIndependentStructures: elements, attributes and templates in all the forms
// that the other readers know.
func TestIndependentStructures(t *testing.T) {
	inner := el{"UserData", nil, []xml{el{"x", nil, []xml{el{"y", nil, []xml{text("1")}}}}}}
	event := func(children ...xml) xml { return fragmentOf{el{"Event", nil, children}} }
	instance := func(name string, values []val, children ...xml) xml {
		return fragmentOf{inst{template: name, values: values, body: el{"Event", nil, children}}}
	}
	const (
		dropped = "leaves out an element of which an optional value is null, but not of what it depends on"
		plain   = "knows no XML here that is not in a template"
		without = "expects a dependency identifier here"
		depends = "does not look at dependency identifiers"
		escaped = "escapes what is escaped"
	)
	tests := []struct {
		name                string
		in                  xml
		libevtx, pythonEvtx string
	}{
		{"an event of Sysmon", sysmon(1, `C:\a.exe`, `a "b" <&> 日本語`), "", ""},
		{"the same templates and names", sysmon(5, `C:\b.exe`, ``), "", ""},
		{"without a template", event(el{"EventData", nil, []xml{named("a", text("b")), el{"Binary", nil, nil}}}), without, plain},
		{"without a template, but with dependency identifiers", with{event(el{"EventData", nil, []xml{named("a", text("b"))}})}, "", plain},
		{"pieces of text", instance("pieces", nil, named("a", text("x"), entityRef("amp"), text("y"))), "", escaped},
		{"an element depends on null", instance("depends", []val{{}, str("b")}, dependent{named("x", text("a")).(el), 0}, dependent{named("y", opt(1)).(el), 1}), depends, depends},
		{"attributes", instance("attributes", []val{integerOf(typeUint16, 16384, 2)}, el{"EventID", []attr{{"Qualifiers", []xml{typed{tokenOptional, 0, typeUint16}}}, {"b", []xml{text("2")}}}, []xml{text("7")}}), "", ""},
		{"optional, there", instance("there", []val{str("v")}, named("a", opt(0))), "", ""},
		{"optional, null", instance("null", []val{{}}, named("a", text("t"), opt(0)), named("b", text("c"))), dropped, ""},
		{"optional attribute, null", instance("attribute", []val{{}}, el{"a", []attr{{"b", []xml{opt(0)}}}, []xml{text("c")}}), "", ""},
		{"an element in a value", instance("element", []val{{kind: typeBinXML, nested: inner}}, typed{tokenOptional, 0, typeBinXML}), "", plain},
		{"a fragment in a value", instance("fragment", []val{{kind: typeBinXML, nested: fragmentOf{inner}}}, typed{tokenOptional, 0, typeBinXML}), without, plain},
		{"a template in a value", instance("template", []val{{kind: typeBinXML, nested: fragmentOf{inst{template: "inner", body: inner}}}}, typed{tokenOptional, 0, typeBinXML}), "", ""},
		{"the same again", instance("template", []val{{kind: typeBinXML, nested: fragmentOf{inst{template: "inner", body: inner}}}}, typed{tokenOptional, 0, typeBinXML}), "", ""},
	}
	w, unlike := newChunk(), map[uint64]map[string]string{}
	for i, tt := range tests {
		id := uint64(i + 1000)
		unlike[id] = map[string]string{libevtx: tt.libevtx, pythonEvtx: tt.pythonEvtx}
		w.record(id, tt.in)
	}
	Agree(t, file(w.chunk()), unlike)
}

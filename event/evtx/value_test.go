package evtx

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
		"array of small bool":  {array(typeBool, []byte{1, 0, 1}), `[true,false,true]`},
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

// TestArrayInText: an array repeats the text around it.
func TestArrayInText(t *testing.T) {
	numbers := val{kind: typeUint8 | arrayFlag, data: []byte{1, 2}}
	none := val{kind: typeString | arrayFlag}
	tests := map[string]struct {
		in   []xml
		want string
	}{
		"around":      {[]xml{text("a"), sub(0), text("b")}, `["a1b","a2b"]`},
		"before":      {[]xml{text("a\""), sub(0)}, `["a\"1","a\"2"]`},
		"behind":      {[]xml{sub(0), text("b")}, `["1b","2b"]`},
		"bare":        {[]xml{sub(0)}, `[1,2]`},
		"empty array": {[]xml{text("a"), sub(1)}, `["a"]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := fragmentOf{inst{template: "x", body: el{"Event", nil, []xml{named("v", tt.in...)}}, values: []val{numbers, none}}}
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

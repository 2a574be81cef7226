package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree turns a node into what encoding/json makes of it, with json.Number.
func tree(t *tape, i uint32) any {
	n := &t.nodes[i]
	switch n.kind {
	case Object:
		m := map[string]any{}
		t.each(i, func(c uint32) bool {
			m[t.key(&t.nodes[c])] = tree(t, c)
			return true
		})
		return m
	case List:
		l := []any{}
		t.each(i, func(c uint32) bool {
			l = append(l, tree(t, c))
			return true
		})
		return l
	case String:
		return t.body(n)
	case Number:
		return json.Number(t.body(n))
	case Bool:
		return t.body(n) == "true"
	default:
		return nil
	}
}

// reference is what encoding/json makes of raw.
func reference(raw []byte) (m map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&m)
	return m, err
}

func reason(err error) string {
	var d *DecodeError
	if errors.As(err, &d) {
		return d.Reason
	}
	return ""
}

// agree fails unless the scanner and encoding/json say the same about raw.
func agree(t *testing.T, raw []byte) {
	t.Helper()
	if !isObject(raw) {
		return
	}
	tp, err := scanJSON(raw, Limits{MaxDepth: 200}.withDefaults())
	switch reason(err) {
	case ReasonTooDeep, ReasonTooManyFields, ReasonNotUTF8, ReasonKeyTooLong, ReasonNumberTooLong, ReasonTooLarge:
		return // limits that encoding/json does not have
	}
	valid := json.Valid(raw)
	if (err == nil) != valid {
		t.Fatalf("%q: scan says %v, encoding/json valid=%v", raw, err, valid)
	}
	if err != nil {
		return
	}
	want, refErr := reference(raw)
	if refErr != nil {
		t.Fatalf("%q: scanned, but encoding/json: %v", raw, refErr)
	}
	if diff := cmp.Diff(any(want), tree(tp, 0)); diff != "" {
		t.Fatalf("%q (-encoding/json +scan)\n%s", raw, diff)
	}
}

var jsonCases = []string{
	`{}`, ` { } `, `{"a":1}`, `{"a":-0.5e+10,"b":[],"c":{},"d":null,"e":true,"f":false}`,
	`{"a":"\u00e9\ud83d\ude00\n\\\"\/\b\f\r\t"}`, `{"a":"\ud800x","b":"\udc00\ud800\ud800"}`,
	`{"a":1,"a":2}`, `{"a":{"b":1,"b":{"c":[1,{"d":2,"d":3}]}}}`, `{"\u0061":1,"a":2}`, `{"":1,"":{"":2}}`,
	`{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":+1}`, `{"a":1e}`, `{"a":-}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":[1,]}`,
	`{"a":"x`, `{"a":"\x"}`, `{"a":"\u12g4"}`, "{\"a\":\"\x01\"}", "{\"a\":\"\n\"}", `{"a":tru}`, `{"a":nullx}`, `{"a":1}}`, `{"a":1} x`,
	`{"a":[[[[[[]]]]]]}`, `{"a":"日本語","ключ":"значение"}`, `{"a":123456789012345678901234567890}`, "{\"a\"\t:\r\n1}",
	`{"a":"long enough to take the eight byte path \\ and back again, twice \" over"}`, `{"a":1 "b":2}`, `{`, `{"a":[`,
	`{"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7,"k8":8,"k9":9,"ka":1,"kb":2,"kc":3,"k0":9}`,
	`{"n":{"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7,"k8":8,"k9":9,"ka":1,"kb":2,"kc":3,"k0":9}}`,
}

func TestScanAgreesWithEncodingJSON(t *testing.T) {
	for _, raw := range append(jsonCases, sysmonFlat) {
		agree(t, []byte(raw))
	}
}

func FuzzScan(f *testing.F) {
	for _, raw := range jsonCases {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { agree(t, raw) })
}

func TestDuplicates(t *testing.T) {
	tests := []struct {
		raw  string
		dups int
		want string
	}{
		{`{"a":1,"b":2}`, 0, "1"},
		{`{"a":1,"a":2}`, 1, "2"},
		{`{"a":1,"a":{"x":1,"x":2},"a":3}`, 3, "3"},
		{`{"a":1,"\u0061":2}`, 1, "2"},
	}
	for _, tt := range tests {
		e, err := Decode([]byte(tt.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := e.Field("a"); v.Text() != tt.want || e.Duplicates() != tt.dups {
			t.Errorf("%s: a=%s, %d duplicates; want %s, %d", tt.raw, v.Text(), e.Duplicates(), tt.want, tt.dups)
		}
		e.EachText(func(field, text string) bool {
			if field == "a" && text != tt.want {
				t.Errorf("%s: hidden value %q is seen", tt.raw, text)
			}
			return true
		})
	}
}

func TestRefusals(t *testing.T) {
	lim := Limits{MaxBytes: 2000, MaxDepth: 4, MaxFields: 20}
	tests := map[string]struct {
		raw    string
		reason string
		offset int
	}{
		"empty":            {"", ReasonEmpty, 0},
		"white space":      {" \r\n\t", ReasonEmpty, 0},
		"too large":        {`{"a":"` + strings.Repeat("x", 2000) + `"}`, ReasonTooLarge, 2000},
		"too large text":   {strings.Repeat("x", 2001), ReasonTooLarge, 2000},
		"too deep":         {`{"a":[[[[1]]]]}`, ReasonTooDeep, 8},
		"many fields":      {`{"a":[` + strings.Repeat("1,", 30) + `1]}`, ReasonTooManyFields, 42},
		"many audit pairs": {"type=X msg=audit(1.2:3): " + strings.Repeat("a=b ", 30), ReasonTooManyFields, 0},
		"not utf-8":        {"{\"a\":\"\xff\"}", ReasonNotUTF8, 6},
		"not utf-8 text":   {"x \xc3(", ReasonNotUTF8, 2},
		"surrogate bytes":  {"{\"a\":\"\xed\xa0\x80\"}", ReasonNotUTF8, 6},
		"nul in string":    {"{\"a\":\"x\x00\"}", ReasonControlChar, 7},
		"nul in text":      {"a\x00b", ReasonControlChar, 1},
		"raw newline":      {"{\"a\":\"x\ny\"}", ReasonControlChar, 7},
		"cut off":          {`{"a":1`, ReasonBadJSON, 6},
		"bad escape":       {`{"a":"\q"}`, ReasonBadJSON, 6},
		"list":             {`[{"a":1}]`, ReasonNotObject, 0},
		"scalar":           {`"text"`, ReasonNotObject, 0},
		"number":           {` 12 `, ReasonNotObject, 0},
		"null":             {`null`, ReasonNotObject, 0},
		"trailing":         {`{"a":1} {"b":2}`, ReasonTrailing, 8},
		"huge number":      {`{"a":1` + strings.Repeat("0", 600) + `}`, ReasonNumberTooLong, 5},
	}
	d := NewDecoder(lim)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(tt.raw), lim)
			var got *DecodeError
			if !errors.As(err, &got) || got.Reason != tt.reason || got.Offset != tt.offset {
				t.Errorf("got %v, want %s at %d", err, tt.reason, tt.offset)
			}
			if check := d.Check([]byte(tt.raw)); reason(check) != tt.reason {
				t.Errorf("Check says %v", check)
			}
		})
	}
}

// TestHugeNumbersStayText: a literal beyond float64 is a value like any other.
func TestHugeNumbersStayText(t *testing.T) {
	e, err := Decode([]byte(`{"a":1e999,"b":18446744073709551616,"c":"12.5","d":"0x10","e":"x"}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		field, text string
		number      float64
		ok          bool
	}{
		{"a", "1e999", 0, false}, {"b", "18446744073709551616", 18446744073709551616, true},
		{"c", "12.5", 12.5, true}, {"d", "0x10", 0, false}, {"e", "x", 0, false},
	}
	for _, tt := range tests {
		v, _ := e.Field(tt.field)
		n, ok := v.Number()
		if v.Text() != tt.text || ok != tt.ok || ok && n != tt.number {
			t.Errorf("%s: %q, %v, %v", tt.field, v.Text(), n, ok)
		}
	}
}

// TestDecoderReuse: a reused decoder says the same as a fresh one, whatever it
// read before.
func TestDecoderReuse(t *testing.T) {
	records := append([]string{sysmonFlat}, jsonCases...)
	for _, c := range dialectCases {
		records = append(records, c.raw)
	}
	d := NewDecoder(Limits{})
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		raw := []byte(records[rng.IntN(len(records))])
		fresh, freshErr := Decode(raw, Limits{})
		reused, err := d.Decode(raw)
		if fmt.Sprint(err) != fmt.Sprint(freshErr) {
			t.Fatalf("%s: %v, fresh %v", raw, err, freshErr)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(summary(fresh), summary(reused)); diff != "" {
			t.Fatalf("%s (-fresh +reused)\n%s", raw, diff)
		}
	}
}

// summary is all that an event says, in text.
func summary(e *Event) []string {
	when, ok := e.Time()
	out := []string{fmt.Sprint(e.Dialect(), e.Logsource(), when, ok, e.Duplicates())}
	e.EachText(func(field, text string) bool {
		v, found := e.Field(field)
		out = append(out, fmt.Sprintf("%s=%q %v %q", strings.Clone(field), text, found, v.Text()))
		return true
	})
	for _, o := range e.Observables() {
		out = append(out, fmt.Sprint(o.Kind, o.Value, o.Field))
	}
	return out
}

func TestValues(t *testing.T) {
	list := ListValue(StringValue("a\"\n"), NumberValue("1.50"), NumberValue("bad"), NullValue(), BoolValue(true), ListValue(StringValue("b")))
	var got []string
	list.Each(func(v Value) bool {
		got = append(got, fmt.Sprint(v.Kind(), v.Text()))
		return true
	})
	want := []string{"4a\"\n", "31.50", "4bad", "1", "2true", `5["b"]`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if list.Kind() != List || list.Len() != 6 || StringValue("x").Len() != 1 || NullValue().Len() != 0 || (Value{}).Len() != 0 {
		t.Error("lengths")
	}
}

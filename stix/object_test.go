package stix

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sameJSON compares two JSON texts as values, with numbers as they are written.
func sameJSON(t testing.TB, a, b []byte) string {
	t.Helper()
	return cmp.Diff(anyJSON(t, a), anyJSON(t, b))
}

func anyJSON(t testing.TB, data []byte) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %.200s", err, data)
	}
	return v
}

func TestEmittedObjectsAreValidAndRoundTrip(t *testing.T) {
	for _, o := range emitted(t) {
		if err := Validate(o); err != nil {
			t.Error(err)
		}
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeObject(raw, DefaultLimits())
		if err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		if diff := cmp.Diff(o, back); diff != "" {
			t.Errorf("%s changed:\n%s", o.Head().ID, diff)
		}
	}
}

func TestDecodeKeepsEverything(t *testing.T) {
	const id = `"id":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"`
	for _, text := range []string{
		`{"type":"identity","spec_version":"2.1",` + id + `,"created":"2017-06-01T00:00:00.000Z","modified":"2025-03-19T15:00:40.85Z",
		  "name":"","description":"","revoked":false,"confidence":0,"sectors":[],"labels":["a"],"x_acme":{"b":[1.50,null,"\u003c"]},"Name":"other case"}`,
		`{"type":"x-acme-thing","id":"x-acme-thing--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","count":123456789012345678901234567890,"external_references":[{"source_name":"s","x_more":true,"url":""}]}`,
		`{"type":"file","id":"file--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","size":0,"name":"","hashes":{},"extensions":{"ntfs-ext":{"sid":"1"}},"defanged":false}`,
	} {
		o, err := DecodeObject([]byte(text), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := sameJSON(t, []byte(text), raw); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTypedFieldWinsOverExtra(t *testing.T) {
	o, err := DecodeObject([]byte(`{"type":"identity","id":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","name":"","revoked":false}`), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	o.Head().Revoked = true
	raw, err := json.Marshal(o)
	want := `{"type":"identity","id":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","revoked":true,"name":""}`
	if err != nil || string(raw) != want {
		t.Errorf("got %s, %v", raw, err)
	}
}

func TestDecodeNamesThePath(t *testing.T) {
	bundle := func(object string) string {
		return `{"type":"bundle","id":"bundle--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","objects":[` + object + `]}`
	}
	const head = `"type":"report","id":"report--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"`
	for _, tt := range []struct{ object, path, reason string }{
		{`5`, "objects[0]", "JSON object"},
		{`{}`, "objects[0].type", "object type"},
		{`{"type":"Report"}`, "objects[0].type", "object type"},
		{`{"type":"report"}`, "objects[0].id", "identifier of type report"},
		{`{"type":"report","id":"note--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"}`, "objects[0].id", "of type report"},
		{`{` + head + `,"Type":"note"}`, "objects[0].type", "once"},
		{`{` + head + `,"name":5}`, "objects[0].name", "must be a string"},
		{`{` + head + `,"name":null}`, "objects[0].name", "null"},
		{`{` + head + `,"labels":["a",null]}`, "objects[0].labels[1]", "null"},
		{`{` + head + `,"labels":"a"}`, "objects[0].labels", "list of strings"},
		{`{` + head + `,"revoked":"yes"}`, "objects[0].revoked", "true or false"},
		{`{` + head + `,"confidence":1.5}`, "objects[0].confidence", "an integer"},
		{`{` + head + `,"published":"2026-01-01"}`, "objects[0].published", "RFC 3339"},
		{`{` + head + `,"published":5}`, "objects[0].published", "must be a string"},
		{`{` + head + `,"object_refs":["x"]}`, "objects[0].object_refs[0]", `no "--"`},
		{`{` + head + `,"external_references":[{},{"url":1}]}`, "objects[0].external_references[1].url", "a string"},
		{`{` + head + `,"external_references":{}}`, "objects[0].external_references", "a list"},
		{`{` + head + `,"extensions":[]}`, "objects[0].extensions", "right shape"},
	} {
		b, err := DecodeBundle([]byte(bundle(tt.object)), DefaultLimits())
		var bad *PropertyError
		if !errors.As(err, &bad) || bad.Path != tt.path || !strings.Contains(bad.Reason, tt.reason) {
			t.Errorf("%s: got %v, want %s: %s", tt.object, err, tt.path, tt.reason)
		}
		if b == nil || len(b.Objects) != 0 {
			t.Errorf("%s: the bundle of the others must come back", tt.object)
		}
	}
}

func TestDecodeBundleKeepsTheGoodObjects(t *testing.T) {
	text := `{"type":"bundle","id":"bundle--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","x_source":"s","objects":[
		{"type":"note"}, {"type":"ipv4-addr","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"198.51.100.3"}, 7]}`
	b, err := DecodeBundle([]byte(text), DefaultLimits())
	var bad *BadObjects
	if !errors.As(err, &bad) || len(bad.Errors) != 2 || b == nil || len(b.Objects) != 1 {
		t.Fatalf("got %v, %v", b, err)
	}
	if string(b.Extra["x_source"]) != `"s"` {
		t.Errorf("the bundle lost its property: %v", b.Extra)
	}
}

func TestDecodeRefuses(t *testing.T) {
	small := Limits{Bytes: 400, Depth: 4, Objects: 1, Values: 30}
	const head = `{"type":"bundle","id":"bundle--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"`
	for _, tt := range []struct {
		name, text, reason string
		limit              bool
	}{
		{"too long", head + strings.Repeat(" ", 400) + "}", "401", true},
		{"too deep", head + `,"x_a":` + strings.Repeat("[", 5) + strings.Repeat("]", 5) + "}", "deeper", true},
		{"very deep", strings.Repeat("[", 399), "deeper", true},
		{"too many values", head + `,"x_a":[` + strings.Repeat("1,", 40) + "1]}", "30 values", true},
		{"too many objects", head + `,"objects":[{},{}]}`, "2 objects", true},
		{"not UTF-8", head + ",\"x_a\":\"\xff\"}", "UTF-8", false},
		{"not JSON", head, "not JSON", false},
		{"two values", head + "} {}", "more than one", false},
		{"name twice", head + `,"x_a":{"b":1,"b":2}}`, `"b" given twice`, false},
		{"no bundle", `{"type":"note","id":"note--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"}`, "those of a bundle", false},
		{"a list", `[]`, "JSON object", false},
		{"null", `null`, "JSON object", false},
		{"objects is no list", head + `,"objects":{}}`, "objects", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.text
			if tt.name == "too long" {
				text = text[:401]
			}
			b, err := DecodeBundle([]byte(text), small)
			if b != nil || err == nil || !strings.Contains(err.Error(), tt.reason) || errors.Is(err, ErrLimit) != tt.limit {
				t.Errorf("got %v, %v, want %q", b, err, tt.reason)
			}
		})
	}
	if _, err := ReadBundle(strings.NewReader(strings.Repeat(" ", 1000)), small); !errors.Is(err, ErrLimit) {
		t.Errorf("ReadBundle: %v", err)
	}
}

func TestNewBundleTakesAVersionOnce(t *testing.T) {
	a := NewIdentity(NewID("identity"), "a", "organization", testTime())
	later := *a
	if err := NextVersion(&later, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := len(NewBundle(a, a, &later, TLPRed.Marking(), TLPRed.Marking()).Objects); got != 3 {
		t.Errorf("%d objects, want 3", got)
	}
	raw, err := json.Marshal(NewBundle())
	if err != nil || strings.Contains(string(raw), "objects") {
		t.Errorf("an empty bundle has no objects property: %s, %v", raw, err)
	}
}

func TestVersions(t *testing.T) {
	o := NewIdentity(NewID("identity"), "a", "organization", testTime())
	now := testTime().Time().Add(-time.Hour) // a clock that went back
	prev := *o
	if err := NextVersion(o, now); err != nil {
		t.Fatal(err)
	}
	if got := o.Modified.String(); got != "2026-03-04T05:06:07.009Z" {
		t.Errorf("modified = %s", got)
	}
	if err := CheckVersion(&prev, o); err != nil {
		t.Error(err)
	}
	if err := CheckVersion(o, &prev); !errors.Is(err, ErrVersion) {
		t.Errorf("backwards: %v", err)
	}
	if err := Revoke(o, time.Date(2027, 1, 1, 0, 0, 0, 1999, time.UTC)); err != nil || !o.Revoked || o.Modified.String() != "2027-01-01T00:00:00.000Z" {
		t.Errorf("revoke: %v, %s", err, o.Modified)
	}
	if err := NextVersion(o, time.Now()); !errors.Is(err, ErrVersion) {
		t.Errorf("after revoke: %v", err)
	}
	if err := NextVersion(TLPRed.Marking(), time.Now()); !errors.Is(err, ErrVersion) {
		t.Errorf("a marking: %v", err)
	}
	for name, change := range map[string]func(*Identity){
		"id":             func(i *Identity) { i.ID = NewID("identity") },
		"created_by_ref": func(i *Identity) { i.CreatedByRef = NewID("identity") },
		"created":        func(i *Identity) { i.Created = i.Modified },
	} {
		next := prev
		if err := NextVersion(&next, time.Now()); err != nil {
			t.Fatal(err)
		}
		change(&next)
		if err := CheckVersion(&prev, &next); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMarkings(t *testing.T) {
	for tlp := TLPClear; tlp <= TLPRed; tlp++ {
		if got, ok := ParseTLP(tlp.String()); !ok || got != tlp {
			t.Errorf("%s came back as %s", tlp, got)
		}
		if got := TLPOf([]ID{tlp.ID()}); got != tlp {
			t.Errorf("TLPOf(%s) = %s", tlp, got)
		}
	}
	for pap := PAPClear; pap <= PAPRed; pap++ {
		if got, ok := ParsePAP(pap.String()); !ok || got != pap || PAPOf([]ID{pap.ID()}) != pap {
			t.Errorf("%s came back as %s", pap, got)
		}
	}
	if got := TLPOf([]ID{TLPGreen.ID(), TLPAmberStrict.ID(), TLPClear.ID()}); got != TLPAmberStrict {
		t.Errorf("the strictest is %s", got)
	}
	if got := TLPOf([]ID{"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"}); got != TLPAmber {
		t.Errorf("TLP 1.0 amber is read as %q", got)
	}
	if TLPOf(nil) != TLPNone || TLPNone.String() != "" || TLPNone.ID() != "" || TLPNone.Marking() != nil || TLP(9).String() != "" {
		t.Error("no label must stay no label")
	}
	for in, want := range map[string]TLP{"tlp:white": TLPClear, " Amber+Strict ": TLPAmberStrict, "x": TLPNone, "": TLPNone} {
		if got, ok := ParseTLP(in); got != want || ok != (want != TLPNone) {
			t.Errorf("ParseTLP(%q) = %s, %v", in, got, ok)
		}
	}
	want := `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",` +
		`"created":"2022-10-01T00:00:00.000Z","extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":` +
		`{"extension_type":"property-extension","tlp_2_0":"amber+strict"}},"name":"TLP:AMBER+STRICT"}`
	if raw, err := json.Marshal(TLPAmberStrict.Marking()); err != nil || string(raw) != want {
		t.Errorf("got  %s, %v\nwant %s", raw, err, want)
	}
}

func TestTranslate(t *testing.T) {
	report := NewReport(NewID("report"), NewID("identity"), "標題", testTime(), NewID("indicator"))
	report.ObjectMarkingRefs = []ID{TLPGreen.ID()}
	lc, err := Translate(NewID("language-content"), report, "en", map[string]string{"name": "Title <1>"})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := lc.Text("en", "name"); !ok || got != "Title <1>" {
		t.Errorf("Text = %q, %v", got, ok)
	}
	if _, ok := lc.Text("fr", "name"); ok {
		t.Error("there is no French")
	}
	if lc.ObjectRef != report.ID || !lc.ObjectModified.Equal(report.Modified) || TLPOf(lc.ObjectMarkingRefs) != TLPGreen || lc.CreatedByRef != report.CreatedByRef {
		t.Errorf("the translation does not follow its object: %+v", lc)
	}
}

package stix

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseID(t *testing.T) {
	const u = "--ff26c055-6336-5bc5-b98d-13d6226742dd"
	for _, tt := range []struct {
		in string
		ok bool
	}{
		{"ipv4-addr" + u, true},
		{"url" + u, true},
		{"x-acme-thing" + u, true},
		{"indicator--FF26C055-6336-5BC5-B98D-13D6226742DD", true},
		{"ip" + u, false},
		{"Indicator" + u, false},
		{"4ipv" + u, false},
		{"a--b" + u, false},
		{"indicator-" + u, false},
		{strings.Repeat("a", 251) + u, false},
		{"indicator--ff26c055-6336-6bc5-b98d-13d6226742dd", false}, // version 6
		{"indicator--ff26c055-6336-5bc5-c98d-13d6226742dd", false}, // other variant
		{"indicator--ff26c05563365bc5b98d13d6226742dd", false},
		{"indicator-ff26c055-6336-5bc5-b98d-13d6226742dd", false},
		{"indicator--gf26c055-6336-5bc5-b98d-13d6226742dd", false},
		{"", false},
	} {
		_, err := ParseID(tt.in)
		if (err == nil) != tt.ok {
			t.Errorf("ParseID(%q) = %v, want ok %v", tt.in, err, tt.ok)
		}
		if err != nil && !errors.Is(err, ErrID) {
			t.Errorf("ParseID(%q) error %v does not wrap ErrID", tt.in, err)
		}
	}
}

func TestNewIDIsValid(t *testing.T) {
	id := NewID("report")
	if _, err := ParseID(string(id)); err != nil || id.Type() != "report" || id == NewID("report") {
		t.Fatalf("NewID gave %q: %v", id, err)
	}
}

func TestNameIDKeepsPartsApart(t *testing.T) {
	ns := ObservableNamespace()
	if NameID(ns, "report", "a", "bc") == NameID(ns, "report", "ab", "c") {
		t.Error("parts run together")
	}
	if got := NameID(ns, "report", "a", "b"); got != MakeID("report", NameUUID(ns, []byte(`["report","a","b"]`))) {
		t.Errorf("%s is not over the canonical array", got)
	}
	if NameID(ns, "report", "a") == NameID(NameUUID(ns, []byte("x")), "report", "a") {
		t.Error("the namespace does not matter")
	}
}

// The first two observables are the examples of STIX 2.1, section 2.9; the others
// were computed with Python's uuid.uuid5 over hand-written canonical JSON. (The
// identifiers in the examples of chapter 6 were never computed from their
// objects.) The UUID is RFC 9562, appendix A.4.
func TestDeterministicIDVectors(t *testing.T) {
	dns := UUID{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	if got := NameUUID(dns, []byte("www.example.com")).String(); got != "2ed6657d-e927-568b-95e1-2665a8aea6a2" {
		t.Errorf("NameUUID = %s", got)
	}
	for _, tt := range []struct{ want, properties string }{
		{"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", `"value":"198.51.100.3"`},
		{"domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7", `"value":"example.com","resolves_to_refs":["ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"]`},
		{"ipv6-addr--85a85a8c-ee99-5722-946d-3c3a3270fc6f", `"value":"2001:0db8:85a3:0000:0000:8a2e:0370:7334"`},
		{"url--47c3cf9a-5027-5bf0-997a-017c7edc7c55", `"value":"https://example.com/research/index.html"`},
		{"email-addr--7165e2a9-671f-585d-b1e1-ca59c671d934", `"value":"john@example.com","display_name":"John Doe"`},
		{"user-account--f94d689e-707d-58c3-b803-c720bb6ed096", `"user_id":"1001","account_login":"jdoe","account_type":"unix","display_name":"John Doe"`},
		{"directory--0a58d0c1-59e6-5afd-8252-dcd3f13e5622", `"path":"C:\\Windows\\System32"`},
		{"mutex--f93fe911-e545-5239-b9b0-597840d0c871", `"name":"__CLEANSWEEP__"`},
		{"mac-addr--757b1725-9903-54f5-a855-1240691d7659", `"value":"d2:fb:49:24:37:18"`},
		{"autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff", `"number":15139,"name":"Slime Industries"`},
		{"file--949eb97a-da1e-5292-8959-03c4249dc9f3", `"hashes":{"SHA-256":"fe90a7e910cb3a4739bed9180e807e93fa70c90f25a8915476f5e4bfbac681db"},"size":25536,"name":"foo.dll"`},
	} {
		typ, _, _ := strings.Cut(tt.want, "--")
		text := `{"type":"` + typ + `","id":"` + typ + `--00000000-0000-4000-8000-000000000000",` + tt.properties + `}`
		o, err := DecodeObject([]byte(text), DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ObservableID(o); err != nil || string(got) != tt.want {
			t.Errorf("ObservableID(%s) = %s, %v, want %s", text, got, err, tt.want)
		}
	}
}

func TestObservableIDPicksOneHash(t *testing.T) {
	md5, sha1 := strings.Repeat("a", 32), strings.Repeat("b", 40)
	id := func(hashes map[string]string, name string) ID {
		t.Helper()
		f, err := NewFile(hashes, name)
		if err != nil {
			t.Fatal(err)
		}
		return f.ID
	}
	if id(map[string]string{"MD5": md5, "SHA-1": sha1}, "") != id(map[string]string{"MD5": md5}, "") {
		t.Error("MD5 must come first")
	}
	if id(map[string]string{"TLSH": "z", "SHA-1": sha1}, "") != id(map[string]string{"SHA-1": sha1}, "") {
		t.Error("SHA-1 must come before unlisted algorithms")
	}
	if id(map[string]string{"MD5": md5}, "a") == id(map[string]string{"MD5": md5}, "b") {
		t.Error("the name must count")
	}
	f := &File{Common: Common{Type: "file"}, MimeType: "x/y"}
	a, errA := ObservableID(f)
	b, errB := ObservableID(f)
	if errA != nil || errB != nil || a == b {
		t.Errorf("an observable without contributing properties must get random ids: %s %s", a, b)
	}
	if _, err := ObservableID(&Report{Common: Common{Type: "report"}}); err == nil {
		t.Error("a report is no observable")
	}
}

// RFC 8785, sections 3.2.2 and 3.2.3 and appendix B.
func TestCanonical(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			"{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
		{`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji","\u0080":"Control","\u00f6":"Latin"}`,
			`{"\r":"Carriage Return","1":"One","` + "\u0080" + `":"Control","ö":"Latin","€":"Euro Sign","😀":"Emoji","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`},
		{`[-0, 1e21, 999999999999999900000, 0.000001, 1e-7, 9007199254740992, 5e-324, -1.7976931348623157e308]`,
			`[0,1e+21,999999999999999900000,0.000001,1e-7,9007199254740992,5e-324,-1.7976931348623157e+308]`},
		{`"\b\t\n\f\r\u000b\u007f"`, "\"\\b\\t\\n\\f\\r\\u000b\u007f\""},
	} {
		got, err := Canonical([]byte(tt.in))
		if err != nil || string(got) != tt.want {
			t.Errorf("Canonical(%s)\n got %s, %v\nwant %s", tt.in, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "{", "1 2", "1e999", "\xff", strings.Repeat("[", 200) + strings.Repeat("]", 200)} {
		if out, err := Canonical([]byte(bad)); err == nil {
			t.Errorf("Canonical(%q) = %s, want an error", bad, out)
		}
	}
}

func TestCanonicalIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, f := rapid.String().Draw(t, "s"), rapid.Float64().Draw(t, "f")
		raw, err := marshal(map[string]any{"z": s, s + "k": f, "a": []any{f, s}})
		if err != nil {
			t.Skip("not JSON")
		}
		once, err := Canonical(raw)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Canonical(once)
		if err != nil || string(once) != string(twice) {
			t.Fatalf("%s became %s: %v", once, twice, err)
		}
	})
}

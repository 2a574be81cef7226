package stix

import (
	"encoding/json"
	"io"
	"os"
	"testing"

	"github.com/ulikunitz/xz"
)

func readICS(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open(dataFolder(t, "intel", "ics-attack-18.1.json.xz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	r, err := xz.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRealATTCKBundleRoundTrips(t *testing.T) {
	data := readICS(t)
	b, err := DecodeBundle(data, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Objects) < 1800 {
		t.Errorf("only %d objects", len(b.Objects))
	}
	out, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := sameJSON(t, data, out); diff != "" {
		t.Errorf("the bundle changed:\n%.2000s", diff)
	}
	for _, o := range b.Objects {
		if err := Validate(o); err != nil {
			t.Error(err)
		}
	}
}

func TestRealMISPObjectsRoundTrip(t *testing.T) {
	raw, err := os.ReadFile(dataFolder(t, "intel", "misp_attributes_to_stix21.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pairs map[string]struct{ STIX json.RawMessage }
	if err := json.Unmarshal(raw, &pairs); err != nil {
		t.Fatal(err)
	}
	objects, patterns := 0, 0
	for name, pair := range pairs {
		for _, part := range listOrOne(t, pair.STIX) {
			objects++
			o, err := DecodeObject(part, DefaultLimits())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			out, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := sameJSON(t, part, out); diff != "" {
				t.Errorf("%s changed:\n%s", name, diff)
			}
			if indicator, ok := o.(*Indicator); ok && indicator.PatternType == "stix" {
				patterns++
				checkPattern(t, indicator.Pattern)
			}
			if err := Validate(o); err != nil {
				t.Logf("%s: not valid by our rules: %v", name, err)
			}
		}
	}
	if objects < 290 || patterns < 70 {
		t.Errorf("only %d objects, %d patterns", objects, patterns)
	}
}

func listOrOne(t *testing.T, raw json.RawMessage) []json.RawMessage {
	t.Helper()
	var parts []json.RawMessage
	if raw[0] != '[' {
		return []json.RawMessage{raw}
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		t.Fatal(err)
	}
	return parts
}

func checkPattern(t *testing.T, text string) {
	t.Helper()
	p, err := ParsePattern(text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	if p.String() != text {
		t.Errorf("%s printed as %s", text, p)
	}
}

func BenchmarkDecodeBundle(b *testing.B) {
	data := readICS(b)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := DecodeBundle(data, DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParsePattern(b *testing.B) {
	for b.Loop() {
		if _, err := ParsePattern("[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']"); err != nil {
			b.Fatal(err)
		}
	}
}

package stix

import (
	"encoding/json"
	"testing"
)

func FuzzDecodeObject(f *testing.F) {
	for _, o := range emitted(f) {
		raw, err := json.Marshal(o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	limits := Limits{Bytes: 1 << 16, Depth: 16, Objects: 10, Values: 1000}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := DecodeObject(data, limits)
		if err != nil {
			return
		}
		_ = Validate(o) // must not panic
		out, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("%s decoded but does not encode: %v", data, err)
		}
		if diff := sameJSON(t, data, out); diff != "" {
			t.Fatalf("%s changed:\n%s", data, diff)
		}
	})
}

func FuzzDecodeBundle(f *testing.F) {
	raw, err := json.Marshal(NewBundle(emitted(f)...))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	limits := Limits{Bytes: 1 << 16, Depth: 16, Objects: 100, Values: 5000}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := DecodeBundle(data, limits)
		if b == nil {
			if err == nil {
				t.Fatal("neither a bundle nor an error")
			}
			return
		}
		if _, err := json.Marshal(b); err != nil {
			t.Fatalf("%s decoded but does not encode: %v", data, err)
		}
	})
}

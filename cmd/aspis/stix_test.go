package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/stix"
)

// stixObject is what the tests read of a STIX object.
type stixObject struct {
	Type, ID, Name, Pattern, Modified string
	Revoked                           bool
	CreatedByRef                      string   `json:"created_by_ref"`
	ObjectMarkingRefs                 []string `json:"object_marking_refs"`

	refs []string // all references to other objects, wherever they stand
	raw  string
}

func readSTIX(t testing.TB, raw []byte) stixObject {
	t.Helper()
	o := stixObject{raw: string(raw)}
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatalf("STIX object %s: %v", raw, err)
	}
	decoded, err := stix.DecodeObject(raw, stix.DefaultLimits())
	if err == nil {
		err = stix.Validate(decoded)
	}
	if err != nil {
		t.Errorf("STIX object %s is not valid: %v", raw, err)
	}
	var any map[string]any
	if err := json.Unmarshal(raw, &any); err != nil {
		t.Fatal(err)
	}
	o.refs = refsOf("", any)
	return o
}

// refsOf finds references by the names of properties (STIX 2.1, section 3.1:
// they end in _ref and _refs).
func refsOf(name string, v any) []string {
	switch v := v.(type) {
	case map[string]any:
		var all []string
		for k, value := range v {
			all = append(all, refsOf(k, value)...)
		}
		return all
	case []any:
		var all []string
		for _, value := range v {
			all = append(all, refsOf(name, value)...)
		}
		return all
	case string:
		if strings.HasSuffix(name, "_ref") || strings.HasSuffix(name, "_refs") {
			return []string{v}
		}
	}
	return nil
}

package stix

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reference is one place in an object that names another object.
type Reference struct {
	Path string // like "object_refs[2]"
	ID   ID
}

// References lists every reference in an object, in extensions and custom
// properties too: by the rule of section 3.1 the names of such properties end in
// "_ref" or "_refs". Whoever hides an object from a reader must look at these in
// all objects that the reader does get.
func References(o Object) ([]Reference, error) {
	raw, err := o.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("references: %w", err)
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, fmt.Errorf("references: %w", err)
	}
	var found []Reference
	collectReferences(value, "", false, &found)
	return found, nil
}

// collectReferences walks a JSON value; under is set below a property that holds
// references.
func collectReferences(value any, path string, under bool, found *[]Reference) {
	switch v := value.(type) {
	case string:
		if id, err := ParseID(v); under && err == nil {
			*found = append(*found, Reference{path, id})
		}
	case []any:
		for i, item := range v {
			collectReferences(item, fmt.Sprintf("%s[%d]", path, i), under, found)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			isRef := strings.HasSuffix(name, "_ref") || strings.HasSuffix(name, "_refs")
			collectReferences(v[name], joinPath(path, name), isRef, found)
		}
	}
}

package stix

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// dataFolder is the folder of real input made by others, which is not part of
// the repository.
func dataFolder(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("ASPIS_DATA")
	if root == "" {
		t.Skip("ASPIS_DATA is not set: no real input to test with")
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

const schemaBase = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas/"

// schemas compiles the OASIS schemas by the object type they are named after.
func schemas(t testing.TB) map[string]*jsonschema.Schema {
	t.Helper()
	root := dataFolder(t, "schemas", "stix21", "schemas")
	files, err := filepath.Glob(filepath.Join(root, "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas in %s: %v", root, err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	names := map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		if err := compiler.AddResource(schemaBase+name, doc); err != nil {
			t.Fatal(err)
		}
		names[strings.TrimSuffix(filepath.Base(file), ".json")] = name
	}
	compiled := map[string]*jsonschema.Schema{}
	for typ, name := range names {
		if compiled[typ], err = compiler.Compile(schemaBase + name); err != nil {
			t.Fatal(err)
		}
	}
	return compiled
}

func TestEmittedObjectsFollowTheSchemas(t *testing.T) {
	all := schemas(t)
	objects := emitted(t)
	for _, o := range objects {
		validateBySchema(t, all[o.Head().Type], o)
	}
	revoked := NewIndicator(NewID("indicator"), NewID("identity"), "[url:value = 'x']", testTime())
	if err := Revoke(revoked, testTime().Time()); err != nil {
		t.Fatal(err)
	}
	validateBySchema(t, all["indicator"], revoked)
	// The published bundle schema forgets these two types, which have schemas of
	// their own, and refuses them as custom ones.
	listed := slices.DeleteFunc(objects, func(o Object) bool { return o.Head().Type == "note" || o.Head().Type == "opinion" })
	validateBySchema(t, all["bundle"], NewBundle(listed...))
}

func validateBySchema(t *testing.T, schema *jsonschema.Schema, o json.Marshaler) {
	t.Helper()
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s\n%v", raw, err)
	}
}

// A schema that accepts everything would prove nothing.
func TestSchemasRefuseBrokenObjects(t *testing.T) {
	all := schemas(t)
	for typ, text := range map[string]string{
		"indicator": `{"type":"indicator","spec_version":"2.1","id":"indicator--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","created":"2017-06-01T00:00:00.000Z","modified":"2017-06-01T00:00:00.000Z"}`,
		"ipv4-addr": `{"type":"ipv4-addr","id":"ipv4-addr--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","value":"x"}`,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if all[typ].Validate(value) == nil {
			t.Errorf("the schema accepts %s", text)
		}
	}
}

package stix

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValidateNamesTheProblem(t *testing.T) {
	at := testTime()
	earlier := At(at.Time().Add(-time.Hour))
	ind := func(change func(*Indicator)) Object {
		o := NewIndicator(NewID("indicator"), NewID("identity"), "[url:value = 'x']", at)
		change(o)
		return o
	}
	addr := func(change func(*IPv4Addr)) Object {
		o := &IPv4Addr{Common: Common{Type: "ipv4-addr", ID: NewID("ipv4-addr")}, Value: "192.0.2.1"}
		change(o)
		return o
	}
	sight := func(change func(*Sighting)) Object {
		o := NewSighting(NewID("sighting"), NewID("identity"), NewID("indicator"), at)
		change(o)
		return o
	}
	over := 101
	for _, tt := range []struct {
		path string
		o    Object
	}{
		{"id", ind(func(o *Indicator) { o.ID = "" })},
		{"id", ind(func(o *Indicator) { o.ID = NewID("note") })},
		{"type", ind(func(o *Indicator) { o.Type = "X" })},
		{"spec_version", ind(func(o *Indicator) { o.SpecVersion = "2.0" })},
		{"created", ind(func(o *Indicator) { o.Created = Timestamp{} })},
		{"modified", ind(func(o *Indicator) { o.Modified = earlier })},
		{"modified", ind(func(o *Indicator) { o.Modified, _ = ParseTimestamp("2027-01-01T00:00:00Z") })},
		{"created_by_ref", ind(func(o *Indicator) { o.CreatedByRef = NewID("tool") })},
		{"confidence", ind(func(o *Indicator) { o.Confidence = &over })},
		{"object_marking_refs[0]", ind(func(o *Indicator) { o.ObjectMarkingRefs = []ID{NewID("identity")} })},
		{"external_references[0].source_name", ind(func(o *Indicator) { o.ExternalReferences = []ExternalReference{{URL: "x"}} })},
		{"external_references[0]", ind(func(o *Indicator) { o.ExternalReferences = []ExternalReference{{SourceName: "x"}} })},
		{"granular_markings[0]", ind(func(o *Indicator) { o.GranularMarkings = []GranularMarking{{Selectors: []string{"name"}}} })},
		{"granular_markings[0].selectors", ind(func(o *Indicator) { o.GranularMarkings = []GranularMarking{{Lang: "en"}} })},
		{"extensions.x", ind(func(o *Indicator) { o.Extensions = map[string]json.RawMessage{"x": []byte("{}")} })},
		{"extensions.a-ext", ind(func(o *Indicator) { o.Extensions = map[string]json.RawMessage{"a-ext": []byte("1")} })},
		{"X", ind(func(o *Indicator) { o.Extra = map[string]json.RawMessage{"X": []byte("1")} })},
		{"x_a", ind(func(o *Indicator) { o.Extra = map[string]json.RawMessage{"x_a": []byte("null")} })},
		{"x_a", ind(func(o *Indicator) { o.Extra = map[string]json.RawMessage{"x_a": []byte("[]")} })},
		{"pattern", ind(func(o *Indicator) { o.Pattern = "" })},
		{"pattern", ind(func(o *Indicator) { o.Pattern = "[x" })},
		{"pattern_type", ind(func(o *Indicator) { o.PatternType = "" })},
		{"valid_from", ind(func(o *Indicator) { o.ValidFrom = Timestamp{} })},
		{"valid_until", ind(func(o *Indicator) { o.ValidUntil = o.ValidFrom })},
		{"kill_chain_phases[0].phase_name", ind(func(o *Indicator) { o.KillChainPhases = []KillChainPhase{{KillChainName: "k"}} })},
		{"value", addr(func(o *IPv4Addr) { o.Value = "::1" })},
		{"value", addr(func(o *IPv4Addr) { o.Value = "192.0.2.1/33" })},
		{"created", addr(func(o *IPv4Addr) { o.Created = at })},
		{"created_by_ref", addr(func(o *IPv4Addr) { o.CreatedByRef = NewID("identity") })},
		{"sighting_of_ref", sight(func(o *Sighting) { o.SightingOfRef = "" })},
		{"sighting_of_ref", sight(func(o *Sighting) { o.SightingOfRef = NewID("sighting") })},
		{"last_seen", sight(func(o *Sighting) { o.FirstSeen, o.LastSeen = at, earlier })},
		{"where_sighted_refs[0]", sight(func(o *Sighting) { o.WhereSightedRefs = []ID{NewID("report")} })},
		{"object_refs", NewReport(NewID("report"), "", "n", at)},
		{"object_refs[0]", NewReport(NewID("report"), "", "n", at, "")},
		{"opinion", NewOpinion(NewID("opinion"), "", "maybe", at, NewID("report"))},
		{"content", NewNote(NewID("note"), "", "", at, NewID("report"))},
		{"number_observed", NewObservedData(NewID("observed-data"), "", at, at, 0, at, NewID("url"))},
		{"last_observed", NewObservedData(NewID("observed-data"), "", at, earlier, 1, at, NewID("url"))},
		{"object_refs", NewObservedData(NewID("observed-data"), "", at, at, 1, at)},
		{"relationship_type", NewRelationship(NewID("relationship"), "", "Is", NewID("tool"), NewID("tool"), at)},
		{"target_ref", NewRelationship(NewID("relationship"), "", "is", NewID("tool"), NewID("sighting"), at)},
		{"modified", &MarkingDefinition{Common: newCommon("marking-definition", NewID("marking-definition"), "", at), DefinitionType: "statement", Definition: []byte("{}")}},
		{"definition", &MarkingDefinition{Common: Common{Type: "marking-definition", SpecVersion: "2.1", ID: NewID("marking-definition"), Created: at}, DefinitionType: "statement"}},
		{"contents", &LanguageContent{Common: newCommon("language-content", NewID("language-content"), "", at), ObjectRef: NewID("report")}},
		{"object_ref", &LanguageContent{Common: newCommon("language-content", NewID("language-content"), "", at), ObjectRef: NewID("bundle"), Contents: map[string]map[string]json.RawMessage{"en": {"name": []byte(`"x"`)}}}},
		{"hashes", &File{Common: Common{Type: "file", ID: NewID("file")}}},
		{"hashes.MD5", &File{Common: Common{Type: "file", ID: NewID("file")}, Hashes: map[string]string{"MD5": "xyz"}}},
		{"value", &EmailAddr{Common: Common{Type: "email-addr", ID: NewID("email-addr")}, Value: "a@"}},
		{"user_id", &UserAccount{Common: Common{Type: "user-account", ID: NewID("user-account")}}},
	} {
		var bad *ValidationError
		if err := Validate(tt.o); !errors.As(err, &bad) {
			t.Errorf("%s: %v is no validation error", tt.path, err)
			continue
		}
		if !slices.ContainsFunc(bad.Problems, func(p *PropertyError) bool { return p.Path == tt.path }) || !strings.Contains(bad.Error(), tt.path) {
			t.Errorf("%s is not named in %v", tt.path, bad)
		}
	}
}

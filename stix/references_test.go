package stix

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReferences(t *testing.T) {
	const u = "--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5"
	o, err := DecodeObject([]byte(`{"type":"report","id":"report`+u+`","created_by_ref":"identity`+u+`","name":"note`+u+`",
		"object_refs":["indicator`+u+`","note`+u+`"],"object_marking_refs":["marking-definition`+u+`"],
		"granular_markings":[{"marking_ref":"marking-definition`+u+`","selectors":["name"]}],
		"extensions":{"extension-definition`+u+`":{"extension_type":"property-extension","seen_at_ref":"identity`+u+`"}},
		"x_more_refs":["tool`+u+`","no id"]}`), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	got, err := References(o)
	want := []Reference{
		{"created_by_ref", "identity" + u},
		{"extensions.extension-definition" + u + ".seen_at_ref", "identity" + u},
		{"granular_markings[0].marking_ref", "marking-definition" + u},
		{"object_marking_refs[0]", "marking-definition" + u},
		{"object_refs[0]", "indicator" + u},
		{"object_refs[1]", "note" + u},
		{"x_more_refs[0]", "tool" + u},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestMark(t *testing.T) {
	o := NewIdentity(NewID("identity"), "a", "organization", testTime())
	o.Mark(TLPRed, PAPNone)
	o.Mark(TLPGreen, PAPAmber)
	if !cmp.Equal(o.ObjectMarkingRefs, []ID{TLPGreen.ID(), PAPAmber.ID()}) {
		t.Errorf("got %v", o.ObjectMarkingRefs)
	}
}

package stix

import (
	"encoding/json"
	"strings"
)

// MarkingDefinition is a marking that other objects refer to (STIX 2.1, section
// 7.2). It has no versions: only created, never modified.
type MarkingDefinition struct {
	Common
	Name           string
	DefinitionType string          // "statement" here; "tlp" only in foreign TLP 1.0 objects
	Definition     json.RawMessage // a JSON object; absent in extension-based markings
}

func (o *MarkingDefinition) props(k *codec) {
	o.Common.props(k)
	k.prop("name", &o.Name)
	k.prop("definition_type", &o.DefinitionType)
	k.prop("definition", &o.Definition)
}

// MarshalJSON implements json.Marshaler.
func (o *MarkingDefinition) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *MarkingDefinition) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewStatement makes a marking of free text, such as terms of use.
func NewStatement(id, creator ID, text string, at Timestamp) (*MarkingDefinition, error) {
	definition, err := marshal(map[string]string{"statement": text})
	if err != nil {
		return nil, err
	}
	common := newCommon("marking-definition", id, creator, at)
	common.Modified = Timestamp{}
	return &MarkingDefinition{Common: common, DefinitionType: "statement", Definition: definition}, nil
}

// TLP is a label of the Traffic Light Protocol 2.0 (FIRST, August 2022), in the
// order of growing restriction. The zero TLP is no label: unmarked, which is not
// CLEAR.
type TLP int

// The labels of TLP 2.0.
const (
	TLPNone TLP = iota
	TLPClear
	TLPGreen
	TLPAmber
	TLPAmberStrict
	TLPRed
)

// PAP is a label of the Permissible Actions Protocol 2.0, in the order of growing
// restriction. Version 2.0 renamed WHITE to CLEAR.
type PAP int

// The labels of PAP 2.0.
const (
	PAPNone PAP = iota
	PAPClear
	PAPGreen
	PAPAmber
	PAPRed
)

// Extensions published by the OASIS CTI technical committee in
// cti-stix-common-objects: markings are marking-definition objects with a
// property extension, and only the instances listed there may be used.
const (
	TLPExtension ID = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
	PAPExtension ID = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
)

// fixedMarking is one published marking object.
type fixedMarking struct {
	word string // as in the extension's property
	id   ID
}

func tlpMarkings() []fixedMarking {
	return []fixedMarking{
		TLPClear:       {"clear", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"},
		TLPGreen:       {"green", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"},
		TLPAmber:       {"amber", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"},
		TLPAmberStrict: {"amber+strict", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"},
		TLPRed:         {"red", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"},
	}
}

func papMarkings() []fixedMarking {
	return []fixedMarking{
		PAPClear: {"clear", "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92"},
		PAPGreen: {"green", "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9"},
		PAPAmber: {"amber", "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab"},
		PAPRed:   {"red", "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e"},
	}
}

// String is the label as FIRST writes it, for example "TLP:AMBER+STRICT"; empty
// for no label.
func (t TLP) String() string { return label("TLP:", tlpMarkings(), int(t)) }

// String is the label, for example "PAP:AMBER"; empty for no label.
func (p PAP) String() string { return label("PAP:", papMarkings(), int(p)) }

// ID is the fixed identifier of the marking, empty for no label.
func (t TLP) ID() ID { return markingID(tlpMarkings(), int(t)) }

// ID is the fixed identifier of the marking, empty for no label.
func (p PAP) ID() ID { return markingID(papMarkings(), int(p)) }

// Marking is the published marking object, nil for no label.
func (t TLP) Marking() *MarkingDefinition {
	return published(t.String(), TLPExtension, "tlp_2_0", tlpMarkings(), int(t))
}

// Marking is the published marking object, nil for no label. Receivers that do
// not know the extension still read the label in its name.
func (p PAP) Marking() *MarkingDefinition {
	return published(p.String(), PAPExtension, "pap", papMarkings(), int(p))
}

// ParseTLP reads a label with or without "TLP:", in any case. WHITE of TLP 1.0
// is read as CLEAR.
func ParseTLP(s string) (TLP, bool) { i, ok := parseLabel(s, "tlp:", tlpMarkings()); return TLP(i), ok }

// ParsePAP reads a label with or without "PAP:", in any case. WHITE of PAP 1.0
// is read as CLEAR.
func ParsePAP(s string) (PAP, bool) { i, ok := parseLabel(s, "pap:", papMarkings()); return PAP(i), ok }

// Mark sets the object's markings to the given labels; no label adds none.
func (c *Common) Mark(tlp TLP, pap PAP) {
	c.ObjectMarkingRefs = nil
	for _, id := range []ID{tlp.ID(), pap.ID()} {
		if id != "" {
			c.ObjectMarkingRefs = append(c.ObjectMarkingRefs, id)
		}
	}
}

// TLPOf returns the most restrictive TLP label among marking references, with
// the TLP 1.0 identifiers of STIX 2.1 section 7.2.1.4 understood.
func TLPOf(refs []ID) TLP {
	old := map[ID]TLP{
		"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": TLPClear,
		"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": TLPGreen,
		"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": TLPAmber,
		"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": TLPRed,
	}
	most := TLPNone
	for _, ref := range refs {
		most = max(most, old[ref], TLP(indexOf(tlpMarkings(), ref)))
	}
	return most
}

// PAPOf returns the most restrictive PAP label among marking references, with
// PAP:WHITE understood.
func PAPOf(refs []ID) PAP {
	most := PAPNone
	for _, ref := range refs {
		if ref == "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730" {
			most = max(most, PAPClear)
		}
		most = max(most, PAP(indexOf(papMarkings(), ref)))
	}
	return most
}

func label(prefix string, all []fixedMarking, i int) string {
	if i < 1 || i >= len(all) {
		return ""
	}
	return prefix + strings.ToUpper(all[i].word)
}

func markingID(all []fixedMarking, i int) ID {
	if i < 1 || i >= len(all) {
		return ""
	}
	return all[i].id
}

func published(name string, extension ID, property string, all []fixedMarking, i int) *MarkingDefinition {
	if i < 1 || i >= len(all) {
		return nil
	}
	body := `{"extension_type":"property-extension","` + property + `":"` + all[i].word + `"}`
	created, _ := ParseTimestamp("2022-10-01T00:00:00.000Z") // a constant of both publications
	return &MarkingDefinition{
		Common: Common{
			Type: "marking-definition", SpecVersion: SpecVersion, ID: all[i].id, Created: created,
			Extensions: map[string]json.RawMessage{string(extension): json.RawMessage(body)},
		},
		Name: name,
	}
}

func parseLabel(s, prefix string, all []fixedMarking) (int, bool) {
	word := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), prefix)
	if word == "white" {
		word = "clear"
	}
	for i := 1; i < len(all); i++ {
		if all[i].word == word {
			return i, true
		}
	}
	return 0, false
}

func indexOf(all []fixedMarking, id ID) int {
	for i := 1; i < len(all); i++ {
		if all[i].id == id {
			return i
		}
	}
	return 0
}

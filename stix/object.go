package stix

import (
	"encoding/json"
)

// SpecVersion is the value of spec_version in every object made here.
const SpecVersion = "2.1"

// Object is any STIX object: a pointer to one of the structs of this package, or
// to a [Custom] for every other type.
type Object interface {
	json.Marshaler
	json.Unmarshaler
	// Head gives the common properties, to read and to change.
	Head() *Common
}

// Common holds the properties that objects share (STIX 2.1, section 3.2). Which
// of them an object must or may have depends on its class; Validate knows.
type Common struct {
	Type               string
	SpecVersion        string
	ID                 ID
	CreatedByRef       ID
	Created            Timestamp
	Modified           Timestamp
	Revoked            bool
	Labels             []string
	Confidence         *int   // 0 to 100; nil when absent
	Lang               string // RFC 5646, for example "zh-Hant"
	ExternalReferences []ExternalReference
	ObjectMarkingRefs  []ID
	GranularMarkings   []GranularMarking
	Defanged           bool // observables only
	// Extensions by extension-definition identifier or predefined name.
	Extensions map[string]json.RawMessage
	// Extra holds the properties this package does not know, and known ones that
	// were present but empty. A typed field that is set wins over Extra.
	Extra map[string]json.RawMessage
}

// Head implements Object.
func (c *Common) Head() *Common { return c }

func (c *Common) rest() *map[string]json.RawMessage { return &c.Extra }

func (c *Common) props(k *codec) {
	k.prop("type", &c.Type)
	k.prop("spec_version", &c.SpecVersion)
	k.prop("id", &c.ID)
	k.prop("created_by_ref", &c.CreatedByRef)
	k.prop("created", &c.Created)
	k.prop("modified", &c.Modified)
	k.prop("revoked", &c.Revoked)
	k.prop("labels", &c.Labels)
	k.prop("confidence", &c.Confidence)
	k.prop("lang", &c.Lang)
	list(k, "external_references", &c.ExternalReferences)
	k.prop("object_marking_refs", &c.ObjectMarkingRefs)
	list(k, "granular_markings", &c.GranularMarkings)
	k.prop("defanged", &c.Defanged)
	k.prop("extensions", &c.Extensions)
}

// newCommon starts an object that has versions: id, created, modified and
// creator are the caller's.
func newCommon(typ string, id ID, creator ID, at Timestamp) Common {
	return Common{Type: typ, SpecVersion: SpecVersion, ID: id, CreatedByRef: creator, Created: at, Modified: at}
}

// ExternalReference points outside STIX (section 2.5).
type ExternalReference struct {
	SourceName  string
	Description string
	URL         string
	Hashes      map[string]string
	ExternalID  string
	Extra       map[string]json.RawMessage
}

func (r *ExternalReference) rest() *map[string]json.RawMessage { return &r.Extra }

func (r *ExternalReference) props(k *codec) {
	k.prop("source_name", &r.SourceName)
	k.prop("description", &r.Description)
	k.prop("url", &r.URL)
	k.prop("hashes", &r.Hashes)
	k.prop("external_id", &r.ExternalID)
}

// MarshalJSON implements json.Marshaler.
func (r *ExternalReference) MarshalJSON() ([]byte, error) { return encodeRecord(r) }

// UnmarshalJSON implements json.Unmarshaler.
func (r *ExternalReference) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", r) }

// KillChainPhase is one step of a kill chain (section 2.11).
type KillChainPhase struct {
	KillChainName string
	PhaseName     string
	Extra         map[string]json.RawMessage
}

func (p *KillChainPhase) rest() *map[string]json.RawMessage { return &p.Extra }

func (p *KillChainPhase) props(k *codec) {
	k.prop("kill_chain_name", &p.KillChainName)
	k.prop("phase_name", &p.PhaseName)
}

// MarshalJSON implements json.Marshaler.
func (p *KillChainPhase) MarshalJSON() ([]byte, error) { return encodeRecord(p) }

// UnmarshalJSON implements json.Unmarshaler.
func (p *KillChainPhase) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", p) }

// GranularMarking marks or gives the language of some properties (section 7.2.3).
type GranularMarking struct {
	Lang       string
	MarkingRef ID
	Selectors  []string
	Extra      map[string]json.RawMessage
}

func (m *GranularMarking) rest() *map[string]json.RawMessage { return &m.Extra }

func (m *GranularMarking) props(k *codec) {
	k.prop("lang", &m.Lang)
	k.prop("marking_ref", &m.MarkingRef)
	k.prop("selectors", &m.Selectors)
}

// MarshalJSON implements json.Marshaler.
func (m *GranularMarking) MarshalJSON() ([]byte, error) { return encodeRecord(m) }

// UnmarshalJSON implements json.Unmarshaler.
func (m *GranularMarking) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", m) }

// Custom is an object of a type this package has no struct for: the other types
// of the specification and custom ones. Its own properties are all in Extra.
type Custom struct{ Common }

// MarshalJSON implements json.Marshaler.
func (o *Custom) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Custom) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

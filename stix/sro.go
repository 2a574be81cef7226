package stix

// Relationship links two objects (STIX 2.1, section 5.1).
type Relationship struct {
	Common
	RelationshipType string
	Description      string
	SourceRef        ID
	TargetRef        ID
	StartTime        Timestamp
	StopTime         Timestamp
}

func (o *Relationship) props(k *codec) {
	o.Common.props(k)
	k.prop("relationship_type", &o.RelationshipType)
	k.prop("description", &o.Description)
	k.prop("source_ref", &o.SourceRef)
	k.prop("target_ref", &o.TargetRef)
	k.prop("start_time", &o.StartTime)
	k.prop("stop_time", &o.StopTime)
}

// MarshalJSON implements json.Marshaler.
func (o *Relationship) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Relationship) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewRelationship makes a link such as "indicates" or "based-on".
func NewRelationship(id, creator ID, kind string, source, target ID, at Timestamp) *Relationship {
	return &Relationship{
		Common:           newCommon("relationship", id, creator, at),
		RelationshipType: kind, SourceRef: source, TargetRef: target,
	}
}

// Sighting is the belief that something was seen (STIX 2.1, section 5.2).
type Sighting struct {
	Common
	Description      string
	FirstSeen        Timestamp
	LastSeen         Timestamp
	Count            *int // 0 to 999,999,999; nil when absent
	SightingOfRef    ID
	ObservedDataRefs []ID
	WhereSightedRefs []ID
	Summary          bool
}

func (o *Sighting) props(k *codec) {
	o.Common.props(k)
	k.prop("description", &o.Description)
	k.prop("first_seen", &o.FirstSeen)
	k.prop("last_seen", &o.LastSeen)
	k.prop("count", &o.Count)
	k.prop("sighting_of_ref", &o.SightingOfRef)
	k.prop("observed_data_refs", &o.ObservedDataRefs)
	k.prop("where_sighted_refs", &o.WhereSightedRefs)
	k.prop("summary", &o.Summary)
}

// MarshalJSON implements json.Marshaler.
func (o *Sighting) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Sighting) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewSighting makes a sighting of an object, for example of an indicator.
func NewSighting(id, creator, of ID, at Timestamp) *Sighting {
	return &Sighting{Common: newCommon("sighting", id, creator, at), SightingOfRef: of}
}

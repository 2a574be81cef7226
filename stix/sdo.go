package stix

// Identity is a person, an organisation, a group or a system (STIX 2.1, section 4.5).
type Identity struct {
	Common
	Name               string
	Description        string
	Roles              []string
	IdentityClass      string
	Sectors            []string
	ContactInformation string
}

func (o *Identity) props(k *codec) {
	o.Common.props(k)
	k.prop("name", &o.Name)
	k.prop("description", &o.Description)
	k.prop("roles", &o.Roles)
	k.prop("identity_class", &o.IdentityClass)
	k.prop("sectors", &o.Sectors)
	k.prop("contact_information", &o.ContactInformation)
}

// MarshalJSON implements json.Marshaler.
func (o *Identity) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Identity) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewIdentity makes an identity; class is one of identity-class-ov, for example
// "organization".
func NewIdentity(id ID, name, class string, at Timestamp) *Identity {
	return &Identity{Common: newCommon("identity", id, "", at), Name: name, IdentityClass: class}
}

// Indicator holds a detection pattern (STIX 2.1, section 4.7).
type Indicator struct {
	Common
	Name            string
	Description     string
	IndicatorTypes  []string
	Pattern         string
	PatternType     string // "stix", "sigma", "yara", …
	PatternVersion  string
	ValidFrom       Timestamp
	ValidUntil      Timestamp
	KillChainPhases []KillChainPhase
}

func (o *Indicator) props(k *codec) {
	o.Common.props(k)
	k.prop("name", &o.Name)
	k.prop("description", &o.Description)
	k.prop("indicator_types", &o.IndicatorTypes)
	k.prop("pattern", &o.Pattern)
	k.prop("pattern_type", &o.PatternType)
	k.prop("pattern_version", &o.PatternVersion)
	k.prop("valid_from", &o.ValidFrom)
	k.prop("valid_until", &o.ValidUntil)
	list(k, "kill_chain_phases", &o.KillChainPhases)
}

// MarshalJSON implements json.Marshaler.
func (o *Indicator) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Indicator) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewIndicator makes an indicator with a STIX pattern, valid from its creation.
func NewIndicator(id, creator ID, pattern string, at Timestamp) *Indicator {
	return &Indicator{
		Common:  newCommon("indicator", id, creator, at),
		Pattern: pattern, PatternType: "stix", PatternVersion: SpecVersion, ValidFrom: at,
	}
}

// Report is a collection of intelligence on a topic, such as an advisory
// (STIX 2.1, section 4.16).
type Report struct {
	Common
	Name        string
	Description string
	ReportTypes []string
	Published   Timestamp
	ObjectRefs  []ID
}

func (o *Report) props(k *codec) {
	o.Common.props(k)
	k.prop("name", &o.Name)
	k.prop("description", &o.Description)
	k.prop("report_types", &o.ReportTypes)
	k.prop("published", &o.Published)
	k.prop("object_refs", &o.ObjectRefs)
}

// MarshalJSON implements json.Marshaler.
func (o *Report) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Report) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewReport makes a report on the objects refs, published at its creation.
func NewReport(id, creator ID, name string, at Timestamp, refs ...ID) *Report {
	return &Report{
		Common: newCommon("report", id, creator, at),
		Name:   name, Published: at, ObjectRefs: refs,
	}
}

// Note is informative text about other objects (STIX 2.1, section 4.13).
type Note struct {
	Common
	Abstract   string
	Content    string
	Authors    []string
	ObjectRefs []ID
}

func (o *Note) props(k *codec) {
	o.Common.props(k)
	k.prop("abstract", &o.Abstract)
	k.prop("content", &o.Content)
	k.prop("authors", &o.Authors)
	k.prop("object_refs", &o.ObjectRefs)
}

// MarshalJSON implements json.Marshaler.
func (o *Note) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Note) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewNote makes a note on the objects refs.
func NewNote(id, creator ID, content string, at Timestamp, refs ...ID) *Note {
	return &Note{Common: newCommon("note", id, creator, at), Content: content, ObjectRefs: refs}
}

// Opinion rates how far its creator agrees with other objects (STIX 2.1,
// section 4.15).
type Opinion struct {
	Common
	Explanation string
	Authors     []string
	Opinion     string // opinion-enum: "strongly-disagree" … "strongly-agree"
	ObjectRefs  []ID
}

func (o *Opinion) props(k *codec) {
	o.Common.props(k)
	k.prop("explanation", &o.Explanation)
	k.prop("authors", &o.Authors)
	k.prop("opinion", &o.Opinion)
	k.prop("object_refs", &o.ObjectRefs)
}

// MarshalJSON implements json.Marshaler.
func (o *Opinion) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Opinion) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewOpinion makes an opinion on the objects refs.
func NewOpinion(id, creator ID, opinion string, at Timestamp, refs ...ID) *Opinion {
	return &Opinion{Common: newCommon("opinion", id, creator, at), Opinion: opinion, ObjectRefs: refs}
}

// ObservedData tells that observables were seen together (STIX 2.1, section
// 4.14). The deprecated property "objects" stays in Extra.
type ObservedData struct {
	Common
	FirstObserved  Timestamp
	LastObserved   Timestamp
	NumberObserved int
	ObjectRefs     []ID
}

func (o *ObservedData) props(k *codec) {
	o.Common.props(k)
	k.prop("first_observed", &o.FirstObserved)
	k.prop("last_observed", &o.LastObserved)
	k.prop("number_observed", &o.NumberObserved)
	k.prop("object_refs", &o.ObjectRefs)
}

// MarshalJSON implements json.Marshaler.
func (o *ObservedData) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *ObservedData) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// NewObservedData makes an observation of the observables refs between two times.
func NewObservedData(id, creator ID, first, last Timestamp, count int, at Timestamp, refs ...ID) *ObservedData {
	return &ObservedData{
		Common:        newCommon("observed-data", id, creator, at),
		FirstObserved: first, LastObserved: last, NumberObserved: count, ObjectRefs: refs,
	}
}

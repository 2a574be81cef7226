package stix

import "encoding/json"

// LanguageContent translates text properties of another object (STIX 2.1,
// section 7.1). The object itself says in its lang property which language its
// own text is in.
type LanguageContent struct {
	Common
	ObjectRef      ID
	ObjectModified Timestamp // of the version translated; absent means every version
	// Contents maps a language (RFC 5646) to property names and their text.
	Contents map[string]map[string]json.RawMessage
}

func (o *LanguageContent) props(k *codec) {
	o.Common.props(k)
	k.prop("object_ref", &o.ObjectRef)
	k.prop("object_modified", &o.ObjectModified)
	k.prop("contents", &o.Contents)
}

// MarshalJSON implements json.Marshaler.
func (o *LanguageContent) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *LanguageContent) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// Translate makes the language content that gives the text properties of one
// version of an object in another language: creator, markings and times are
// those of the object. texts maps property names to their translation.
func Translate(id ID, of Object, lang string, texts map[string]string) (*LanguageContent, error) {
	head := of.Head()
	contents := make(map[string]json.RawMessage, len(texts))
	for name, text := range texts {
		raw, err := marshal(text)
		if err != nil {
			return nil, err
		}
		contents[name] = raw
	}
	common := newCommon("language-content", id, head.CreatedByRef, head.Modified)
	common.ObjectMarkingRefs = head.ObjectMarkingRefs
	return &LanguageContent{
		Common: common, ObjectRef: head.ID, ObjectModified: head.Modified,
		Contents: map[string]map[string]json.RawMessage{lang: contents},
	}, nil
}

// Text is the translation of one property, false when there is none or it is not
// a string.
func (o *LanguageContent) Text(lang, property string) (string, bool) {
	var s string
	raw, ok := o.Contents[lang][property]
	if !ok || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

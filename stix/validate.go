package stix

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// ValidationError lists everything that is wrong with one object.
type ValidationError struct {
	ID       ID
	Problems []*PropertyError
}

// Error names the object and all its problems.
func (e *ValidationError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.Error()
	}
	return fmt.Sprintf("%s: %s", e.ID, strings.Join(texts, "; "))
}

// Unwrap gives the problems.
func (e *ValidationError) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// Validate checks an object against the rules of STIX 2.1 that this package
// knows: what must be there, ranges, order of times, types of references, and
// the pattern of an indicator. It returns nil or a *ValidationError.
func Validate(o Object) error {
	head := o.Head()
	v := &validator{}
	v.common(head, classOf(head.Type))
	if checked, ok := o.(interface{ check(*validator) }); ok {
		checked.check(v)
	}
	if len(v.problems) == 0 {
		return nil
	}
	return &ValidationError{ID: head.ID, Problems: v.problems}
}

type class int

const (
	versioned  class = iota // domain, relationship and language objects; custom types too
	observed                // cyber-observables
	definition              // marking-definition
)

func classOf(typ string) class {
	switch {
	case isObservable(typ):
		return observed
	case typ == "marking-definition":
		return definition
	}
	return versioned
}

type validator struct{ problems []*PropertyError }

func (v *validator) add(path, format string, args ...any) {
	v.problems = append(v.problems, &PropertyError{Path: path, Reason: fmt.Sprintf(format, args...)})
}

func (v *validator) need(path string, there bool) {
	if !there {
		v.add(path, "is required")
	}
}

// order reports that a time pair is reversed; absent times are in order.
func (v *validator) order(early, late string, a, b Timestamp, mayEqual bool) {
	if a.IsZero() || b.IsZero() || a.Before(b) || mayEqual && a.Equal(b) {
		return
	}
	v.add(late, "must be later than %s", early)
}

func (v *validator) between(path string, n *int, low, high int) {
	if n != nil && (*n < low || *n > high) {
		v.add(path, "must be from %d to %d", low, high)
	}
}

// ref checks one reference: well formed, and of one of the types when given.
func (v *validator) ref(path string, id ID, types ...string) {
	if id == "" {
		return
	}
	if _, err := ParseID(string(id)); err != nil {
		v.add(path, "%v", err)
		return
	}
	if len(types) > 0 && !slices.Contains(types, id.Type()) {
		v.add(path, "must refer to %s, not to %s", strings.Join(types, " or "), id.Type())
	}
}

func (v *validator) refs(path string, ids []ID, types ...string) {
	for i, id := range ids {
		at := fmt.Sprintf("%s[%d]", path, i)
		v.need(at, id != "")
		v.ref(at, id, types...)
	}
}

// notTo refuses references to objects that cannot be meant.
func (v *validator) notTo(path string, id ID, types ...string) {
	if slices.Contains(types, id.Type()) {
		v.add(path, "must not refer to %s", id.Type())
	}
}

func (v *validator) common(c *Common, class class) {
	if !validTypeName(c.Type) {
		v.add("type", "%q is not an object type", clip(c.Type))
	}
	if c.ID == "" {
		v.add("id", "is required")
	} else {
		v.ref("id", c.ID, c.Type)
	}
	if mayLack := class == observed; c.SpecVersion != SpecVersion && (c.SpecVersion != "" || !mayLack) {
		v.add("spec_version", "must be %q", SpecVersion)
	}
	v.times(c, class)
	v.ref("created_by_ref", c.CreatedByRef, "identity")
	v.between("confidence", c.Confidence, 0, 100)
	v.refs("object_marking_refs", c.ObjectMarkingRefs, "marking-definition")
	for i := range c.ExternalReferences {
		c.ExternalReferences[i].check(v, fmt.Sprintf("external_references[%d]", i))
	}
	for i := range c.GranularMarkings {
		c.GranularMarkings[i].check(v, fmt.Sprintf("granular_markings[%d]", i))
	}
	v.extensions(c.Extensions)
	v.extra(c.Extra)
}

func (v *validator) times(c *Common, class class) {
	versions := !c.Modified.IsZero() || c.Revoked
	switch class {
	case versioned:
		v.need("created", !c.Created.IsZero())
		v.need("modified", !c.Modified.IsZero())
		v.order("created", "modified", c.Created, c.Modified, true)
	case definition:
		v.need("created", !c.Created.IsZero())
		if versions {
			v.add("modified", "a marking has no versions")
		}
	case observed:
		if versions || !c.Created.IsZero() {
			v.add("created", "an observable has no times of its own")
		}
		if c.CreatedByRef != "" {
			v.add("created_by_ref", "an observable has no creator")
		}
	}
	v.precise("created", c.Created)
	v.precise("modified", c.Modified)
}

// precise asks for the milliseconds that section 3.2 wants in version times.
func (v *validator) precise(path string, t Timestamp) {
	if !t.IsZero() && t.digits < 3 {
		v.add(path, "must give milliseconds")
	}
}

func (v *validator) extensions(all map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		path := "extensions." + name
		if id, err := ParseID(name); !strings.HasSuffix(name, "-ext") && (err != nil || id.Type() != "extension-definition") {
			v.add(path, "the key must be an extension-definition identifier or a predefined name")
		}
		if raw := all[name]; len(raw) == 0 || raw[0] != '{' {
			v.add(path, "must be an object")
		}
	}
}

// extra checks custom property names and values (section 11.1 and 3.1).
func (v *validator) extra(all map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !validPropertyName(name) {
			v.add(clip(name), "a property name has 3 to 250 lower-case letters, digits and underscores")
		}
		if string(all[name]) == "null" {
			v.add(clip(name), "null is not allowed")
		}
		if string(all[name]) == "[]" {
			v.add(clip(name), "an empty list is not allowed")
		}
	}
}

func validPropertyName(s string) bool {
	if len(s) < 3 || len(s) > 250 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func (r *ExternalReference) check(v *validator, path string) {
	v.need(path+".source_name", r.SourceName != "")
	if r.Description == "" && r.URL == "" && r.ExternalID == "" {
		v.add(path, "needs a description, a url or an external_id")
	}
	v.hashes(path+".hashes", r.Hashes)
}

func (m *GranularMarking) check(v *validator, path string) {
	if (m.MarkingRef == "") == (m.Lang == "") {
		v.add(path, "needs either a marking_ref or a lang")
	}
	v.ref(path+".marking_ref", m.MarkingRef, "marking-definition")
	v.need(path+".selectors", len(m.Selectors) > 0)
}

// hashes checks the length and alphabet of the algorithms of known size.
func (v *validator) hashes(path string, all map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		size := hashDigits(name)
		if size > 0 && (len(all[name]) != size || !isHex(all[name])) {
			v.add(path+"."+name, "must be %d hexadecimal digits", size)
		}
	}
}

// hashDigits is the length in hexadecimal of a hash of hash-algorithm-ov, 0 when
// it is not a plain hexadecimal one.
func hashDigits(algorithm string) int {
	switch algorithm {
	case "MD5":
		return 32
	case "SHA-1":
		return 40
	case "SHA-256", "SHA3-256":
		return 64
	case "SHA-512", "SHA3-512":
		return 128
	}
	return 0
}

func isHex(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdefABCDEF") == "" }

func (o *Identity) check(v *validator) { v.need("name", o.Name != "") }

func (o *Indicator) check(v *validator) {
	v.need("pattern", o.Pattern != "")
	v.need("pattern_type", o.PatternType != "")
	v.need("valid_from", !o.ValidFrom.IsZero())
	v.order("valid_from", "valid_until", o.ValidFrom, o.ValidUntil, false)
	for i, p := range o.KillChainPhases {
		v.need(fmt.Sprintf("kill_chain_phases[%d].kill_chain_name", i), p.KillChainName != "")
		v.need(fmt.Sprintf("kill_chain_phases[%d].phase_name", i), p.PhaseName != "")
	}
	if o.PatternType != "stix" || o.Pattern == "" {
		return
	}
	if _, err := ParsePattern(o.Pattern); err != nil {
		v.add("pattern", "%v", err)
	}
}

func (o *Report) check(v *validator) {
	v.need("name", o.Name != "")
	v.need("published", !o.Published.IsZero())
	v.need("object_refs", len(o.ObjectRefs) > 0)
	v.refs("object_refs", o.ObjectRefs)
}

func (o *Note) check(v *validator) {
	v.need("content", o.Content != "")
	v.need("object_refs", len(o.ObjectRefs) > 0)
	v.refs("object_refs", o.ObjectRefs)
}

func (o *Opinion) check(v *validator) {
	grades := []string{"strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"}
	if !slices.Contains(grades, o.Opinion) {
		v.add("opinion", "must be one of %s", strings.Join(grades, ", "))
	}
	v.need("object_refs", len(o.ObjectRefs) > 0)
	v.refs("object_refs", o.ObjectRefs)
}

func (o *ObservedData) check(v *validator) {
	v.need("first_observed", !o.FirstObserved.IsZero())
	v.need("last_observed", !o.LastObserved.IsZero())
	v.order("first_observed", "last_observed", o.FirstObserved, o.LastObserved, true)
	v.between("number_observed", &o.NumberObserved, 1, 999_999_999)
	_, embedded := o.Extra["objects"] // deprecated, but legal alone
	if embedded == (len(o.ObjectRefs) > 0) {
		v.add("object_refs", "is required, and excludes the deprecated objects")
	}
	v.refs("object_refs", o.ObjectRefs)
}

func (o *Relationship) check(v *validator) {
	if o.RelationshipType == "" || strings.Trim(o.RelationshipType, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		v.add("relationship_type", "must be lower-case letters, digits and hyphens")
	}
	v.need("source_ref", o.SourceRef != "")
	v.need("target_ref", o.TargetRef != "")
	v.ref("source_ref", o.SourceRef)
	v.ref("target_ref", o.TargetRef)
	v.notTo("source_ref", o.SourceRef, "relationship", "sighting", "bundle", "marking-definition", "language-content")
	v.notTo("target_ref", o.TargetRef, "relationship", "sighting", "bundle", "marking-definition", "language-content")
	v.order("start_time", "stop_time", o.StartTime, o.StopTime, false)
}

func (o *Sighting) check(v *validator) {
	v.need("sighting_of_ref", o.SightingOfRef != "")
	v.ref("sighting_of_ref", o.SightingOfRef)
	v.notTo("sighting_of_ref", o.SightingOfRef, "relationship", "sighting", "bundle", "marking-definition", "language-content")
	v.order("first_seen", "last_seen", o.FirstSeen, o.LastSeen, true)
	v.between("count", o.Count, 0, 999_999_999)
	v.refs("observed_data_refs", o.ObservedDataRefs, "observed-data")
	v.refs("where_sighted_refs", o.WhereSightedRefs, "identity", "location")
}

func (o *MarkingDefinition) check(v *validator) {
	if len(o.Extensions) == 0 || o.DefinitionType != "" || len(o.Definition) > 0 {
		v.need("definition_type", o.DefinitionType != "")
		v.need("definition", len(o.Definition) > 0 && o.Definition[0] == '{')
	}
}

func (o *LanguageContent) check(v *validator) {
	v.need("object_ref", o.ObjectRef != "")
	v.ref("object_ref", o.ObjectRef)
	v.notTo("object_ref", o.ObjectRef, "bundle", "language-content")
	v.need("contents", len(o.Contents) > 0)
	for lang, texts := range o.Contents {
		if lang == "" || strings.Trim(lang, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			v.add("contents."+clip(lang), "must be a language tag")
		}
		v.need("contents."+clip(lang), len(texts) > 0)
	}
}

func (o *IPv4Addr) check(v *validator) { v.address(o.Value, netip.Addr.Is4) }
func (o *IPv6Addr) check(v *validator) { v.address(o.Value, netip.Addr.Is6) }

func (v *validator) address(value string, family func(netip.Addr) bool) {
	if addr, err := netip.ParseAddr(value); err == nil && addr.Zone() == "" && family(addr) {
		return
	}
	if block, err := netip.ParsePrefix(value); err == nil && family(block.Addr()) {
		return
	}
	v.add("value", "must be an address or a block in CIDR notation")
}

func (o *DomainName) check(v *validator) { v.need("value", o.Value != "") }
func (o *URL) check(v *validator)        { v.need("value", o.Value != "") }

func (o *EmailAddr) check(v *validator) {
	if at := strings.LastIndexByte(o.Value, '@'); at < 1 || at == len(o.Value)-1 {
		v.add("value", "must be a mail address")
	}
	v.ref("belongs_to_ref", o.BelongsToRef, "user-account")
}

func (o *File) check(v *validator) {
	if len(o.Hashes) == 0 && o.Name == "" {
		v.add("hashes", "a file needs a hash or a name")
	}
	v.hashes("hashes", o.Hashes)
	if o.Size != nil && *o.Size < 0 {
		v.add("size", "must not be negative")
	}
	v.ref("parent_directory_ref", o.ParentDirectoryRef, "directory")
	v.ref("content_ref", o.ContentRef, "artifact")
}

func (o *UserAccount) check(v *validator) {
	if o.UserID+o.AccountLogin+o.AccountType+o.DisplayName+o.Credential == "" && len(o.Extra)+len(o.Extensions) == 0 {
		v.add("user_id", "an account needs at least one property")
	}
}

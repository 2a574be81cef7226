package event

import (
	"slices"
	"strings"
)

// Name is a field's name, prepared for looking it up in many events: what
// [Event.Field] works out from the name is worked out once.
type Name struct {
	text   string
	hash   uint32
	dotted bool
	steps  []step // the name up to each of its dots, the longest first
	leads  []step // what a Windows event has that has the field under another name
}

// step is a field by which another may be found.
type step struct {
	text  string
	hash  uint32
	whole bool // its value is the other's
}

// NewName prepares a name.
func NewName(text string) Name {
	n := Name{text: text, hash: hashName(text)}
	n.steps = stepsOf(text)
	n.dotted = len(n.steps) > 0 && len(n.steps) <= maxPathSegments
	n.leads = windowsLeads(text)
	return n
}

// stepsOf returns the name up to each of its dots.
func stepsOf(name string) []step {
	var steps []step
	for dot := strings.LastIndexByte(name, '.'); dot > 0; dot = strings.LastIndexByte(name[:dot], '.') {
		steps = append(steps, step{text: name[:dot], hash: hashName(name[:dot])})
	}
	return steps
}

// windowsLeads returns the fields of which an event of Windows in its own forms
// must have one when [Event.derived] finds a field in it.
func windowsLeads(name string) []step {
	var leads []step
	add := func(name string, whole bool) {
		if l := (step{name, hashName(name), whole}); !slices.Contains(leads, l) {
			leads = append(leads, l)
		}
	}
	alias := func(name string) {
		add(name, true)
		for _, s := range stepsOf(name) {
			add(s.text, false)
		}
	}
	for _, s := range stepsOf(name) {
		add(s.text, false)
	}
	if rest, ok := unprefixedName(name); ok {
		alias(rest)
	}
	if element, _, ok := strings.Cut(name, "_"); ok {
		add(element, false)
		add(element+"_attributes", false)
	}
	if strings.ContainsAny(name, "_ ") {
		alias(squeezed(nil, name))
	}
	if name == "IntegrityLevel" {
		add("MandatoryLabel", false)
	}
	for _, d := range [...]Dialect{WindowsFlat, WindowsEVTX, SysmonLinux} {
		for _, source := range [...]Logsource{{}, {Category: "process_creation", Service: "security"}, {Category: "antivirus"}} {
			for _, other := range (&Event{dialect: d, source: source}).aliases(name) {
				if other != "" {
					alias(other)
				}
			}
		}
	}
	return leads
}

// String is the name.
func (n *Name) String() string { return n.text }

// Get is Field for a prepared name.
func (e *Event) Get(n *Name) (Value, bool) {
	t := &e.tape
	if i := t.findHashed(t.index, n.text, n.hash); i != 0 {
		return t.value(t.content(i)), true
	}
	if n.dotted && t.hasOne(n.steps) {
		if v, ok := t.path(n.text); ok {
			return v, true
		}
	}
	if e.dialect.ownWindows() && !t.hasOne(n.leads) {
		return Value{}, false
	}
	return e.derived(n.text)
}

// hasOne says whether one of the names may be in the index, where every member
// of the record itself is.
func (t *tape) hasOne(steps []step) bool {
	for i := range steps {
		if t.findHashed(t.index, steps[i].text, steps[i].hash) != 0 {
			return true
		}
	}
	return false
}

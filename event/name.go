package event

import "strings"

// Name is a field's name, prepared for looking it up in many events: what
// [Event.Field] works out from the name is worked out once.
type Name struct {
	text   string
	hash   uint32
	dotted bool
	steps  []step // the name up to each of its dots, the longest first
	own    bool   // Windows events that lack it have it under no other name
}

type step struct {
	text string
	hash uint32
}

// NewName prepares a name.
func NewName(text string) Name {
	n := Name{text: text, hash: hashName(text)}
	for dot := strings.LastIndexByte(text, '.'); dot > 0; dot = strings.LastIndexByte(text[:dot], '.') {
		n.steps = append(n.steps, step{text[:dot], hashName(text[:dot])})
	}
	n.dotted = len(n.steps) > 0 && len(n.steps) <= maxPathSegments
	n.own = !derivedInWindows(text)
	return n
}

// derivedInWindows says whether [Event.derived] may find a name in an event of
// Windows in its own forms.
func derivedInWindows(name string) bool {
	if strings.ContainsAny(name, "_ .") || name == "IntegrityLevel" {
		return true
	}
	for d := Generic; d <= Cloud; d++ {
		if !d.ownWindows() {
			continue
		}
		for _, source := range [...]Logsource{{}, {Category: "process_creation", Service: "security"}, {Category: "antivirus"}} {
			if e := (Event{dialect: d, source: source}); e.aliases(name) != (aliasNames{}) {
				return true
			}
		}
	}
	return false
}

// String is the name.
func (n *Name) String() string { return n.text }

// Get is Field for a prepared name.
func (e *Event) Get(n *Name) (Value, bool) {
	t := &e.tape
	if i := t.findHashed(t.index, n.text, n.hash); i != 0 {
		return t.value(t.content(i)), true
	}
	if n.dotted && t.leads(n) {
		if v, ok := t.path(n.text); ok {
			return v, true
		}
	}
	if n.own && e.dialect.ownWindows() {
		return Value{}, false
	}
	return e.derived(n.text)
}

// leads says whether a path may begin at some field: every member of the
// record itself is in the index.
func (t *tape) leads(n *Name) bool {
	for i := range n.steps {
		if t.findHashed(t.index, n.steps[i].text, n.steps[i].hash) != 0 {
			return true
		}
	}
	return false
}

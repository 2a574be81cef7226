package event

import "strings"

// maxPathSegments bounds the work of looking up a dotted name.
const maxPathSegments = 32

// Field returns the value of a field by its name in Sigma's taxonomy (Sigma
// specification 2.1, appendix Taxonomy), and false when the record has no such
// field. Names are case-sensitive. A literal name wins over a dotted path, and
// what the record says itself wins over an alias of its dialect. A path that
// leads through a list yields the list of what it finds in the elements.
func (e *Event) Field(name string) (Value, bool) {
	if v, ok := e.tape.named(name); ok {
		return v, true
	}
	return e.derived(name)
}

// derived looks for a field under the names that its dialect gives it.
func (e *Event) derived(name string) (Value, bool) {
	if e.foreign(name) {
		return Value{}, false
	}
	for _, other := range e.aliases(name) {
		if other == "" {
			break
		}
		if v, ok := e.tape.named(other); ok {
			return v, true
		}
	}
	switch e.dialect {
	case WindowsFlat, WindowsEVTX, SysmonLinux:
		return e.derivedWindows(name)
	case Winlogbeat, ECS:
		if v, ok := e.derivedECS(name); ok {
			return v, true
		}
		return e.derivedWindows(name)
	case OCSF:
		return e.derivedOCSF(name)
	case Cloud:
		return e.derivedCloud(name)
	case CloudTrail:
		return e.tape.inside(name)
	case Auditd:
		return e.tape.derivedAudit(name)
	case Generic, AccessLog, Zeek, Suricata:
		return e.derivedWeb(name)
	default:
		return Value{}, false
	}
}

// derivedWindows looks for what the fields of a Windows event are made of.
func (e *Event) derivedWindows(name string) (Value, bool) {
	for i := range len(name) {
		switch name[i] {
		case '_', ' ':
			if v, ok := e.tape.attribute(name); ok {
				return v, true
			}
			return e.tape.respelt(name)
		case '.':
			return e.tape.unprefixed(name)
		}
	}
	return e.integrityLevel(name)
}

// unprefixed finds a field by the path that it had before the flat view.
func (t *tape) unprefixed(name string) (Value, bool) {
	if rest, ok := unprefixedName(name); ok {
		return t.named(rest)
	}
	return Value{}, false
}

func unprefixedName(name string) (string, bool) {
	for _, prefix := range [...]string{"Event.EventData.", "Event.System.", "winlog.event_data."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest, true
		}
	}
	return "", false
}

// respelt finds a field whose spaces, as Event Viewer shows them, the flat view
// has not, or that has underscores in their place.
func (t *tape) respelt(name string) (Value, bool) {
	var buf [64]byte
	if i := t.lookup(squeezed(buf[:0], name)); i != 0 {
		return t.value(t.content(i)), true
	}
	return Value{}, false
}

// squeezed is a name without spaces and underscores, appended to buf.
func squeezed(buf []byte, name string) string {
	for i := range len(name) {
		if c := name[i]; c != ' ' && c != '_' {
			buf = append(buf, c)
		}
	}
	return view(buf)
}

// windows says whether the record has the fields of a Windows event.
func (e *Event) windows() bool { return e.dialect == Winlogbeat || e.dialect.ownWindows() }

// named finds a literal name, then a path.
func (t *tape) named(name string) (Value, bool) {
	if i := t.lookup(name); i != 0 {
		return t.value(t.content(i)), true
	}
	if strings.Count(name, ".") > maxPathSegments || !t.leadsInto(name) {
		return Value{}, false
	}
	return t.path(name)
}

// namedIn is named for a name of two parts.
func (t *tape) namedIn(first, second string) (Value, bool) {
	var buf [64]byte
	return t.named(view(append(append(buf[:0], first...), second...)))
}

// leadsInto says whether a path may begin at some field: every member of the
// record itself is in the index.
func (t *tape) leadsInto(name string) bool {
	for dot := strings.LastIndexByte(name, '.'); dot > 0; dot = strings.LastIndexByte(name[:dot], '.') {
		if t.known.has(hashName(name[:dot])) {
			return true
		}
	}
	return false
}

// content returns the node that holds a value's text: i itself, or the text
// of an element that came from XML with attributes ({"#text": …}).
func (t *tape) content(i uint32) uint32 {
	if t.nodes[i].kind != Object {
		return i
	}
	for _, name := range [...]string{"#text", "$t", "_"} {
		if c := t.child(i, name); c != 0 {
			return c
		}
	}
	return i
}

// child finds a member of object i by name, 0 for none.
func (t *tape) child(i uint32, name string) uint32 {
	if t.nodes[i].kind != Object {
		return 0
	}
	end := t.nodes[i].next
	for c := i + 1; c < end; c = t.nodes[c].next {
		n := &t.nodes[c]
		if int(n.keyLen) == len(name) && n.flags&(isMember|shadowed) == isMember && t.key(n) == name {
			return c
		}
	}
	return 0
}

// at follows the names given from node i, 0 when one is missing.
func (t *tape) at(i uint32, names ...string) uint32 {
	for _, name := range names {
		if i = t.child(i, name); i == 0 {
			return 0
		}
	}
	return i
}

// down follows names from a field of the flat view, 0 when one is missing.
func (t *tape) down(field string, names ...string) uint32 {
	i := t.lookup(field)
	if i == 0 {
		return 0
	}
	return t.at(i, names...)
}

// literalOrDown finds a field by its literal name, then by its path.
func (t *tape) literalOrDown(name string) uint32 {
	i := t.lookup(name)
	for dot := strings.IndexByte(name, '.'); i == 0 && dot > 0; dot = -1 {
		i = t.down(name[:dot], name[dot+1:])
	}
	return i
}

// path follows a dotted name from the record's root, then from any field of the
// flat view.
func (t *tape) path(name string) (Value, bool) {
	var few [8]uint32
	found := t.places(few[:0], name)
	switch len(found) {
	case 0:
		return Value{}, false
	case 1:
		return t.value(t.content(found[0])), true
	}
	items := make([]Value, len(found))
	for i, n := range found {
		items[i] = t.value(n)
	}
	return ListValue(items...), true
}

// places appends the nodes that a dotted name leads to.
func (t *tape) places(found []uint32, name string) []uint32 {
	found = t.follow(found, 0, name)
	for dot := strings.LastIndexByte(name, '.'); dot > 0 && len(found) == 0; dot = strings.LastIndexByte(name[:dot], '.') {
		if i := t.lookup(name[:dot]); i != 0 {
			found = t.follow(found, i, name[dot+1:])
		}
	}
	return found
}

// follow appends the nodes that name leads to from node i. The longest member
// name that fits a step is tried first, so that a literal dotted name wins.
func (t *tape) follow(found []uint32, i uint32, name string) []uint32 {
	if t.nodes[i].kind == List {
		t.each(i, func(c uint32) bool {
			if k := t.nodes[c].kind; k == Object || k == List {
				found = t.follow(found, c, name)
			}
			return len(found) < 256
		})
		return found
	}
	if c := t.child(i, name); c != 0 {
		return append(found, c)
	}
	for dot := strings.LastIndexByte(name, '.'); dot > 0; dot = strings.LastIndexByte(name[:dot], '.') {
		c := t.child(i, name[:dot])
		if c == 0 {
			continue
		}
		n := len(found)
		if found = t.follow(found, c, name[dot+1:]); len(found) > n {
			return found
		}
	}
	return found
}

// attribute finds System attributes by their joined name: Provider_Name is
// the attribute Name of the element Provider, in any of the ways that EVTX
// converters write attributes.
func (t *tape) attribute(name string) (Value, bool) {
	cut := strings.IndexByte(name, '_')
	if cut <= 0 {
		return Value{}, false
	}
	element, attr := name[:cut], name[cut+1:]
	if i := t.lookup(element); i != 0 {
		if c := t.attributeOf(i, attr); c != 0 {
			return t.value(c), true
		}
	}
	if i := t.lookup(element + "_attributes"); i != 0 {
		if c := t.child(i, attr); c != 0 {
			return t.value(c), true
		}
	}
	return Value{}, false
}

func (t *tape) attributeOf(i uint32, attr string) uint32 {
	for _, holder := range [...]string{"#attributes", "$", "@attributes"} {
		if c := t.at(i, holder, attr); c != 0 {
			return c
		}
	}
	for _, prefix := range [...]string{"@", "-", ""} {
		if c := t.child(i, prefix+attr); c != 0 {
			return c
		}
	}
	return 0
}

// str returns the text of a top-level field, "" when it is missing.
func (t *tape) str(name string) string {
	if i := t.lookup(name); i != 0 {
		return t.valueText(&t.nodes[t.content(i)])
	}
	return ""
}

// has says whether the flat view has a literal field.
func (t *tape) has(name string) bool { return t.lookup(name) != 0 }

// kindOf returns the kind of a literal field, Missing for none.
func (t *tape) kindOf(name string) Kind {
	if i := t.lookup(name); i != 0 {
		return t.nodes[i].kind
	}
	return Missing
}

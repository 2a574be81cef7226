package event

import "strings"

// naming is what a field of Sigma's taxonomy is called in another.
type naming struct{ field, own string }

// give gives values the names that Sigma's taxonomy has for them. What has such
// a name already keeps it, and of several namings of a field the first counts
// that the record has a value for, an empty text only where there is no other.
func (t *tape) give(names []naming) {
	for _, n := range names {
		if i := t.place(n.own); i != 0 && t.lookup(n.field) == 0 {
			t.stand(i, n.field)
		}
	}
	for _, n := range names {
		if i := t.lookup(n.own); i != 0 && t.nodes[i].kind == String && t.lookup(n.field) == 0 {
			t.stand(i, n.field)
		}
	}
}

// place returns the node of a text, number or truth value by its name or path,
// that of its first element where it is a list, 0 for none.
func (t *tape) place(name string) uint32 {
	i := t.lookup(name)
	if i == 0 && t.leadsInto(name) {
		var few [4]uint32
		if found := t.places(few[:0], name); len(found) > 0 {
			i = found[0]
		}
	}
	if i != 0 && t.nodes[i].kind == List && t.nodes[i].next > i+1 {
		i++
	}
	if n := &t.nodes[i]; n.kind == Object || n.kind == List || n.kind == Null || n.start == n.end {
		return 0
	}
	return i
}

// called is the text of a field by its name or path, "" for none.
func (t *tape) called(name string) string {
	if i := t.place(name); i != 0 {
		return t.body(&t.nodes[i])
	}
	return ""
}

// any is the text of the first of several names, with bars between them, that the
// record has a text for.
func (t *tape) any(names string) string {
	for names != "" {
		var name string
		name, names, _ = strings.Cut(names, "|")
		if text := t.called(name); text != "" {
			return text
		}
	}
	return ""
}

// say adds a field for what the record says in other words. One that it has
// itself stays.
func (t *tape) say(name, text string) {
	if text != "" && t.lookup(name) == 0 {
		start, end := t.intern(text)
		t.further(node{kind: String, start: start, end: end}, name)
	}
}

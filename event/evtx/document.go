package evtx

import "slices"

// document is an event being read: a tree of elements and texts in memory that
// is reused, to be written as JSON once it is whole, for only then is known
// which elements come more than once.
type document struct {
	nodes []node
	text  []byte // of all values
	out   []byte
	limit int // bytes of JSON
	spent int // bytes and tokens so far
}

// kind is what a node is, and for texts how JSON writes them.
type kind uint8

const (
	element kind = iota
	attribute
	quoted  // text
	literal // a number, true or false
	null    // a value that was left out
)

// node is an element, an attribute, or a value in either. Node 0 is the
// document; as a link, 0 stands for none.
type node struct {
	kind     kind
	item     bool // a value of an array, not a part of a text
	name     string
	from, to int // of a value's text
	first    int // child
	last     int
	next     int // sibling
}

const tooLarge = "a record is larger than allowed"

func (d *document) reset(limit int) {
	d.nodes = append(d.nodes[:0], node{})
	d.text = d.text[:0]
	d.limit, d.spent = limit, 0
}

// add appends a child to a node.
func (d *document) add(parent int, n node) int {
	i := len(d.nodes)
	d.nodes = append(d.nodes, n)
	p := &d.nodes[parent]
	if p.first == 0 {
		p.first = i
	} else {
		d.nodes[p.last].next = i
	}
	p.last = i
	return i
}

// spend accounts the bytes that something will take, and says whether the
// record may still have them.
func (d *document) spend(n int) bool {
	d.spent += n
	return d.spent <= d.limit
}

// truncate forgets what was added to a node since it had last as its last
// child and the document n nodes.
func (d *document) truncate(parent, last, n int) {
	d.nodes = d.nodes[:n]
	p := &d.nodes[parent]
	p.last = last
	if last == 0 {
		p.first = 0
		return
	}
	d.nodes[last].next = 0
}

// json writes the document.
func (d *document) json(at int) ([]byte, error) {
	d.out = d.out[:0]
	if d.nodes[0].first == 0 {
		return nil, &fault{at, "a record is empty"}
	}
	d.members(0, 0)
	if len(d.out) > d.limit {
		return nil, &fault{at, tooLarge}
	}
	return d.out, nil
}

// members writes an object of the child elements of node i, its attributes and
// its text, and leaves out child skip. Elements of one name become a list.
func (d *document) members(i, skip int) {
	d.out = append(d.out, '{')
	comma := false
	name := func(text string) {
		if comma {
			d.out = append(d.out, ',')
		}
		comma = true
		d.out = append(appendQuoted(d.out, text), ':')
	}
	if d.hasAttributes(i, skip) {
		name("#attributes")
		d.attributes(i, skip)
	}
	for g := range d.groups(i) {
		name(d.label(g[0]))
		d.group(g)
	}
	if d.hasText(i) {
		name("#text")
		d.value(i)
	}
	d.out = append(d.out, '}')
}

// groups yields the child elements of node i, those of one name together, in
// the order of the first of each.
func (d *document) groups(i int) func(func([]int) bool) {
	return func(yield func([]int) bool) {
		var groups [][]int
		at := map[string]int{}
		for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
			if d.nodes[c].kind != element {
				continue
			}
			label := d.label(c)
			if g, seen := at[label]; seen {
				groups[g] = append(groups[g], c)
				continue
			}
			at[label] = len(groups)
			groups = append(groups, []int{c})
		}
		for _, g := range groups {
			if !yield(g) {
				return
			}
		}
	}
}

// group writes the value of one element, or the list of those of several.
func (d *document) group(g []int) {
	if len(g) == 1 {
		d.element(g[0])
		return
	}
	d.out = append(d.out, '[')
	for n, c := range g {
		if n > 0 {
			d.out = append(d.out, ',')
		}
		d.element(c)
	}
	d.out = append(d.out, ']')
}

// label is the name of an element's member: for <Data Name="x"> that is x.
func (d *document) label(i int) string {
	if a := d.dataName(i); a != 0 {
		v := &d.nodes[d.nodes[a].first]
		return string(d.text[v.from:v.to])
	}
	return d.nodes[i].name
}

// dataName returns the attribute Name of a data element, 0 for none.
func (d *document) dataName(i int) int {
	if n := d.nodes[i].name; n != "Data" && n != "ComplexData" {
		return 0
	}
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if n := &d.nodes[c]; n.kind == attribute && n.name == "Name" && n.first != 0 {
			return c
		}
	}
	return 0
}

// element writes what an element holds.
func (d *document) element(i int) {
	skip := d.dataName(i)
	nested := d.hasAttributes(i, skip)
	for c := d.nodes[i].first; c != 0 && !nested; c = d.nodes[c].next {
		nested = d.nodes[c].kind == element
	}
	if nested {
		d.members(i, skip)
		return
	}
	d.value(i)
}

// shown says whether an attribute is written: names of namespaces are not.
func (d *document) shown(c, skip int) bool {
	n := &d.nodes[c]
	return n.kind == attribute && c != skip && n.first != 0 && n.name != "xmlns"
}

func (d *document) hasAttributes(i, skip int) bool {
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if d.shown(c, skip) {
			return true
		}
	}
	return false
}

func (d *document) attributes(i, skip int) {
	d.out = append(d.out, '{')
	comma := false
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if !d.shown(c, skip) {
			continue
		}
		if comma {
			d.out = append(d.out, ',')
		}
		comma = true
		d.out = append(appendQuoted(d.out, d.nodes[c].name), ':')
		d.value(c)
	}
	d.out = append(d.out, '}')
}

// hasText says whether an element that has other things in it has text too:
// white space between elements is none.
func (d *document) hasText(i int) bool {
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		n := &d.nodes[c]
		if n.kind >= quoted && slices.ContainsFunc(d.text[n.from:n.to], func(b byte) bool { return b > ' ' }) {
			return true
		}
	}
	return false
}

// value writes the values in an element or attribute: none as null, one as what
// it is, the items of an array as a list, and parts of a text as one text.
func (d *document) value(i int) {
	values, items, only := 0, false, 0
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if n := &d.nodes[c]; n.kind >= quoted {
			values++
			only = c
			items = items || n.item
		}
	}
	switch {
	case values == 0:
		d.out = append(d.out, "null"...)
	case values == 1:
		d.scalar(&d.nodes[only])
	case items:
		d.list(i)
	default:
		d.joined(i)
	}
}

func (d *document) scalar(n *node) {
	switch n.kind {
	case literal:
		d.out = append(d.out, d.text[n.from:n.to]...)
	case null:
		d.out = append(d.out, "null"...)
	default:
		d.out = appendQuoted(d.out, d.text[n.from:n.to])
	}
}

func (d *document) list(i int) {
	d.out = append(d.out, '[')
	comma := false
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if d.nodes[c].kind < quoted {
			continue
		}
		if comma {
			d.out = append(d.out, ',')
		}
		comma = true
		d.scalar(&d.nodes[c])
	}
	d.out = append(d.out, ']')
}

func (d *document) joined(i int) {
	d.out = append(d.out, '"')
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if n := &d.nodes[c]; n.kind >= quoted {
			d.out = appendEscaped(d.out, d.text[n.from:n.to])
		}
	}
	d.out = append(d.out, '"')
}

// appendQuoted writes text, which is UTF-8, as a JSON string.
func appendQuoted[T string | []byte](dst []byte, text T) []byte {
	return append(appendEscaped(append(dst, '"'), text), '"')
}

func appendEscaped[T string | []byte](dst []byte, text T) []byte {
	const digits = "0123456789abcdef"
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

package evtx

import (
	"slices"
	"strings"
)

// document is an event being read: a tree of elements and texts in memory that
// is reused, to be written as JSON once it is whole, for only then is known
// which elements come more than once.
type document struct {
	nodes []node
	text  []byte // of all values
	out   []byte
	words map[string]string // names that came before
	vals  []value           // of all template instances
	limit int               // bytes of JSON
	spent int               // bytes and tokens so far
}

// kind is what a node is, and for texts how JSON writes them.
type kind uint8

const (
	element kind = iota
	attribute
	quoted  // text
	literal // a number, true or false
)

// node is an element, an attribute, or a value in either. Node 0 is the
// document; as a link, 0 stands for none.
type node struct {
	kind     kind
	item     bool   // a value of an array, not a part of a text
	void     bool   // to be left out
	name     string // of an element: its member's
	label    int    // the attribute that the name was taken from
	from, to int    // of a value's text
	first    int    // child
	last     int
	next     int  // sibling
	again    int  // sibling that is the next element of this name
	later    bool // there was an element of this name before
}

const tooLarge = "a record is larger than allowed"

func (d *document) reset(limit int) {
	d.nodes = append(d.nodes[:0], node{})
	d.text, d.vals = d.text[:0], d.vals[:0]
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
	d.settle()
	d.members(0)
	if len(d.out) > d.limit {
		return nil, &fault{at, tooLarge}
	}
	return d.out, nil
}

// settle names the elements <Data Name="x"> by their attribute: x.
func (d *document) settle() {
	for i := range d.nodes {
		n := &d.nodes[i]
		if n.kind != element || n.name != "Data" && n.name != "ComplexData" {
			continue
		}
		for c := n.first; c != 0; c = d.nodes[c].next {
			if a := &d.nodes[c]; a.kind == attribute && a.name == "Name" && d.filled(c) {
				n.name, n.label = d.word(d.plain(c)), c
				break
			}
		}
	}
}

// filled says whether there is any text in attribute i: without, it is none
// ([MS-EVEN6] section 2.2.12.2).
func (d *document) filled(i int) bool {
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if d.nodes[c].from < d.nodes[c].to {
			return true
		}
	}
	return false
}

// plain is the text of attribute i.
func (d *document) plain(i int) []byte {
	first := &d.nodes[d.nodes[i].first]
	if first.next == 0 {
		return d.text[first.from:first.to]
	}
	var whole []byte
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		whole = append(whole, d.text[d.nodes[c].from:d.nodes[c].to]...)
	}
	return whole
}

// maxWords bounds the names that are kept from record to record.
const maxWords = 4096

// word returns text as a string, the same one for the same text.
func (d *document) word(text []byte) string {
	if w, ok := d.words[string(text)]; ok {
		return w
	}
	w := string(text)
	if len(w) > maxKeptName {
		return w
	}
	if d.words == nil || len(d.words) >= maxWords {
		d.words = map[string]string{}
	}
	d.words[w] = w
	return w
}

// members writes an object of the child elements of node i, its attributes and
// its text. Elements of one name become a list, in the place of the first.
func (d *document) members(i int) {
	d.out = append(d.out, '{')
	comma := false
	name := func(text string) {
		if comma {
			d.out = append(d.out, ',')
		}
		comma = true
		d.out = append(appendQuoted(d.out, text), ':')
	}
	if d.hasAttributes(i) {
		name("#attributes")
		d.attributes(i)
	}
	d.relate(i)
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if n := &d.nodes[c]; n.kind == element && !n.later {
			name(n.name)
			d.elements(c)
		}
	}
	if d.hasText(i) {
		name("#text")
		d.value(i)
	}
	d.out = append(d.out, '}')
}

// relate links the child elements of node i that have one name.
func (d *document) relate(i int) {
	const few = 32 // up to here comparing is cheaper than a table
	var buf [few]int
	lasts := buf[:0] // of each name
	var table map[string]int
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		n := &d.nodes[c]
		if n.kind != element {
			continue
		}
		if table == nil {
			at := slices.IndexFunc(lasts, func(l int) bool { return d.nodes[l].name == n.name })
			switch {
			case at >= 0:
				d.nodes[lasts[at]].again, n.later, lasts[at] = c, true, c
				continue
			case len(lasts) < few:
				lasts = append(lasts, c)
				continue
			}
			table = make(map[string]int, 2*few)
			for _, l := range lasts {
				table[d.nodes[l].name] = l
			}
		}
		if last, seen := table[n.name]; seen {
			d.nodes[last].again, n.later = c, true
		}
		table[n.name] = c
	}
}

// elements writes an element, or the list of all of its name.
func (d *document) elements(i int) {
	if d.nodes[i].again == 0 {
		d.element(i)
		return
	}
	d.out = append(d.out, '[')
	d.element(i)
	for c := d.nodes[i].again; c != 0; c = d.nodes[c].again {
		d.out = append(d.out, ',')
		d.element(c)
	}
	d.out = append(d.out, ']')
}

// element writes what an element holds.
func (d *document) element(i int) {
	nested := d.hasAttributes(i)
	for c := d.nodes[i].first; c != 0 && !nested; c = d.nodes[c].next {
		nested = d.nodes[c].kind == element
	}
	if nested {
		d.members(i)
		return
	}
	d.value(i)
}

// shown says whether child c of node i is an attribute that is written: names of
// namespaces are not, nor what became the element's own name.
func (d *document) shown(i, c int) bool {
	n := &d.nodes[c]
	return n.kind == attribute && c != d.nodes[i].label && n.name != "xmlns" && !strings.HasPrefix(n.name, "xmlns:") && d.filled(c)
}

func (d *document) hasAttributes(i int) bool {
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if d.shown(i, c) {
			return true
		}
	}
	return false
}

func (d *document) attributes(i int) {
	d.out = append(d.out, '{')
	comma := false
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		if !d.shown(i, c) {
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
	default:
		d.out = appendQuoted(d.out, d.text[n.from:n.to])
	}
}

// list writes the items of an array in node i. With an array in it Windows
// repeats an element for each item, the text around the array as well ([MS-EVEN6]
// section 3.1.4.7.5).
func (d *document) list(i int) {
	around, before := d.around(i)
	d.out = append(d.out, '[')
	comma := false
	for c := d.nodes[i].first; c != 0 && len(d.out) <= d.limit; c = d.nodes[c].next {
		n := &d.nodes[c]
		if !n.item {
			continue
		}
		if comma {
			d.out = append(d.out, ',')
		}
		comma = true
		if len(around) == 0 {
			d.scalar(n)
			continue
		}
		d.out = appendEscaped(append(d.out, '"'), around[:before])
		d.out = appendEscaped(d.out, d.text[n.from:n.to])
		d.out = append(appendEscaped(d.out, around[before:]), '"')
	}
	d.out = append(d.out, ']')
}

// around is the text in node i that stands around its array, and how much of it
// before.
func (d *document) around(i int) (text []byte, before int) {
	met := false
	for c := d.nodes[i].first; c != 0; c = d.nodes[c].next {
		switch n := &d.nodes[c]; {
		case n.kind < quoted:
		case n.item:
			met = true
		default:
			text = append(text, d.text[n.from:n.to]...)
			if !met {
				before = len(text)
			}
		}
	}
	return text, before
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
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(dst, text[from:]...)
}

package event

// EachText calls f for every leaf value as text, in the record's order, until
// f returns false. The field is the leaf's dotted path with the wrapping of its
// dialect removed; the elements of a list share their list's name. Null values
// are left out. The raw text of a syslog line is a leaf named message.
func (e *Event) EachText(f func(field, text string) bool) {
	w := walker{tape: &e.tape, visit: func(field string, n *node) bool {
		return f(field, e.tape.body(n))
	}}
	w.run()
}

// EachLeaf is EachText for who does not ask where a text stands: no path is
// made, and nothing is allocated.
func (e *Event) EachLeaf(f func(text string) bool) {
	t := &e.tape
	for i := t.live(1); i < uint32(len(t.nodes)); i = t.live(i + 1) {
		n := &t.nodes[i]
		if n.leaf() && !f(t.body(n)) {
			return
		}
	}
}

// leaf says whether the node is a text, a number or a truth value.
func (n *node) leaf() bool { return n.kind != Object && n.kind != List && n.kind != Null }

// live returns the first node from i on that no later member of the same name
// hides, itself or what it is in.
func (t *tape) live(i uint32) uint32 {
	for i < uint32(len(t.nodes)) && t.nodes[i].flags&shadowed != 0 {
		i = t.nodes[i].next
	}
	return i
}

// shortDetour is how many bytes of a text that stands elsewhere are rather looked
// through twice than left out.
const shortDetour = 64

// EachStretch calls f for stretches of the record, and of what was unescaped or
// made of it, in which all texts of the event lie, and more: there are far fewer
// of them than texts.
func (e *Event) EachStretch(f func(stretch string)) {
	t := &e.tape
	from, to := uint32(len(t.raw)), uint32(0)
	for i := range t.nodes[1:] {
		n := &t.nodes[i+1]
		switch {
		case !n.leaf():
		case n.start < uint32(len(t.raw)):
			from, to = min(from, n.start), max(to, n.end)
		case n.end-n.start >= shortDetour && from < to:
			f(t.text(from, to))
			from, to = uint32(len(t.raw)), 0
		}
	}
	if from < to {
		f(t.text(from, to))
	}
	if len(t.arena) > 0 {
		f(view(t.arena))
	}
}

// ASCII says whether every text of the event is.
func (e *Event) ASCII() bool { return e.tape.ascii }

// maxPath bounds the paths that are made, in bytes: a long name above thousands
// of leaves must not cost its length thousands of times. Below a longer path a
// leaf goes by its own name.
const maxPath = 1024

// walker visits the leaves of a tape. The paths it makes lie in one buffer
// that is only ever appended to, so they stay valid after the walk.
type walker struct {
	*tape
	visit func(field string, n *node) bool
	buf   []byte
	open  []frame
}

// frame is a list or object that is being walked.
type frame struct {
	end    uint32
	prefix string // path of its members
}

func (w *walker) run() {
	if len(w.nodes) == 0 {
		return
	}
	total := uint32(len(w.nodes))
	w.open = append(w.open[:0], frame{end: total})
	for i := w.live(1); i < total; i = w.live(i + 1) {
		n := &w.nodes[i]
		for i >= w.open[len(w.open)-1].end {
			w.open = w.open[:len(w.open)-1]
		}
		switch n.kind {
		case Object, List:
			w.open = append(w.open, frame{end: n.next, prefix: w.enterInto(n)})
		case Null:
		default:
			if !w.visit(w.path(n), n) {
				return
			}
		}
	}
}

// enterInto returns the prefix for the members of n.
func (w *walker) enterInto(n *node) string {
	if n.flags&lifted != 0 {
		return ""
	}
	return w.path(n)
}

// path returns the dotted path of n.
func (w *walker) path(n *node) string {
	prefix := w.open[len(w.open)-1].prefix
	if n.flags&isMember == 0 {
		return prefix
	}
	if prefix == "" || len(prefix)+int(n.keyLen) > maxPath {
		return w.key(n)
	}
	start := len(w.buf)
	w.buf = append(w.buf, prefix...)
	w.buf = append(w.buf, '.')
	w.buf = append(w.buf, w.key(n)...)
	return view(w.buf[start:])
}

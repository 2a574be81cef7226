package event

// askWeight is what it costs to ask for a field by one of the names that lead to
// it, in values that are looked at instead (measured).
const askWeight = 3

// level is a list or object that is being walked through.
type level struct {
	end   uint32
	count int32
	paths [4]uint32 // hashes of the paths to it: from the record, and from what is in its flat view
}

// eachLed is EachNamed for events that have fields under other names and below
// others.
func (e *Event) eachLed(names *Names, f func(name int, v Value)) bool {
	led := names.led(e.dialect, e.source)
	if led == nil || askWeight*len(led.entries) < len(e.tape.nodes) {
		return false
	}
	w := ledWalk{tape: &e.tape, names: names.names, led: led, f: f}
	return w.run()
}

// ledWalk tells of the values of an event.
type ledWalk struct {
	*tape
	names []Name
	led   *ledNames
	f     func(name int, v Value)
}

// run is false where too many paths lead to one value.
func (w *ledWalk) run() bool {
	nodes := w.nodes
	total, root := uint32(len(nodes)), nodes[0].next
	var few [24]level
	open := append(few[:0], level{end: total, count: 1})
	for i := uint32(1); i < total; i++ {
		n := &nodes[i]
		for i >= open[len(open)-1].end {
			open = open[:len(open)-1]
		}
		if n.flags&shadowed != 0 {
			if i >= root {
				w.hidden(n)
			}
			i = n.next - 1
			continue
		}
		at := &open[len(open)-1]
		for _, path := range at.paths[:at.count] {
			w.tell(n, path)
		}
		if n.kind == Object || n.kind == List {
			into, ok := at.into(n)
			if !ok {
				return false
			}
			open = append(open, into)
		}
	}
	return true
}

// into is the level of the members or elements of n, false where too many paths
// lead there.
func (l *level) into(n *node) (level, bool) {
	into := level{end: n.next}
	for _, path := range l.paths[:l.count] {
		if n.flags&isMember != 0 {
			path = under(path, n.hash)
		}
		into.paths[into.count] = path
		into.count++
	}
	if n.flags&(lifted|opened) == 0 {
		return into, true
	}
	for _, path := range into.paths[:into.count] {
		if path == 0 {
			return into, true
		}
	}
	if int(into.count) == len(into.paths) {
		return into, false
	}
	into.count++ // for the path of what is lifted, 0
	return into, true
}

// tell tells of a value in what lies at a path.
func (w *ledWalk) tell(n *node, path uint32) {
	member := n.flags&isMember != 0
	if member {
		path = under(path, n.hash)
	}
	for k := w.led.heads[w.led.place(path)]; k >= 0; k = w.led.entries[k].next {
		entry := &w.led.entries[k]
		if entry.hash != path || !entry.own && w.has(entry.name) {
			continue
		}
		switch {
		case !entry.whole && member, entry.whole && n.kind == Object:
			w.f(int(entry.name), Value{})
		case entry.whole && n.kind != List:
			w.f(int(entry.name), Value{kind: n.kind, text: w.valueText(n)})
		}
	}
}

// hidden tells of a field that is no text of the record: one made of others, or
// JSON that stands as text in one.
func (w *ledWalk) hidden(n *node) {
	for k := w.led.heads[w.led.place(n.hash)]; k >= 0; k = w.led.entries[k].next {
		if entry := &w.led.entries[k]; entry.hash == n.hash {
			w.f(int(entry.name), Value{})
		}
	}
}

// has says whether a name is in the flat view: then it is the field.
func (w *ledWalk) has(name int32) bool {
	n := &w.names[name]
	return w.findHashed(w.index, n.text, n.hash) != 0
}

package event

// builder appends a flat object of fields that were found in text to a tape:
// the fields of a syslog line, of an audit record, of an XML event. Every field
// it adds is entered into the index.
type builder struct {
	*tape
	lim  Limits
	self uint32 // the object being built
	full bool   // the limit of fields was met
}

// build opens a new object at the tape's end. As the first node it is the
// record itself; after that it is a hidden wrapping whose fields are lifted.
func (t *tape) build(lim Limits, start, end uint32) *builder {
	b := &builder{tape: t, lim: lim, self: uint32(len(t.nodes))}
	t.nodes = append(t.nodes, node{kind: Object, start: start, end: end, flags: lifted})
	b.finish()
	return b
}

// finish closes the object after the fields added so far.
func (b *builder) finish() { b.nodes[b.self].next = uint32(len(b.nodes)) }

// intern copies text that is not in the record to the arena and returns where
// it lies.
func (t *tape) intern(text string) (start, end uint32) {
	start = t.arenaEnd()
	t.arena = append(t.arena, text...)
	return start, t.arenaEnd()
}

// literal adds a string field whose name and text are not in the record.
func (b *builder) literal(name, text string) {
	start, end := b.intern(text)
	b.add(name, String, start, end)
}

// add adds a field whose name is not in the record.
func (b *builder) add(name string, kind Kind, start, end uint32) uint32 {
	k, _ := b.intern(name)
	return b.addAt(k, len(name), kind, start, end)
}

// addAt adds a field whose name lies at key on the tape. It returns its node,
// 0 when the limit of fields was met.
func (b *builder) addAt(key uint32, keyLen int, kind Kind, start, end uint32) uint32 {
	if len(b.nodes) >= b.lim.MaxFields || keyLen > maxKeyBytes {
		b.full = true
		return 0
	}
	i := uint32(len(b.nodes))
	b.nodes = append(b.nodes, node{
		kind: kind, flags: isMember, start: start, end: end, next: i + 1,
		key: key, keyLen: uint16(keyLen), hash: hashName(b.text(key, key+uint32(keyLen))),
	})
	b.enter(i)
	b.finish()
	return i
}

// item adds an element to the list at node i, which must be the last field.
func (b *builder) item(i, start, end uint32) {
	if len(b.nodes) >= b.lim.MaxFields {
		b.full = true
		return
	}
	n := uint32(len(b.nodes))
	b.nodes = append(b.nodes, node{kind: String, start: start, end: end, next: n + 1})
	b.nodes[i].next = n + 1
	b.finish()
}

// err reports that there were more fields than allowed.
func (b *builder) err() error {
	if b.full {
		return refuse(ReasonTooManyFields, 0)
	}
	return nil
}

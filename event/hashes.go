package event

// joinHashes enters Sysmon's Hashes, which are all in one text, into the flat view
// of an event that has them one by one, so that no asking for them costs memory.
// Where they are nested in another way than usual, [Event.derived] finds them.
func (e *Event) joinHashes() {
	t := &e.tape
	switch e.dialect {
	case ECS, Winlogbeat:
		for _, of := range [...]string{"dll", "file", "process"} {
			if t.joinECSHashes(t.lookup(of)) {
				return
			}
		}
	case OCSF:
		for _, of := range [...]string{"module", "driver", "process"} {
			if i := t.lookup(of); i != 0 && t.joinOCSFHashes(t.at(i, "file", "hashes")) {
				return
			}
		}
		t.joinOCSFHashes(t.down("file", "hashes"))
	}
}

// joinECSHashes joins the hashes of the file or process at node i, 0 for none, and
// says whether there were any.
func (t *tape) joinECSHashes(i uint32) bool {
	if i == 0 {
		return false
	}
	start := t.arenaEnd()
	for _, h := range [...]struct{ algorithm, in, field string }{
		{"MD5", "hash", "md5"}, {"SHA1", "hash", "sha1"}, {"SHA256", "hash", "sha256"}, {"IMPHASH", "pe", "imphash"},
	} {
		if c := t.at(i, h.in, h.field); c != 0 {
			t.joinHash(start, h.algorithm, t.valueText(&t.nodes[t.content(c)]))
		}
	}
	return t.know("Hashes", start)
}

// joinOCSFHashes joins the hashes in the list at node i, 0 for none.
func (t *tape) joinOCSFHashes(i uint32) bool {
	if i == 0 {
		return false
	}
	start := t.arenaEnd()
	t.each(i, func(h uint32) bool {
		algorithm, value := t.child(h, "algorithm"), t.child(h, "value")
		if algorithm != 0 && value != 0 {
			t.joinHash(start, t.body(&t.nodes[algorithm]), t.body(&t.nodes[value]))
		}
		return true
	})
	return t.know("Hashes", start)
}

// joinHash appends a hash to those that begin at start of the arena.
func (t *tape) joinHash(start uint32, algorithm, hash string) {
	if t.arenaEnd() > start {
		t.arena = append(t.arena, ',')
	}
	for i := range len(algorithm) {
		if algorithm[i] != '-' {
			t.arena = append(t.arena, algorithm[i])
		}
	}
	t.arena = append(t.arena, '=')
	t.arena = append(t.arena, hash...)
}

// know enters into the flat view what was made of other values, the end of the
// arena from start on, and says whether that is anything. It is a field, and no
// text of the record.
func (t *tape) know(name string, start uint32) bool {
	n := node{kind: String, flags: isMember | shadowed, start: start, end: t.arenaEnd(), next: uint32(len(t.nodes)) + 1}
	if n.start == n.end {
		return false
	}
	if t.lookup(name) == 0 {
		n.key, n.keyLen, n.hash = t.arenaEnd(), uint16(len(name)), hashName(name)
		t.intern(name)
		t.nodes = append(t.nodes, n)
		t.enter(n.next - 1)
	}
	return true
}

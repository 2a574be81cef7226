package sigma

import "github.com/aspis-platform/aspis/event"

// collect gathers the rules of a plan whose witnesses the event has.
func (m *Matcher) collect(p *plan) {
	m.plan = p
	m.round++
	m.plans = append(m.plans, p)
	m.candidates(p.always)
	if m.quick == nil || !m.quick.EachNamed(p.names, m.sees) {
		for i := range p.fields {
			m.ask(&p.fields[i])
		}
	}
	switch {
	case p.keywords == nil:
	case m.quick != nil:
		m.quick.EachStretch(m.looks)
	default:
		m.inAll(p.keywords)
	}
}

// look looks for keywords where more than one text lies: a record has far fewer
// stretches than texts, and keywords may stand anywhere in one.
func (m *Matcher) look(stretch string) {
	m.value.raw, m.value.folded, m.value.num = stretch, "", ""
	m.find(m.plan.keywords.scan, m.seeable(m.plan.keywords, &m.value))
}

// see looks for witnesses in a value that belongs to a field of the plan.
func (m *Matcher) see(field int, v event.Value) {
	f := &m.plan.fields[field]
	if v.Kind() == event.Missing {
		m.ask(f)
		return
	}
	m.value.raw, m.value.folded, m.value.num = v.Text(), "", canonical(v)
	m.probe(f, &m.value)
}

// ask looks for witnesses in what the event has in a field. Once is enough.
func (m *Matcher) ask(f *fieldIndex) {
	if m.asked[f.slot] != m.round {
		m.asked[f.slot] = m.round
		m.inAll(f)
	}
}

func (m *Matcher) inAll(f *fieldIndex) {
	texts := m.texts(f.slot)
	for i := range texts {
		m.probe(f, &texts[i])
	}
}

// probe makes candidates of the rules whose witnesses a value has.
func (m *Matcher) probe(f *fieldIndex, t *text) {
	m.candidates(f.present)
	if len(t.raw) < f.least && t.num == "" {
		return
	}
	value := m.seeable(f, t)
	if f.lengths.has(len(value)) {
		m.foldText(t)
		m.saw(f.exact[t.folded])
	}
	if t.num != "" {
		m.saw(f.exact[t.num])
	}
	if f.scan != nil {
		m.find(f.scan, value)
	}
}

// find makes candidates of the rules whose literals a value has.
func (m *Matcher) find(s *scanner, value string) {
	m.literals = s.scan(value, m.literals[:0])
	for _, h := range m.literals {
		m.saw(&s.literals[h].finding)
	}
}

// saw takes note of a witness; f is nil for none.
func (m *Matcher) saw(f *finding) {
	if f == nil {
		return
	}
	m.candidates(f.rules)
	for _, node := range f.nodes {
		if m.memo[node]>>2 != m.epoch {
			m.memo[node] = m.state(stateOpen)
		}
	}
}

// seeable is a value in the form in which witnesses are seen: as it is where
// lowering ASCII letters is all that folding would do for them, or folded.
func (m *Matcher) seeable(f *fieldIndex, t *text) string {
	if t.folded == "" && (m.ascii || ascii(t.raw) || f.plain && !foldsToASCII(t.raw)) {
		return t.raw
	}
	m.foldText(t)
	return t.folded
}

func (m *Matcher) candidates(rules []int32) {
	for _, r := range rules {
		if m.seen[r] != m.epoch {
			m.seen[r] = m.epoch
			m.found = append(m.found, r)
		}
	}
}

package sigma

import (
	"errors"
	"math"
)

func (s *snapWriter) group(g *group) {
	s.text(g.key)
	s.uint(uint64(len(g.entries)))
	before := int64(0)
	for i := range g.entries {
		e := &g.entries[i]
		s.int(e.at - before)
		before = e.at
		record, value, wants := g.split(e)
		for _, t := range [...]string{record, value, wants} {
			s.text(t)
		}
		s.uint(uint64(e.rule))
		s.bool(e.held)
	}
	s.bool(g.story != nil)
	if g.story != nil {
		s.story(g.story)
	}
}

func (s *snapWriter) story(st *story) {
	s.int(st.judged)
	s.int(st.floor)
	s.bool(st.shed)
	s.uint(uint64(len(st.episodes)))
	for _, ep := range st.episodes {
		s.text(ep.key)
		s.summary(&ep.summary)
		s.bool(ep.base != nil)
		if ep.base != nil {
			s.summary(ep.base)
		}
	}
	s.uint(uint64(len(st.retired)))
	for _, r := range st.retired {
		s.text(r.key)
		s.int(r.at)
	}
	s.uint(uint64(len(st.sent)))
	for i := range st.sent {
		x := &st.sent[i]
		s.int(x.at)
		s.uint(uint64(x.feed))
		s.texts([]string{x.key, x.record, x.value})
	}
	s.uint(uint64(len(st.stretches)))
	for i := range st.stretches {
		s.stretch(&st.stretches[i])
	}
	s.bool(st.sketch != nil)
	if st.sketch == nil {
		return
	}
	for _, marks := range st.sketch.registers {
		s.uint(uint64(len(marks)))
		for _, m := range marks {
			s.int(m.at)
			s.uint(uint64(m.rank))
		}
	}
}

func (s *snapWriter) stretch(x *stretch) {
	s.int(x.from)
	s.float(x.left.up)
	s.float(x.left.down)
	s.uint(uint64(x.before))
	s.uint(uint64(len(x.classes)))
	for _, n := range x.classes {
		s.uint(uint64(n))
	}
	s.bool(x.sum != nil)
	if x.sum == nil {
		return
	}
	lo, hi := min(x.sum.lo, x.sum.hi), x.sum.hi
	s.uint(uint64(lo))
	s.uint(uint64(hi - lo))
	for _, digit := range x.sum.digits[lo:hi] {
		s.int(digit)
	}
}

func (s *snapWriter) summary(m *summary) {
	s.int(m.first)
	s.int(m.lastHeld)
	s.uint(uint64(m.count))
	s.float(m.peak)
	s.float(m.measure)
	s.texts(m.records)
	s.texts(m.values)
	s.int(m.full)
	s.int(m.valued)
	s.bool(m.cut)
	s.bool(m.estimated)
}

func (s *snapReader) group() *group {
	g := &group{key: s.text()}
	before := int64(0)
	for range s.count() {
		before += s.int()
		a := arrival{at: before, record: s.text(), value: s.text(), wants: s.text()}
		rule := s.uint()
		if rule >= maxCorrelated || len(g.texts)+textSize(&a) > maxTexts {
			s.fail(errors.New("text is too long"))
		}
		if s.err != nil {
			return nil
		}
		a.rule = uint8(rule)
		n := len(g.entries)
		g.insert(n, &a)
		g.entries[n].held = s.bool()
	}
	if s.bool() {
		g.story = s.story()
	}
	return g
}

func (s *snapReader) story() *story {
	st := &story{judged: s.int(), floor: s.int(), shed: s.bool()}
	for range s.count() {
		ep := &episode{key: s.text(), summary: s.summary()}
		if s.bool() {
			base := s.summary()
			ep.base = &base
		}
		if st.episodes = append(st.episodes, ep); s.err != nil {
			return nil
		}
	}
	for range s.count() {
		if st.retired = append(st.retired, retired{s.text(), s.int()}); s.err != nil {
			return nil
		}
	}
	for range s.count() {
		x := sending{at: s.int(), feed: int(min(s.uint(), maxSnapRules))}
		texts := s.texts()
		if s.err != nil {
			return nil
		}
		if len(texts) != 3 {
			s.fail(errors.New("a moment handed over is not complete"))
			return nil
		}
		x.target = &target{key: texts[0], record: texts[1], value: texts[2]}
		if n := len(st.sent); n > 0 && *st.sent[n-1].target == *x.target {
			x.target = st.sent[n-1].target
		}
		st.sent = append(st.sent, x)
	}
	switch s.version {
	case 1:
		for range s.count() {
			s.int()
			s.float()
			if s.uint(); s.err != nil {
				return nil
			}
		}
	case 2:
		st.stretches = s.stretches()
	}
	if s.bool() {
		st.sketch = s.sketch()
	}
	return st
}

func (s *snapReader) stretches() (all []stretch) {
	for range s.count() {
		x := stretch{from: s.int(), left: slack{s.float(), s.float()}, before: int(min(s.uint(), maxSnapList))}
		for range s.count() {
			if x.classes = append(x.classes, int32(min(s.uint(), maxSnapList))); s.err != nil {
				return nil
			}
		}
		if s.bool() {
			x.sum = s.sum()
		}
		if all = append(all, x); s.err != nil || math.IsNaN(x.left.up) || math.IsNaN(x.left.down) {
			s.fail(errors.New("a stretch is not complete"))
			return nil
		}
	}
	return all
}

func (s *snapReader) sum() *exactSum {
	out := &exactSum{}
	out.reset()
	lo, n := s.uint(), s.uint()
	if lo > sumDigits || n > sumDigits-lo {
		s.fail(errors.New("sum is too long"))
		return nil
	}
	if n > 0 {
		out.lo, out.hi = int(lo), int(lo+n)
	}
	for i := range out.digits[lo : lo+n] {
		out.digits[int(lo)+i] = s.int()
	}
	return out
}

func (s *snapReader) sketch() *sketch {
	sk := newSketch()
	for i := range sk.registers {
		for range s.count() {
			m := mark{at: s.int(), rank: uint8(min(s.uint(), 64-sketchBits+1))}
			if s.err != nil {
				return nil
			}
			sk.note(i, m, noTime)
		}
	}
	return sk
}

func (s *snapReader) summary() summary {
	return summary{
		first: s.int(), lastHeld: s.int(), count: int(s.uint()), peak: s.float(), measure: s.float(),
		records: s.texts(), values: s.texts(), full: s.int(), valued: s.int(), cut: s.bool(), estimated: s.bool(),
	}
}

package sigma

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A snapshot is a magic word, the rules with their versions, then all groups
// from the one not touched for longest. Numbers are varints, texts have their
// length in front.
const (
	snapshotMagic = "ASPISCO1"
	maxSnapText   = 1 << 24
	maxSnapList   = 1 << 26
	maxSnapRules  = 1 << 17
)

// ErrSnapshot says that what was read is no snapshot, or a damaged one, or one
// of another version of this program.
var ErrSnapshot = errors.New("sigma: not a readable correlation snapshot")

// Snapshot writes the state of all groups. The Correlator can be used on
// afterwards.
func (c *Correlator) Snapshot(w io.Writer) error {
	s := &snapWriter{w: bufio.NewWriter(w)}
	s.raw(snapshotMagic)
	s.uint(uint64(len(c.rules)))
	index := make(map[*correlated]uint64, len(c.rules))
	for i, co := range c.rules {
		index[co] = uint64(i)
		s.text(co.rule.ID)
		s.text(co.rule.version)
	}
	s.uint(uint64(c.stats.Groups))
	for g := c.lru.prev; g != &c.lru; g = g.prev {
		s.uint(index[g.owner])
		s.group(g)
	}
	if s.err == nil {
		s.err = s.w.Flush()
	}
	if s.err != nil {
		return fmt.Errorf("write correlation snapshot: %w", s.err)
	}
	return nil
}

// Restore replaces the state by that of a snapshot. Groups of rules that are
// no longer there or have another content are left out, so that a Correlator
// for changed rules can go on from an older one's snapshot. On an error the
// state is empty.
func (c *Correlator) Restore(r io.Reader) error {
	c.clear()
	s := &snapReader{r: bufio.NewReader(r)}
	if err := c.restore(s); err != nil {
		c.clear()
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return nil
}

func (c *Correlator) clear() {
	for _, co := range c.rules {
		clear(co.groups)
	}
	c.lru.next, c.lru.prev = &c.lru, &c.lru
	c.stats.Groups = 0
}

func (c *Correlator) restore(s *snapReader) error {
	if magic := s.bytes(len(snapshotMagic)); string(magic) != snapshotMagic {
		return errors.New("no correlation snapshot of this version")
	}
	owners := make([]*correlated, min(s.count(), maxSnapRules))
	for i := range owners {
		id, version := s.text(), s.text()
		for _, co := range c.rules {
			if co.rule.ID == id && co.rule.version == version {
				owners[i] = co
			}
		}
		if s.err != nil {
			return s.err
		}
	}
	for range s.count() {
		owner := s.uint()
		g := s.group()
		if s.err != nil {
			return s.err
		}
		if owner >= uint64(len(owners)) {
			return errors.New("group of an unknown rule")
		}
		if co := owners[owner]; co != nil {
			if err := c.adopt(co, g); err != nil {
				return err
			}
		}
	}
	return s.err
}

// adopt takes in a restored group, if it fits its rule.
func (c *Correlator) adopt(co *correlated, g *group) error {
	rules := len(co.c.Rules)
	if len(g.values) != len(co.c.GroupBy) || g.chain != nil && len(g.chain) != rules || len(g.entries) == 0 || co.groups[g.key] != nil {
		return errors.New("group does not fit its rule")
	}
	for i := range g.entries {
		if int(g.entries[i].rule) >= rules || i > 0 && g.entries[i-1].compare(&g.entries[i]) >= 0 {
			return errors.New("events of a group are not in order")
		}
	}
	fresh := c.newGroup(co, g.key, g.values)
	g.owner = co
	*fresh = *g
	fresh.resetWindow(len(fresh.entries))
	if co.c.Type == TemporalOrdered && fresh.chain == nil {
		return errors.New("group has no chain")
	}
	c.touch(fresh)
	return nil
}

type snapWriter struct {
	w   *bufio.Writer
	err error
}

func (s *snapWriter) raw(b string) {
	if s.err == nil {
		_, s.err = s.w.WriteString(b)
	}
}

func (s *snapWriter) uint(n uint64) {
	var b [binary.MaxVarintLen64]byte
	s.raw(string(b[:binary.PutUvarint(b[:], n)]))
}

func (s *snapWriter) int(n int64) {
	var b [binary.MaxVarintLen64]byte
	s.raw(string(b[:binary.PutVarint(b[:], n)]))
}

func (s *snapWriter) bool(b bool) {
	if b {
		s.uint(1)
	} else {
		s.uint(0)
	}
}

func (s *snapWriter) text(t string) {
	s.uint(uint64(len(t)))
	s.raw(t)
}

func (s *snapWriter) texts(list []string) {
	s.uint(uint64(len(list)))
	for _, t := range list {
		s.text(t)
	}
}

func (s *snapWriter) group(g *group) {
	s.text(g.key)
	s.texts(g.values)
	s.int(g.floor)
	s.bool(g.shed)
	s.uint(uint64(len(g.chain)))
	for _, at := range g.chain {
		s.int(at)
	}
	s.uint(uint64(len(g.entries)))
	before := int64(0)
	for i := range g.entries {
		e := &g.entries[i]
		s.int(e.at - before)
		before = e.at
		s.text(e.record)
		s.text(e.value)
		s.uint(uint64(e.rule))
		s.bool(e.held)
	}
	s.uint(uint64(len(g.episodes)))
	for _, ep := range g.episodes {
		s.text(ep.key)
		s.summary(&ep.summary)
		s.bool(ep.base != nil)
		if ep.base != nil {
			s.summary(ep.base)
		}
	}
}

func (s *snapWriter) summary(m *summary) {
	s.int(m.first)
	s.int(m.lastHeld)
	s.uint(uint64(m.count))
	s.uint(uint64(m.peak))
	s.texts(m.records)
	s.texts(m.values)
	s.bool(m.cut)
}

// snapReader reads what snapWriter writes. After an error everything reads as
// zero and every list as empty.
type snapReader struct {
	r   *bufio.Reader
	err error
}

func (s *snapReader) fail(err error) {
	if s.err == nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		s.err = err
	}
}

func (s *snapReader) bytes(n int) []byte {
	if s.err != nil {
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.r, b); err != nil {
		s.fail(err)
		return nil
	}
	return b
}

func (s *snapReader) uint() uint64 {
	if s.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(s.r)
	if err != nil {
		s.fail(err)
		return 0
	}
	return n
}

func (s *snapReader) int() int64 {
	if s.err != nil {
		return 0
	}
	n, err := binary.ReadVarint(s.r)
	if err != nil {
		s.fail(err)
		return 0
	}
	return n
}

func (s *snapReader) bool() bool { return s.uint() != 0 }

// count reads the length of a list. Lists are grown item by item, so that a
// damaged length costs no memory.
func (s *snapReader) count() int {
	n := s.uint()
	if n > maxSnapList {
		s.fail(errors.New("list is too long"))
		return 0
	}
	return int(n)
}

func (s *snapReader) text() string {
	n := s.uint()
	if n > maxSnapText {
		s.fail(errors.New("text is too long"))
		return ""
	}
	return string(s.bytes(int(n)))
}

func (s *snapReader) texts() []string {
	var out []string
	for range s.count() {
		if out = append(out, s.text()); s.err != nil {
			return nil
		}
	}
	return out
}

func (s *snapReader) group() *group {
	g := &group{key: s.text(), values: s.texts(), floor: s.int(), shed: s.bool()}
	for range s.count() {
		if g.chain = append(g.chain, s.int()); s.err != nil {
			return nil
		}
	}
	before := int64(0)
	for range s.count() {
		before += s.int()
		e := entry{at: before, record: s.text(), value: s.text(), rule: uint16(s.uint()), held: s.bool()}
		if g.entries = append(g.entries, e); s.err != nil {
			return nil
		}
	}
	for range s.count() {
		ep := &episode{key: s.text(), summary: s.summary()}
		if s.bool() {
			base := s.summary()
			ep.base = &base
		}
		if g.episodes = append(g.episodes, ep); s.err != nil {
			return nil
		}
	}
	return g
}

func (s *snapReader) summary() summary {
	return summary{
		first: s.int(), lastHeld: s.int(), count: int(s.uint()), peak: int(s.uint()),
		records: s.texts(), values: s.texts(), cut: s.bool(),
	}
}

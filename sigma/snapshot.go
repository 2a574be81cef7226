package sigma

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// A snapshot is a magic word, the watermark, the rules with their versions and
// what they hand to which others, then all groups from the one not touched for
// longest. Numbers are varints, texts have their length in front.
const (
	snapshotMagic = "ASPISCO4"
	snapshotOlder = "ASPISCO3" // with other stretches
	snapshotOld   = "ASPISCO2" // without
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
	s := newSnapWriter(w)
	s.raw(snapshotMagic)
	s.int(c.now)
	s.uint(uint64(len(c.rules)))
	for _, co := range c.rules {
		s.text(co.rule.ID)
		s.text(co.rule.version)
		s.texts(co.wants)
		s.uint(uint64(len(co.up)))
		for _, f := range co.up {
			s.text(f.to.rule.ID)
		}
	}
	s.uint(uint64(c.stats.Groups))
	for g := c.lru.prev; g != &c.lru; g = g.prev {
		s.uint(uint64(g.owner.index))
		s.group(g)
	}
	return s.flush("correlation")
}

// Restore replaces the state by that of a snapshot. Groups of rules that are
// no longer there or have another content are left out, so that a Correlator
// for changed rules can go on from an older one's snapshot. On an error the
// state is empty.
func (c *Correlator) Restore(r io.Reader) error {
	c.clear()
	s := newSnapReader(r)
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
	c.stats.Groups, c.stats.Events = 0, 0
	c.now, c.mark, c.due = noTime, noTime, math.MaxInt64
}

// snapRule is a rule of a snapshot.
type snapRule struct {
	co *correlated // nil: its groups are left out
	up []int       // by feed of the snapshot, the feed here; -1: none
}

func (c *Correlator) restore(s *snapReader) error {
	magic := string(s.bytes(len(snapshotMagic)))
	s.version = slices.Index([]string{snapshotOld, snapshotOlder, snapshotMagic}, magic)
	if s.version < 0 {
		return errors.New("no correlation snapshot of this version")
	}
	c.now = s.int()
	c.mark = c.now
	rules := make([]snapRule, min(s.count(), maxSnapRules))
	for i := range rules {
		if rules[i] = c.snapRule(s); s.err != nil {
			return s.err
		}
	}
	for range s.count() {
		owner := s.uint()
		g := s.group()
		if s.err != nil {
			return s.err
		}
		if owner >= uint64(len(rules)) {
			return errors.New("group of an unknown rule")
		}
		if r := rules[owner]; r.co != nil {
			if err := c.adopt(r, g); err != nil {
				return err
			}
		}
	}
	return s.err
}

func (c *Correlator) snapRule(s *snapReader) (r snapRule) {
	id, version, wants := s.text(), s.text(), s.texts()
	for _, co := range c.rules {
		if co.rule.ID == id && co.rule.version == version && slices.Equal(co.wants, wants) {
			r.co = co
		}
	}
	for range s.count() {
		to, at := s.text(), -1
		if r.co != nil {
			at = slices.IndexFunc(r.co.up, func(f *feed) bool { return f.to.rule.ID == to })
		}
		if r.up = append(r.up, at); s.err != nil {
			return r
		}
	}
	return r
}

// adopt takes in a restored group, if it fits its rule.
func (c *Correlator) adopt(r snapRule, g *group) error {
	co := r.co
	if len(splitKey(g.key)) != len(co.c.GroupBy) || len(g.entries) == 0 || co.groups[g.key] != nil {
		return errors.New("group does not fit its rule")
	}
	for i := range g.entries {
		e := &g.entries[i]
		if int(e.rule) >= len(co.feeds) || i > 0 && g.compare(&g.entries[i-1], g.arrival(e)) >= 0 {
			return errors.New("events of a group are not in order")
		}
		if x := g.number(e); co.c.Type.number() && (len(g.value(e)) != 8 || math.IsNaN(x) || math.IsInf(x, 0)) {
			return errors.New("event of a group has no number")
		}
	}
	if st := g.story; st != nil {
		for i := range st.sent {
			if st.sent[i].feed >= len(r.up) {
				return errors.New("group does not fit its rule")
			}
			st.sent[i].feed = r.up[st.sent[i].feed]
		}
		st.sent = slices.DeleteFunc(st.sent, func(x sending) bool { return x.feed < 0 })
	}
	g.owner = co
	if !g.adoptStretches() {
		return errors.New("group does not fit its rule")
	}
	co.groups[g.key] = g
	c.stats.Groups++
	c.stats.Events += len(g.entries) + g.weight()
	if !co.awaits {
		g.reset()
	}
	c.touch(g)
	c.await(g)
	return nil
}

type snapWriter struct {
	w   *bufio.Writer
	err error
}

func newSnapWriter(w io.Writer) *snapWriter { return &snapWriter{w: bufio.NewWriter(w)} }

// flush ends a snapshot of what.
func (s *snapWriter) flush(what string) error {
	if s.err == nil {
		s.err = s.w.Flush()
	}
	if s.err != nil {
		return fmt.Errorf("write %s snapshot: %w", what, s.err)
	}
	return nil
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

func (s *snapWriter) float(x float64) { s.uint(math.Float64bits(x)) }

// snapReader reads what snapWriter writes. After an error everything reads as
// zero and every list as empty.
type snapReader struct {
	r       byteReader
	version int // of 3: the last but two, the last but one, and the last
	err     error
}

// A snapReader reads no further than the snapshot where in is buffered already.
func newSnapReader(in io.Reader) *snapReader {
	if r, ok := in.(byteReader); ok {
		return &snapReader{r: r}
	}
	return &snapReader{r: bufio.NewReader(in)}
}

type byteReader interface {
	io.Reader
	io.ByteReader
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

func (s *snapReader) float() float64 { return math.Float64frombits(s.uint()) }

package sigma

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// detection is the compiled detection section of a rule.
type detection struct {
	selections []selection
	conditions []condition // any of them suffices
	filters    []applied   // all must let the event pass
}

// selection is a search identifier: alternatives of which one must hold.
type selection struct {
	name         string
	line         int      // of the file
	alternatives [][]item // the items of an alternative must all hold
}

// item is one field of a selection with its modifiers and values.
type item struct {
	field     string // "" for keywords
	line      int    // of the file
	modifiers []string
	expected  []string  // the values as written
	groups    [][]*pred // per value, what it expands to; one of a group suffices
	all       bool      // every group must hold, not one
	neg       bool      // the result is negated (neq)
}

// condition is a parsed condition.
type condition struct {
	text string
	root *expr
	own  *expr // root without filters; nil when there are none
}

// detectionReader reads the detection section of one rule.
type detectionReader struct {
	doc    *document
	opts   *Options
	filter bool // the section is a filter's, which also names rules
}

func (r detectionReader) read(n *yaml.Node) (*detection, error) {
	m, err := r.doc.mapping(n, "detection")
	if err != nil {
		return nil, err
	}
	d := &detection{}
	for _, e := range m {
		switch e.name {
		case "condition":
			continue
		case "rules":
			if r.filter {
				continue
			}
		case "timeframe":
			return nil, faultf(e.key.Line, e.key.Column, "a timeframe has no meaning without an aggregation in the condition")
		}
		s, err := r.selection(e)
		if err != nil {
			return nil, err
		}
		d.selections = append(d.selections, s)
	}
	cond := m.get("condition")
	if cond == nil {
		return nil, faultf(n.Line, n.Column, "detection has no condition")
	}
	items, err := r.doc.sequence(cond)
	if err != nil {
		return nil, err
	}
	names := d.names()
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || isNull(item) {
			return nil, faultf(item.Line, item.Column, "a condition must be text")
		}
		root, err := r.doc.left.condition(item.Value, names)
		if err != nil {
			return nil, faultf(item.Line, item.Column, "condition: %v", err)
		}
		d.conditions = append(d.conditions, condition{text: item.Value, root: root})
	}
	if len(d.conditions) == 0 {
		return nil, faultf(cond.Line, cond.Column, "detection has no condition")
	}
	return d, nil
}

func (d *detection) names() []string {
	out := make([]string, len(d.selections))
	for i, s := range d.selections {
		out[i] = s.name
	}
	return out
}

// selection reads a mapping, a list of mappings and keywords, or a keyword.
func (r detectionReader) selection(e pair) (selection, error) {
	s := selection{name: e.name, line: r.doc.offset + e.key.Line}
	if e.val.Kind == yaml.MappingNode {
		alt, err := r.alternative(e.val)
		s.alternatives = [][]item{alt}
		return s, err
	}
	items, err := r.doc.sequence(e.val)
	if err != nil {
		return s, err
	}
	if len(items) == 0 {
		return s, faultf(e.val.Line, e.val.Column, "search identifier %q is empty", e.name)
	}
	if !slices.ContainsFunc(items, func(n *yaml.Node) bool { return n.Kind == yaml.MappingNode }) {
		kw, err := r.item("", e.val)
		s.alternatives = [][]item{{kw}}
		return s, err
	}
	for _, n := range items {
		var alt []item
		if n.Kind == yaml.MappingNode {
			alt, err = r.alternative(n)
		} else {
			alt = make([]item, 1)
			alt[0], err = r.item("", n)
		}
		if err != nil {
			return s, err
		}
		s.alternatives = append(s.alternatives, alt)
	}
	return s, nil
}

// alternative reads a mapping of fields to values.
func (r detectionReader) alternative(n *yaml.Node) ([]item, error) {
	m, err := r.doc.mapping(n, "a selection")
	if err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, faultf(n.Line, n.Column, "empty selection")
	}
	items := make([]item, len(m))
	for i, e := range m {
		if e.name == "" {
			return nil, faultf(e.key.Line, e.key.Column, "a field without a name")
		}
		if items[i], err = r.item(e.name, e.val); err != nil {
			return nil, placed(err, e.key)
		}
		items[i].line = r.doc.offset + e.key.Line
	}
	return items, nil
}

// placed gives an error without a place the place of n.
func placed(err error, n *yaml.Node) error {
	if _, ok := errors.AsType[*fault](err); ok {
		return err
	}
	return faultf(n.Line, n.Column, "%v", err)
}

// item reads one "field|modifier|…: values" pair; key is "" for keywords.
func (r detectionReader) item(key string, n *yaml.Node) (item, error) {
	parts := strings.Split(key, "|")
	it := item{field: parts[0], line: r.doc.offset + n.Line, modifiers: parts[1:]}
	c := &chain{field: it.field, placeholders: r.opts.Placeholders, left: &r.doc.left}
	nodes, err := r.doc.sequence(n)
	if err != nil {
		return it, err
	}
	if len(nodes) == 0 {
		return it, faultf(n.Line, n.Column, "empty list of values")
	}
	for _, node := range nodes {
		v, err := readValue(node)
		if err != nil {
			return it, err
		}
		it.expected = append(it.expected, v.source)
		c.groups = append(c.groups, []value{v})
	}
	if err := c.applyAll(it.modifiers); err != nil {
		return it, err // the caller places it at the key
	}
	if err := c.checkValues(n); err != nil {
		return it, err
	}
	it.all, it.neg = c.all, c.neg
	for i, group := range c.groups {
		if r.doc.left.predicates -= len(group); r.doc.left.predicates < 0 {
			return it, placed(errPredicates, nodes[i])
		}
		preds, err := c.compile(group)
		if err != nil {
			return it, placed(err, nodes[i])
		}
		it.groups = append(it.groups, preds)
	}
	return it, nil
}

func (c *chain) applyAll(modifiers []string) error {
	for i, name := range modifiers {
		if slices.Contains(modifiers[:i], name) {
			return fmt.Errorf("modifier %q is given twice", name)
		}
		if err := c.apply(name); err != nil {
			return err
		}
	}
	return nil
}

func (c *chain) compile(group []value) ([]*pred, error) {
	out := make([]*pred, len(group))
	for i, v := range group {
		var err error
		if out[i], err = c.pred(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

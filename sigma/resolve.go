package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// maxChain bounds chains of correlations: how many may stand above a rule.
const maxChain = 8

// maxPath bounds how far references are followed before that is known.
const maxPath = 1000

// resolver replaces the references of correlations by rule ids, children
// before those that refer to them.
type resolver struct {
	loader *Loader
	byID   map[string]*Rule
	names  map[string][]*Rule
	depth  map[*Rule]int // of what is resolved
	path   []*Rule       // being resolved
}

// resolveAll resolves every correlation, and refuses those that cannot be:
// what they refer to is missing or was refused, or leads back to themselves.
func (l *Loader) resolveAll(byID map[string]*Rule, names map[string][]*Rule) {
	r := &resolver{loader: l, byID: byID, names: names, depth: map[*Rule]int{}}
	for _, rule := range l.rules {
		if byID[rule.ID] == rule {
			r.visit(rule)
		}
	}
}

// visit returns how many correlations stand in the longest chain that ends
// with the rule, and false when the rule was refused.
func (r *resolver) visit(rule *Rule) (int, bool) {
	if rule.Correlation == nil {
		return 0, true
	}
	if depth, ok := r.depth[rule]; ok {
		return depth, depth > 0
	}
	if len(r.path) >= maxPath {
		r.refuse(rule, rule.Correlation.at("", fmt.Sprintf("more than %d correlations in a chain", maxChain)))
		return 0, false
	}
	r.path = append(r.path, rule)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	depth, err := r.resolve(rule)
	if err != nil {
		if _, done := r.depth[rule]; !done {
			r.refuse(rule, err)
		}
		return 0, false
	}
	if _, refused := r.depth[rule]; refused {
		return 0, false
	}
	r.depth[rule] = depth
	return depth, true
}

func (r *resolver) refuse(rule *Rule, err error) {
	p := asProblem(rule.File, rule.label(), rule.Correlation.offset, err)
	r.loader.problems = append(r.loader.problems, p)
	delete(r.byID, rule.ID)
	r.depth[rule] = 0
}

func (r *resolver) find(ref string) (*Rule, error) {
	if target, ok := r.byID[ref]; ok {
		return target, nil
	}
	switch found := r.names[ref]; {
	case len(found) == 0 || len(found) == 1 && r.byID[found[0].ID] != found[0]:
		return nil, fmt.Errorf("refers to rule %q, which is not loaded", ref)
	case len(found) > 1:
		return nil, fmt.Errorf("refers to rule %q, a name that %d rules have", ref, len(found))
	default:
		return found[0], nil
	}
}

// at places a reason at the reference that it is about.
func (c *Correlation) at(ref, reason string) error {
	def := definition{places: c.places}
	if _, ok := c.places["rules/"+ref]; ok {
		return def.fault("rules/"+ref, "%s", reason)
	}
	if _, ok := c.places["rules"]; ok {
		return def.fault("rules", "%s", reason)
	}
	return def.fault("condition", "%s", reason)
}

func (r *resolver) resolve(rule *Rule) (depth int, err error) {
	c := *rule.Correlation
	c.Rules = slices.Clone(c.Rules)
	for i, ref := range c.Rules {
		target, err := r.find(ref)
		if err != nil {
			return 0, c.at(ref, err.Error())
		}
		if slices.Contains(r.path, target) {
			return 0, r.refuseCycle(target)
		}
		below, ok := r.visit(target)
		if !ok {
			if _, done := r.depth[rule]; done {
				return 0, nil // part of a cycle, refused with it
			}
			return 0, c.at(ref, fmt.Sprintf("refers to rule %q, which was refused", ref))
		}
		if depth = max(depth, below+1); depth > maxChain {
			return 0, c.at(ref, fmt.Sprintf("more than %d correlations in a chain", maxChain))
		}
		c.Rules[i] = target.ID
	}
	if err := distinct("rules", c.Rules, maxCorrelated); err != nil {
		return 0, c.at("", err.Error())
	}
	if err := r.resolveAliases(&c); err != nil {
		return 0, err
	}
	rule.Correlation = &c
	return depth, nil
}

// refuseCycle refuses every correlation of the path from the target on.
func (r *resolver) refuseCycle(target *Rule) error {
	cycle := r.path[slices.Index(r.path, target):]
	var names []string
	for _, rule := range append(slices.Clone(cycle), target) {
		names = append(names, rule.label())
	}
	reason := "refers to itself: " + strings.Join(names, " → ")
	for i, rule := range cycle {
		next := target
		if i+1 < len(cycle) {
			next = cycle[i+1]
		}
		ref := next.ID
		if _, ok := rule.Correlation.places["rules/"+ref]; !ok {
			ref = next.Name
		}
		r.refuse(rule, rule.Correlation.at(ref, reason))
	}
	return nil
}

func (r *resolver) resolveAliases(c *Correlation) error {
	def := definition{places: c.places}
	aliases := make(map[string]map[string]string, len(c.aliases))
	for name, fields := range c.aliases {
		aliases[name] = make(map[string]string, len(fields))
		for ref, field := range fields {
			target, err := r.find(ref)
			if err != nil {
				return def.fault("aliases", "alias %q: %s", name, err)
			}
			aliases[name][target.ID] = field
		}
	}
	c.aliases = aliases
	// An alias in use that some rule has no field for: its events could never
	// take part.
	for _, name := range slices.Concat(c.GroupBy, c.Fields) {
		for _, id := range c.Rules {
			if c.field(name, id) == "" {
				return def.fault("aliases", "alias %q names no field for rule %q", name, id)
			}
		}
	}
	return nil
}

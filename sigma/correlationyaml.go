package sigma

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// readCorrelation reads the correlation section of a rule. The specification's
// schema has generate beside the section, its examples and pySigma in it:
// beside is the value that stands there, nil for none.
func readCorrelation(d *document, n, beside *yaml.Node) (*Correlation, error) {
	m, err := d.mapping(n, "correlation")
	if err != nil {
		return nil, err
	}
	def := &definition{places: map[string]place{"": {n.Line, n.Column}}}
	for _, e := range m {
		def.places[e.name] = place{e.val.Line, e.val.Column}
		if err := def.readEntry(d, e); err != nil {
			return nil, placed(err, e.val)
		}
	}
	if beside != nil {
		def.places["generate"] = place{beside.Line, beside.Column}
		if err := def.readGenerate(beside); err != nil {
			return nil, err
		}
	}
	return newCorrelation(def)
}

// readGenerate reads whether the rules referred to raise findings too. Where it
// is said twice, one yes suffices.
func (def *definition) readGenerate(n *yaml.Node) error {
	if n.Tag != "!!bool" {
		return def.fault("generate", "generate must be true or false")
	}
	def.generate = def.generate || strings.EqualFold(n.Value, "true")
	return nil
}

func (def *definition) readEntry(d *document, e pair) (err error) {
	switch e.name {
	case "type":
		def.kind, err = d.text(e.val, e.name)
	case "rules":
		def.rules, err = def.readRules(d, e.val)
	case "group-by":
		def.groupBy, err = d.texts(e.val, e.name)
	case "timespan":
		def.timespan, err = d.text(e.val, e.name)
	case "generate":
		err = def.readGenerate(e.val)
	case "aliases":
		def.aliases, err = readAliases(d, e.val)
	case "condition":
		err = def.readCondition(d, e.val)
	default:
		return faultf(e.key.Line, e.key.Column, "unknown correlation attribute %q", e.name)
	}
	return err
}

// readRules reads the references and notes where each of them stands.
func (def *definition) readRules(d *document, n *yaml.Node) ([]string, error) {
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			def.places["rules/"+d.deref(item).Value] = place{item.Line, item.Column}
		}
	}
	return d.texts(n, "rules")
}

// readCondition reads a mapping of criteria or an expression over rules.
func (def *definition) readCondition(d *document, n *yaml.Node) (err error) {
	if n.Kind == yaml.ScalarNode {
		def.expression, err = d.text(n, "condition")
		return err
	}
	m, err := d.mapping(n, "condition")
	if err != nil {
		return err
	}
	for _, e := range m {
		def.places["condition/"+e.name] = place{e.val.Line, e.val.Column}
		switch e.name {
		case "field":
			def.fields, err = d.texts(e.val, "field")
			def.places["field"] = place{e.val.Line, e.val.Column}
		case "percentile":
			def.percentile, err = d.text(e.val, e.name)
		default:
			var number string
			number, err = d.text(e.val, e.name)
			def.criteria = append(def.criteria, criterion{e.name, number})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readAliases(d *document, n *yaml.Node) (map[string]map[string]string, error) {
	m, err := d.mapping(n, "aliases")
	if err != nil {
		return nil, err
	}
	out := make(map[string]map[string]string, len(m))
	total := 0
	for _, e := range m {
		fields, err := d.mapping(e.val, "alias "+e.name)
		if err != nil {
			return nil, err
		}
		if total += len(fields); total > maxAliasedRules {
			return nil, faultf(e.key.Line, e.key.Column, "more than %d aliased fields", maxAliasedRules)
		}
		out[e.name] = make(map[string]string, len(fields))
		for _, f := range fields {
			if out[e.name][f.name], err = d.text(f.val, "alias "+e.name); err != nil {
				return nil, err
			}
			if out[e.name][f.name] == "" {
				return nil, faultf(f.key.Line, f.key.Column, "alias %q has no field for %q", e.name, f.name)
			}
		}
	}
	return out, nil
}

package intel

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
)

//go:embed rsit.json
var rsitFile []byte

// RSITClass is a classification of the Reference Security Incident Taxonomy
// (ENISA and the TF-CSIRT task force, version 1), with our labels.
type RSITClass struct {
	Name  string      `json:"class"` // machine tag of the predicate
	Label Text        `json:"label"`
	Types []RSITEntry `json:"types"`
}

// RSITEntry is one incident type of a class.
type RSITEntry struct {
	Name  string `json:"type"`
	Label Text   `json:"label"`
}

// Rules are what an advisory is checked against, with its taxonomy.
type Rules struct{ rsit []RSITClass }

// LoadRules reads the taxonomy that is built into the program.
func LoadRules() (*Rules, error) {
	var r Rules
	if err := json.Unmarshal(rsitFile, &r.rsit); err != nil {
		return nil, fmt.Errorf("intel: rsit.json: %w", err)
	}
	for _, c := range r.rsit {
		if c.Label.Zh == "" || c.Label.En == "" || len(c.Types) == 0 {
			return nil, fmt.Errorf("intel: rsit.json: class %q lacks a label or types", c.Name)
		}
		if slices.ContainsFunc(c.Types, func(t RSITEntry) bool { return t.Name == "" || t.Label.Zh == "" || t.Label.En == "" }) {
			return nil, fmt.Errorf("intel: rsit.json: class %q has a type without name or label", c.Name)
		}
	}
	return &r, nil
}

// RSIT lists the classes in the taxonomy's order.
func (r *Rules) RSIT() []RSITClass { return r.rsit }

// RSITLabel names "class:type" in both languages; empty when unknown.
func (r *Rules) RSITLabel(tag string) Text {
	for _, c := range r.rsit {
		for _, t := range c.Types {
			if c.Name+":"+t.Name == tag {
				return Text{Zh: c.Label.Zh + "／" + t.Label.Zh, En: c.Label.En + " / " + t.Label.En}
			}
		}
	}
	return Text{}
}

func (r *Rules) known(tag string) bool { return r.RSITLabel(tag) != Text{} }

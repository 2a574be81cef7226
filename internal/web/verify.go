package web

import (
	"errors"
	"fmt"
	"html/template"
	"text/template/parse"
)

// verify finds at start what would fail on a visit: parts that do not exist,
// and catalogue keys and icons, where they are written out, that do not.
func (s *Shell) verify(t *template.Template) error {
	var problems []error
	for _, one := range t.Templates() {
		if one.Tree == nil {
			continue
		}
		walk(one.Tree.Root, func(n parse.Node) {
			if err := s.verifyNode(t, n); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", one.Name(), err))
			}
		})
	}
	return errors.Join(problems...)
}

func (s *Shell) verifyNode(t *template.Template, n parse.Node) error {
	switch n := n.(type) {
	case *parse.TemplateNode:
		if t.Lookup(n.Name) == nil {
			return fmt.Errorf("no part %q (embed _files with all:templates)", n.Name)
		}
	case *parse.CommandNode:
		return s.verifyCall(n)
	}
	return nil
}

// verifyCall checks calls of functions that name a key or an icon.
func (s *Shell) verifyCall(n *parse.CommandNode) error {
	name, ok := n.Args[0].(*parse.IdentifierNode)
	if !ok {
		return nil
	}
	at := map[string]int{"t": 1, "link": 1, "icon": 1, "badge": 2}[name.Ident]
	if at == 0 || len(n.Args) <= at {
		return nil
	}
	word, ok := n.Args[at].(*parse.StringNode)
	switch {
	case !ok:
	case name.Ident == "icon" && !s.assets.HasIcon(word.Text):
		return fmt.Errorf("icon %q is not in assets/icons.json", word.Text)
	case name.Ident != "icon" && !s.texts.Has(word.Text):
		return fmt.Errorf("no text for %q", word.Text)
	}
	return nil
}

// walk visits every node of a template.
func walk(n parse.Node, visit func(parse.Node)) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, child := range n.Nodes {
				walk(child, visit)
			}
		}
	case *parse.ActionNode:
		walkPipe(n.Pipe, visit)
	case *parse.IfNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.TemplateNode:
		visit(n)
		walkPipe(n.Pipe, visit)
	}
}

func walkBranch(n *parse.BranchNode, visit func(parse.Node)) {
	walkPipe(n.Pipe, visit)
	walk(n.List, visit)
	walk(n.ElseList, visit)
}

func walkPipe(n *parse.PipeNode, visit func(parse.Node)) {
	if n == nil {
		return
	}
	for _, cmd := range n.Cmds {
		visit(cmd)
		for _, arg := range cmd.Args {
			if inner, ok := arg.(*parse.PipeNode); ok {
				walkPipe(inner, visit)
			}
		}
	}
}

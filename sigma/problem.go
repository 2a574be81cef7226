package sigma

import (
	"errors"
	"fmt"
	"strings"
)

// Problem says why a rule was refused and where. It is an error.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"` // 1-based; 0 when the whole file is meant
	Col    int    `json:"col,omitempty"`  // 1-based
	Rule   string `json:"rule,omitempty"` // id or title, as far as known
	Reason string `json:"reason"`
}

// Error writes the problem as file:line:col: rule: reason.
func (p Problem) Error() string {
	where := p.File
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	}
	if p.Rule != "" {
		return where + ": " + p.Rule + ": " + p.Reason
	}
	return where + ": " + p.Reason
}

// short cuts a text that may come from a hostile file.
func short(s string) string {
	const most = 500
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// fault is a reason at a place within the document being parsed; the document
// turns it into a Problem.
type fault struct {
	line, col int
	reason    string
}

func (f *fault) Error() string { return f.reason }

func faultf(line, col int, format string, args ...any) error {
	return &fault{line: line, col: col, reason: fmt.Sprintf(format, args...)}
}

// asProblem places err in its file; line offsets are those of the document's
// first line less one.
func asProblem(file, rule string, offset int, err error) Problem {
	p := Problem{File: file, Rule: short(rule), Reason: short(err.Error())}
	var f *fault
	if errors.As(err, &f) {
		p.Line, p.Col = f.line, max(f.col, 1)
	}
	p.Line += offset
	return p
}

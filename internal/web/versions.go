package web

import (
	"strings"
	"time"
)

// Versions is what stands above a form whose thing somebody else has changed
// meanwhile: both versions, field by field. The form below holds the viewer's
// and saves over the other one only now that it has been seen. Template
// "versions".
type Versions struct {
	By     string
	At     time.Time
	Fields []Version
}

// Version is one field in two versions.
type Version struct {
	Label  string // catalogue key
	Theirs string
	Yours  string
}

// Differ adds a field where the versions differ. How lines end is no
// difference: browsers change it.
func (v *Versions) Differ(label, theirs, yours string) {
	plain := func(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }
	if theirs, yours = plain(theirs), plain(yours); theirs != yours {
		v.Fields = append(v.Fields, Version{label, theirs, yours})
	}
}

// Progress is work that takes a while. Template "progress".
type Progress struct {
	Key  string // catalogue key: what is being done
	Done int
	Of   int // 0: not known
}

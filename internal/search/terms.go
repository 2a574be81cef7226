package search

import (
	"maps"
	"slices"
	"strings"
)

// Document is what is put into an index. Texts may be in any language.
type Document struct {
	Names []string // what names it exactly: an indicator's value, an id
	Title []string
	Text  []string
}

// Terms is what a document is found by.
type Terms struct {
	Names []string // what it is
	Title []string // what its title holds
	All   []string // what title and text hold, and what its names are part of
}

// Bounds of what is indexed of one document.
const (
	maxText  = 64 << 10 // bytes of each text
	maxTerms = 6000     // of each list
)

// Terms are the document's terms, each list sorted and without duplicates.
func (d Document) Terms() Terms {
	names, title, all := termSet{}, termSet{}, termSet{}
	for _, n := range d.Names {
		id, ok := identify(fold(n))
		if ok {
			names.add(id.exact...)
			all.add(id.wider...)
		}
		if !ok || !id.bare {
			names.add(bounded(fold(n)))
			all.addText(n)
		}
	}
	for _, t := range d.Title {
		title.addText(t)
	}
	title.addBeginnings()
	maps.Copy(all, title)
	for _, t := range d.Text {
		all.addText(t)
	}
	return Terms{names.list(), title.list(), all.list()}
}

type termSet map[string]struct{}

func (s termSet) add(terms ...string) {
	for _, t := range terms {
		if t != "" && len(s) < maxTerms {
			s[t] = struct{}{}
		}
	}
}

// addBeginnings adds the beginnings of the words that are there, so that a
// word of a title is found before it is typed to its end. As terms of their
// own they cost a search no more than any other.
func (s termSet) addBeginnings() {
	for _, w := range s.list() {
		if strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			continue
		}
		for n := minPrefix; n < min(len(w), maxPrefix+1); n++ {
			s.add(beginning(w[:n]))
		}
	}
}

// beginning is the term for words that begin so.
func beginning(w string) string { return w + "*" }

func (s termSet) list() []string { return slices.Sorted(maps.Keys(s)) }

// addText adds everything that a text holds.
func (s termSet) addText(text string) {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	for _, p := range pieces(fold(text)) {
		if !p.ideograph {
			s.addChunk(p.text)
			continue
		}
		s.add(pairs(p.text)...)
		for _, r := range p.text {
			s.add(string(r))
		}
	}
}

// addChunk adds the words of a chunk and what it names, whole or in parts.
func (s termSet) addChunk(chunk string) {
	s.add(words(chunk)...)
	if !strings.ContainsAny(chunk, ".:@-0123456789") {
		return // a plain word
	}
	if s.addIdentity(chunk) {
		return
	}
	for _, part := range strings.FieldsFunc(chunk, func(r rune) bool { return strings.ContainsRune(`=,;|<>"'(){}`, r) }) {
		if s.addIdentity(part) {
			continue
		}
		for _, bit := range strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune(":/[]&?", r) }) {
			s.addIdentity(bit)
		}
	}
}

func (s termSet) addIdentity(chunk string) bool {
	id, ok := identify(chunk)
	if ok {
		s.add(id.exact...)
		s.add(id.wider...)
	}
	return ok
}

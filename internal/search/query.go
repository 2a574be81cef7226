package search

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Query is a question in terms: every group must hold, and a group holds when
// one of its terms does.
type Query struct {
	// Names is what the question names, when it is one name: hits that have
	// one of them as a name come first.
	Names  []string
	Groups []Group
	// Cut says that the question was longer than is looked at.
	Cut bool
}

// Group is a part of a question, in the forms in which it may be found.
type Group []Term

// Term is looked up in an index.
type Term struct {
	Text   string
	Prefix bool // terms that begin so will do
	Name   bool // it may be a document's name too
	// Network says that it is the name of a network and nothing else: only
	// indicators have such.
	Network bool
}

// Bounds of a question.
const (
	MaxQuery  = 200 // runes
	maxGroups = 16
	minPrefix = 3  // letters of a last word that may go on
	maxPrefix = 12 // letters
	minHash   = 8  // digits of a hash that may go on
)

// Empty reports whether there is nothing to look for.
func (q Query) Empty() bool { return len(q.Groups) == 0 }

// Ask reads a question. Everything in it is literal: there are no operators,
// and no text is refused.
func Ask(text string) Query {
	var q Query
	if utf8.RuneCountInString(text) > MaxQuery {
		text, q.Cut = cutRunes(text, MaxQuery), true
	}
	open := !endsInSpace(text)
	list := pieces(fold(text))
	for i, p := range list {
		if p.ideograph {
			for _, pair := range pairs(p.text) {
				q.add(Group{{Text: pair}})
			}
			continue
		}
		q.addChunk(p.text, open && i == len(list)-1)
	}
	if len(list) == 1 && !list[0].ideograph {
		q.Names = append(q.Names, namesOf(list[0].text)...)
	}
	return q
}

func cutRunes(text string, n int) string {
	for at := range text {
		if n == 0 {
			return text[:at]
		}
		n--
	}
	return text
}

func endsInSpace(text string) bool {
	return text != "" && strings.TrimRight(text, " \t\r\n\u3000") != text
}

// add adds a group that is not there yet.
func (q *Query) add(g Group) {
	same := func(have Group) bool { return slices.Equal(have, g) }
	switch {
	case len(g) == 0, slices.ContainsFunc(q.Groups, same):
	case len(q.Groups) == maxGroups:
		q.Cut = true
	default:
		q.Groups = append(q.Groups, g)
	}
}

// addChunk adds what a chunk names, or its words. last says that it may be
// unfinished.
func (q *Query) addChunk(chunk string, last bool) {
	id, ok := identify(chunk)
	if ok && id.certain {
		q.add(certainly(id, chunk))
		return
	}
	var whole Group
	for _, e := range id.exact {
		whole = append(whole, Term{Text: e, Name: true})
	}
	whole = append(whole, beginnings(trimLeft(chunk))...)
	list := words(chunk)
	for i, w := range list {
		g := append(slices.Clone(whole), word(w))
		if last && i == len(list)-1 && len(w) >= minPrefix && len(w) <= maxPrefix {
			g = append(g, Term{Text: beginning(w)})
		}
		q.add(g)
	}
}

func trimLeft(chunk string) string { return strings.TrimLeft(refang(chunk), `,;!?()[]{}<>"'`+"`*") }

// certainly are the forms in which an identity is found: itself, what begins
// so where that makes sense, and the networks that hold an address.
func certainly(id identity, chunk string) Group {
	var g Group
	for _, e := range id.exact {
		g = append(g, Term{Text: e, Name: true, Prefix: cveBegins.MatchString(e)})
	}
	chunk = trim(refang(chunk))
	if strings.Contains(chunk, "://") && len(id.wider) > 0 {
		return append(g, Term{Text: id.wider[0], Name: true}) // the host
	}
	if addr, err := netip.ParseAddr(id.exact[0]); err == nil {
		g[0].Prefix = addr.Is4()
		for _, n := range networks(addr) {
			g = append(g, Term{Text: n, Name: true, Network: true})
		}
		if head, ok := strings.CutSuffix(chunk, "::"); ok && addr.Is6() {
			g = append(g, Term{Text: head + ":"})
		}
		return g
	}
	if p, err := netip.ParsePrefix(id.exact[0]); err == nil && p.Addr().Is4() && p.Bits()%8 == 0 && len(id.wider) > 0 {
		g = append(g, Term{Text: id.wider[len(id.wider)-1]})
	}
	return g
}

var (
	beginsIPv4 = regexp.MustCompile(`^(\d{1,3}\.){1,3}(\d{1,3})?$`)
	beginsIPv6 = regexp.MustCompile(`^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){0,6}:?$`)
	beginsCVE  = regexp.MustCompile(`^cve-\d{4}-?$`)
	cveBegins  = regexp.MustCompile(`^cve-\d{4}-\d{3,}$`) // that may go on
)

// beginnings are the terms of an identifier of which only the beginning was
// written.
func beginnings(chunk string) Group {
	switch {
	case beginsCVE.MatchString(chunk):
		return Group{{Text: strings.TrimSuffix(chunk, "-")}}
	case beginsIPv4.MatchString(chunk):
		return Group{{Text: chunk, Prefix: !strings.HasSuffix(chunk, ".")}}
	case strings.Contains(chunk, ":") && beginsIPv6.MatchString(chunk):
		return Group{{Text: groupsOf(chunk)}}
	}
	return nil
}

// groupsOf writes groups of an IPv6 address as prefixes are: without leading
// zeros, with a colon behind each.
func groupsOf(chunk string) string {
	var b strings.Builder
	for g := range strings.SplitSeq(strings.TrimSuffix(chunk, ":"), ":") {
		if g = strings.TrimLeft(g, "0"); g == "" {
			g = "0"
		}
		b.WriteString(g)
		b.WriteByte(':')
	}
	return b.String()
}

// word is a word's term: of a hash the beginning will do.
func word(w string) Term {
	hash := len(w) >= minHash && strings.Trim(w, "0123456789abcdef") == ""
	return Term{Text: w, Prefix: hash && len(w) < maxWord, Name: hash}
}

// namesOf is what a question of one chunk names.
func namesOf(chunk string) []string {
	names := []string{bounded(chunk)}
	if id, ok := identify(chunk); ok {
		names = append(names, id.exact...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Fits tells how well a document fits the question, and whether it does at
// all. Indexes answer the same.
func (t Terms) Fits(q Query) (Tier, bool) {
	if slices.ContainsFunc(q.Names, func(n string) bool { return has(t.Names, n, false) }) {
		return ByName, true
	}
	if q.Empty() {
		return 0, false
	}
	title, all := true, true
	for _, g := range q.Groups {
		title = title && t.holds(g, t.Title)
		all = all && t.holds(g, t.All)
	}
	switch {
	case title:
		return ByTitle, true
	case all:
		return ByText, true
	}
	return 0, false
}

func (t Terms) holds(g Group, list []string) bool {
	return slices.ContainsFunc(g, func(term Term) bool {
		return !term.Network && has(list, term.Text, term.Prefix) || term.Name && has(t.Names, term.Text, term.Prefix)
	})
}

// has looks a term up in a sorted list.
func has(list []string, term string, prefix bool) bool {
	i, found := slices.BinarySearch(list, term)
	return found || prefix && i < len(list) && strings.HasPrefix(list[i], term)
}

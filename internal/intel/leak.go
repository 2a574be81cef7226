package intel

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/sector"
)

// LeakKind says what a text gives away.
type LeakKind string

// The kinds. Each has the catalogue text "leak.<kind>".
const (
	LeakMemberName   LeakKind = "member_name"
	LeakMemberID     LeakKind = "member_id"
	LeakMemberDomain LeakKind = "member_domain"
	LeakAddress      LeakKind = "private_address" // any private address
	LeakHost         LeakKind = "host"            // of the evidence
	LeakAccount      LeakKind = "account"         // of the evidence
)

// Leak is something in an advisory that points at a member.
type Leak struct {
	// Block: it must be removed before release. Otherwise it is a warning.
	Block bool
	Kind  LeakKind
	// Field is "title.zh", "title.en", "body.zh", "body.en" or
	// "indicators"; its name is the catalogue text "field.<field>".
	Field string
	// Line and Column, from 1, in characters; for indicators Line is the
	// number of the indicator.
	Line, Column int
	Text         string          // what stands there
	Member       sector.MemberID // whom it points at, where that is known
}

// needle is one thing to look for.
type needle struct {
	folded string
	kind   LeakKind
	member sector.MemberID
	block  bool
}

// CheckLeaks searches an advisory's words and indicators for what points at a
// member. Names, ids and mail domains of members whose records are the
// evidence block; those of other members warn, because an advisory may be
// about a member's public service. Private addresses, and hosts and accounts
// of the evidence, block.
func CheckLeaks(m Message, members []sector.Member, ev Evidence) []Leak {
	needles := append(memberNeedles(members, ev.Members), evidenceNeedles(ev.Internal)...)
	var leaks []Leak
	for _, f := range m.fields() {
		leaks = append(leaks, searchField(f, needles)...)
	}
	slices.SortStableFunc(leaks, func(a, b Leak) int {
		if a.Block != b.Block {
			if a.Block {
				return -1
			}
			return 1
		}
		return 0
	})
	return leaks
}

// Blocks reports whether any leak must be removed.
func Blocks(leaks []Leak) bool {
	return slices.ContainsFunc(leaks, func(l Leak) bool { return l.Block })
}

// field is one text to search; line is set for indicators.
type field struct {
	name, text string
	line       int
}

func (m Message) fields() []field {
	all := []field{
		{"title.zh", m.Title.Zh, 0}, {"title.en", m.Title.En, 0},
		{"body.zh", m.Body.Zh, 0}, {"body.en", m.Body.En, 0},
	}
	for i, ind := range m.Indicators {
		all = append(all, field{"indicators", ind.Value, i + 1})
	}
	return all
}

func memberNeedles(members []sector.Member, evidence []sector.MemberID) []needle {
	var all []needle
	for _, m := range members {
		block := slices.Contains(evidence, m.ID)
		add := func(text string, kind LeakKind) {
			if f := strings.TrimSpace(fold(text).text); utf8.RuneCountInString(f) > 1 {
				all = append(all, needle{f, kind, m.ID, block})
			}
		}
		for _, name := range append(nameVariants(m.Name), nameVariants(m.NameZh)...) {
			add(name, LeakMemberName)
		}
		add(string(m.ID), LeakMemberID)
		if _, domain, ok := strings.Cut(m.Mail, "@"); ok {
			add(domain, LeakMemberDomain)
		}
	}
	return all
}

// companyForms are the ends of a company's name that people leave out.
func companyForms() []string {
	return []string{
		"co., ltd.", "co. ltd.", "co.,ltd.", "company limited", "corporation", "corp.", "inc.", "ltd.", "limited", "company", "plc",
		"股份有限公司", "有限公司", "公司",
	}
}

// nameVariants is a name with and without its company form.
func nameVariants(name string) []string {
	variants := []string{name}
	short := strings.TrimSpace(fold(name).text)
	for _, form := range companyForms() {
		if rest, ok := strings.CutSuffix(short, form); ok {
			rest = strings.TrimRight(rest, " ,")
			if utf8.RuneCountInString(rest) > 2 {
				variants = append(variants, rest)
			}
			break
		}
	}
	return variants
}

func evidenceNeedles(internal []event.Observable) []needle {
	var all []needle
	for _, o := range internal {
		kind := LeakAddress
		switch o.Kind {
		case event.ObservableHost:
			kind = LeakHost
		case event.ObservableAccount:
			kind = LeakAccount
		}
		for _, text := range internalSpellings(o) {
			f := strings.TrimSpace(fold(text).text)
			if utf8.RuneCountInString(f) >= minInternal && !isCommonAccount(f) {
				all = append(all, needle{f, kind, "", true})
			}
		}
	}
	return all
}

// minInternal is the shortest host or account name that is searched for: a
// shorter one is found in ordinary words.
const minInternal = 3

// isCommonAccount reports whether an account name is the same everywhere and
// so points at nobody.
func isCommonAccount(name string) bool {
	return slices.Contains([]string{
		"system", "administrator", "admin", "root", "guest", "local service", "network service",
		"nt authority\\system", "nt authority", "anonymous logon", "everyone", "user", "localhost", "none", "service",
	}, name)
}

// internalSpellings are the ways a host or account is written: whole, a
// host's first label, an account without its domain.
func internalSpellings(o event.Observable) []string {
	all := []string{o.Value}
	switch o.Kind {
	case event.ObservableHost:
		if label, _, ok := strings.Cut(o.Value, "."); ok {
			all = append(all, label)
		}
	case event.ObservableAccount:
		if _, name, ok := strings.Cut(o.Value, `\`); ok {
			all = append(all, name)
		}
		if name, _, ok := strings.Cut(o.Value, "@"); ok {
			all = append(all, name)
		}
	}
	return all
}

func searchField(f field, needles []needle) []Leak {
	text := fold(f.text)
	type hit struct {
		span [2]int
		leak Leak
	}
	var hits []hit
	for _, n := range needles {
		for _, span := range text.find(n.folded) {
			hits = append(hits, hit{span, Leak{Block: n.block, Kind: n.kind, Member: n.member}})
		}
	}
	for _, span := range privateAddresses(text.text) {
		hits = append(hits, hit{span, Leak{Block: true, Kind: LeakAddress}})
	}
	// The longest of overlapping hits says it; a blocking one is never
	// hidden by a warning.
	slices.SortStableFunc(hits, func(a, b hit) int {
		if a.leak.Block != b.leak.Block {
			return boolFirst(a.leak.Block)
		}
		return (b.span[1] - b.span[0]) - (a.span[1] - a.span[0])
	})
	var kept []hit
	for _, h := range hits {
		if !slices.ContainsFunc(kept, func(k hit) bool { return h.span[0] < k.span[1] && k.span[0] < h.span[1] }) {
			kept = append(kept, h)
		}
	}
	slices.SortFunc(kept, func(a, b hit) int { return a.span[0] - b.span[0] })
	leaks := make([]Leak, len(kept))
	for i, h := range kept {
		leaks[i] = h.leak.at(f, text, h.span)
	}
	return leaks
}

func boolFirst(a bool) int {
	if a {
		return -1
	}
	return 1
}

// at fills in where the leak is.
func (l Leak) at(f field, text folded, span [2]int) Leak {
	start, end := text.original(span)
	before := f.text[:start]
	lastLine := strings.LastIndexByte(before, '\n') + 1
	l.Field, l.Text = f.name, f.text[start:end]
	l.Line = strings.Count(before, "\n") + 1
	l.Column = utf8.RuneCountInString(before[lastLine:]) + 1
	if f.line > 0 {
		l.Line, l.Column = f.line, 1
	}
	return l
}

var addressForm = regexp.MustCompile(`\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}`)

// privateAddresses are the spans of private addresses in a folded text.
func privateAddresses(text string) [][2]int {
	var spans [][2]int
	for _, span := range addressForm.FindAllStringIndex(text, -1) {
		addr, err := netip.ParseAddr(text[span[0]:span[1]])
		inWord := !wordStarts(text, span[0]) || !wordEnds(text, span[1])
		if err == nil && !inWord && isInternal(addr) && !addr.IsUnspecified() {
			spans = append(spans, [2]int{span[0], span[1]})
		}
	}
	return spans
}

// String is the leak for logs and tests: where and what.
func (l Leak) String() string {
	level := "warn"
	if l.Block {
		level = "block"
	}
	return fmt.Sprintf("%s %s %s:%d:%d %q", level, l.Kind, l.Field, l.Line, l.Column, l.Text)
}

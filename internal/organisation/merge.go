package organisation

import (
	"fmt"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// field is a part of a profile that is changed as a whole.
type field struct {
	name string
	text func(Profile) string // as people read it; equal texts are equal values
	take func(to *Profile, from Profile)
}

func line(name string, at func(*Profile) *string) field {
	return field{name, func(p Profile) string { return *at(&p) }, func(to *Profile, from Profile) { *at(to) = *at(&from) }}
}

func list(name string, at func(*Profile) *[]string) field {
	return field{name, func(p Profile) string { return strings.Join(*at(&p), "\n") },
		func(to *Profile, from Profile) { *at(to) = *at(&from) }}
}

func contact(d Duty) field {
	return field{"contact_" + string(d), func(p Profile) string { return p.Contacts[d].text() },
		func(to *Profile, from Profile) {
			contacts := map[Duty]Contact{d: from.Contacts[d]}
			for other, c := range to.Contacts {
				if other != d {
					contacts[other] = c
				}
			}
			to.Contacts = contacts
		}}
}

func (c Contact) text() string {
	round := ""
	if c.Round {
		round = "24 h"
	}
	return strings.TrimSpace(strings.Join([]string{c.Name, c.Mail, c.Phone, round}, "\n"))
}

// fields are the parts of a profile in display order. A contact is one: a
// name beside another's number would be worse than a question.
func fields() []field {
	all := []field{
		line("name_zh", func(p *Profile) *string { return &p.NameZh }), line("name", func(p *Profile) *string { return &p.Name }),
		line("size", func(p *Profile) *string { return (*string)(&p.Size) }),
		line("stock_code", func(p *Profile) *string { return &p.StockCode }), line("bic", func(p *Profile) *string { return &p.BIC }),
	}
	for _, d := range Duties() {
		all = append(all, contact(d))
	}
	return append(all,
		list("networks", func(p *Profile) *[]string { return &p.Networks }), list("domains", func(p *Profile) *[]string { return &p.Domains }),
		list("brands", func(p *Profile) *[]string { return &p.Brands }), list("products", func(p *Profile) *[]string { return &p.Products }),
		list("suppliers", func(p *Profile) *[]string { return &p.Suppliers }),
	)
}

// Collision is a field that two people changed at once, differently.
type Collision struct {
	Field        string
	Mine, Theirs string
}

// CollisionError means that nothing was saved: it has what collides with the
// version that is kept now.
type CollisionError struct {
	Version int
	Fields  []Collision
	// Merged is what the first of the two would have to save over that
	// version: others' changes where there are only those, else its own.
	Merged Profile
}

func (e *CollisionError) Error() string {
	return fmt.Sprintf("profile: %d fields changed in version %d too", len(e.Fields), e.Version)
}

// Unwrap gives the error its kind: the input is to be looked at again.
func (e *CollisionError) Unwrap() error { return errs.New(errs.Invalid, "profile.collision") }

// merge is what comes of two changes to base: each field as who changed it
// has it. Fields that both changed, differently, collide, and are mine.
func merge(base, mine, theirs Profile) (Profile, []Collision) {
	merged := theirs
	var collisions []Collision
	for _, f := range fields() {
		was, a, b := f.text(base), f.text(mine), f.text(theirs)
		switch {
		case a == was || a == b:
		case b == was:
			f.take(&merged, mine)
		default:
			f.take(&merged, mine)
			collisions = append(collisions, Collision{f.name, a, b})
		}
	}
	return merged, collisions
}

// changes are the names of the fields that differ.
func changes(a, b Profile) []string {
	var names []string
	for _, f := range fields() {
		if f.text(a) != f.text(b) {
			names = append(names, f.name)
		}
	}
	return names
}

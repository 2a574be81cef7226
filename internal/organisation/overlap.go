package organisation

import (
	"context"
	"net/netip"
	"strings"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Overlap is a network or a domain that two members claim, for the centre's
// eyes. A member is not told that there is one: that alone would say that
// another member has it.
type Overlap struct {
	Mine, Theirs string
	Other        sector.MemberID
}

// Overlaps are what a member claims and others claim too.
func (s *Service) Overlaps(ctx context.Context, v sector.Viewer, id sector.MemberID) ([]Overlap, error) {
	if err := need(v, sector.ReadMembers); err != nil {
		return nil, err
	}
	kept, err := s.Profiles.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	return Overlapping(kept, id), nil
}

// Overlapping is what one of the profiles claims and others claim too.
func Overlapping(kept []Kept, id sector.MemberID) []Overlap {
	var mine Profile
	for _, k := range kept {
		if k.Member == id {
			mine = k.Profile
		}
	}
	var found []Overlap
	for _, k := range kept {
		if k.Member == id {
			continue
		}
		for _, o := range append(sharedNetworks(mine.Networks, k.Profile.Networks), sharedDomains(mine.Domains, k.Profile.Domains)...) {
			o.Other = k.Member
			found = append(found, o)
		}
	}
	return found
}

func sharedNetworks(mine, theirs []string) []Overlap {
	var found []Overlap
	other := prefixes(theirs)
	for _, p := range prefixes(mine) {
		for _, q := range other {
			if p.Overlaps(q) {
				found = append(found, Overlap{Mine: p.String(), Theirs: q.String()})
			}
		}
	}
	return found
}

func prefixes(texts []string) []netip.Prefix {
	var all []netip.Prefix
	for _, t := range texts {
		if p, err := netip.ParsePrefix(t); err == nil {
			all = append(all, p)
		}
	}
	return all
}

func sharedDomains(mine, theirs []string) []Overlap {
	var found []Overlap
	for _, a := range mine {
		for _, b := range theirs {
			if under(a, b) || under(b, a) {
				found = append(found, Overlap{Mine: a, Theirs: b})
			}
		}
	}
	return found
}

// under reports whether a name is the domain or below it.
func under(name, domain string) bool { return name == domain || strings.HasSuffix(name, "."+domain) }

package web

import (
	"strings"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Phase is the part of the loop a page belongs to; it groups the navigation.
type Phase string

// The phases, in display order. Their names are common.phase.<phase>.
const (
	Overview  Phase = "overview"  // the reader's home and the whole loop
	Before    Phase = "before"    // 事前: prevent
	During    Phase = "during"    // 事中: detect
	After     Phase = "after"     // 事後: respond
	Assurance Phase = "assurance" // 保證: assessments, baselines, ledger
	Readiness Phase = "readiness" // 整備: training, exercises
	House     Phase = "house"     // 管理: members, people, health
)

func phases() []Phase {
	return []Phase{Overview, Before, During, After, Assurance, Readiness, House}
}

// NavItem is a line of the navigation.
type NavItem struct {
	Phase Phase
	Key   string            // catalogue key of its name
	Href  string            // path; it is current on that path and below
	Icon  string            // Lucide name, listed in assets/icons.json
	Need  sector.Permission // who sees it
}

// Nav adds lines to the navigation, in the order they are added within a
// phase. A line only shows the way; the page checks the permission itself.
func (s *Shell) Nav(items ...NavItem) { s.nav = append(s.nav, items...) }

// Ways are the lines that the viewer may follow, in the order they are shown.
func (s *Shell) Ways(v sector.Viewer) []NavItem {
	var ways []NavItem
	for _, g := range s.navFor(v, "") {
		for _, l := range g.Items {
			ways = append(ways, l.NavItem)
		}
	}
	return ways
}

type navGroup struct {
	Key   string
	Items []navLink
}

type navLink struct {
	NavItem
	Current bool
}

func (s *Shell) navFor(v sector.Viewer, path string) []navGroup {
	if v.User == "" {
		return nil
	}
	var groups []navGroup
	current := s.currentNav(v, path)
	for _, phase := range phases() {
		g := navGroup{Key: phaseKey(phase, v)}
		for _, item := range s.nav {
			if item.Phase == phase && v.May(item.Need) {
				g.Items = append(g.Items, navLink{item, item.Href == current})
			}
		}
		if len(g.Items) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// phaseKey names a phase to the viewer: a member runs no centre, but its own
// house.
func phaseKey(phase Phase, v sector.Viewer) string {
	if phase == House && v.Org == sector.MemberOrg {
		return "common.phase.own"
	}
	return "common.phase." + string(phase)
}

// currentNav is the longest visible address that the path is at or below.
func (s *Shell) currentNav(v sector.Viewer, path string) string {
	best := ""
	for _, item := range s.nav {
		under := path == item.Href || item.Href != "/" && strings.HasPrefix(path, item.Href+"/")
		if under && v.May(item.Need) && len(item.Href) > len(best) {
			best = item.Href
		}
	}
	return best
}

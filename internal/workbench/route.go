package workbench

import (
	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

// router asks the rules that an event is for.
//
// An event whose log source is known is for the rules that [event.Logsource.Covers]
// says. Of one whose log source is not known, or not wholly, every rule is
// asked that what is known does not contradict: a record that says less of
// itself than a rule does must not lose that rule in silence. Among rules of
// several log sources such a rule must know a field of the event, lest rules of
// negations match everything; where all are of one, or the event states its own,
// there is nothing to tell apart.
type router struct {
	rules  []*sigma.Rule
	sole   bool           // all rules are of one log source
	routed *sigma.Matcher // nil: every rule is for every event
	all    *sigma.Matcher // made when it is needed
}

func newRouter(rules []*sigma.Rule, routed bool) *router {
	r := &router{rules: rules, sole: ofOneLogsource(rules)}
	if routed {
		r.routed = sigma.NewEngine(rules, sigma.EngineOptions{}).NewMatcher()
	}
	return r
}

// ofOneLogsource says whether all detection rules are of one log source.
func ofOneLogsource(rules []*sigma.Rule) bool {
	var first *sigma.Rule
	for _, r := range rules {
		switch {
		case r.Correlation != nil:
		case first == nil:
			first = r
		case r.Logsource != first.Logsource:
			return false
		}
	}
	return true
}

// match calls yield with the rules that match the event.
func (r *router) match(ev *event.Event, yield func(*sigma.Rule)) {
	if r.routed != nil && told(ev) {
		r.routed.Match(ev, func(rule *sigma.Rule) bool { yield(rule); return true })
		return
	}
	if r.all == nil {
		r.all = sigma.NewEngine(r.rules, sigma.EngineOptions{IgnoreLogsource: true}).NewMatcher()
	}
	ls, sure := known(ev), r.sole || stated(ev)
	r.all.Match(ev, func(rule *sigma.Rule) bool {
		if r.routed == nil || mayCover(ls, rule.Logsource) && (sure || rule.Touches(ev)) {
			yield(rule)
		}
		return true
	})
}

// asks says whether a rule is asked about an event where log sources are
// observed; sole says that all rules are of one log source.
func asks(ev *event.Event, rule *sigma.Rule, sole bool) bool {
	if told(ev) {
		return ev.Logsource().Covers(rule.Logsource)
	}
	return mayCover(known(ev), rule.Logsource) && (sole || stated(ev) || rule.Touches(ev))
}

// timeouts is how many regular expressions were given up.
func (r *router) timeouts() uint64 {
	var n uint64
	for _, m := range [...]*sigma.Matcher{r.routed, r.all} {
		if m != nil {
			n += m.Stats().Timeouts
		}
	}
	return n
}

// told says whether an event's log source is known as far as it has one: most
// dialects tell. What an event states itself may be a part, ECS names no
// services, and what was guessed is not known.
func told(ev *event.Event) bool {
	ls := ev.Logsource()
	switch {
	case stated(ev), guessed(ev), ev.Dialect() == event.ECS:
		return false
	case ev.Dialect() == event.ASIM:
		return true // whatever product the rows came from, they have the model's fields
	case windows(ev):
		return ls.Service != "" || text(ev, "Channel") != "" && text(ev, "Channel") != "ForwardedEvents"
	default:
		return ls.Product != "" && (ls.Category != "" || ls.Service != "")
	}
}

// guessed says whether an event's log source is a guess: from the names and
// values of its fields, or because a line is syslog of a program that is not
// known.
func guessed(ev *event.Event) bool {
	switch ev.Dialect() {
	case event.Generic, event.Cloud, event.Text, event.Pairs:
		return true
	case event.Syslog:
		return ev.Logsource().Service == "syslog"
	default:
		return windows(ev) && text(ev, "Channel") == "" && !oneChannel(text(ev, "Provider_Name"))
	}
}

// oneChannel says whether a provider is known to write to one channel only.
func oneChannel(provider string) bool {
	switch provider {
	case "Microsoft-Windows-Sysmon", "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-PowerShell", "PowerShell":
		return true
	}
	return false
}

func windows(ev *event.Event) bool {
	d := ev.Dialect()
	return d == event.WindowsFlat || d == event.WindowsEVTX || d == event.Winlogbeat
}

func text(ev *event.Event, field string) string {
	v, _ := ev.Field(field)
	return v.Text()
}

// stated says whether the event names its log source itself.
func stated(ev *event.Event) bool {
	v, ok := ev.Field("logsource")
	return ok && v.Kind() == event.Object
}

// known is what is known of an event's log source.
func known(ev *event.Event) event.Logsource {
	switch {
	case stated(ev) || !guessed(ev):
		return ev.Logsource()
	case windows(ev):
		return event.Logsource{Product: "windows"}
	default:
		return event.Logsource{}
	}
}

// mayCover says whether a rule may be for an event of which this much is known.
func mayCover(known, rule event.Logsource) bool {
	if known.Product == "" {
		known.Product = rule.Product
	}
	if known.Service == "" {
		known.Service = rule.Service
	}
	if known.Category == "" {
		known.Category = rule.Category
	}
	return known.Covers(rule)
}

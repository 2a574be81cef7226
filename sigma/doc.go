// Package sigma loads Sigma rules (specification 2.1, with correlations) and
// evaluates them on events.
//
// A rule is either evaluated exactly as the specification says or refused when
// it is loaded, with file, line, column and reason; nothing is loaded that
// would be evaluated wrongly or could never take part.
//
// In short:
//
//	set, problems := sigma.Load(os.DirFS("rules"), sigma.Options{}) // what is refused, and why, is in problems
//	matcher := sigma.NewEngine(set.Rules(), sigma.EngineOptions{}).NewMatcher()
//	ev, err := event.Decode(record, event.Limits{})
//	matcher.Match(ev, func(r *sigma.Rule) bool { fmt.Println(r.Level, r.Title); return true })
//
// [Load] reads the rules of a folder into a [Ruleset] and applies the filters
// among them (see [Filter]); [Loader] gathers them from several places. [Linter]
// warns of what is allowed and still looks wrong. [NewEngine] compiles a set of
// rules into an immutable [Engine] that all workers share; each worker has its
// own [Matcher]. To change rules while running, build a new Engine and exchange
// the pointer (see the example of [NewEngine]). [Explain] says why a rule matches
// an event, or why not.
//
// [Correlator] follows the correlation rules over event time: it is told of the
// matches of the rules that they count. [Watermark] tells it how far the sources
// are, and [Sharding] splits its groups over several. [Folder] tests rules on
// samples.
//
// Events are those of package event, or any type that implements [Event].
//
// # Decisions where the specification leaves room
//
//   - Text is compared by Unicode simple case folding; "cased" and "re" compare
//     as written.
//   - A list value satisfies an item when any of its elements does; an object's
//     text is its JSON.
//   - A null value holds when the field is missing, null or an empty list; an
//     empty text when the field is present and empty.
//   - "neq" is the negation of the item without it, so a missing field is
//     different from everything.
//   - Keywords are looked for anywhere in every leaf value of the event.
//   - A number in a rule equals an event's number of the same value, exactly,
//     and a text that writes it as the rule does or in plain decimal digits.
//   - A filter's polarity is declared; see [Filter].
//   - Unknown attributes of a rule are custom attributes; unknown keys within
//     correlation are refused.
//
// Of correlations:
//
//   - Windows slide: an event at t closes the window [t-timespan, t], and a
//     condition is about the windows that events close. A condition that a later
//     event could make false is about all windows of the timespan that an event
//     is in, not only the one that it closes: a count with an upper bound (lt,
//     lte, eq, neq) is the largest of them, and a rule after "not" is missing
//     from all. Such conditions are decided when the timespan after the event is
//     over, all others at once. Sums, means, medians and percentiles are of the
//     window that the event closes.
//   - Moments at which the condition holds are one episode, and one finding, as
//     long as none is further from the one before than the timespan.
//   - An event without a group-by field, a counted field or, where numbers are
//     asked for, a decimal number in that field (which may be text) takes no
//     part. Values are compared as written. A correlation without group-by is
//     about all events together.
//   - A record counts once in a group; for the temporal types once per rule.
//   - temporal_ordered: events of the same time are in any order.
//   - value_percentile takes a percentile from 0 to 100 in its condition and
//     interpolates linearly between the two nearest ranks (definition 7 of
//     Hyndman and Fan, SQL's PERCENTILE_CONT); value_median is the 50th. Without
//     a percentile the specification can be read in two ways, and the rule is
//     refused. Sums are exact and rounded once.
//   - A condition over rules may be given to temporal and temporal_ordered, also
//     under their names with _extended. It names rules as "rules" does, all of
//     them; without "rules" those that it names are meant, in that order. For
//     temporal_ordered there must be rules in order that make it true. Absence
//     alone is no correlation.
//   - A correlation that another one refers to matches at every moment at which
//     its condition holds; an event_count counts its episodes instead, each when
//     it begins. Fields that are not among its group-by fields are those of the
//     events behind it: each combination of their values is a match.
//   - A correlation that others refer to raises findings of its own only if one
//     of them says "generate: true", as other rules do.
//   - s, m, h, d and w are timespans; months and years have no fixed length.
package sigma

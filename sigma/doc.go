// Package sigma loads Sigma rules (specification 2.1, with correlations) and
// evaluates them on events.
//
// A rule is either evaluated exactly as the specification says or refused when
// it is loaded, with file, line, column and reason; nothing is loaded that
// would be evaluated wrongly or could never take part.
//
// [Load] reads the rules of a folder into a [Ruleset]. [NewEngine] compiles a
// set of rules into an immutable [Engine] that all workers share; each worker
// has its own [Matcher]. To change rules while running, build a new Engine and
// exchange the pointer. [Correlator] follows the correlation rules over event
// time.
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
//   - A number in a rule equals an event's number of the same value and a
//     string with the same digits.
//   - Correlation windows slide: an event at t closes the window [t-timespan,
//     t]. An event without a group-by field takes no part.
package sigma

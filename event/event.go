// Package event turns one monitoring record, in whatever dialect a member's
// system wrote it, into an [Event]: the original bytes, a flat view of their
// fields in Sigma's field taxonomy, the log source they belong to, and the
// observables they mention.
//
// A record is scanned once, onto a tape of offsets into its bytes; only text
// with escapes is copied. Nothing is turned into maps or other objects, and
// what a reader asks for is found through a small index of names. An Event is
// safe for concurrent readers once decoded and refers to the bytes it was
// decoded from, which must not change.
package event

// Kind is the JSON kind of a [Value].
type Kind uint8

// The kinds a value can have. Missing is the zero value: no such field.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	String
	List
	Object
)

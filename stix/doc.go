// Package stix reads, builds, checks and writes STIX 2.1 (OASIS Standard,
// 10 June 2021) and its patterning language.
//
// The objects a sharing centre needs are Go structs; every other object type is
// a [Custom] with its common properties typed. Whatever the package does not
// know (custom properties, extensions, properties of later versions) is kept in
// Extra and written back unchanged, so decoding and encoding an object loses
// nothing but the order of its properties and the spelling of its white space.
//
// Decoding checks form (JSON types, identifiers, timestamps) and limits; what
// the specification asks beyond that is checked by [Validate]. Both name the
// property path of what is wrong.
//
// The package imports nothing but the standard library and holds no state.
package stix

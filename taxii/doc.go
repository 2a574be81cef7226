// Package taxii serves and reads threat intelligence over TAXII 2.1 (OASIS
// Standard, 10 June 2021).
//
// [Server] is an http.Handler over two things the caller gives: a function that
// says who is asking, and a [Backend] that says what that viewer may see. The
// server does the protocol: routes, media types, filters, paging, headers, error
// bodies. It decides nothing about visibility, and it tells nothing the backend
// did not return for that viewer: an unknown collection and one the viewer may
// not see give the same answer, there are no totals, and the paging cursor is the
// backend's own opaque token.
//
// [Client] reads such servers: discovery, collections, and all objects of a
// collection page by page.
//
// The package imports the standard library and package stix, and holds no state.
package taxii

// Package secret seals what must be readable again but never lie about in the
// open: client secrets of identity providers, webhook secrets, seeds of
// one-time passwords. (What need only be recognised, such as keys and
// passwords, is hashed instead.)
//
//	sealed, err := box.Seal("oidc.client", string(provider.ID), []byte(clientSecret))
//	// keep sealed, a short text, in the row provider.ID
//	plain, err := box.Open("oidc.client", string(provider.ID), sealed)
//
// Purpose and id are bound to what is sealed: a text that was copied into
// another row, or into another column, does not open. In between a secret is
// a [Text], which no log and no fmt verb shows.
package secret

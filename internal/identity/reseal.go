package identity

import (
	"context"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
)

// The purposes of what the vault keeps.
const (
	sealedApp      = "app"      // of a person
	sealedProvider = "provider" // of a member
)

// SealedText is a secret as it lies in the store.
type SealedText struct {
	Purpose string
	ID      string // of the person, or the member
	Text    string
}

// SealedStore is every secret that is kept sealed, so that it can be sealed
// with another key.
type SealedStore interface {
	SealedTexts(ctx context.Context) ([]SealedText, error)
	// Reseal replaces a text by another of the same secret; it does nothing
	// where the secret has changed meanwhile.
	Reseal(ctx context.Context, before, after []SealedText, e ledger.Entry) error
}

// Reseal seals what a former key sealed, or an earlier version by itself, with
// the vault's current key. It returns how many it sealed and how many do not
// open any more: those people and members must set up theirs again.
func (s *Service) Reseal(ctx context.Context) (sealed, lost int, err error) {
	all, err := s.Sealed.SealedTexts(ctx)
	if err != nil {
		return 0, 0, err
	}
	var before, after []SealedText
	for _, t := range all {
		plain, err := s.Vault.Open(t.Purpose, t.ID, t.Text)
		if err == nil && !s.Vault.Stale(t.Text) {
			continue
		}
		if err != nil {
			plain, err = s.Sealer.Open(t.Text)
		}
		if err != nil {
			lost++
			continue
		}
		text, err := s.Vault.Seal(t.Purpose, t.ID, plain)
		if err != nil {
			return 0, lost, err
		}
		before, after = append(before, t), append(after, SealedText{t.Purpose, t.ID, text})
	}
	if len(after) == 0 {
		return 0, lost, nil
	}
	e := ledger.Entry{Actor: sector.System().Actor(), Action: "secrets.seal", Object: "program:aspis", Detail: detail("sealed", len(after))}
	return len(after), lost, s.Sealed.Reseal(ctx, before, after, e)
}

package identity

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/password"
	"github.com/aspis-platform/aspis/internal/sector"
)

// known is a directory and a store of secrets with one person, with and
// without a password.
type known struct {
	People
	SecretStore
	hash string
}

func (k known) Person(_ context.Context, email string) (sector.User, error) {
	if email == "mei@jade.example" {
		return sector.User{ID: "mei"}, nil
	}
	return sector.User{}, errs.New(errs.NotFound, "sector.user_unknown")
}

func (k known) Secrets(_ context.Context, user sector.UserID) (Secrets, error) {
	if user == "mei" {
		return Secrets{PasswordHash: k.hash}, nil
	}
	return Secrets{}, nil
}

type unsealed struct{}

func (unsealed) Seal(plain []byte) string          { return string(plain) }
func (unsealed) Open(token string) ([]byte, error) { return nil, errors.New("none") }

// TestEverybodyIsHashed: what takes time is done for an unknown address and
// for an account without a password as for any other. Nobody gets a turn at
// hashing here, so only who does not wait for one could answer.
func TestEverybodyIsHashed(t *testing.T) {
	for name, hash := range map[string]string{"with a password": password.Decoy, "without one": ""} {
		k := known{hash: hash}
		s := &Service{Config: Config{Stores: Stores{Secrets: k}, People: k, Sealer: unsealed{}, Now: time.Now},
			hasher: password.NewHasher(0), throttle: newThrottle(time.Now), failures: newTally(time.Now)}
		for _, email := range []string{"mei@jade.example", "nobody@jade.example"} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			if _, err := s.Password(ctx, email, "x", Client{Address: "192.0.2.1"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s, %s: answered without hashing: %v", email, name, err)
			}
			cancel()
		}
	}
}

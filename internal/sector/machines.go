package sector

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// The life of keys.
const (
	KeyLifetime    = 365 * 24 * time.Hour     // unless something else is asked for
	MaxKeyLifetime = 5 * 365 * 24 * time.Hour // what can be asked for
	MaxKeyOverlap  = 90 * 24 * time.Hour      // how long a replaced secret may still work
	MinKeyLifetime = time.Hour                // shorter is a mistake
	maxKeyNetworks = 50                       // of one key
	maxKeyName     = 80                       // runes
	maxKeyNotes    = 2000                     // runes
)

// Machines is the service over machine access: keys, their credentials, and
// who is behind a request. The parts of it are safe for concurrent use.
type Machines struct {
	members  MemberStore
	keys     KeyStore
	now      func() time.Time
	known    *knownKeys
	refusals *refusals
}

func newMachines(m MemberStore, k KeyStore, now func() time.Time) *Machines {
	return &Machines{members: m, keys: k, now: now, known: newKnownKeys(), refusals: newRefusals()}
}

// CreateKey returns a key of ordinary life that may be used from anywhere,
// with its secret.
func (m *Machines) CreateKey(ctx context.Context, by Viewer, member MemberID, scopes []Scope) (Key, string, error) {
	return m.IssueKey(ctx, by, KeySpec{Member: member, Scopes: scopes})
}

// IssueKey returns a new key and its secret, which is shown once and not
// kept.
func (m *Machines) IssueKey(ctx context.Context, by Viewer, spec KeySpec) (Key, string, error) {
	secret := newSecret("aspis_")
	k, err := m.create(ctx, by, spec, Credential{Proof: BySecret}, HashSecret(secret))
	return k, secret, err
}

func (m *Machines) create(ctx context.Context, by Viewer, spec KeySpec, c Credential, hash string) (Key, error) {
	k, err := m.keyOf(spec)
	if err != nil {
		return Key{}, err
	}
	if by.Org != Centre && by.Member != spec.Member {
		return Key{}, errs.New(errs.NotFound, "sector.member_unknown", spec.Member)
	}
	if _, err := m.members.Member(ctx, spec.Member); err != nil {
		return Key{}, err
	}
	c.ID, c.CreatedAt = newID(), k.CreatedAt
	k.Credentials = []Credential{c}
	e := entry(by, "key.create", "key:"+k.ID, k.Member, map[string]any{
		"scopes": k.Scopes, "networks": k.Networks, "expires": expiry(k), "proof": c.Proof, "subject": c.Label})
	if err := m.keys.CreateKey(ctx, k, hash, e); err != nil {
		return Key{}, err
	}
	return k, nil
}

func expiry(k Key) string {
	if k.ExpiresAt.IsZero() {
		return "never"
	}
	return k.ExpiresAt.Format(time.RFC3339)
}

func (m *Machines) keyOf(spec KeySpec) (Key, error) {
	if len(spec.Scopes) == 0 {
		return Key{}, errs.New(errs.Invalid, "sector.scopes_missing")
	}
	for _, s := range spec.Scopes {
		if !slices.Contains(Scopes(), s) {
			return Key{}, errs.New(errs.Invalid, "sector.unknown_scope", s)
		}
	}
	if spec.Lifetime == 0 {
		spec.Lifetime = KeyLifetime
	}
	if spec.Lifetime < MinKeyLifetime || spec.Lifetime > MaxKeyLifetime {
		return Key{}, errs.New(errs.Invalid, "key.lifetime", int(MaxKeyLifetime.Hours()/24))
	}
	k := Key{ID: newID(), Member: spec.Member, Scopes: slices.Compact(slices.Sorted(slices.Values(spec.Scopes))), CreatedAt: m.now().UTC()}
	if !spec.Endless {
		k.ExpiresAt = k.CreatedAt.Add(spec.Lifetime)
	}
	return k, k.describe(spec.Name, spec.Notes, spec.Networks)
}

// describe sets what can be changed about a key.
func (k *Key) describe(name, notes string, networks []netip.Prefix) error {
	name, notes = strings.TrimSpace(name), strings.TrimSpace(notes)
	switch {
	case utf8.RuneCountInString(name) > maxKeyName || strings.ContainsFunc(name, unicode.IsControl):
		return errs.New(errs.Invalid, "key.name_form", maxKeyName)
	case utf8.RuneCountInString(notes) > maxKeyNotes:
		return errs.New(errs.Invalid, "key.notes_form", maxKeyNotes)
	case len(networks) > maxKeyNetworks:
		return errs.New(errs.Invalid, "key.networks_many", maxKeyNetworks)
	}
	name, err := Line(name, maxKeyName)
	if err != nil {
		return err
	}
	if notes, err = Prose(notes, maxKeyNotes); err != nil {
		return err
	}
	k.Name, k.Notes, k.Networks = name, notes, nil
	for _, p := range networks {
		if !p.IsValid() {
			return errs.New(errs.Invalid, "key.network_form", p)
		}
		if p = p.Masked(); !slices.Contains(k.Networks, p) {
			k.Networks = append(k.Networks, p)
		}
	}
	return nil
}

// Keys returns a member's keys, newest first.
func (m *Machines) Keys(ctx context.Context, member MemberID) ([]Key, error) {
	return m.keys.Keys(ctx, KeyQuery{Member: member, Now: m.now()})
}

// KeysFor returns the keys that the viewer administers: the centre all, a
// member its own.
func (m *Machines) KeysFor(ctx context.Context, v Viewer, q KeyQuery) ([]Key, error) {
	if v.Org != Centre {
		if v.Org != MemberOrg || v.Member == "" || q.Member != "" && q.Member != v.Member {
			return nil, nil
		}
		q.Member = v.Member
	}
	q.Now = m.now()
	return m.keys.Keys(ctx, q)
}

// Key returns a key that the viewer administers; errs.NotFound for an unknown
// one and for that of another member alike.
func (m *Machines) Key(ctx context.Context, v Viewer, id string) (Key, error) {
	k, err := m.keys.Key(ctx, id)
	if err == nil && v.Org != Centre && (v.Org != MemberOrg || k.Member != v.Member) {
		return Key{}, errs.New(errs.NotFound, "key.unknown")
	}
	return k, err
}

// ChangeKey sets a key's name, notes and networks.
func (m *Machines) ChangeKey(ctx context.Context, by Viewer, id, name, notes string, networks []netip.Prefix) (Key, error) {
	k, err := m.Key(ctx, by, id)
	if err != nil {
		return Key{}, err
	}
	if err := k.describe(name, notes, networks); err != nil {
		return Key{}, err
	}
	defer m.known.forget()
	return k, m.keys.ChangeKey(ctx, k, entry(by, "key.change", "key:"+k.ID, k.Member, map[string]any{"networks": k.Networks}))
}

// RotateKey gives a key a new secret and, unless it is endless, a new life of
// ordinary length. The former secrets work on for the overlap.
func (m *Machines) RotateKey(ctx context.Context, by Viewer, id string, overlap time.Duration) (Key, string, error) {
	secret := newSecret("aspis_")
	k, err := m.replace(ctx, by, id, overlap, Credential{Proof: BySecret}, HashSecret(secret))
	return k, secret, err
}

func (m *Machines) replace(ctx context.Context, by Viewer, id string, overlap time.Duration, c Credential, hash string) (Key, error) {
	if overlap < 0 || overlap > MaxKeyOverlap {
		return Key{}, errs.New(errs.Invalid, "key.overlap", int(MaxKeyOverlap.Hours()/24))
	}
	k, err := m.Key(ctx, by, id)
	switch {
	case err != nil:
		return Key{}, err
	case !k.RevokedAt.IsZero():
		return Key{}, errs.New(errs.Conflict, "key.is_revoked")
	case (k.Proof() == BySecret) != (c.Proof == BySecret):
		return Key{}, errs.New(errs.Invalid, "key.other_proof")
	}
	now := m.now().UTC()
	ends := now.Add(overlap)
	if !k.ExpiresAt.IsZero() {
		if k.ExpiresAt.Before(ends) {
			ends = k.ExpiresAt // what has expired does not come to life again
		}
		k.ExpiresAt = now.Add(KeyLifetime)
	}
	c.ID, c.CreatedAt = newID(), now
	e := entry(by, "key.rotate", "key:"+k.ID, k.Member, map[string]any{
		"expires": expiry(k), "former_until": ends.Format(time.RFC3339), "proof": c.Proof, "subject": c.Label})
	defer m.known.forget()
	if err := m.keys.AddCredential(ctx, k, c, hash, ends, e); err != nil {
		return Key{}, err
	}
	return m.keys.Key(ctx, id)
}

// EndCredential makes one of a key's credentials useless at once.
func (m *Machines) EndCredential(ctx context.Context, by Viewer, key, id string) error {
	k, err := m.Key(ctx, by, key)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(k.Credentials, func(c Credential) bool { return c.ID == id }) {
		return errs.New(errs.NotFound, "key.unknown")
	}
	defer m.known.forget()
	e := entry(by, "key.end", "key:"+k.ID, k.Member, map[string]string{"credential": id})
	return m.keys.EndCredential(ctx, k.ID, id, m.now(), e)
}

// RevokeKey makes a key useless at once.
func (m *Machines) RevokeKey(ctx context.Context, by Viewer, k Key) error {
	k, err := m.Key(ctx, by, k.ID)
	if err != nil {
		return err
	}
	defer m.known.forget()
	if err := m.keys.RevokeKey(ctx, k.ID, m.now(), entry(by, "key.revoke", "key:"+k.ID, k.Member, nil)); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	return nil
}

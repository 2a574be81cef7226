package stix

import (
	"errors"
	"fmt"
	"time"
)

// ErrVersion is what every violation of the versioning rules wraps.
var ErrVersion = errors.New("versioning rule")

// NextVersion moves an object to its next version at now: modified becomes now,
// or one millisecond after the previous version where the clock has not moved
// that far. The caller changes the rest (STIX 2.1, section 3.6).
func NextVersion(o Object, now time.Time) error {
	head := o.Head()
	if head.Modified.IsZero() {
		return fmt.Errorf("next version: %w: %s has no versions", ErrVersion, head.ID)
	}
	if head.Revoked {
		return fmt.Errorf("next version: %w: %s is revoked", ErrVersion, head.ID)
	}
	next := At(now.Truncate(time.Millisecond))
	if !head.Modified.Before(next) {
		next = At(head.Modified.Time().Add(time.Millisecond))
	}
	head.Modified = next
	return nil
}

// Revoke makes the object's last version. A translation of it should be revoked
// with it.
func Revoke(o Object, now time.Time) error {
	if err := NextVersion(o, now); err != nil {
		return err
	}
	o.Head().Revoked = true
	return nil
}

// CheckVersion reports whether next may follow prev: the same id, type, creator
// and creation time, a later modified time, and prev not revoked.
func CheckVersion(prev, next Object) error {
	p, n := prev.Head(), next.Head()
	switch {
	case p.ID != n.ID || p.Type != n.Type:
		return fmt.Errorf("%w: id: %s is not a version of %s", ErrVersion, n.ID, p.ID)
	case p.CreatedByRef != n.CreatedByRef:
		return fmt.Errorf("%w: created_by_ref: only the creator makes new versions", ErrVersion)
	case !p.Created.Equal(n.Created):
		return fmt.Errorf("%w: created: must not change", ErrVersion)
	case p.Modified.IsZero() || !p.Modified.Before(n.Modified):
		return fmt.Errorf("%w: modified: must be later than %s", ErrVersion, p.Modified)
	case p.Revoked:
		return fmt.Errorf("%w: revoked: %s has no later version", ErrVersion, p.ID)
	}
	return nil
}

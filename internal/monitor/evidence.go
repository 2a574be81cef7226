package monitor

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// AlertEvidence is what an advisory can be drafted from. It holds members'
// names and must not leave the centre.
type AlertEvidence struct {
	Alert   Alert
	Members []sector.MemberID
	// Observables are those of the kept records that could be indicators, the
	// most telling first: seen at many members, then in many records.
	Observables []EvidenceCount
}

// EvidenceCount is one observable of an alert's records.
type EvidenceCount struct {
	Kind    event.ObservableKind
	Value   string
	Records int
	Members int
}

const maxEvidence = 20

// Evidence returns what is known of alerts, for the centre's people who draft
// advisories; at most 20 alerts at once. Internal addresses and names, hosts
// and accounts are not among the observables.
func (s *Alerts) Evidence(ctx context.Context, v sector.Viewer, ids []string) ([]AlertEvidence, error) {
	if !mayTriage(v) {
		return nil, errs.New(errs.Forbidden, "monitor.triage_role")
	}
	if len(ids) > maxEvidence {
		return nil, errs.New(errs.Invalid, "monitor.too_many_alerts", "20")
	}
	f := sector.Gate{}.For(v)
	records, err := s.store.AlertRecords(ctx, f, ids)
	if err != nil {
		return nil, err
	}
	list := make([]AlertEvidence, 0, len(ids))
	for _, id := range ids {
		a, err := s.store.Alert(ctx, f, id)
		if err != nil {
			return nil, err
		}
		list = append(list, AlertEvidence{Alert: a, Members: a.Members, Observables: countObservables(records[id])})
	}
	return list, nil
}

func countObservables(records []RecordRef) []EvidenceCount {
	type tally struct {
		EvidenceCount
		members map[sector.MemberID]bool
	}
	found := map[string]*tally{}
	for _, r := range records {
		for _, o := range r.Observables {
			if !Outward(o) {
				continue
			}
			key := o.Kind.String() + " " + o.Value
			t := found[key]
			if t == nil {
				t = &tally{EvidenceCount{Kind: o.Kind, Value: o.Value}, map[sector.MemberID]bool{}}
				found[key] = t
			}
			t.Records++
			t.members[r.Member] = true
		}
	}
	list := make([]EvidenceCount, 0, len(found))
	for _, t := range found {
		t.Members = len(t.members)
		list = append(list, t.EvidenceCount)
	}
	slices.SortFunc(list, func(a, b EvidenceCount) int {
		return cmp.Or(b.Members-a.Members, b.Records-a.Records, cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	return list
}

// Outward reports whether an observable can mean something outside the
// institution where it was seen: no host, no account, no private or special
// address (RFC 6890), no internal name.
func Outward(o event.Observable) bool {
	switch o.Kind {
	case event.ObservableIPv4, event.ObservableIPv6:
		a, err := netip.ParseAddr(o.Value)
		return err == nil && PublicAddress(a)
	case event.ObservableDomain:
		return publicName(o.Value)
	case event.ObservableURL:
		return publicURL(o.Value)
	case event.ObservableEmail:
		_, domain, ok := strings.Cut(o.Value, "@")
		return ok && publicName(domain)
	case event.ObservableMD5, event.ObservableSHA1, event.ObservableSHA256:
		return true
	}
	return false
}

// PublicAddress reports whether an address is one of the public Internet.
func PublicAddress(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, special := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64",
	} {
		if netip.MustParsePrefix(special).Contains(a) {
			return false
		}
	}
	return true
}

// publicName reports whether a domain is resolved on the public Internet:
// not a single label, not under a name for private use (RFC 6762, RFC 8375,
// and what companies use in practice).
func publicName(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	_, last, ok := cutLast(name, ".")
	if !ok {
		return false
	}
	private := []string{"local", "localdomain", "localhost", "lan", "corp", "internal", "intranet", "home", "private", "arpa", "invalid"}
	return !slices.Contains(private, last)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func publicURL(u string) bool {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return false
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	if _, after, found := cutLast(host, "@"); found {
		host = after
	}
	if a, err := netip.ParseAddrPort(host); err == nil {
		return PublicAddress(a.Addr())
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return PublicAddress(a)
	}
	host, _, _ = strings.Cut(host, ":")
	return publicName(host)
}

package monitor

import (
	"cmp"
	"context"
	"slices"
	"strconv"

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
	// Internal are the others: hosts, accounts, internal addresses. They must
	// not be in what is told to other members.
	Internal []event.Observable
}

// EvidenceCount is one observable of an alert's records.
type EvidenceCount struct {
	Kind    event.ObservableKind
	Value   string
	Records int
	Members int
}

const maxEvidence = 200

// Evidence returns what is known of alerts, for the centre's people who write
// and read drafts: their texts are held against it. At most 200 alerts at
// once. Internal addresses and names, hosts and accounts are not among the
// observables.
func (s *Alerts) Evidence(ctx context.Context, v sector.Viewer, ids []string) ([]AlertEvidence, error) {
	if !v.May(sector.ReadDrafts) {
		return nil, errs.New(errs.Forbidden, "error.role")
	}
	if len(ids) > maxEvidence {
		return nil, errs.New(errs.Invalid, "monitor.too_many_alerts", strconv.Itoa(maxEvidence))
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
		list = append(list, AlertEvidence{Alert: a, Members: a.Members, Observables: countObservables(records[id]), Internal: internalOf(records[id])})
	}
	return list, nil
}

// internalOf are the distinct observables that mean something only inside the
// institutions, in the order of the records.
func internalOf(records []RecordRef) []event.Observable {
	var list []event.Observable
	seen := map[event.Observable]bool{}
	for _, r := range records {
		for _, o := range r.Observables {
			o.Field = ""
			if !Outward(o) && !seen[o] {
				seen[o] = true
				list = append(list, o)
			}
		}
	}
	return list
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
// institution where it was seen: no host, no account, nothing internal.
func Outward(o event.Observable) bool {
	switch o.Kind {
	case event.ObservableUnknown, event.ObservableHost, event.ObservableAccount:
		return false
	}
	return !o.Internal()
}

package monitor

import (
	"slices"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/sigma"
)

// findings gathers what the records of a chunk give, one finding per key, in
// the order of their first record.
type findings struct {
	list      []*Finding
	byKey     map[string]*Finding
	sightings []*SightingCount
	bySight   map[[3]string]*SightingCount
	closed    []string
	recall    func(id string) []event.Observable // of a record that a correlation counted
}

func newFindings(recall func(id string) []event.Observable) *findings {
	return &findings{recall: recall, byKey: map[string]*Finding{}, bySight: map[[3]string]*SightingCount{}}
}

// day is the UTC day of a time, part of a finding's key.
func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

func refTo(r *Record) RecordRef {
	return RecordRef{ID: r.ID, Member: r.Member, At: r.At, Observables: r.Observables[:min(len(r.Observables), MaxRefObservables)]}
}

// add counts one record for the finding with the key; begin makes it.
func (fs *findings) add(key string, r *Record, begin func() *Finding) *Finding {
	f := fs.byKey[key]
	if f == nil {
		f = begin()
		f.Key, f.First, f.Last = key, r.At, r.At
		f.Members = []sector.MemberID{r.Member}
		fs.byKey[key] = f
		fs.list = append(fs.list, f)
	}
	f.Count++
	f.First, f.Last = earlier(f.First, r.At), later(f.Last, r.At)
	if len(f.Records) < MaxAlertRecords {
		f.Records = append(f.Records, refTo(r))
	}
	return f
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// rule adds a match of a rule on a record: one alert per rule, member, main
// entity and day.
func (fs *findings) rule(it *item, r *sigma.Rule, rules *Rules) *Finding {
	about := it.mainEntity()
	key := hashOf("rule", r.ID, string(it.Member), about.Name, about.Value, day(it.At))
	return fs.add(key, &it.Record, func() *Finding {
		f := &Finding{
			Cause: CauseRule, RuleID: r.ID, RuleVersion: r.Version(), Title: clean(r.Title), TitleZh: rules.TitleZh(r),
			Severity: severityOf(r.Level),
		}
		if about.Value != "" {
			f.Group = []Pair{about}
		}
		return f
	})
}

// mainEntity is what an alert on one record is about: the host, else the
// account, else the source address.
func (it *item) mainEntity() Pair {
	switch {
	case it.Host != "":
		return Pair{"host", it.Host}
	case it.Account != "":
		return Pair{"account", it.Account}
	}
	return Pair{"source", firstField(it.event, sourceFields())}
}

// sight adds a match of an indicator on a record: a sighting, and one alert
// per indicator, member and day.
func (fs *findings) sight(cause Cause, r *Record, s sight, seen string) *Finding {
	fs.count(r, s.ID, seen)
	key := hashOf(string(cause), s.ID, string(r.Member), day(r.At))
	f := fs.add(key, r, func() *Finding {
		src := s.Source
		if src == nil {
			src = &IndicatorSource{Title: s.Value, TitleZh: s.Value, Severity: Medium}
		}
		return &Finding{
			Cause: cause, RuleID: s.ID, Title: clean(src.Title), TitleZh: clean(src.TitleZh), Severity: src.Severity,
			Group: []Pair{{"indicator", s.Value}}, Restricted: true, Scopes: releasedScopes(src),
			WhyMember: r.Member,
			Why: Explained{Indicator: &IndicatorWhy{
				Indicator: s.ID, Value: s.Value, Seen: seen, Field: fieldOf(r, seen), Advisory: src.Advisory, Draft: src.Draft,
			}}.json(),
		}
	})
	return f
}

// releasedScopes are who may know of what the source's indicators find.
func releasedScopes(src *IndicatorSource) []string {
	if src.Draft {
		return nil
	}
	return src.Scopes
}

func fieldOf(r *Record, value string) string {
	for _, o := range r.Observables {
		if o.Value == value {
			return o.Field
		}
	}
	return ""
}

func (fs *findings) count(r *Record, indicator, value string) {
	key := [3]string{indicator, value, string(r.Member)}
	c := fs.bySight[key]
	if c == nil {
		c = &SightingCount{Indicator: indicator, Value: value, Member: r.Member, First: r.At, Last: r.At}
		fs.bySight[key] = c
		fs.sightings = append(fs.sightings, c)
	}
	c.Count++
	c.First, c.Last = earlier(c.First, r.At), later(c.Last, r.At)
}

// correlated adds an episode as the correlator reports it: its totals, not an
// addition.
func (fs *findings) correlated(e *sigma.Finding, rules *Rules) *Finding {
	key := hashOf("correlation", e.Key)
	for _, k := range e.Supersedes {
		fs.closed = append(fs.closed, hashOf("correlation", k))
	}
	if e.Retracted {
		fs.closed = append(fs.closed, key)
		return nil
	}
	fs.closed = slices.DeleteFunc(fs.closed, func(k string) bool { return k == key }) // it holds again
	f := fs.byKey[key]
	if f == nil {
		f = &Finding{Key: key}
		fs.byKey[key] = f
		fs.list = append(fs.list, f)
	}
	f.Cause, f.Total = CauseCorrelation, true
	f.RuleID, f.RuleVersion = e.Rule.ID, e.Rule.Version()
	f.Title, f.TitleZh, f.Severity = clean(e.Rule.Title), rules.TitleZh(e.Rule), severityOf(e.Rule.Level)
	f.First, f.Last, f.Count = e.First.UTC(), e.Last.UTC(), e.Count
	f.Group = f.Group[:0]
	for _, kv := range e.Group {
		f.Group = append(f.Group, Pair{clean(kv.Key), clean(kv.Value)})
	}
	f.records(e.RecordIDs, fs.recall)
	f.WhyMember = "" // an episode belongs to nobody alone
	if len(f.Members) == 1 {
		f.WhyMember = f.Members[0]
	}
	f.Why = explainCorrelation(e, rules).json()
	return f
}

// records fills in what the ids, made by occurrenceID, say.
func (f *Finding) records(ids []string, recall func(id string) []event.Observable) {
	f.Records, f.Shares, f.Members = f.Records[:0], nil, nil
	shares := map[sector.MemberID]*Share{}
	for _, id := range ids {
		ref, ok := parseOccurrence(id)
		if !ok {
			continue
		}
		ref.Observables = recall(ref.ID)
		if len(f.Records) < MaxAlertRecords {
			f.Records = append(f.Records, ref)
		}
		s := shares[ref.Member]
		if s == nil {
			s = &Share{Member: ref.Member, First: ref.At, Last: ref.At}
			shares[ref.Member] = s
			f.Members = append(f.Members, ref.Member)
		}
		s.Count++
		s.First, s.Last = earlier(s.First, ref.At), later(s.Last, ref.At)
	}
	slices.Sort(f.Members)
	for _, m := range f.Members {
		f.Shares = append(f.Shares, *shares[m])
	}
}

// lookup answers the correlator's questions about a record.
func (it *item) lookup(field string) (string, bool) {
	v, ok := it.Field(field)
	if !ok || v.Kind() == event.Missing || v.Kind() == event.Null {
		return "", false
	}
	return v.Text(), true
}

// commit is the effect as the store takes it.
func (fs *findings) commit(upTo uint64, at time.Time) Commit {
	c := Commit{UpTo: upTo, At: at, Withdrawn: fs.closed}
	for _, f := range fs.list {
		c.Findings = append(c.Findings, *f)
	}
	for _, s := range fs.sightings {
		c.Sightings = append(c.Sightings, *s)
	}
	return c
}

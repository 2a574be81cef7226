package intel

import (
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
)

// Centre is the operating body as the creator of its STIX objects.
type Centre struct {
	ID    stix.ID // "identity--…", the installation's own
	Name  string
	Since time.Time // when it began; a constant of the installation
}

// Dated is a version of an object with the time it was added for one viewer,
// and whether it is the first and the last version that the viewer may see.
type Dated struct {
	stix.Object
	Added       time.Time
	First, Last bool
}

// lineageSpace is the namespace of an advisory's STIX ids.
func lineageSpace(lineage string) stix.UUID {
	u, err := stix.ParseUUID(lineage)
	if err != nil { // lineages are made by stix.RandomUUID
		return stix.NameUUID(stix.UUID{}, []byte(lineage))
	}
	return u
}

// indicatorID names an indicator that is new in this version.
func (a Advisory) indicatorID(i Indicator) string {
	return string(stix.NameID(lineageSpace(a.Lineage), "indicator", i.Kind.String(), i.Line(), fmt.Sprint(a.Version)))
}

func reportID(lineage string) stix.ID { return stix.MakeID("report", lineageSpace(lineage)) }

func translationID(lineage string) stix.ID {
	return stix.NameID(lineageSpace(lineage), "language-content")
}

func basedOnID(lineage string, i Indicator) stix.ID {
	return stix.NameID(lineageSpace(lineage), "relationship", i.ID)
}

// ObjectIDs are the ids of all STIX objects made of a message: what a store
// finds a release by.
func ObjectIDs(lineage string, m Message) ([]string, error) {
	ids := []string{string(reportID(lineage)), string(translationID(lineage))}
	seen := map[stix.ID]bool{}
	for _, i := range m.Indicators {
		ids = append(ids, i.ID, string(basedOnID(lineage, i)))
		sco, err := i.observable()
		if err != nil {
			return nil, err
		}
		if id := sco.Head().ID; !seen[id] {
			seen[id] = true
			ids = append(ids, string(id))
		}
	}
	return ids, nil
}

func (i Indicator) stixObservable() (stix.Observable, error) {
	switch i.Kind {
	case event.ObservableIPv4, event.ObservableIPv6:
		return stix.AddressObservable(i.Value)
	case event.ObservableMD5, event.ObservableSHA1, event.ObservableSHA256:
		return stix.HashObservable(i.Value)
	case event.ObservableDomain:
		return stix.Observable{Type: "domain-name", Property: "value", Value: i.Value}, nil
	case event.ObservableURL:
		return stix.Observable{Type: "url", Property: "value", Value: i.Value}, nil
	case event.ObservableEmail:
		return stix.Observable{Type: "email-addr", Property: "value", Value: i.Value}, nil
	}
	return stix.Observable{}, fmt.Errorf("indicator of kind %s has no STIX object", i.Kind)
}

func (i Indicator) observable() (stix.Object, error) {
	o, err := i.stixObservable()
	if err != nil {
		return nil, err
	}
	return o.Object()
}

// Pattern is the indicator as a STIX pattern. Sub-domains are a second test
// of the same observation.
func (i Indicator) Pattern() (string, error) {
	o, err := i.stixObservable()
	if err != nil {
		return "", err
	}
	if !i.Under {
		return stix.PatternOf(o)
	}
	return fmt.Sprintf("[domain-name:value = '%s' OR domain-name:value LIKE '%%.%s']", i.Value, i.Value), nil
}

func markingRefs(m sector.Marking) []stix.ID {
	m = m.OrDefault()
	tlp, _ := stix.ParseTLP(string(m.TLP))
	pap, _ := stix.ParsePAP(string(m.PAP))
	return []stix.ID{tlp.ID(), pap.ID()}
}

// Standing are the objects that every viewer has from the start: the centre's
// identity and all markings, so that what refers to them says nothing.
func (c Centre) Standing() []Dated {
	since := stix.At(c.Since.UTC().Truncate(time.Millisecond))
	identity := stix.NewIdentity(c.ID, c.Name, "organization", since)
	identity.Sectors = []string{"financial-services"}
	objects := []stix.Object{identity}
	for t := stix.TLPClear; t <= stix.TLPRed; t++ {
		objects = append(objects, t.Marking())
	}
	for p := stix.PAPClear; p <= stix.PAPRed; p++ {
		objects = append(objects, p.Marking())
	}
	dated := make([]Dated, len(objects))
	for i, o := range objects {
		dated[i] = Dated{o, since.Time().Add(time.Duration(i) * time.Microsecond), true, true}
	}
	return dated
}

// view builds the objects of one occurrence.
type view struct {
	centre Centre
	occ    Occurrence
	// first says when the viewer first had an observable.
	first map[string]time.Time
	out   []Dated
	err   error
}

// Objects are the STIX objects that an occurrence added for a viewer, in
// order, dated one microsecond apart from the occurrence's time. Observables
// are left out where the viewer has had them before; first tells when.
func Objects(c Centre, o Occurrence, first map[string]time.Time) ([]Dated, error) {
	v := view{centre: c, occ: o, first: first}
	v.report()
	seen := map[stix.ID]bool{}
	for i, ind := range o.Message.Indicators {
		v.indicator(2+3*i, ind, seen)
	}
	for i, ind := range o.Dropped {
		v.revoked(2+3*len(o.Message.Indicators)+2*i, ind)
	}
	if v.err != nil {
		return nil, fmt.Errorf("STIX view of %s: %w", o.Advisory, v.err)
	}
	return v.out, nil
}

// add dates an object by its place in the occurrence. since is when the
// viewer was first given it.
func (v *view) add(place int, o stix.Object, since time.Time) {
	v.out = append(v.out, Dated{
		Object: o, Added: v.occ.At.Add(time.Duration(place) * time.Microsecond),
		First: since.Equal(v.occ.At), Last: !v.occ.Replaced,
	})
}

// stamp sets what all versioned objects of the occurrence share. STIX times
// of versions are to the millisecond (section 3.2).
func (v *view) stamp(o stix.Object, created time.Time) {
	head := o.Head()
	head.Created = stix.At(created.Truncate(time.Millisecond))
	head.Modified = stix.At(v.occ.At.Truncate(time.Millisecond))
	head.Revoked = v.occ.Revoked
	head.ObjectMarkingRefs = markingRefs(v.occ.Message.Marking)
}

func (v *view) report() {
	m, lineage := v.occ.Message, v.occ.Lineage
	refs := []stix.ID{}
	seen := map[stix.ID]bool{}
	for _, i := range m.Indicators {
		sco, err := i.observable()
		if err != nil {
			v.err = err
			return
		}
		refs = append(refs, stix.ID(i.ID), basedOnID(lineage, i))
		if id := sco.Head().ID; !seen[id] {
			seen[id] = true
			refs = append(refs, id)
		}
	}
	if len(refs) == 0 {
		refs = append(refs, v.centre.ID) // a report must refer to something
	}
	r := stix.NewReport(reportID(lineage), v.centre.ID, m.Title.Zh, stix.At(v.occ.First.Truncate(time.Millisecond)), refs...)
	r.Description, r.Lang, r.ReportTypes = m.Body.Zh, "zh-Hant", []string{reportType(m)}
	r.Labels = []string{"category:" + string(m.Category)}
	if m.RSIT != "" {
		r.Labels = append(r.Labels, "rsit:"+m.RSIT)
	}
	v.stamp(r, v.occ.First)
	v.add(0, r, v.occ.First)
	en, err := stix.Translate(translationID(lineage), r, "en", map[string]string{"name": m.Title.En, "description": m.Body.En})
	if err != nil {
		v.err = err
		return
	}
	v.stamp(en, v.occ.First)
	v.add(1, en, v.occ.First)
}

// reportType is a word of report-type-ov (STIX 2.1, section 10.22).
func reportType(m Message) string {
	if len(m.Indicators) > 0 {
		return "indicator"
	}
	return "threat-report"
}

func (v *view) indicator(place int, i Indicator, seen map[stix.ID]bool) {
	sco, err := i.observable()
	if err != nil {
		v.err = err
		return
	}
	id := sco.Head().ID
	v.versioned(place, i)
	if !v.occ.Revoked && !seen[id] && v.first[string(id)].Equal(v.occ.At) {
		v.add(place+1, sco, v.occ.At)
		v.lastOne()
	}
	seen[id] = true
	link := stix.NewRelationship(basedOnID(v.occ.Lineage, i), v.centre.ID, "based-on", stix.ID(i.ID), id, stix.Timestamp{})
	v.stamp(link, v.since(i))
	v.add(place+2, link, v.since(i))
}

// revoked takes a dropped indicator back.
func (v *view) revoked(place int, i Indicator) {
	sco, err := i.observable()
	if err != nil {
		v.err = err
		return
	}
	id := sco.Head().ID
	v.versioned(place, i)
	if v.err != nil {
		return
	}
	v.lastOne().Head().Revoked = true
	link := stix.NewRelationship(basedOnID(v.occ.Lineage, i), v.centre.ID, "based-on", stix.ID(i.ID), id, stix.Timestamp{})
	v.stamp(link, v.since(i))
	link.Revoked = true
	v.add(place+1, link, v.since(i))
	v.lastOne()
}

// lastOne marks what was just added as the last version: observables have no
// versions, and an indicator that was taken out does not come back under the
// same id.
func (v *view) lastOne() *Dated {
	d := &v.out[len(v.out)-1]
	d.Last = true
	return d
}

func (v *view) versioned(place int, i Indicator) {
	pattern, err := i.Pattern()
	if err != nil {
		v.err = err
		return
	}
	created := v.since(i)
	ind := stix.NewIndicator(stix.ID(i.ID), v.centre.ID, pattern, stix.At(created.Truncate(time.Millisecond)))
	ind.Name, ind.IndicatorTypes = i.Value, []string{"malicious-activity"}
	v.stamp(ind, created)
	v.add(place, ind, created)
}

// since is when the viewer was first given the indicator: not before it was
// given the lineage.
func (v *view) since(i Indicator) time.Time {
	if i.Since.After(v.occ.First) {
		return i.Since
	}
	return v.occ.First
}

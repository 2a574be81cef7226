package intel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
	"github.com/aspis-platform/aspis/taxii"
)

// The collections. Everybody knows of both; what is in them is the viewer's
// own.
const (
	// CollectionAdvisories holds advisories as reports with all they refer to.
	CollectionAdvisories = "6f0c1c4e-52d2-4b0a-9a3e-0d3a3f8f7a11"
	// CollectionIndicators holds the same without the texts, for devices.
	CollectionIndicators = "c1a5f1de-90f4-4a4b-8a36-1f7f5b3f2c22"
)

// TAXII is the TAXII 2.1 backend: the viewer's occurrences as STIX objects.
type TAXII struct {
	store  OccurrenceStore
	sealer Sealer
	centre Centre
	gate   sector.Gate
}

var _ taxii.Backend[sector.Viewer] = (*TAXII)(nil)

// NewTAXII returns a backend. The sealer must be deterministic, so that a
// question that is asked again is answered the same.
func NewTAXII(store OccurrenceStore, sealer Sealer, centre Centre) *TAXII {
	return &TAXII{store: store, sealer: sealer, centre: centre}
}

// Collections implements taxii.Backend.
func (*TAXII) Collections(context.Context, sector.Viewer, string) ([]taxii.Collection, error) {
	return []taxii.Collection{
		{ID: CollectionAdvisories, Alias: "advisories", Title: "Advisories / 警訊", CanRead: true,
			Description: "Released advisories with their indicators and observables."},
		{ID: CollectionIndicators, Alias: "indicators", Title: "Indicators / 入侵指標", CanRead: true,
			Description: "Released indicators and observables, without the texts."},
	}, nil
}

// maxScan bounds the occurrences that one request looks at. A filter that
// matches little gives a short page with a cursor.
const maxScan = 1000

// scanStep is how many occurrences are read at once.
const scanStep = 50

// Objects implements taxii.Backend. An object's DateAdded is its position:
// it is distinct among what the viewer sees, so that the cursor is a time and
// added_after goes on exactly after any page.
func (t *TAXII) Objects(ctx context.Context, v sector.Viewer, q taxii.Query) (taxii.Page, error) {
	after, err := t.position(v, q)
	if err != nil {
		return taxii.Page{}, err
	}
	c := &collector{query: q, after: after}
	if err := c.take(t.centre.Standing()); err != nil {
		return taxii.Page{}, err
	}
	at := after.Add(-EventWindow)      // an occurrence may reach beyond the position
	step := min(scanStep, 2+q.Limit/3) // an occurrence has three objects and more, most often
	for scanned := 0; !c.full(); {
		found, err := t.store.Occurrences(ctx, t.gate.For(v), OccurrenceQuery{After: at, Objects: q.Filter.IDs, Limit: step})
		if err != nil {
			return taxii.Page{}, err
		}
		if err := t.expand(ctx, v, c, found); err != nil {
			return taxii.Page{}, err
		}
		if len(found) < step {
			return t.page(v, q, c, false), nil
		}
		at = found[len(found)-1].At
		if scanned += len(found); scanned >= maxScan {
			return t.page(v, q, c, true), nil
		}
	}
	return t.page(v, q, c, true), nil
}

// expand turns occurrences into objects for the collector.
func (t *TAXII) expand(ctx context.Context, v sector.Viewer, c *collector, found []Occurrence) error {
	var ids []string
	for _, o := range found {
		for _, i := range o.Message.Indicators {
			sco, err := i.observable()
			if err != nil {
				return err
			}
			ids = append(ids, string(sco.Head().ID))
		}
	}
	slices.Sort(ids)
	first, err := t.store.FirstSeen(ctx, t.gate.For(v), slices.Compact(ids))
	if err != nil {
		return err
	}
	for _, o := range found {
		dated, err := Objects(t.centre, o, first)
		if err == nil {
			err = c.take(dated)
		}
		if err != nil {
			return err
		}
		c.seen = max(c.seen, o.At.Add(EventWindow-time.Microsecond).UnixMicro())
	}
	return nil
}

// collector gathers one page and one object more.
type collector struct {
	query   taxii.Query
	after   time.Time
	objects []taxii.Object
	seen    int64 // everything up to this position was looked at
}

func (c *collector) full() bool { return len(c.objects) > c.query.Limit }

func (c *collector) take(dated []Dated) error {
	for _, d := range dated {
		if c.full() {
			return nil
		}
		if !d.Added.After(c.after) || !inCollection(c.query.Collection, d.Head().Type) {
			continue
		}
		o, err := c.object(d)
		if err != nil {
			return fmt.Errorf("TAXII object: %w", err)
		}
		if !c.query.Filter.Matches(o, d.First, d.Last) {
			continue
		}
		c.objects = append(c.objects, o)
	}
	return nil
}

func (c *collector) object(d Dated) (taxii.Object, error) {
	if !c.query.NoBodies {
		return taxii.ObjectOf(d.Object, d.Added)
	}
	head := d.Head()
	o := taxii.Object{ID: head.ID, Version: head.Modified, DateAdded: d.Added}
	if o.Version.IsZero() {
		o.Version = head.Created
	}
	if o.Version.IsZero() {
		o.Version = stix.At(d.Added)
	}
	return o, nil
}

func inCollection(collection, typ string) bool {
	return collection != CollectionIndicators || typ != "report" && typ != "language-content"
}

// page cuts the collected objects to the limit and says where to go on.
func (t *TAXII) page(v sector.Viewer, q taxii.Query, c *collector, more bool) taxii.Page {
	p := taxii.Page{Objects: c.objects}
	next := c.seen
	if c.full() {
		p.Objects, more = c.objects[:q.Limit], true
		next = p.Objects[q.Limit-1].DateAdded.UnixMicro()
	}
	if more {
		p.More, p.Next = true, t.cursor(v, q, next)
	}
	return p
}

// position is where the answer starts: after the cursor or added_after.
func (t *TAXII) position(v sector.Viewer, q taxii.Query) (time.Time, error) {
	if q.Cursor == "" {
		return q.Filter.AddedAfter, nil
	}
	plain, err := t.sealer.Open(q.Cursor)
	tag := queryTag(v, q)
	if err != nil || len(plain) != len(tag)+8 || string(plain[:len(tag)]) != string(tag) {
		return time.Time{}, taxii.ErrCursor
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(plain[len(tag):]))).UTC(), nil //nolint:gosec // we wrote it
}

func (t *TAXII) cursor(v sector.Viewer, q taxii.Query, at int64) string {
	return t.sealer.Seal(binary.BigEndian.AppendUint64(queryTag(v, q), uint64(at))) //nolint:gosec // times are positive
}

// queryTag binds a cursor to the viewer and the question.
func queryTag(v sector.Viewer, q taxii.Query) []byte {
	f := q.Filter
	raw, err := json.Marshal([]any{v.Org, v.Member, q.Root, q.Collection, f.AddedAfter, f.IDs, f.Types, f.SpecVersions, f.Versions})
	if err != nil { // plain data
		return nil
	}
	sum := sha256.Sum256(raw)
	return append([]byte("taxii1"), sum[:10]...)
}

package wire

import (
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/stix"
)

// isac is the intelligence-sharing centre.
type isac struct {
	store   *sqldb.Advisories
	service *intel.Service
	worker  *intel.Worker
	taxii   *intel.TAXII
	sealer  intel.Sealer
	changed chan struct{} // wakes the matcher
}

func newISAC(p *Program) (*isac, error) {
	rules, err := intel.LoadRules()
	if err != nil {
		return nil, err
	}
	i := &isac{store: p.engines.db.Advisories(), changed: make(chan struct{}, 1)}
	if i.sealer, err = p.engines.sealer("advisories"); err != nil {
		return nil, err
	}
	i.service = intel.New(intel.Config{
		Drafts: i.store, Releases: i.store, Members: p.directory, Groups: p.engines.db.Sector(), Evidence: evidence{p.soc.alerts},
		Rules: rules, Notes: p.engines.db.Ledger(), Now: p.opts.Now, Changed: i.wake, Tell: tellOf})
	i.worker = intel.NewWorker(i.service, newHunter(p, i.store))
	centre, err := newCentre(p)
	if err != nil {
		return nil, err
	}
	i.taxii = intel.NewTAXII(i.store, i.sealer, centre)
	return i, nil
}

func (i *isac) wake() {
	select {
	case i.changed <- struct{}{}:
	default: // it is being woken
	}
}

func (i *isac) indicators() indicators { return indicators{i.store} }

// newCentre reads who the centre is in STIX: an id and a date that stay with
// the data folder.
func newCentre(p *Program) (intel.Centre, error) {
	text, err := p.engines.dir.Once("centre", func() []byte {
		return fmt.Appendf(nil, "%s %s\n", stix.RandomUUID(), p.opts.Now().UTC().Format(time.RFC3339))
	})
	if err != nil {
		return intel.Centre{}, err
	}
	var id, since string
	if _, err := fmt.Sscan(string(text), &id, &since); err != nil {
		return intel.Centre{}, fmt.Errorf("data folder: file centre: %w", err)
	}
	uuid, err := stix.ParseUUID(id)
	if err != nil {
		return intel.Centre{}, fmt.Errorf("data folder: file centre: %w", err)
	}
	founded, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return intel.Centre{}, fmt.Errorf("data folder: file centre: %w", err)
	}
	return intel.Centre{ID: stix.MakeID("identity", uuid), Name: "Aspis", Since: founded}, nil
}

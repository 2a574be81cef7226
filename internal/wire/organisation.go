package wire

import "github.com/aspis-platform/aspis/internal/organisation"

// newOrganisation is what organisations look after themselves.
func newOrganisation(p *Program) *organisation.Service {
	store := p.engines.db.Organisation()
	return organisation.New(organisation.Config{
		Members: p.directory, States: p.directory, Profiles: store, Store: store, Accounts: p.directory, Groups: store, Now: p.opts.Now})
}

package wire

import "github.com/aspis-platform/aspis/internal/organisation"

// newOrganisation is what organisations look after themselves.
func newOrganisation(p *Program) *organisation.Service {
	store := p.engines.db.Organisation()
	config := organisation.Config{Members: p.directory, States: p.directory, Profiles: store, Store: store,
		Accounts: people{p.directory, p.identity}, Groups: store, Now: p.opts.Now}
	if p.opts.SMTP != "" {
		config.Mail = invitations{p.directory, p.engines.secrets}
	}
	return organisation.New(config)
}

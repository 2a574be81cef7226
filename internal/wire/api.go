package wire

import (
	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/audit"
	"github.com/aspis-platform/aspis/internal/changes"
	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/machine"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/pulse"
	"github.com/aspis-platform/aspis/internal/tokens"
	"github.com/aspis-platform/aspis/internal/web"
)

// mountAPI adds what programs may do besides the domains' own routes.
func (p *Program) mountAPI(routes *access.Routes) error {
	replays, err := p.engines.sealer("replays")
	if err != nil {
		return err
	}
	positions, err := p.engines.sealer("positions")
	if err != nil {
		return err
	}
	cursors := access.NewCursors(positions)
	routes.Remember(access.NewMemory(p.engines.db.Replays(), replays, p.opts.Now))
	routes.Prove(web.Fresh)
	places, err := p.engines.sealer("ledger")
	if err != nil {
		return err
	}
	admin.MountAPI(routes, p.adminConfig(), cursors)
	machine.MountAPI(routes, p.machineConfig(), cursors)
	organisation.MountAPI(routes, newOrganisation(p), cursors, p.opts.BaseURL)
	identity.MountAPI(routes, p.identity)
	notify.MountAPI(routes, p.notify, cursors)
	audit.MountAPI(routes, p.audit, cursors, places)
	tokens.MountAPI(routes, p.tokens)
	pulse.MountAPI(routes, pulseSource{p})
	changes.New(p.engines.db.Changes(), cursors).Mount(routes)
	return nil
}

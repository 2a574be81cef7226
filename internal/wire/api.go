package wire

import (
	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/changes"
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
	admin.MountAPI(routes, p.adminConfig(), cursors)
	tokens.MountAPI(routes, p.tokens)
	pulse.MountAPI(routes, pulseSource{p})
	changes.New(p.engines.db.Changes(), cursors).Mount(routes)
	return nil
}

//go:build gallery

package wire

import (
	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/gallery"
	"github.com/aspis-platform/aspis/internal/web"
)

// mountGallery shows the design system at /design, in development builds.
func (p *Program) mountGallery(routes *access.Routes, shell *web.Shell) error {
	return gallery.Mount(routes, shell, p.opts.Now)
}

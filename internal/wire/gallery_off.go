//go:build !gallery

package wire

import (
	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/web"
)

// mountGallery does nothing: the design system is for development builds.
func (p *Program) mountGallery(*access.Routes, *web.Shell) error { return nil }

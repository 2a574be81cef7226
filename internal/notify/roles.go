package notify

import "github.com/aspis-platform/aspis/internal/sector"

// rolesOf are a viewer's roles.
func rolesOf(v sector.Viewer) []sector.Role { return []sector.Role{v.Role} }
func rolesOfUser(u sector.User) []sector.Role { return []sector.Role{u.Role} }

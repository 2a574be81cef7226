package intel

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/taxii"
)

// Keys tells whose a machine key is. sector.Directory does.
type Keys interface {
	// AuthenticateKey fails with errs.Unauthenticated for a secret that is
	// no valid key.
	AuthenticateKey(ctx context.Context, secret string) (sector.Viewer, error)
}

// The TAXII API root.
const (
	taxiiRoot     = "sector"
	taxiiRootPath = "/taxii2/sector/"
)

// MountTAXII serves TAXII 2.1 at /taxii2/ to keys with scope taxii, as Bearer
// token or as the password of Basic (with any user name).
func MountTAXII(routes *access.Routes, backend *TAXII, keys Keys, baseURL string, log *slog.Logger) error {
	server, err := taxii.NewServer(taxii.Config[sector.Viewer]{
		Title: "Aspis", BaseURL: baseURL, Log: log, Backend: backend,
		Roots:        []taxii.Root{{Name: taxiiRoot, Path: taxiiRootPath, Title: "Financial sector / 金融領域"}},
		Authenticate: func(r *http.Request) (sector.Viewer, error) { return taxiiViewer(r, keys) },
	})
	if err != nil {
		return err
	}
	routes.Handle(taxii.DiscoveryPath, sector.ReadTAXII, server)
	return nil
}

func taxiiViewer(r *http.Request, keys Keys) (sector.Viewer, error) {
	secret, ok := httpx.BearerToken(r)
	if !ok {
		_, secret, ok = r.BasicAuth()
	}
	v, err := sector.ViewerFrom(r.Context()), error(nil)
	switch {
	case ok && secret != "":
		v, err = keys.AuthenticateKey(r.Context(), secret)
	case v.Key == "": // nor by the connection's certificate
		return sector.Viewer{}, taxii.ErrUnauthenticated
	}
	switch {
	case errs.Is(err, errs.Unauthenticated):
		return v, taxii.ErrUnauthenticated
	case errs.Is(err, errs.Unavailable):
		return v, taxii.ErrUnavailable
	case errs.Is(err, errs.Forbidden):
		return v, taxii.ErrForbidden
	case err != nil:
		return v, err
	case !v.May(sector.ReadTAXII):
		return v, taxii.ErrForbidden
	}
	httpx.SetActor(r.Context(), v.Actor())
	return v, nil
}

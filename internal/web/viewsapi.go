package web

import (
	"context"
	"net/http"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// MountAPI adds a person's own views of lists:
//
//	GET, POST /api/v1/views
//	DELETE    /api/v1/views/{id}
func (s *Shell) MountAPI(routes *access.Routes) {
	if s.lists == nil {
		return
	}
	doc := func(id string) access.Doc { return access.Doc{ID: id, Tag: "views"} }
	save := doc("view-save")
	save.Status = http.StatusCreated
	access.Operation(routes, "GET /api/v1/views", sector.SignedIn, doc("view-list"), s.listViews)
	access.Operation(routes, "POST /api/v1/views", sector.SignedIn, save, s.addView)
	access.Operation(routes, "DELETE /api/v1/views/{id}", sector.SignedIn, doc("view-drop"), s.removeView)
}

// viewJSON is a list as its owner likes to see it.
type viewJSON struct {
	ID        string `json:"id"`
	List      string `json:"list" doc:"The list's path: /alerts."`
	Name      string `json:"name"`
	Query     string `json:"query" doc:"Filters, order and columns, as in the address."`
	Preferred bool   `json:"preferred,omitempty" doc:"Opened when the list is asked for without a query."`
}

func newViewJSON(v SavedView) viewJSON { return viewJSON{v.ID, v.List, v.Name, v.Query, v.Preferred} }

type viewsIn struct {
	List string `query:"list" required:"true" doc:"The list's path: /alerts."`
}

type viewsOut struct {
	Body struct {
		Views []viewJSON `json:"views"`
	}
}

func (s *Shell) listViews(ctx context.Context, in *viewsIn) (*viewsOut, error) {
	all, err := s.lists.Views(ctx, sector.ViewerFrom(ctx).User, in.List)
	if err != nil {
		return nil, err
	}
	out := &viewsOut{}
	out.Body.Views = access.Shown(all, newViewJSON)
	return out, nil
}

type addViewIn struct {
	Body struct {
		List      string `json:"list" doc:"The list's path: /alerts."`
		Name      string `json:"name" doc:"In place of the view of this name, if there is one."`
		Query     string `json:"query" maxLength:"2000"`
		Preferred bool   `json:"preferred,omitempty"`
	}
}

type viewOut struct{ Body viewJSON }

func (s *Shell) addView(ctx context.Context, in *addViewIn) (*viewOut, error) {
	viewer := sector.ViewerFrom(ctx)
	v, err := s.keepView(ctx, SavedView{User: viewer.User, List: in.Body.List, Name: in.Body.Name, Query: in.Body.Query, Preferred: in.Body.Preferred})
	if err != nil {
		return nil, err
	}
	all, err := s.lists.Views(ctx, viewer.User, v.List)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.Name == v.Name {
			return &viewOut{newViewJSON(one)}, nil
		}
	}
	return nil, errs.New(errs.NotFound, "common.view.gone") // dropped meanwhile
}

type viewIn struct {
	ID   string `path:"id"`
	List string `query:"list" required:"true" doc:"The list that it is a view of."`
}

func (s *Shell) removeView(ctx context.Context, in *viewIn) (*struct{}, error) {
	return nil, s.forgetView(ctx, in.List, in.ID)
}

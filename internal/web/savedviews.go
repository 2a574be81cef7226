package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// SavedView is a list as one person likes to see it: the filters, order and
// columns that its address holds.
type SavedView struct {
	ID        string
	User      sector.UserID
	List      string // the list's path
	Name      string
	Query     string // url.Values, encoded
	Preferred bool   // opened when the list is asked for without a query
}

// Href is the list as the view shows it; it can be given to others.
func (v SavedView) Href() string { return v.List + "?" + v.Query }

// ListStore keeps people's views of lists, and that lists were exported. A
// view is its owner's alone.
type ListStore interface {
	// Views lists a person's views of a list, by name.
	Views(ctx context.Context, user sector.UserID, list string) ([]SavedView, error)
	// SaveView stores a view in place of the person's view of that name, if
	// there is one. Where it is preferred, the list's others no longer are. A
	// list with max views takes no new name: errs.Conflict.
	SaveView(ctx context.Context, v SavedView, max int, e ledger.Entry) error
	// DropView forgets a view; errs.NotFound when the person has none.
	DropView(ctx context.Context, user sector.UserID, id string, e ledger.Entry) error
	// Exported keeps that a list is about to leave as a file.
	Exported(ctx context.Context, e ledger.Entry) error
}

// Bounds of saved views.
const (
	maxViews     = 20 // of a person, a list
	maxViewName  = 60 // characters
	maxViewQuery = 2000
)

// everything is the value of "view" that asks for the list as it is, past the
// preferred view.
const everything = "all"

func (s *Shell) mountLists(routes *access.Routes) {
	if s.lists == nil {
		return
	}
	s.Page(routes, "POST /views", sector.SignedIn, s.saveView)
	s.Page(routes, "POST /views/{id}/drop", sector.SignedIn, s.dropView)
}

// Table reads a list's state as [Shell.ReadList] does, with the viewer's saved
// views. Asked for without a query, a list that has a preferred view goes on
// to it: done is then true and the answer is sent.
func (s *Shell) Table(w http.ResponseWriter, r *http.Request, spec ListSpec) (l List, done bool, err error) {
	l = s.ReadList(r, spec)
	user := sector.ViewerFrom(r.Context()).User
	if s.lists == nil || user == "" {
		return l, false, nil
	}
	if l.Views, err = s.lists.Views(r.Context(), user, spec.Path); err != nil {
		return l, false, err
	}
	l.tools = true
	if r.URL.RawQuery != "" {
		return l, false, nil
	}
	for _, v := range l.Views {
		if v.Preferred {
			http.Redirect(w, r, v.Href(), http.StatusSeeOther)
			return l, true, nil
		}
	}
	return l, false, nil
}

func (s *Shell) saveView(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Invalid, "error.form").Because(err)
	}
	v, err := s.keepView(r.Context(), SavedView{
		User: sector.ViewerFrom(r.Context()).User, List: r.PostForm.Get("list"), Name: r.PostForm.Get("name"),
		Query: r.PostForm.Get("query"), Preferred: r.PostForm.Get("preferred") != "",
	})
	if err != nil {
		return err
	}
	s.Flash(r, Flash{Tone: "good", Key: "common.view.saved", Args: []any{v.Name}})
	http.Redirect(w, r, v.Href(), http.StatusSeeOther)
	return nil
}

// keepView checks and stores one of the viewer's views, and returns it as it
// is kept.
func (s *Shell) keepView(ctx context.Context, v SavedView) (SavedView, error) {
	v.Name = strings.TrimSpace(v.Name)
	if err := v.check(s); err != nil {
		return v, err
	}
	viewer := sector.ViewerFrom(ctx)
	e := ledger.Entry{Actor: viewer.Actor(), Action: "view.save", Object: "list:" + v.List, Member: string(viewer.Member)}
	return v, s.lists.SaveView(ctx, v, maxViews, e)
}

// check refuses what is no view of a list that the person could see.
func (v *SavedView) check(s *Shell) error {
	if !s.isPlace(v.List) {
		return errs.New(errs.Invalid, "common.view.no_list")
	}
	if v.Name == "" || utf8.RuneCountInString(v.Name) > maxViewName || !utf8.ValidString(v.Name) || strings.ContainsFunc(v.Name, hidden) {
		return errs.New(errs.Invalid, "common.view.bad_name", maxViewName)
	}
	q, err := url.ParseQuery(v.Query)
	if err != nil || len(v.Query) > maxViewQuery {
		return errs.New(errs.Invalid, "common.view.bad_query").Because(err)
	}
	q.Del("after")
	if q.Del("view"); len(q) == 0 {
		q.Set("view", everything)
	}
	v.Query = q.Encode()
	return nil
}

// isPlace reports whether the path is a line of the navigation.
func (s *Shell) isPlace(path string) bool {
	return slices.ContainsFunc(s.nav, func(n NavItem) bool { return n.Href == path })
}

// hidden reports whether a character shows nothing or turns what is around it.
func hidden(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }

func (s *Shell) dropView(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	list := r.PostFormValue("list")
	if err := s.forgetView(r.Context(), list, r.PathValue("id")); err != nil {
		return err
	}
	s.Flash(r, Flash{Tone: "good", Key: "common.view.dropped"})
	http.Redirect(w, r, list+"?view="+everything, http.StatusSeeOther)
	return nil
}

// forgetView drops one of the viewer's views of a list.
func (s *Shell) forgetView(ctx context.Context, list, id string) error {
	if !s.isPlace(list) {
		return errs.New(errs.Invalid, "common.view.no_list")
	}
	viewer := sector.ViewerFrom(ctx)
	e := ledger.Entry{Actor: viewer.Actor(), Action: "view.drop", Object: "list:" + list, Member: string(viewer.Member)}
	return s.lists.DropView(ctx, viewer.User, id, e)
}

// exportEntry says what leaves: the list, its filters (of typed text only that
// there was some) and the format.
func exportEntry(v sector.Viewer, l List, format string) (ledger.Entry, error) {
	filters := map[string]string{}
	for _, f := range l.Filters {
		if now := l.Get(f.Name); now != "" {
			if f.Kind == "text" {
				now = "…"
			}
			filters[f.Name] = now
		}
	}
	detail, err := json.Marshal(map[string]any{"format": format, "filters": filters, "columns": l.Cols})
	return ledger.Entry{Actor: v.Actor(), Action: "list.export", Object: "list:" + l.Path, Member: string(v.Member), Detail: string(detail)}, err
}

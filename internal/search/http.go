package search

import (
	"net/http"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

// MountAPI adds
//
//	GET /api/v1/search?q=&kind=&tlp=&since=&limit=&cursor=
//
// for people and for keys with the scope advisories. since is RFC 3339;
// cursor is a group's next and needs its kind.
func MountAPI(routes *access.Routes, svc *Service) {
	access.Describe[searchIn, searchOut](routes, "GET /api/v1/search", sector.SearchAll,
		access.Doc{ID: "search", Tag: "search"}, api{svc}.search)
}

// What the operation reads and answers, for the document.
type (
	searchIn struct {
		Text   string     `query:"q" required:"true" doc:"Words, an address, a hash, a CVE or ATT&CK id."`
		Kind   Kind       `query:"kind"`
		TLP    sector.TLP `query:"tlp"`
		Since  time.Time  `query:"since"`
		Limit  int        `query:"limit" minimum:"1"`
		Cursor string     `query:"cursor" doc:"A group's next; needs its kind."`
	}
	searchOut struct{ Body answerJSON }
)

type api struct{ svc *Service }

type answerJSON struct {
	Groups []groupJSON `json:"groups"`
	// Cut says that only the beginning of the question was looked for.
	Cut bool `json:"cut,omitempty"`
	// Partial says that the index is being made anew.
	Partial bool `json:"partial,omitempty"`
}

type groupJSON struct {
	Kind Kind      `json:"kind"`
	Hits []hitJSON `json:"hits"`
	Next string    `json:"next,omitempty"`
}

type hitJSON struct {
	ID       string     `json:"id"`
	Title    textJSON   `json:"title"`
	Advisory string     `json:"advisory,omitempty"` // of an indicator
	Class    string     `json:"class,omitempty"`
	State    string     `json:"state,omitempty"`
	TLP      sector.TLP `json:"tlp,omitempty"`
	At       time.Time  `json:"at,omitzero"`
	Path     string     `json:"path,omitempty"`
}

type textJSON struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

func (a api) search(w http.ResponseWriter, r *http.Request) error {
	req, err := readRequest(r)
	if err != nil {
		return err
	}
	v := sector.ViewerFrom(r.Context())
	answer, err := a.svc.Search(r.Context(), v, req)
	if err != nil {
		return err
	}
	out := answerJSON{Groups: []groupJSON{}, Cut: answer.Query.Cut, Partial: answer.Partial}
	for _, res := range answer.Results {
		g := groupJSON{Kind: res.Kind, Hits: []hitJSON{}, Next: res.Next}
		for _, h := range res.Hits {
			g.Hits = append(g.Hits, hitJSON{h.ID, textJSON(h.Title), h.Parent, h.Class, h.State, h.TLP, h.At, h.Href})
		}
		out.Groups = append(out.Groups, g)
	}
	w.Header().Set("Cache-Control", "private, no-store")
	httpx.JSON(w, r, http.StatusOK, out)
	return nil
}

// readRequest reads the parameters. Unknown ones are refused, because a
// filter that is silently ignored shows too much.
func readRequest(r *http.Request) (Request, error) {
	var req Request
	for name, values := range r.URL.Query() {
		value := values[0]
		var err error
		switch name {
		case "q":
			req.Text = value
		case "kind":
			req.Kind = Kind(value)
		case "cursor":
			req.Cursor = value
		case "tlp":
			req.TLP = sector.TLP(value)
		case "since":
			if req.Since, err = time.Parse(time.RFC3339, value); err != nil {
				return req, errs.New(errs.Invalid, "search.since_form").Because(err)
			}
		case "limit":
			if req.Limit, err = strconv.Atoi(value); err != nil || req.Limit < 1 {
				return req, errs.New(errs.Invalid, "search.limit", maxLimit).Because(err)
			}
		default:
			return req, errs.New(errs.Invalid, "search.parameter", name)
		}
	}
	return req, nil
}

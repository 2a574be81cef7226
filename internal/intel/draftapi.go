package intel

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// maxDraftBody bounds a draft's JSON in bytes.
const maxDraftBody = 1 << 20

// mountDrafts adds the centre's work on advisories: /api/v1/drafts. A change
// names in If-Match the version that was read; 412 says what changed since.
func (a api) mountDrafts(routes *access.Routes) {
	doc := func(id string) access.Doc { return access.Doc{ID: "draft-" + id, Tag: "drafts"} }
	create := doc("create")
	create.Creates, create.Status = true, http.StatusCreated
	edit, check := doc("edit"), doc("check")
	edit.MaxBody, check.MaxBody = maxDraftBody, maxDraftBody
	proven := func(id string) access.Doc {
		d := doc(id)
		d.Proof = true
		return d
	}
	access.Operation(routes, "GET /api/v1/drafts", sector.ReadDrafts, doc("list"), a.drafts)
	access.Operation(routes, "POST /api/v1/drafts", sector.WriteDrafts, create, a.create)
	access.Operation(routes, "GET /api/v1/drafts/{id}", sector.ReadDrafts, doc("show"), a.draft)
	access.Operation(routes, "PUT /api/v1/drafts/{id}", sector.WriteDrafts, edit, a.edit)
	access.Operation(routes, "POST /api/v1/drafts/{id}/check", sector.WriteDrafts, check, a.check)
	access.Operation(routes, "GET /api/v1/drafts/{id}/preview", sector.ReadDrafts, doc("preview"), a.preview)
	access.Operation(routes, "POST /api/v1/drafts/{id}/submit", sector.WriteDrafts, doc("submit"), a.submit)
	access.Operation(routes, "POST /api/v1/drafts/{id}/release", sector.ReleaseAdvisories, proven("release"), a.release)
	access.Operation(routes, "POST /api/v1/drafts/{id}/approve", sector.ApproveReleases, proven("approve"), a.approve)
	access.Operation(routes, "POST /api/v1/drafts/{id}/withdraw", sector.WithdrawAdvisories, proven("withdraw"), a.withdraw)
	access.Operation(routes, "GET /api/v1/drafts/{id}/deliveries", sector.ReadDrafts, doc("deliveries"), a.deliveries)
}

type draftsIn struct {
	State    State    `query:"state" enum:"draft,in_review,released,withdrawn"`
	Category Category `query:"category" enum:"ANA,EWA,INT,DEF,FBI"`
	Text     string   `query:"q" maxLength:"200" doc:"In either title."`
	Cursor   string   `query:"cursor" doc:"The next of the page before."`
	Limit    int      `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type draftsOut struct {
	Body struct {
		Drafts []draftJSON `json:"drafts"`
		Next   string      `json:"next,omitempty" doc:"Where the list goes on; none at its end."`
	}
}

func (a api) drafts(ctx context.Context, in *draftsIn) (*draftsOut, error) {
	v := sector.ViewerFrom(ctx)
	question := "drafts\n" + string(in.State) + "\n" + string(in.Category) + "\n" + in.Text
	position, err := a.cursors.Open(v, question, in.Cursor)
	if err != nil {
		return nil, err
	}
	q := AdvisoryQuery{Category: in.Category, Text: in.Text, After: parsePlace(position), Limit: in.Limit + 1}
	if in.State != "" {
		q.States = []State{in.State}
	}
	found, err := a.svc.Advisories(ctx, v, q)
	if err != nil {
		return nil, err
	}
	out := &draftsOut{}
	out.Body.Drafts = []draftJSON{}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		last := found[in.Limit-1]
		out.Body.Next = a.cursors.Seal(v, question, strconv.FormatInt(last.ChangedAt.UnixMicro(), 10)+" "+string(last.ID))
	}
	for _, f := range found {
		out.Body.Drafts = append(out.Body.Drafts, newDraftJSON(f))
	}
	return out, nil
}

type draftID struct {
	ID string `path:"id" format:"uuid"`
}

type draftOut struct {
	ETag string `header:"ETag"`
	Body draftJSON
}

func newDraftOut(a Advisory) *draftOut {
	return &draftOut{ETag: access.VersionTag(a.Version), Body: newDraftJSON(a)}
}

type createIn struct {
	Body struct {
		Alerts []string `json:"alerts,omitempty" maxItems:"100" doc:"Alerts that it is drafted from."`
	}
}

func (a api) create(ctx context.Context, in *createIn) (*draftOut, error) {
	d, err := a.svc.Draft(ctx, sector.ViewerFrom(ctx), in.Body.Alerts)
	if err != nil {
		return nil, err
	}
	return newDraftOut(d), nil
}

func (a api) draft(ctx context.Context, in *draftID) (*draftOut, error) {
	d, err := a.svc.Advisory(ctx, sector.ViewerFrom(ctx), AdvisoryID(in.ID))
	if err != nil {
		return nil, err
	}
	return newDraftOut(d), nil
}

type editIn struct {
	ID      string `path:"id" format:"uuid"`
	IfMatch string `header:"If-Match" doc:"The ETag that was read."`
	Body    DraftContent
}

func (a api) edit(ctx context.Context, in *editIn) (*draftOut, error) {
	version, err := access.Version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	content, err := in.Body.content()
	if err != nil {
		return nil, a.explain(ctx, err)
	}
	d, err := a.svc.Edit(ctx, sector.ViewerFrom(ctx), AdvisoryID(in.ID), version, content)
	if err != nil {
		return nil, a.stale(ctx, in.ID, version, err)
	}
	return newDraftOut(d), nil
}

type checkIn struct {
	ID   string `path:"id" format:"uuid"`
	Body DraftContent
}

type checkOut struct {
	Body struct {
		Problems []problemJSON `json:"problems" doc:"What stands in the way of a release."`
		Warnings []leakJSON    `json:"warnings" doc:"What may point at a member."`
	}
}

func (a api) check(ctx context.Context, in *checkIn) (*checkOut, error) {
	content, err := in.Body.content()
	if err != nil {
		return nil, a.explain(ctx, err)
	}
	found, leaks, err := a.svc.Check(ctx, sector.ViewerFrom(ctx), AdvisoryID(in.ID), content)
	if err != nil {
		return nil, err
	}
	out := &checkOut{}
	out.Body.Problems, out.Body.Warnings = a.problems(ctx, found), []leakJSON{}
	for _, l := range leaks {
		if l.Block {
			blocking := Problem{Field: l.Field, Line: l.Line, Leak: &l, Err: errs.New(errs.Invalid, "leak."+string(l.Kind))}
			out.Body.Problems = append(out.Body.Problems, a.problems(ctx, []Problem{blocking})...)
			continue
		}
		out.Body.Warnings = append(out.Body.Warnings, newLeakJSON(l))
	}
	return out, nil
}

type previewOut struct{ Body previewJSON }

func (a api) preview(ctx context.Context, in *draftID) (*previewOut, error) {
	d, p, err := a.svc.Preview(ctx, sector.ViewerFrom(ctx), AdvisoryID(in.ID))
	if err != nil {
		return nil, err
	}
	return &previewOut{Body: a.newPreviewJSON(ctx, d, p)}, nil
}

// stepIn is a change that needs nothing but the version that was read.
type stepIn struct {
	ID      string `path:"id" format:"uuid"`
	IfMatch string `header:"If-Match" doc:"The ETag that was read."`
}

// step runs a change at the version that If-Match names and answers with the
// advisory as it is then.
func (a api) step(ctx context.Context, id, ifMatch string, do func(v sector.Viewer, id AdvisoryID, version int) error) (*draftOut, error) {
	version, err := access.Version(ifMatch)
	if err != nil {
		return nil, err
	}
	v := sector.ViewerFrom(ctx)
	if err := do(v, AdvisoryID(id), version); err != nil {
		return nil, a.stale(ctx, id, version, err)
	}
	d, err := a.svc.Advisory(ctx, v, AdvisoryID(id))
	if err != nil {
		return nil, err
	}
	return newDraftOut(d), nil
}

func (a api) submit(ctx context.Context, in *stepIn) (*draftOut, error) {
	return a.step(ctx, in.ID, in.IfMatch, func(v sector.Viewer, id AdvisoryID, version int) error {
		_, err := a.svc.Submit(ctx, v, id, version)
		return err
	})
}

func (a api) release(ctx context.Context, in *stepIn) (*draftOut, error) {
	return a.step(ctx, in.ID, in.IfMatch, func(v sector.Viewer, id AdvisoryID, version int) error {
		_, err := a.svc.Release(ctx, v, id, version)
		return err
	})
}

// approve is a release that is the second person's signature and nothing
// else.
func (a api) approve(ctx context.Context, in *stepIn) (*draftOut, error) {
	return a.step(ctx, in.ID, in.IfMatch, func(v sector.Viewer, id AdvisoryID, version int) error {
		d, err := a.svc.Advisory(ctx, v, id)
		switch {
		case err != nil:
			return err
		case d.State != InReview:
			return errs.New(errs.Conflict, "advisory.submit_first")
		case d.Author == v.User:
			return errs.New(errs.Forbidden, "advisory.own_work")
		}
		_, err = a.svc.Release(ctx, v, id, version)
		return err
	})
}

type withdrawIn struct {
	ID      string `path:"id" format:"uuid"`
	IfMatch string `header:"If-Match" doc:"The ETag that was read."`
	Body    struct {
		Reason string `json:"reason" doc:"For the ledger."`
	}
}

func (a api) withdraw(ctx context.Context, in *withdrawIn) (*draftOut, error) {
	return a.step(ctx, in.ID, in.IfMatch, func(v sector.Viewer, id AdvisoryID, version int) error {
		return a.svc.Withdraw(ctx, v, id, version, in.Body.Reason)
	})
}

type deliveriesOut struct {
	Body struct {
		Deliveries []deliveryJSON `json:"deliveries"`
	}
}

func (a api) deliveries(ctx context.Context, in *draftID) (*deliveriesOut, error) {
	v := sector.ViewerFrom(ctx)
	d, err := a.svc.Advisory(ctx, v, AdvisoryID(in.ID))
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Deliveries(ctx, v, d.ID)
	if err != nil {
		return nil, err
	}
	out := &deliveriesOut{}
	out.Body.Deliveries = access.Shown(found, newDeliveryJSON)
	return out, nil
}

// changedJSON is what became of an advisory since a version of it was read.
type changedJSON struct {
	Version   int           `json:"version"`
	State     State         `json:"state"`
	ChangedAt time.Time     `json:"changed_at"`
	ChangedBy sector.UserID `json:"changed_by"`
	Fields    []string      `json:"fields" doc:"Whose content is not what it was."`
}

// stale turns a conflict of versions into one that says what changed; other
// errors are explained.
func (a api) stale(ctx context.Context, id string, seen int, err error) error {
	if !errs.Is(err, errs.Conflict) {
		return a.explain(ctx, err)
	}
	now, readErr := a.svc.Advisory(ctx, sector.ViewerFrom(ctx), AdvisoryID(id))
	if readErr != nil || now.Version == seen {
		return err
	}
	c := changedJSON{Version: now.Version, State: now.State, ChangedAt: now.ChangedAt, ChangedBy: now.Author, Fields: []string{}}
	if before, err := a.svc.Drafts.Content(ctx, now.ID, seen); err == nil {
		c.Fields = before.differences(Content{now.Message, now.Audience})
	}
	return access.Changed(c)
}

package organisation

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// api is what organisations look after themselves, for programs.
type api struct {
	svc     *Service
	cursors access.Cursors
	texts   *i18n.Catalogue
	base    string
}

// MountAPI adds
//
//	GET, PATCH  /api/v1/profile
//	GET         /api/v1/profile/confirmations
//	POST        /api/v1/profile/confirm
//	GET         /api/v1/members/{id}/profile
//	POST        /api/v1/members/{id}/state
//	GET         /api/v1/confirmations
//
// and people below /api/v1/organisation/people and groups below
// /api/v1/groups. BaseURL is how people reach the program, for one-time
// links.
func MountAPI(routes *access.Routes, svc *Service, cursors access.Cursors, baseURL string) {
	a := api{svc, cursors, routes.Texts(), strings.TrimSuffix(baseURL, "/")}
	doc := func(id string) access.Doc { return access.Doc{ID: id, Tag: "profiles"} }
	access.Operation(routes, "GET /api/v1/profile", sector.ReadProfile, doc("profile-show"), a.profile)
	access.Operation(routes, "PATCH /api/v1/profile", sector.WriteProfile, doc("profile-change"), a.changeProfile)
	access.Operation(routes, "GET /api/v1/profile/confirmations", sector.ReadProfile, doc("profile-confirmations"), a.ownStanding)
	access.Operation(routes, "POST /api/v1/profile/confirm", sector.WriteProfile, doc("profile-confirm"), a.confirm)
	access.Operation(routes, "GET /api/v1/members/{id}/profile", sector.ReadMembers, doc("member-profile"), a.profileOf)
	access.Operation(routes, "POST /api/v1/members/{id}/state", sector.WriteMembers, doc("member-state"), a.setState)
	access.Operation(routes, "GET /api/v1/confirmations", sector.ReadMembers, doc("confirmation-list"), a.standings)
	a.mountPeople(routes)
	a.mountGroups(routes)
}

// problemJSON is a single thing that is wrong with what was sent.
type problemJSON struct {
	Field string `json:"field"`
	Line  int    `json:"line,omitempty"` // of a list, from 1
	Code  string `json:"code"`
	Text  string `json:"text"`
}

// explain attaches the single problems of an error that has several.
func (a api) explain(ctx context.Context, err error) error {
	found, ok := errors.AsType[*ProblemsError](err)
	if !ok {
		return err
	}
	var all []problemJSON
	for _, p := range found.Problems {
		all = append(all, problemJSON{p.Field, p.Line, p.Err.Key, a.texts.T(access.Lang(ctx), p.Err.Key, p.Err.Args...)})
	}
	return errs.New(errs.Invalid, "organisation.problems", len(all)).With(all).Because(err)
}

// keptJSON is what a member says of itself.
type keptJSON struct {
	Member  sector.MemberID `json:"member"`
	Version int             `json:"version" doc:"0: nothing was ever saved."`
	SavedAt time.Time       `json:"saved_at,omitzero"`
	Profile Profile         `json:"profile"`
}

type profileOut struct {
	ETag string `header:"ETag"`
	Body keptJSON
}

func newProfileOut(k Kept) *profileOut {
	return &profileOut{access.VersionTag(k.Version), keptJSON{k.Member, k.Version, k.At, k.Profile}}
}

func (a api) profile(ctx context.Context, _ *struct{}) (*profileOut, error) {
	k, err := a.svc.Profile(ctx, sector.ViewerFrom(ctx))
	if err != nil {
		return nil, err
	}
	return newProfileOut(k), nil
}

// profilePatch is a change of a profile, field by field: what is left out
// stays as it is, and a list or a contact is changed as a whole.
type profilePatch struct {
	NameZh    *string          `json:"name_zh,omitempty"`
	Name      *string          `json:"name,omitempty"`
	Size      *SizeClass       `json:"size,omitempty" doc:"small, medium, large or systemic; empty: not said."`
	StockCode *string          `json:"stock_code,omitempty"`
	BIC       *string          `json:"bic,omitempty" doc:"ISO 9362."`
	Contacts  map[Duty]Contact `json:"contacts,omitempty" doc:"By duty: security_lead, incident_lead, deputy, executive, desk. An empty one is taken away."`
	Networks  []string         `json:"networks,omitempty" maxItems:"500" doc:"CIDR."`
	Domains   []string         `json:"domains,omitempty" maxItems:"500"`
	Brands    []string         `json:"brands,omitempty" maxItems:"500"`
	Products  []string         `json:"products,omitempty" maxItems:"500" doc:"CPE 2.3."`
	Suppliers []string         `json:"suppliers,omitempty" maxItems:"500"`
}

// check refuses duties that there are not.
func (c profilePatch) check() error {
	for d := range c.Contacts {
		if !slices.Contains(Duties(), d) {
			return errs.New(errs.Invalid, "organisation.duty_unknown", string(d))
		}
	}
	return nil
}

// apply is the profile with the change.
func (c profilePatch) apply(p Profile) Profile {
	set(&p.NameZh, c.NameZh)
	set(&p.Name, c.Name)
	set(&p.Size, c.Size)
	set(&p.StockCode, c.StockCode)
	set(&p.BIC, c.BIC)
	setList(&p.Networks, c.Networks)
	setList(&p.Domains, c.Domains)
	setList(&p.Brands, c.Brands)
	setList(&p.Products, c.Products)
	setList(&p.Suppliers, c.Suppliers)
	contacts := map[Duty]Contact{}
	maps.Copy(contacts, p.Contacts)
	maps.Copy(contacts, c.Contacts)
	p.Contacts = contacts
	return p
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func setList(to *[]string, from []string) {
	if from != nil {
		*to = from
	}
}

type changeProfileIn struct {
	IfMatch string `header:"If-Match" doc:"The ETag that was read."`
	Body    profilePatch
}

// collisionJSON is a field that another changed too since it was read.
type collisionJSON struct {
	Field  string `json:"field"`
	Mine   string `json:"mine"`
	Theirs string `json:"theirs"`
}

// changedJSON is what changed since a version was read.
type changedJSON struct {
	Version int             `json:"version"`
	Fields  []collisionJSON `json:"fields,omitempty"`
}

func (a api) changeProfile(ctx context.Context, in *changeProfileIn) (*profileOut, error) {
	base, err := access.Version(in.IfMatch)
	if err == nil {
		err = in.Body.check()
	}
	if err != nil {
		return nil, err
	}
	k, err := a.svc.ChangeProfile(ctx, sector.ViewerFrom(ctx), base, in.Body.apply)
	if collided, ok := errors.AsType[*CollisionError](err); ok {
		now := changedJSON{Version: collided.Version}
		for _, c := range collided.Fields {
			now.Fields = append(now.Fields, collisionJSON(c))
		}
		return nil, access.Changed(now)
	}
	if err != nil {
		return nil, a.explain(ctx, err)
	}
	return newProfileOut(k), nil
}

// standingJSON is how a member's profile stands.
type standingJSON struct {
	Member   sector.MemberID `json:"member"`
	Version  int             `json:"version" doc:"0: nothing was ever saved."`
	Contacts dueJSON         `json:"contacts"`
	Networks dueJSON         `json:"networks" doc:"And domains."`
}

// dueJSON is when a part of a profile is to be confirmed next.
type dueJSON struct {
	Due  time.Time `json:"due"`
	Late bool      `json:"late"`
}

func newStandingJSON(s Standing) standingJSON {
	return standingJSON{s.Member.ID, s.Version, dueJSON{s.ContactsDue, s.ContactsLate}, dueJSON{s.NetworksDue, s.NetsLate}}
}

type standingOut struct{ Body standingJSON }

func (a api) ownStanding(ctx context.Context, _ *struct{}) (*standingOut, error) {
	s, err := a.svc.OwnStanding(ctx, sector.ViewerFrom(ctx))
	if err != nil {
		return nil, err
	}
	return &standingOut{newStandingJSON(s)}, nil
}

type confirmIn struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the profile that was read."`
	Body    struct {
		Part Part `json:"part" enum:"contacts,networks"`
	}
}

func (a api) confirm(ctx context.Context, in *confirmIn) (*standingOut, error) {
	version, err := access.Version(in.IfMatch)
	if err != nil {
		return nil, err
	}
	v := sector.ViewerFrom(ctx)
	err = a.svc.Confirm(ctx, v, version, in.Body.Part)
	if errs.Is(err, errs.Conflict) {
		now, readErr := a.svc.Profile(ctx, v)
		if readErr != nil {
			return nil, readErr
		}
		return nil, access.Changed(changedJSON{Version: now.Version})
	}
	if err != nil {
		return nil, err
	}
	return a.ownStanding(ctx, nil)
}

type memberIn struct {
	ID sector.MemberID `path:"id"`
}

// overlapJSON is a network or a domain that another member claims too.
type overlapJSON struct {
	Mine   string          `json:"mine"`
	Theirs string          `json:"theirs"`
	Member sector.MemberID `json:"member"`
}

type profileOfOut struct {
	Body struct {
		Profile  keptJSON      `json:"profile"`
		Overlaps []overlapJSON `json:"overlaps" doc:"What others claim too."`
	}
}

func (a api) profileOf(ctx context.Context, in *memberIn) (*profileOfOut, error) {
	v := sector.ViewerFrom(ctx)
	if _, err := a.svc.Members.Member(ctx, in.ID); err != nil {
		return nil, err
	}
	k, err := a.svc.ProfileOf(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	found, err := a.svc.Overlaps(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	out := &profileOfOut{}
	out.Body.Profile, out.Body.Overlaps = newProfileOut(k).Body, []overlapJSON{}
	for _, o := range found {
		out.Body.Overlaps = append(out.Body.Overlaps, overlapJSON{o.Mine, o.Theirs, o.Other})
	}
	return out, nil
}

type stateIn struct {
	ID   sector.MemberID `path:"id"`
	Body struct {
		State  string `json:"state" enum:"active,suspended,departed"`
		Reason string `json:"reason"`
	}
}

type stateOut struct {
	Body struct {
		Member sector.MemberID `json:"member"`
		State  string          `json:"state"`
	}
}

func (a api) setState(ctx context.Context, in *stateIn) (*stateOut, error) {
	state := sector.MemberStateNamed(in.Body.State)
	if err := a.svc.SetState(ctx, sector.ViewerFrom(ctx), in.ID, state, in.Body.Reason); err != nil {
		return nil, err
	}
	out := &stateOut{}
	out.Body.Member, out.Body.State = in.ID, in.Body.State
	return out, nil
}

type standingsOut struct {
	Body struct {
		Confirmations []standingJSON `json:"confirmations"`
		Next          string         `json:"next,omitempty"`
	}
}

type standingsIn struct {
	Late   bool   `query:"late" doc:"Only those that are overdue."`
	Cursor string `query:"cursor" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (a api) standings(ctx context.Context, in *standingsIn) (*standingsOut, error) {
	all, err := a.svc.Standings(ctx, sector.ViewerFrom(ctx))
	if err != nil {
		return nil, err
	}
	name := "confirmations"
	if in.Late {
		name += " late"
		all = slices.DeleteFunc(all, func(s Standing) bool { return !s.Late() })
	}
	rows, next, err := access.Paged(ctx, a.cursors, name, access.ListIn{Cursor: in.Cursor, Limit: in.Limit}, all,
		func(s Standing) string { return string(s.Member.ID) })
	if err != nil {
		return nil, err
	}
	out := &standingsOut{}
	out.Body.Confirmations, out.Body.Next = access.Shown(rows, newStandingJSON), next
	return out, nil
}

// created is the document of what a POST makes.
func created(id, tag string) access.Doc {
	return access.Doc{ID: id, Tag: tag, Creates: true, Status: http.StatusCreated}
}

package audit

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// api is the ledger for programs: all of it for the centre, and for a member
// what is about itself.
type api struct {
	places
	svc     *Service
	cursors access.Cursors
	texts   *i18n.Catalogue
}

// MountAPI adds
//
//	GET  /api/v1/ledger
//	GET  /api/v1/ledger/checkpoint
//	GET  /api/v1/ledger/{entry}
//	POST /api/v1/ledger/{entry}/proof
//	GET  /api/v1/organisation/ledger
//	GET  /api/v1/organisation/ledger/{entry}
func MountAPI(routes *access.Routes, svc *Service, cursors access.Cursors, sealer Sealer) {
	a := api{places{sealer}, svc, cursors, routes.Texts()}
	doc := func(id string) access.Doc { return access.Doc{ID: id, Tag: "ledger"} }
	export := access.Doc{ID: "ledger-proof", Tag: "ledger", Proof: true, Status: http.StatusCreated}
	access.Operation(routes, "GET /api/v1/ledger", sector.ReadLedger, doc("ledger-list"), a.list)
	access.Operation(routes, "GET /api/v1/ledger/checkpoint", sector.ReadLedger, doc("ledger-checkpoint"), a.checkpoint)
	access.Operation(routes, "GET /api/v1/ledger/{entry}", sector.ReadLedger, doc("ledger-show"), a.entry)
	access.Operation(routes, "POST /api/v1/ledger/{entry}/proof", sector.ReadLedger, export, a.export)
	access.Operation(routes, "GET /api/v1/organisation/ledger", sector.ReadOwnLedger, doc("own-ledger-list"), a.list)
	access.Operation(routes, "GET /api/v1/organisation/ledger/{entry}", sector.ReadOwnLedger, doc("own-ledger-show"), a.entry)
}

// partyJSON is somebody or something that an entry names.
type partyJSON struct {
	Kind   string          `json:"kind" doc:"person, key, system, centre, gone, or the kind of an object."`
	ID     string          `json:"id,omitempty" doc:"Of a key or an object."`
	Mail   string          `json:"mail,omitempty" doc:"Of a person."`
	Roles  []sector.Role   `json:"roles,omitempty"`
	Member sector.MemberID `json:"member,omitempty"`
}

// lineJSON is an entry as the reader may see it.
type lineJSON struct {
	Entry  string            `json:"entry" doc:"Names the entry for this API; it tells nothing."`
	At     time.Time         `json:"at"`
	Action string            `json:"action"`
	Text   string            `json:"text" doc:"The action in words."`
	Actor  partyJSON         `json:"actor"`
	Object partyJSON         `json:"object"`
	Member sector.MemberID   `json:"member,omitempty" doc:"Whom it is about."`
	Detail map[string]string `json:"detail,omitempty"`
}

func (a api) line(ctx context.Context, l Line) lineJSON {
	out := lineJSON{Entry: a.seal(anEntry, l.Seq), At: l.At, Action: l.Action, Text: a.texts.T(access.Lang(ctx), "ledger.action."+l.Action),
		Actor: partyJSON(l.Actor), Object: partyJSON(l.Object), Member: l.Member, Detail: map[string]string{}}
	for _, f := range l.Detail {
		out.Detail[f.Name] = f.Value
		if len(f.People) > 0 { // accounts are named by their address
			var who []string
			for _, p := range f.People {
				who = append(who, p.name())
			}
			out.Detail[f.Name] = strings.Join(who, ", ")
		}
	}
	return out
}

// name is how a party is called in a detail.
func (p Party) name() string {
	if p.Mail != "" {
		return p.Mail
	}
	return p.Kind
}

type listIn struct {
	From   time.Time       `query:"from"`
	To     time.Time       `query:"to" doc:"Before this time."`
	Action string          `query:"action"`
	Actor  string          `query:"actor" doc:"A person's mail address, system, or key:ID."`
	Object string          `query:"object" doc:"KIND:ID"`
	Member sector.MemberID `query:"member" doc:"Whom entries are about."`
	Cursor string          `query:"cursor" doc:"The next of the page before."`
	Limit  int             `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

type listOut struct {
	Body struct {
		Entries []lineJSON `json:"entries"`
		Next    string     `json:"next,omitempty"`
	}
}

func (a api) list(ctx context.Context, in *listIn) (*listOut, error) {
	v := sector.ViewerFrom(ctx)
	q := Query{From: in.From, To: in.To, Action: in.Action, Actor: in.Actor, Object: in.Object, Member: in.Member, Limit: in.Limit + 1}
	question := strings.Join([]string{"ledger", in.From.Format(time.RFC3339Nano), in.To.Format(time.RFC3339Nano), in.Action, in.Actor, in.Object, string(in.Member)}, "\n")
	after, err := a.cursors.Open(v, question, in.Cursor)
	if err == nil && after != "" {
		q.Before, err = strconv.ParseInt(after, 10, 64)
	}
	if err != nil {
		return nil, err
	}
	lines, err := a.svc.List(ctx, v, q)
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Entries = []lineJSON{}
	if len(lines) > in.Limit {
		lines = lines[:in.Limit]
		out.Body.Next = a.cursors.Seal(v, question, strconv.FormatInt(lines[in.Limit-1].Seq, 10))
	}
	for _, l := range lines {
		out.Body.Entries = append(out.Body.Entries, a.line(ctx, l))
	}
	return out, nil
}

type entryIn struct {
	Entry string `path:"entry"`
}

// placeJSON is where an entry is in the log. Members are not told: places
// tell how much others do (docs/adr/0008).
type placeJSON struct {
	Index      uint64   `json:"index"`
	Path       []string `json:"path" doc:"Hashes from the leaf's sibling up (RFC 6962), base64."`
	Checkpoint string   `json:"checkpoint" doc:"A signed note, c2sp.org/tlog-checkpoint."`
	Key        string   `json:"key" doc:"The log's public key."`
}

type entryOut struct {
	Body struct {
		Entry lineJSON   `json:"entry"`
		State string     `json:"state" enum:"proved,waiting,broken" doc:"Whether it is in the signed log, as the centre has checked just now."`
		Place *placeJSON `json:"place,omitempty" doc:"For the centre."`
	}
}

func (a api) entry(ctx context.Context, in *entryIn) (*entryOut, error) {
	v := sector.ViewerFrom(ctx)
	seq, err := a.open(anEntry, in.Entry)
	if err != nil {
		return nil, err
	}
	line, err := a.svc.Entry(ctx, v, seq)
	if err != nil {
		return nil, err
	}
	st, err := a.svc.Standing(ctx, v, seq)
	if err != nil {
		return nil, err
	}
	out := &entryOut{}
	out.Body.Entry, out.Body.State = a.line(ctx, line), st.state()
	if out.Body.State == proved && v.Org == sector.Centre {
		out.Body.Place = &placeJSON{st.Proof.Index, hashes(st.Proof.Path), string(st.Proof.Checkpoint), a.svc.Log.Key()}
	}
	return out, nil
}

type exportIn struct {
	Entry string `path:"entry"`
	Body  struct {
		For string `json:"for,omitempty" enum:"centre,member" doc:"member: with what is not its business withheld; left out: centre."`
	}
}

type exportOut struct {
	Body struct {
		File  string `json:"file" doc:"What to call it."`
		Proof string `json:"proof" doc:"c2sp.org/tlog-proof@v1; aspis ledger verify-proof checks it."`
	}
}

// export is a POST because that it was taken is written down.
func (a api) export(ctx context.Context, in *exportIn) (*exportOut, error) {
	seq, err := a.open(anEntry, in.Entry)
	if err != nil {
		return nil, err
	}
	text, err := a.svc.Export(ctx, sector.ViewerFrom(ctx), seq, in.Body.For == "member")
	if err != nil {
		return nil, err
	}
	out := &exportOut{}
	out.Body.File, out.Body.Proof = fileName(seq), string(text)
	return out, nil
}

type checkpointOut struct {
	Body struct {
		Origin    string   `json:"origin"`
		Size      uint64   `json:"size" doc:"How many entries it signs."`
		Root      string   `json:"root" doc:"base64"`
		Witnesses []string `json:"witnesses" doc:"That have signed too."`
		Text      string   `json:"text" doc:"A signed note, c2sp.org/tlog-checkpoint."`
		Key       string   `json:"key" doc:"The log's public key."`
	}
}

func (a api) checkpoint(ctx context.Context, _ *struct{}) (*checkpointOut, error) {
	cp, text, err := a.svc.Log.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, errs.New(errs.NotFound, "ledger.no_checkpoint")
	}
	out := &checkpointOut{}
	out.Body.Origin, out.Body.Size, out.Body.Root = cp.Origin, cp.Size, base64.StdEncoding.EncodeToString(cp.Root)
	out.Body.Witnesses, out.Body.Text, out.Body.Key = append([]string{}, cp.Witnesses...), string(text), a.svc.Log.Key()
	return out, nil
}

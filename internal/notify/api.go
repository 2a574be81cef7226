package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// api is the notification centre for programs.
type api struct {
	svc     *Service
	cursors access.Cursors
	texts   *i18n.Catalogue
}

// MountAPI adds
//
//	GET         /api/v1/notifications
//	POST        /api/v1/notifications/read
//	POST        /api/v1/notifications/{id}/read
//	GET, PUT    /api/v1/notifications/settings
//	PUT, DELETE /api/v1/notifications/settings/key
//	GET, PUT    /api/v1/notifications/mailbox
//	PUT, DELETE /api/v1/notifications/mailbox/key
//	GET, POST   /api/v1/webhooks
//	DELETE      /api/v1/webhooks/{id}
//	POST        /api/v1/webhooks/{id}/rotate
//	GET         /api/v1/undelivered
//	POST        /api/v1/undelivered/{id}/retry
//	POST        /api/v1/undelivered/{id}/drop
//	GET         /api/v1/calls
//	POST        /api/v1/calls/{event}/{member}/close
func MountAPI(routes *access.Routes, svc *Service, cursors access.Cursors) {
	a := api{svc, cursors, routes.Texts()}
	access.Operation(routes, "GET /api/v1/notifications", sector.SignedIn, doc("notification-list"), a.list)
	access.Operation(routes, "POST /api/v1/notifications/read", sector.SignedIn, doc("notification-read-all"), a.readAll)
	access.Operation(routes, "POST /api/v1/notifications/{id}/read", sector.SignedIn, doc("notification-read"), a.read)
	a.mountSettings(routes, "settings", sector.SignedIn, false)
	a.mountSettings(routes, "mailbox", sector.WriteMailbox, true)
	a.mountHooks(routes)
	a.mountLetters(routes)
}

func doc(id string) access.Doc { return access.Doc{ID: id, Tag: "notifications"} }

// place opens a list's cursor; the zero place for none.
func (a api) place(ctx context.Context, question, cursor string) (Place, error) {
	var at Place
	position, err := a.cursors.Open(sector.ViewerFrom(ctx), question, cursor)
	if err != nil || position == "" {
		return at, err
	}
	if err := json.Unmarshal([]byte(position), &at); err != nil {
		return at, errs.New(errs.Invalid, "query.cursor").Because(err)
	}
	return at, nil
}

// next is the cursor of where a list goes on; empty at its end.
func (a api) next(ctx context.Context, question string, at *Place) string {
	if at == nil {
		return ""
	}
	return a.cursors.Seal(sector.ViewerFrom(ctx), question, detail(at))
}

// noticeJSON is a line on the reader's page.
type noticeJSON struct {
	ID     string    `json:"id"`
	Topic  Topic     `json:"topic"`
	Object string    `json:"object,omitempty" doc:"What it is about: advisory:ID, alert:ID."`
	Link   string    `json:"link" doc:"The path of its page."`
	Title  *Text     `json:"title,omitempty" doc:"Of the object, as the reader may see it now."`
	Text   Text      `json:"text"`
	At     time.Time `json:"at"`
	ReadAt time.Time `json:"read_at,omitzero"`
}

func (a api) noticeJSON(l Line) noticeJSON {
	n := noticeJSON{ID: l.ID, Topic: l.Event.Topic, Link: l.Event.path(), At: l.At, ReadAt: l.ReadAt, Text: Text{
		Zh: a.texts.T(i18n.ZhHant, l.Event.LineKey(), l.Args...), En: a.texts.T(i18n.En, l.Event.LineKey(), l.Args...)}}
	if l.Event.Kind() != "path" {
		n.Object = l.Event.Object
	}
	if l.Title != (Text{}) {
		n.Title = &l.Title
	}
	return n
}

type listIn struct {
	Unread bool   `query:"unread" doc:"Only those that were not read."`
	Topic  Topic  `query:"topic"`
	Cursor string `query:"cursor" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"50"`
}

type listOut struct {
	Body struct {
		Notifications []noticeJSON `json:"notifications"`
		Unread        int64        `json:"unread" doc:"How many there are in all."`
		Next          string       `json:"next,omitempty"`
	}
}

func (a api) list(ctx context.Context, in *listIn) (*listOut, error) {
	v, question := sector.ViewerFrom(ctx), "notifications\n"+string(in.Topic)
	if in.Unread {
		question += "\nunread"
	}
	at, err := a.place(ctx, question, in.Cursor)
	if err != nil {
		return nil, err
	}
	lines, next, err := a.svc.Notices(ctx, v, NoticeQuery{Unread: in.Unread, Topic: in.Topic, After: at, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	if out.Body.Unread, err = a.svc.Unread(ctx, v); err != nil {
		return nil, err
	}
	out.Body.Notifications, out.Body.Next = []noticeJSON{}, a.next(ctx, question, next)
	for _, l := range lines {
		out.Body.Notifications = append(out.Body.Notifications, a.noticeJSON(l))
	}
	return out, nil
}

type idIn struct {
	ID string `path:"id"`
}

func (a api) read(ctx context.Context, in *idIn) (*struct{}, error) {
	_, err := a.svc.Open(ctx, sector.ViewerFrom(ctx), in.ID)
	return nil, err
}

type readAllIn struct {
	Body struct {
		UpTo time.Time `json:"up_to" doc:"What came until then: the at of the newest that was read."`
	}
}

func (a api) readAll(ctx context.Context, in *readAllIn) (*struct{}, error) {
	return nil, a.svc.ReadAll(ctx, sector.ViewerFrom(ctx), in.Body.UpTo)
}

// settingsAPI is the settings of a person, or of a member's address.
type settingsAPI struct {
	api
	mailbox bool
}

func (a api) mountSettings(routes *access.Routes, name string, need sector.Permission, mailbox bool) {
	s, path := settingsAPI{a, mailbox}, "/api/v1/notifications/"+name
	key := doc(name + "-set-key")
	key.MaxBody = maxKeyBody
	access.Operation(routes, "GET "+path, need, doc(name+"-show"), s.show)
	access.Operation(routes, "PUT "+path, need, doc(name+"-change"), s.change)
	access.Operation(routes, "PUT "+path+"/key", need, key, s.setKey)
	access.Operation(routes, "DELETE "+path+"/key", need, doc(name+"-drop-key"), s.dropKey)
}

// maxKeyBody bounds an OpenPGP key's JSON in bytes.
const maxKeyBody = 512 << 10

// choiceJSON is how somebody is told of a topic.
type choiceJSON struct {
	Topic Topic `json:"topic"`
	Mode  Mode  `json:"mode" enum:"now,digest,off"`
	Fixed bool  `json:"fixed,omitempty" doc:"It cannot be changed."`
}

// publicKeyJSON is the key that mail is encrypted with.
type publicKeyJSON struct {
	Fingerprint string    `json:"fingerprint"`
	AddedAt     time.Time `json:"added_at"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	Expired     bool      `json:"expired,omitempty" doc:"Mail is held back until there is a new one."`
}

type settingsOut struct {
	Body struct {
		Choices []choiceJSON   `json:"choices"`
		Hour    int            `json:"digest_hour" doc:"Of the day in Taipei, 0 to 23."`
		Key     *publicKeyJSON `json:"key,omitempty"`
	}
}

func (s settingsAPI) show(ctx context.Context, _ *struct{}) (*settingsOut, error) {
	found, err := s.svc.Settings(ctx, sector.ViewerFrom(ctx), s.mailbox)
	if err != nil {
		return nil, err
	}
	out := &settingsOut{}
	out.Body.Choices, out.Body.Hour = []choiceJSON{}, found.Hour
	for _, c := range found.Choices {
		out.Body.Choices = append(out.Body.Choices, choiceJSON{c.Topic, c.Mode, c.Fixed})
	}
	if k := found.Key; k != nil {
		out.Body.Key = &publicKeyJSON{k.Fingerprint, k.AddedAt, k.Expires, found.KeyExpired}
	}
	return out, nil
}

type chooseIn struct {
	Body struct {
		Modes map[Topic]Mode `json:"modes" doc:"By topic: now, digest or off. Topics that are left out keep theirs."`
		Hour  int            `json:"digest_hour" minimum:"0" maximum:"23"`
	}
}

func (s settingsAPI) change(ctx context.Context, in *chooseIn) (*settingsOut, error) {
	for t := range in.Body.Modes {
		if _, ok := RulesOf(t); !ok {
			return nil, errs.New(errs.Invalid, "notify.topic_unknown", string(t))
		}
	}
	if err := s.svc.Choose(ctx, sector.ViewerFrom(ctx), s.mailbox, in.Body.Modes, in.Body.Hour); err != nil {
		return nil, err
	}
	return s.show(ctx, nil)
}

type setKeyIn struct {
	Body struct {
		Key string `json:"key" doc:"An OpenPGP public key, armoured."`
	}
}

func (s settingsAPI) setKey(ctx context.Context, in *setKeyIn) (*settingsOut, error) {
	if _, err := s.svc.SetKey(ctx, sector.ViewerFrom(ctx), s.mailbox, in.Body.Key); err != nil {
		return nil, err
	}
	return s.show(ctx, nil)
}

func (s settingsAPI) dropKey(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.svc.DropKey(ctx, sector.ViewerFrom(ctx), s.mailbox)
}

// proven is what makes a secret.
func proven(id string) access.Doc {
	return access.Doc{ID: id, Tag: "notifications", Creates: true, Proof: true, Status: http.StatusCreated}
}

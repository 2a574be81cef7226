package notify

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
)

func (a api) mountHooks(routes *access.Routes) {
	access.Operation(routes, "GET /api/v1/webhooks", sector.ReadHooks, doc("webhook-list"), a.hooks)
	access.Operation(routes, "POST /api/v1/webhooks", sector.WriteHooks, proven("webhook-create"), a.createHook)
	access.Operation(routes, "POST /api/v1/webhooks/{id}/rotate", sector.WriteHooks, proven("webhook-rotate"), a.rotateHook)
	access.Operation(routes, "DELETE /api/v1/webhooks/{id}", sector.DropHooks, doc("webhook-remove"), a.dropHook)
}

// hookJSON is a member's webhook, without its secret.
type hookJSON struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Topics    []Topic   `json:"topics"`
	CreatedAt time.Time `json:"created_at"`
	ChangedAt time.Time `json:"changed_at"`
	OldUntil  time.Time `json:"former_secret_until,omitzero" doc:"Until then the former secret signs too."`
}

func newHookJSON(h Hook) hookJSON {
	return hookJSON{h.ID, h.URL, h.Topics, h.CreatedAt, h.ChangedAt, h.OldUntil}
}

type hooksOut struct {
	Body struct {
		Webhooks []hookJSON `json:"webhooks"`
	}
}

func (a api) hooks(ctx context.Context, _ *struct{}) (*hooksOut, error) {
	all, err := a.svc.HooksOf(ctx, sector.ViewerFrom(ctx))
	if err != nil {
		return nil, err
	}
	out := &hooksOut{}
	out.Body.Webhooks = access.Shown(all, newHookJSON)
	return out, nil
}

type createHookIn struct {
	Body struct {
		URL    string  `json:"url" maxLength:"2000"`
		Topics []Topic `json:"topics" minItems:"1" maxItems:"50"`
	}
}

type hookSecretOut struct {
	Body struct {
		Webhook hookJSON `json:"webhook"`
		Secret  string   `json:"secret" doc:"Signs the calls; shown once."`
	}
}

func secretOf(h Hook, secret string) *hookSecretOut {
	out := &hookSecretOut{}
	out.Body.Webhook, out.Body.Secret = newHookJSON(h), secret
	return out
}

func (a api) createHook(ctx context.Context, in *createHookIn) (*hookSecretOut, error) {
	h, secret, err := a.svc.CreateHook(ctx, sector.ViewerFrom(ctx), in.Body.URL, in.Body.Topics)
	if err != nil {
		return nil, err
	}
	return secretOf(h, secret), nil
}

func (a api) rotateHook(ctx context.Context, in *idIn) (*hookSecretOut, error) {
	h, secret, err := a.svc.RotateHook(ctx, sector.ViewerFrom(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return secretOf(h, secret), nil
}

func (a api) dropHook(ctx context.Context, in *idIn) (*struct{}, error) {
	return nil, a.svc.DropHook(ctx, sector.ViewerFrom(ctx), in.ID)
}

func (a api) mountLetters(routes *access.Routes) {
	access.Operation(routes, "GET /api/v1/undelivered", sector.ReadUndelivered, doc("undelivered-list"), a.letters)
	access.Operation(routes, "POST /api/v1/undelivered/{id}/retry", sector.RetryUndelivered, doc("undelivered-retry"), a.retry)
	access.Operation(routes, "POST /api/v1/undelivered/{id}/drop", sector.DropUndelivered, doc("undelivered-drop"), a.drop)
	access.Operation(routes, "GET /api/v1/calls", sector.ReadCalls, doc("call-list"), a.calls)
	access.Operation(routes, "POST /api/v1/calls/{event}/{member}/close", sector.CloseCalls, doc("call-close"), a.called)
}

// letterJSON is a message that was given up.
type letterJSON struct {
	ID        string          `json:"id"`
	Recipient Recipient       `json:"recipient" doc:"user:ID, member:ID, address:MAIL or hook:ID."`
	Member    sector.MemberID `json:"member,omitempty"`
	Topic     Topic           `json:"topic"`
	Attempts  int             `json:"attempts"`
	Reason    string          `json:"reason,omitempty" doc:"Why, as a code; the words are in text."`
	Text      string          `json:"text,omitempty"`
	Detail    string          `json:"detail,omitempty" doc:"The other side's own words."`
	GivenUp   time.Time       `json:"given_up_at"`
	Events    int             `json:"events" doc:"How many it tells of."`
}

type lettersIn struct {
	Cursor string `query:"cursor" doc:"The next of the page before."`
}

type lettersOut struct {
	Body struct {
		Undelivered []letterJSON `json:"undelivered"`
		Next        string       `json:"next,omitempty"`
	}
}

func (a api) letters(ctx context.Context, in *lettersIn) (*lettersOut, error) {
	const question = "undelivered"
	at, err := a.place(ctx, question, in.Cursor)
	if err != nil {
		return nil, err
	}
	list, next, err := a.svc.DeadLetters(ctx, sector.ViewerFrom(ctx), at)
	if err != nil {
		return nil, err
	}
	out := &lettersOut{}
	out.Body.Undelivered, out.Body.Next = []letterJSON{}, a.next(ctx, question, next)
	for _, m := range list {
		one := letterJSON{ID: m.ID, Recipient: m.Recipient, Member: m.Member, Topic: m.Topic, Attempts: m.Attempts, Reason: m.Reason,
			Detail: m.Detail, GivenUp: m.DoneAt, Events: len(m.Events)}
		if m.Reason != "" {
			one.Text = a.texts.T(access.Lang(ctx), m.Reason)
		}
		out.Body.Undelivered = append(out.Body.Undelivered, one)
	}
	return out, nil
}

func (a api) retry(ctx context.Context, in *idIn) (*struct{}, error) {
	return nil, a.svc.Retry(ctx, sector.ViewerFrom(ctx), in.ID)
}

type dropIn struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" maxLength:"200"`
	}
}

func (a api) drop(ctx context.Context, in *dropIn) (*struct{}, error) {
	return nil, a.svc.Drop(ctx, sector.ViewerFrom(ctx), in.ID, in.Body.Reason)
}

// callJSON is a member that must be called: nobody there opened what is
// urgent.
type callJSON struct {
	Event  string          `json:"event"`
	Member sector.MemberID `json:"member"`
	Object string          `json:"object" doc:"What it is about: advisory:ID."`
	Name   string          `json:"name,omitempty" doc:"Whom to ask for."`
	Phone  string          `json:"phone,omitempty"`
	Since  time.Time       `json:"since"`
}

type callsOut struct {
	Body struct {
		Calls []callJSON `json:"calls"`
	}
}

func (a api) calls(ctx context.Context, _ *struct{}) (*callsOut, error) {
	all, err := a.svc.Calls(ctx, sector.ViewerFrom(ctx))
	if err != nil {
		return nil, err
	}
	out := &callsOut{}
	out.Body.Calls = []callJSON{}
	for _, x := range all {
		out.Body.Calls = append(out.Body.Calls, callJSON{x.Event.ID, x.Member, x.Event.Object, x.Name, x.Phone, x.At})
	}
	return out, nil
}

type calledIn struct {
	Event  string          `path:"event"`
	Member sector.MemberID `path:"member"`
}

func (a api) called(ctx context.Context, in *calledIn) (*struct{}, error) {
	return nil, a.svc.Called(ctx, sector.ViewerFrom(ctx), in.Event, in.Member)
}

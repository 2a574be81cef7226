package notify

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed all:templates
var templates embed.FS

// Cursors makes positions that tell their holder nothing.
type Cursors interface {
	Seal(plain []byte) string
	Open(sealed string) ([]byte, error)
}

type pages struct {
	shell  *web.Shell
	views  *web.Views
	svc    *Service
	cursor Cursors
}

// Mount adds the pages: the list and the settings for everybody, the member's
// webhooks, the duty desk's calls, and what could not be delivered.
func Mount(routes *access.Routes, sh *web.Shell, svc *Service, cursor Cursors) error {
	views, err := sh.Views(templates, "templates")
	if err != nil {
		return fmt.Errorf("notify: pages: %w", err)
	}
	p := pages{sh, views, svc, cursor}
	sh.Nav(
		web.NavItem{Phase: web.Overview, Key: "notify.nav", Href: "/notifications", Icon: "bell", Need: sector.SignedIn},
		web.NavItem{Phase: web.Before, Key: "notify.desk.nav", Href: "/notifications/desk", Icon: "triangle-alert", Need: sector.ReadCalls},
		web.NavItem{Phase: web.House, Key: "notify.dead.nav", Href: "/notifications/undelivered", Icon: "mail", Need: sector.ReadUndelivered},
		web.NavItem{Phase: web.House, Key: "notify.hooks.nav", Href: "/notifications/webhooks", Icon: "plug", Need: sector.ReadHooks},
	)
	sh.Page(routes, "GET /notifications", sector.SignedIn, p.list)
	sh.Page(routes, "GET /notifications/live", sector.SignedIn, p.live)
	sh.Page(routes, "GET /notifications/open/{id}", sector.SignedIn, p.open)
	sh.Page(routes, "POST /notifications/read", sector.SignedIn, p.readAll)
	p.mountSettings(routes, "/notifications/settings", sector.SignedIn, false)
	p.mountSettings(routes, "/notifications/mailbox", sector.WriteMailbox, true)
	sh.Page(routes, "GET /notifications/webhooks", sector.ReadHooks, p.hooks)
	sh.Page(routes, "POST /notifications/webhooks", sector.WriteHooks, sh.StepUp(p.createHook))
	sh.Page(routes, "GET /notifications/webhooks/{id}/rotate", sector.WriteHooks, p.askHook("rotate"))
	sh.Page(routes, "POST /notifications/webhooks/{id}/rotate", sector.WriteHooks, sh.StepUp(p.rotateHook))
	sh.Page(routes, "GET /notifications/webhooks/{id}/remove", sector.DropHooks, p.askHook("remove"))
	sh.Page(routes, "POST /notifications/webhooks/{id}/remove", sector.DropHooks, p.dropHook)
	sh.Page(routes, "GET /notifications/undelivered", sector.ReadUndelivered, p.letters)
	sh.Page(routes, "POST /notifications/undelivered/{id}/retry", sector.RetryUndelivered, p.retry)
	sh.Page(routes, "POST /notifications/undelivered/{id}/drop", sector.DropUndelivered, p.drop)
	sh.Page(routes, "GET /notifications/desk", sector.ReadCalls, p.desk)
	sh.Page(routes, "POST /notifications/desk/{event}/{member}", sector.CloseCalls, p.called)
	return nil
}

func (p pages) mountSettings(routes *access.Routes, path string, need sector.Permission, mailbox bool) {
	s := settingsPages{p, path, mailbox}
	p.shell.Page(routes, "GET "+path, need, s.show)
	p.shell.Page(routes, "POST "+path, need, s.save)
	p.shell.Page(routes, "POST "+path+"/key", need, s.setKey)
	p.shell.Page(routes, "POST "+path+"/key/remove", need, s.dropKey)
}

// place opens a list's cursor; the zero place for none.
func (p pages) place(after string) (Place, error) {
	var at Place
	if after == "" {
		return at, nil
	}
	plain, err := p.cursor.Open(after)
	if err == nil {
		err = json.Unmarshal(plain, &at)
	}
	if err != nil {
		return at, errs.New(errs.Invalid, "notify.cursor").Because(err)
	}
	return at, nil
}

func (p pages) token(at *Place) string {
	if at == nil {
		return ""
	}
	return p.cursor.Seal([]byte(detail(at)))
}

func noticeList() web.ListSpec {
	topics := []web.Option{{Key: "common.all"}}
	for _, r := range Table() {
		topics = append(topics, web.Option{Value: string(r.Topic), Key: "notify.topic." + string(r.Topic)})
	}
	return web.ListSpec{
		Path: "/notifications",
		Columns: []web.Column{
			{Key: "notify.list.at", Class: "time"}, {Key: "notify.list.topic", Class: "fit from-wide"},
			{Key: "notify.list.what"}, {Key: "notify.list.state", Class: "fit"},
		},
		Filters: []web.Filter{
			{Name: "show", Key: "notify.list.show", Kind: "select", Options: []web.Option{
				{Key: "common.all"}, {Value: "unread", Key: "notify.list.unread_only"}}},
			{Name: "topic", Key: "notify.list.topic", Kind: "select", Options: topics},
		},
	}
}

type listModel struct {
	web.List
	Lines    []Line
	Lang     string
	Unread   int64
	UpTo     int64 // microseconds
	Empty    web.State
	Settings bool
}

func (p pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	m := listModel{List: p.shell.ReadList(r, noticeList()), Lang: string(p.shell.Lang(r)), UpTo: p.svc.Now().UnixMicro()}
	at, err := p.place(m.After)
	if err != nil {
		return err
	}
	lines, next, err := p.svc.Notices(ctx, v, NoticeQuery{
		Unread: m.Get("show") == "unread", Topic: Topic(m.Get("topic")), After: at, Limit: m.Limit})
	if err != nil {
		return err
	}
	if m.Unread, err = p.svc.Unread(ctx, v); err != nil {
		return err
	}
	m.Lines, m.Next = lines, p.token(next)
	m.Empty = web.State{Kind: "empty", Title: "notify.list.none", Text: "notify.list.none_text",
		Actions: []web.Link{{Key: "notify.settings.title", Href: "/notifications/settings"}}}
	if m.Filtered() {
		m.Empty = web.State{Kind: "empty", Title: "notify.list.no_match", Actions: []web.Link{{Key: "common.list.clear", Href: m.Path}}}
	}
	return p.views.Page(w, r, "list", web.Page{Title: "notify.title", Data: m})
}

// open marks a notice as read and goes to what it is about.
func (p pages) open(w http.ResponseWriter, r *http.Request) error {
	path, err := p.svc.Open(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// readAll marks what the page showed as read, not what came since.
func (p pages) readAll(w http.ResponseWriter, r *http.Request) error {
	f := web.NewForm(web.Field{Name: "upto", Kind: "hidden", Required: true})
	if err := f.Read(w, r); err != nil {
		return err
	}
	us, err := strconv.ParseInt(f.Get("upto"), 10, 64)
	if err != nil {
		return errs.New(errs.Invalid, "error.form").Because(err)
	}
	if err := p.svc.ReadAll(r.Context(), sector.ViewerFrom(r.Context()), time.UnixMicro(us)); err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "notify.list.all_read"})
	http.Redirect(w, r, "/notifications", http.StatusSeeOther)
	return nil
}

// liveEvery is how often an open page's count is looked at.
const liveEvery = 5 * time.Second

// live streams the count of unread notices.
func (p pages) live(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithCancel(r.Context())
	out := make(chan httpx.Event)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.follow(ctx, sector.ViewerFrom(ctx), out)
	}()
	err := httpx.Events(w, r, out)
	cancel()
	<-done
	return err
}

func (p pages) follow(ctx context.Context, v sector.Viewer, out chan<- httpx.Event) {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	last := int64(-1)
	for {
		n, err := p.svc.Unread(ctx, v)
		if err == nil && n != last {
			select {
			case out <- httpx.Event{Name: "counts", Data: map[string]int64{"unread": n}}:
				last = n
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

type deadModel struct {
	web.List
	Letters []deadLetter
	Centre  bool
	May     struct{ Retry, Drop bool }
	Empty   web.State
}

// deadLetter is a message that was given up, in words.
type deadLetter struct {
	Message
	To    string
	Topic Rules
	Many  int // events beyond the first
}

func deadList() web.ListSpec {
	return web.ListSpec{Path: "/notifications/undelivered", Columns: []web.Column{
		{Key: "notify.dead.at", Class: "time"}, {Key: "notify.dead.to"}, {Key: "notify.dead.what"},
		{Key: "notify.dead.why"}, {Key: "notify.dead.do"},
	}}
}

func (p pages) letters(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	m := deadModel{List: p.shell.ReadList(r, deadList()), Centre: v.Org == sector.Centre,
		Empty: web.State{Kind: "empty", Title: "notify.dead.none", Text: "notify.dead.none_text"}}
	m.May.Retry, m.May.Drop = v.May(sector.RetryUndelivered), v.May(sector.DropUndelivered)
	at, err := p.place(m.After)
	if err != nil {
		return err
	}
	list, next, err := p.svc.DeadLetters(ctx, v, at)
	if err != nil {
		return err
	}
	m.Next = p.token(next)
	names, err := p.names(r)
	if err != nil {
		return err
	}
	for _, one := range list {
		d := deadLetter{Message: one, To: names[one.Recipient], Many: max(0, len(one.Events)-1)}
		if d.To == "" {
			_, d.To = one.Recipient.Split()
		}
		if len(one.Events) > 0 {
			d.Topic, _ = RulesOf(one.Events[0].Topic)
		}
		m.Letters = append(m.Letters, d)
	}
	return p.views.Page(w, r, "undelivered", web.Page{Title: "notify.dead.title", Data: m})
}

// names are how recipients that the viewer may know are called.
func (p pages) names(r *http.Request) (map[Recipient]string, error) {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	names := map[Recipient]string{}
	members, err := p.svc.Directory.Members(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if v.Org == sector.Centre || v.Member == m.ID {
			names[MemberRecipient(m.ID)] = p.shell.MemberName(r, m)
		}
	}
	users, err := p.svc.Directory.Users(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		if v.Org == sector.Centre || v.Member == u.Member {
			names[UserRecipient(u.ID)] = u.Email
		}
	}
	hooks, err := p.svc.HooksOf(ctx, v)
	for _, h := range hooks {
		names[HookRecipient(h.ID)] = h.URL
	}
	return names, err
}

func (p pages) retry(w http.ResponseWriter, r *http.Request) error {
	if err := p.svc.Retry(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "notify.dead.retried"})
	http.Redirect(w, r, "/notifications/undelivered", http.StatusSeeOther)
	return nil
}

func (p pages) drop(w http.ResponseWriter, r *http.Request) error {
	f := web.NewForm(web.Field{Name: "why", Required: true, MaxLength: 200})
	if err := f.Read(w, r); err != nil {
		return err
	}
	if err := p.svc.Drop(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"), f.Get("why")); err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "notify.dead.dropped"})
	http.Redirect(w, r, "/notifications/undelivered", http.StatusSeeOther)
	return nil
}

type deskModel struct {
	Calls []call
	Lang  string
	May   bool
	Empty web.State
}

type call struct {
	Escalation
	Who   string
	Title Text
	Path  string
}

func (p pages) desk(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), sector.ViewerFrom(r.Context())
	list, err := p.svc.Calls(ctx, v)
	if err != nil {
		return err
	}
	m := deskModel{Lang: string(p.shell.Lang(r)), May: v.May(sector.CloseCalls),
		Empty: web.State{Kind: "empty", Title: "notify.desk.none", Text: "notify.desk.none_text"}}
	names, err := p.names(r)
	if err != nil {
		return err
	}
	notices := make([]Notice, len(list))
	for i, x := range list {
		notices[i].Event = x.Event
	}
	titles, err := p.svc.titles(ctx, v, notices)
	if err != nil {
		return err
	}
	for _, x := range list {
		m.Calls = append(m.Calls, call{x, names[MemberRecipient(x.Member)], titles[x.Event.Object],
			strings.Replace(x.Event.path(), "/inbox/", "/advisories/", 1)})
	}
	return p.views.Page(w, r, "desk", web.Page{Title: "notify.desk.title", Data: m})
}

func (p pages) called(w http.ResponseWriter, r *http.Request) error {
	err := p.svc.Called(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("event"), sector.MemberID(r.PathValue("member")))
	if err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "notify.desk.closed"})
	http.Redirect(w, r, "/notifications/desk", http.StatusSeeOther)
	return nil
}

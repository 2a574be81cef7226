package notify

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/openpgp"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

// settingsPages are the settings of a person, or of a member's address.
type settingsPages struct {
	pages
	path    string
	mailbox bool
}

type settingsModel struct {
	Settings
	Path        string
	Mailbox     bool
	MayMailbox  bool
	Address     string
	Modes       []Mode
	Hours       []int
	Fingerprint string // in groups of four
	Form        *web.Form
}

func keyForm() *web.Form {
	return web.NewForm(web.Field{Name: "key", Label: "notify.pgp.paste", Hint: "notify.pgp.hint", Kind: "textarea", Rows: 8,
		Required: true, MaxLength: openpgp.MaxKey, Class: "mono"})
}

func (p settingsPages) show(w http.ResponseWriter, r *http.Request) error {
	return p.page(w, r, keyForm())
}

func (p settingsPages) page(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v := sector.ViewerFrom(r.Context())
	s, err := p.svc.Settings(r.Context(), v, p.mailbox)
	if err != nil {
		return err
	}
	m := settingsModel{Settings: s, Path: p.path, Mailbox: p.mailbox, MayMailbox: v.May(sector.WriteMailbox),
		Address: v.Email, Modes: Modes(), Form: f}
	for h := range 24 {
		m.Hours = append(m.Hours, h)
	}
	if p.mailbox {
		member, err := p.svc.member(r.Context(), v.Member)
		if err != nil {
			return err
		}
		m.Address = member.Mail
	}
	if s.Key != nil {
		m.Fingerprint = grouped(s.Key.Fingerprint)
	}
	title := "notify.settings.title"
	if p.mailbox {
		title = "notify.mailbox.title"
	}
	return p.views.Page(w, r, "settings", web.Page{Title: title, Data: m, Status: f.Status(),
		Crumbs: []web.Link{{Key: "notify.title", Href: "/notifications"}}})
}

// grouped writes a fingerprint in groups of four, as people compare it.
func grouped(hex string) string {
	var b strings.Builder
	for i, r := range strings.ToUpper(hex) {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (p settingsPages) save(w http.ResponseWriter, r *http.Request) error {
	fields := []web.Field{{Name: "hour"}}
	for _, rules := range Table() {
		fields = append(fields, web.Field{Name: "mode." + string(rules.Topic)})
	}
	f := web.NewForm(fields...)
	if err := f.Read(w, r); err != nil {
		return err
	}
	modes := map[Topic]Mode{}
	for _, rules := range Table() {
		if mode := f.Get("mode." + string(rules.Topic)); mode != "" {
			modes[rules.Topic] = Mode(mode)
		}
	}
	hour, err := strconv.Atoi(f.Get("hour"))
	if err != nil {
		hour = -1
	}
	if err := p.svc.Choose(r.Context(), sector.ViewerFrom(r.Context()), p.mailbox, modes, hour); err != nil {
		return err
	}
	return p.done(w, r, "notify.settings.saved")
}

func (p settingsPages) done(w http.ResponseWriter, r *http.Request, key string) error {
	p.shell.Flash(r, web.Flash{Tone: "good", Key: key})
	http.Redirect(w, r, p.path, http.StatusSeeOther)
	return nil
}

func (p settingsPages) setKey(w http.ResponseWriter, r *http.Request) error {
	f := keyForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if f.OK() {
		_, err := p.svc.SetKey(r.Context(), sector.ViewerFrom(r.Context()), p.mailbox, f.Get("key"))
		if err == nil {
			return p.done(w, r, "notify.pgp.added")
		}
		if err := f.FailWith(err); err != nil {
			return err
		}
	}
	return p.page(w, r, f)
}

func (p settingsPages) dropKey(w http.ResponseWriter, r *http.Request) error {
	if err := p.svc.DropKey(r.Context(), sector.ViewerFrom(r.Context()), p.mailbox); err != nil {
		return err
	}
	return p.done(w, r, "notify.pgp.removed")
}

// hookForm is a new webhook.
func hookForm() *web.Form {
	topics := web.Field{Name: "topics", Label: "notify.hooks.topics", Kind: "checks", Required: true}
	for _, t := range HookTopics() {
		topics.Options = append(topics.Options, web.Option{Value: string(t), Key: "notify.topic." + string(t)})
		topics.Values = append(topics.Values, string(t))
	}
	return web.NewForm(
		web.Field{Name: "url", Label: "notify.hooks.url", Hint: "notify.hooks.url_hint", Kind: "url", Required: true, MaxLength: 2000, Autocomplete: "off", Class: "mono"},
		topics)
}

type hooksModel struct {
	Hooks []Hook
	Form  *web.Form
	May   struct{ Write, Drop bool }
	Empty web.State
}

func (p pages) hooks(w http.ResponseWriter, r *http.Request) error {
	return p.showHooks(w, r, hookForm())
}

func (p pages) showHooks(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v := sector.ViewerFrom(r.Context())
	list, err := p.svc.HooksOf(r.Context(), v)
	if err != nil {
		return err
	}
	m := hooksModel{Hooks: list, Form: f, Empty: web.State{Kind: "empty", Title: "notify.hooks.none", Text: "notify.hooks.none_text"}}
	m.May.Write, m.May.Drop = v.May(sector.WriteHooks), v.May(sector.DropHooks)
	return p.views.Page(w, r, "webhooks", web.Page{Title: "notify.hooks.title", Data: m, Status: f.Status()})
}

func (p pages) createHook(w http.ResponseWriter, r *http.Request) error {
	f := hookForm()
	if err := f.Read(w, r); err != nil {
		return err
	}
	if !f.OK() {
		return p.showHooks(w, r, f)
	}
	var topics []Topic
	for _, t := range f.All("topics") {
		topics = append(topics, Topic(t))
	}
	h, secret, err := p.svc.CreateHook(r.Context(), sector.ViewerFrom(r.Context()), f.Get("url"), topics)
	if err != nil {
		if err := f.FailWith(err); err != nil {
			return err
		}
		return p.showHooks(w, r, f)
	}
	return p.showSecret(w, r, "notify.hooks.created", h, secret)
}

type secretModel struct {
	Hook
	Title  string
	Secret string
}

// showSecret answers the POST itself: the secret is kept nowhere that could
// show it again.
func (p pages) showSecret(w http.ResponseWriter, r *http.Request, title string, h Hook, secret string) error {
	return p.views.Page(w, r, "secret", web.Page{Title: title, Data: secretModel{h, title, secret}, Status: http.StatusCreated})
}

type askModel struct {
	Hook
	Act string // "rotate" or "remove"
}

// askHook says what will happen.
func (p pages) askHook(act string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		h, err := p.svc.Hook(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"))
		if err != nil {
			return err
		}
		return p.views.Page(w, r, "webhook-ask", web.Page{Title: fmt.Sprintf("notify.hooks.%s_title", act), Data: askModel{h, act},
			Crumbs: []web.Link{{Key: "notify.hooks.title", Href: "/notifications/webhooks"}}})
	}
}

func (p pages) rotateHook(w http.ResponseWriter, r *http.Request) error {
	h, secret, err := p.svc.RotateHook(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.showSecret(w, r, "notify.hooks.rotated", h, secret)
}

func (p pages) dropHook(w http.ResponseWriter, r *http.Request) error {
	if err := p.svc.DropHook(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	p.shell.Flash(r, web.Flash{Tone: "good", Key: "notify.hooks.removed"})
	http.Redirect(w, r, "/notifications/webhooks", http.StatusSeeOther)
	return nil
}

package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aspis-platform/aspis/internal/client"
)

type notificationCmd struct {
	List     noticeListCmd     `cmd:"" help:"List your notifications, the newest first."`
	Read     noticeReadCmd     `cmd:"" help:"Mark a notification as read."`
	Settings noticeSettingsCmd `cmd:"" help:"Show how you are told of each topic."`
	Choose   noticeChooseCmd   `cmd:"" help:"Choose how you are told of topics."`
}

const notifications = "/api/v1/notifications"

type noticeListCmd struct {
	listFlags
	Unread bool   `help:"Only those that you have not read."`
	Topic  string `help:"Of this topic."`
}

func (c noticeListCmd) Run(e *env) error {
	q := url.Values{}
	put(q, "topic", c.Topic)
	if c.Unread {
		q.Set("unread", "true")
	}
	return listed(e, c.listFlags, client.Request{Path: notifications, Query: q}, "notifications", []string{"id", "at", "topic", "read", "what"},
		func(n client.Notice) []string {
			return []string{n.ID, stamp(n.At), e.t("notify.topic." + n.Topic), or(stamp(n.ReadAt), "-"), n.Line(string(e.lang()))}
		})
}

type noticeReadCmd struct {
	remoteFlags
	ID string `arg:"" help:"The notification's id."`
}

func (c noticeReadCmd) Run(e *env) error {
	return act(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: below(notifications, c.ID, "read")}, "cli.notification.read")
}

// mailboxFlag says whose settings they are.
type mailboxFlag struct {
	Mailbox bool `help:"Of your member's mailbox, in place of your own."`
}

func (f mailboxFlag) path() string {
	if f.Mailbox {
		return notifications + "/mailbox"
	}
	return notifications + "/settings"
}

type noticeSettingsCmd struct {
	remoteFlags
	mailboxFlag
}

func (c noticeSettingsCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Path: c.path()}, e.settings)
}

func (e *env) settings(s client.Settings) [][2]string {
	var choices []string
	for _, c := range s.Choices {
		choices = append(choices, c.Topic+"="+c.Mode)
	}
	lines := [][2]string{{"topics", strings.Join(choices, "\n")}, {"hour", fmt.Sprint(s.Hour)}}
	if s.Key != nil {
		lines = append(lines, [2]string{"openpgp", s.Key.Fingerprint})
	}
	return lines
}

type noticeChooseCmd struct {
	remoteFlags
	mailboxFlag
	Modes map[string]string `arg:"" optional:"" help:"TOPIC=now, TOPIC=digest or TOPIC=off."`
	Hour  int               `default:"-1" help:"Of the day in Taipei at which the digest comes, 0 to 23."`
}

func (c noticeChooseCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		body := struct {
			Modes map[string]string `json:"modes"`
			Hour  int               `json:"digest_hour"`
		}{map[string]string{}, c.Hour}
		if c.Modes != nil {
			body.Modes = c.Modes
		}
		if body.Hour < 0 { // stays as it is
			var now client.Settings
			if _, err := cl.Do(e.ctx, client.Request{Path: c.path()}, &now); err != nil {
				return err
			}
			body.Hour = now.Hour
		}
		var s client.Raw[client.Settings]
		if _, err := cl.Do(e.ctx, client.Request{Method: http.MethodPut, Path: c.path(), Body: body}, &s); err != nil {
			return err
		}
		return show(e, c.remoteFlags, s, e.settings)
	})
}

type webhookCmd struct {
	List   webhookListCmd   `cmd:"" help:"List your member's webhooks."`
	Create webhookCreateCmd `cmd:"" help:"Add a webhook and print its secret, once."`
	Rotate webhookRotateCmd `cmd:"" help:"Give a webhook a new secret and print it, once."`
	Remove webhookRemoveCmd `cmd:"" help:"Remove a webhook."`
}

const webhooks = "/api/v1/webhooks"

type webhookListCmd struct{ listFlags }

func (c webhookListCmd) Run(e *env) error {
	return listed(e, c.listFlags, client.Request{Path: webhooks}, "webhooks", []string{"id", "address", "topics"}, func(h client.Webhook) []string {
		return []string{h.ID, h.URL, strings.Join(h.Topics, ",")}
	})
}

type webhookCreateCmd struct {
	remoteFlags
	Address string   `arg:"" help:"Where the calls go, https://…"`
	Topic   []string `required:"" help:"What it is told of; separated by commas."`
}

func (c webhookCreateCmd) Run(e *env) error {
	body := struct {
		URL    string   `json:"url"`
		Topics []string `json:"topics"`
	}{c.Address, c.Topic}
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: webhooks, Body: body, Create: true}, newWebhook)
}

func newWebhook(h client.NewWebhook) [][2]string {
	return [][2]string{{"id", h.Webhook.ID}, {"address", h.Webhook.URL}, {"topics", strings.Join(h.Webhook.Topics, ",")}, {"secret", h.Secret}}
}

type webhookRotateCmd struct {
	remoteFlags
	ID string `arg:"" help:"The webhook's id."`
}

func (c webhookRotateCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: below(webhooks, c.ID, "rotate"), Create: true}, newWebhook)
}

type webhookRemoveCmd struct {
	remoteFlags
	ID string `arg:"" help:"The webhook's id."`
}

func (c webhookRemoveCmd) Run(e *env) error {
	return act(e, c.remoteFlags, client.Request{Method: http.MethodDelete, Path: below(webhooks, c.ID)}, "cli.webhook.removed", c.ID)
}

type undeliveredCmd struct {
	List  undeliveredListCmd  `cmd:"" help:"List messages that could not be delivered."`
	Retry undeliveredRetryCmd `cmd:"" help:"Send an undelivered message again."`
	Drop  undeliveredDropCmd  `cmd:"" help:"Give an undelivered message up."`
}

const undelivered = "/api/v1/undelivered"

type undeliveredListCmd struct{ listFlags }

func (c undeliveredListCmd) Run(e *env) error {
	return listed(e, c.listFlags, client.Request{Path: undelivered}, "undelivered", []string{"id", "at", "recipient", "topic", "reason"},
		func(m client.Undelivered) []string {
			return []string{m.ID, stamp(m.GivenUp), m.Recipient, m.Topic, m.Text}
		})
}

type undeliveredRetryCmd struct {
	remoteFlags
	ID string `arg:"" help:"The message's id."`
}

func (c undeliveredRetryCmd) Run(e *env) error {
	return act(e, c.remoteFlags, client.Request{Method: http.MethodPost, Path: below(undelivered, c.ID, "retry")}, "cli.undelivered.retried", c.ID)
}

type undeliveredDropCmd struct {
	remoteFlags
	ID     string `arg:"" help:"The message's id."`
	Reason string `required:"" help:"Why, for the ledger; - reads standard input."`
}

func (c undeliveredDropCmd) Run(e *env) error {
	reason, err := e.text(c.Reason)
	if err != nil {
		return err
	}
	q := client.Request{Method: http.MethodPost, Path: below(undelivered, c.ID, "drop"), Body: map[string]string{"reason": reason}}
	return act(e, c.remoteFlags, q, "cli.undelivered.dropped", c.ID)
}

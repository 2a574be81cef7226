package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aspis-platform/aspis/internal/client"
)

type alertCmd struct {
	List   alertListCmd   `cmd:"" help:"List alerts."`
	Show   alertShowCmd   `cmd:"" help:"Show an alert."`
	Triage alertTriageCmd `cmd:"" help:"Set an alert's state or assignee, or add a note."`
}

const alerts = "/api/v1/alerts"

type alertListCmd struct {
	listFlags
	State    []string `help:"new, in_progress, true_positive, false_positive, closed."`
	Severity string   `enum:",informational,low,medium,high,critical" default:"" help:"At least this."`
	Member   string   `help:"For the centre: one that it concerns."`
	Query    string   `short:"q" help:"Words of the title."`
}

func (c alertListCmd) Run(e *env) error {
	q := url.Values{}
	put(q, "state", strings.Join(c.State, ","))
	put(q, "severity", c.Severity)
	put(q, "member", c.Member)
	put(q, "q", c.Query)
	return c.with(e, func(cl *client.Client) error {
		rows := client.List[client.Raw[client.Alert]](e.ctx, cl, client.Request{Path: alerts, Query: q}, "alerts", "after", c.Limit)
		return list(e, c.listFlags, rows, []string{"id", "raised", "severity", "state", "count", "members", "title"}, func(a client.Alert) []string {
			return []string{a.ID, stampText(a.Raised), e.t("common.severity." + a.Severity), e.t("monitor.state." + a.State),
				fmt.Sprint(a.Count), fmt.Sprint(len(a.Members)), a.Name(string(e.lang()))}
		})
	})
}

type alertShowCmd struct {
	remoteFlags
	ID string `arg:"" help:"The alert's id."`
}

func (c alertShowCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		var a client.Raw[client.Alert]
		if _, err := cl.Do(e.ctx, client.Request{Path: alerts + "/" + url.PathEscape(c.ID)}, &a); err != nil {
			return err
		}
		return show(e, c.remoteFlags, a, e.alert)
	})
}

func (e *env) alert(a client.Alert) [][2]string {
	version := ""
	if a.Version > 0 {
		version = fmt.Sprint(a.Version)
	}
	return [][2]string{
		{"id", a.ID}, {"title", a.Name(string(e.lang()))}, {"severity", e.t("common.severity." + a.Severity)},
		{"state", e.t("monitor.state." + a.State)}, {"assignee", a.Assignee}, {"rule", a.Rule}, {"raised", stampText(a.Raised)},
		{"last", stampText(a.Last)}, {"count", fmt.Sprint(a.Count)}, {"members", strings.Join(a.Members, ", ")}, {"version", version},
	}
}

type alertTriageCmd struct {
	remoteFlags
	ID       string  `arg:"" help:"The alert's id."`
	Version  int     `help:"Only if it still has this version; default: the version there is."`
	State    string  `enum:",new,in_progress,true_positive,false_positive,closed" default:"" help:"new, in_progress, true_positive, false_positive or closed."`
	Assignee *string `help:"Whose work it is; empty for nobody."`
	Note     string  `help:"What was found; - reads standard input."`
}

func (c alertTriageCmd) Run(e *env) error {
	note, err := e.text(c.Note)
	if err != nil {
		return err
	}
	path := alerts + "/" + url.PathEscape(c.ID)
	return c.with(e, func(cl *client.Client) error {
		if c.Version == 0 {
			var now client.Alert
			if _, err := cl.Do(e.ctx, client.Request{Path: path}, &now); err != nil {
				return err
			}
			c.Version = now.Version
		}
		body := map[string]any{"version": c.Version}
		if c.State != "" {
			body["state"] = c.State
		}
		if c.Assignee != nil {
			body["assignee"] = *c.Assignee
		}
		if note != "" {
			body["note"] = note
		}
		var a client.Raw[client.Alert]
		if _, err := cl.Do(e.ctx, client.Request{Method: http.MethodPatch, Path: path, Body: body}, &a); err != nil {
			return err
		}
		return show(e, c.remoteFlags, a, e.alert)
	})
}

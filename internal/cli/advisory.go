package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aspis-platform/aspis/internal/client"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

type advisoryCmd struct {
	List     advisoryListCmd     `cmd:"" help:"List the advisories that you see."`
	Show     advisoryShowCmd     `cmd:"" help:"Show an advisory."`
	Answer   advisoryAnswerCmd   `cmd:"" help:"Answer an advisory for your institution."`
	Release  advisoryReleaseCmd  `cmd:"" help:"Release an advisory, or approve it as the second person."`
	Withdraw advisoryWithdrawCmd `cmd:"" help:"Withdraw an advisory, or give a draft up."`
}

type advisoryListCmd struct {
	listFlags
	Category   string `enum:",ANA,EWA,INT,DEF,FBI" default:"" help:"ANA, EWA, INT, DEF or FBI."`
	Unanswered bool   `help:"Only those that wait for your answer."`
}

const advisories = "/api/v1/advisories"

func (c advisoryListCmd) Run(e *env) error {
	q := url.Values{}
	put(q, "category", c.Category)
	if c.Unanswered {
		q.Set("unanswered", "true")
	}
	return c.with(e, func(cl *client.Client) error {
		rows := client.List[client.Raw[client.Advisory]](e.ctx, cl, client.Request{Path: advisories, Query: q}, "advisories", "cursor", c.Limit)
		return list(e, c.listFlags, rows, []string{"id", "released", "state", "tlp", "category", "answer", "title"}, func(a client.Advisory) []string {
			return []string{a.ID, stamp(a.ReleasedAt), e.t("advisory.state." + a.State), a.TLP, a.Category, e.answer(a), a.Title.In(string(e.lang()))}
		})
	})
}

// put sets a parameter that has a value.
func put(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

// answer is what the member answered, or by when it should.
func (e *env) answer(a client.Advisory) string {
	switch {
	case a.Answer != nil:
		return e.t("answer." + a.Answer.Answer)
	case !a.AnswerDue.IsZero() && a.Withdrawn.IsZero():
		return e.t("cli.due", stamp(a.AnswerDue))
	}
	return "-"
}

type advisoryShowCmd struct {
	remoteFlags
	ID string `arg:"" help:"The advisory's id."`
}

func (c advisoryShowCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		var a client.Raw[client.Advisory]
		if _, err := cl.Do(e.ctx, client.Request{Path: advisories + "/" + url.PathEscape(c.ID)}, &a); err != nil {
			return err
		}
		return show(e, c.remoteFlags, a, e.advisory)
	})
}

func (e *env) advisory(a client.Advisory) [][2]string {
	var indicators []string
	for _, i := range a.Indicators {
		line := i.Kind + " " + defang(i.Value)
		if i.Subdomains {
			line = i.Kind + " *[.]" + defang(i.Value)
		}
		indicators = append(indicators, line)
	}
	lang := string(e.lang())
	return [][2]string{
		{"id", a.ID}, {"title", a.Title.In(lang)}, {"state", e.t("advisory.state." + a.State)}, {"tlp", a.TLP}, {"category", a.Category},
		{"released", stamp(a.ReleasedAt)}, {"withdrawn", stamp(a.Withdrawn)}, {"answer", e.answer(a)},
		{"indicators", strings.Join(indicators, "\n")}, {"body", a.Body.In(lang)},
	}
}

type advisoryAnswerCmd struct {
	remoteFlags
	ID     string `arg:"" help:"The advisory's id."`
	Answer string `help:"not_affected, affected, blocked; for EWA also false_alarm, true_incident, undetermined. Default: JSON with answer and reason on standard input."`
	Reason string `help:"Why; - reads standard input."`
}

func (c advisoryAnswerCmd) Run(e *env) error {
	body := client.Answer{Answer: c.Answer}
	var err error
	if c.Answer == "" {
		var text string
		if text, err = e.text("-"); err == nil && json.Unmarshal([]byte(text), &body) != nil {
			err = errs.New(errs.Invalid, "answer.not_json")
		}
	} else {
		body.Reason, err = e.text(c.Reason)
	}
	if err != nil {
		return err
	}
	return c.with(e, func(cl *client.Client) error {
		var given client.Raw[client.Answer]
		_, err := cl.Do(e.ctx, client.Request{Method: http.MethodPost, Path: advisories + "/" + url.PathEscape(c.ID) + "/answers",
			Body: map[string]string{"answer": body.Answer, "reason": body.Reason}}, &given)
		if err != nil {
			return err
		}
		return show(e, c.remoteFlags, given, func(a client.Answer) [][2]string {
			return [][2]string{{"answer", e.t("answer." + a.Answer)}, {"reason", a.Reason}, {"answered", stamp(a.At)}}
		})
	})
}

type advisoryReleaseCmd struct {
	remoteFlags
	ID      string `arg:"" help:"The advisory's id."`
	Version int    `help:"Only if it still has this version; default: the version there is."`
	Approve bool   `help:"As the second person, of what another submitted."`
}

func (c advisoryReleaseCmd) Run(e *env) error {
	step := "release"
	if c.Approve {
		step = "approve"
	}
	return c.with(e, func(cl *client.Client) error {
		return e.draftStep(cl, c.remoteFlags, c.ID, c.Version, step, nil)
	})
}

type advisoryWithdrawCmd struct {
	remoteFlags
	ID      string `arg:"" help:"The advisory's id."`
	Version int    `help:"Only if it still has this version; default: the version there is."`
	Reason  string `required:"" help:"Why, for the ledger; - reads standard input."`
}

func (c advisoryWithdrawCmd) Run(e *env) error {
	reason, err := e.text(c.Reason)
	if err != nil {
		return err
	}
	return c.with(e, func(cl *client.Client) error {
		return e.draftStep(cl, c.remoteFlags, c.ID, c.Version, "withdraw", map[string]string{"reason": reason})
	})
}

// draftStep changes one of the centre's advisories, at the version that is
// there unless another is named.
func (e *env) draftStep(cl *client.Client, f remoteFlags, id string, version int, step string, body any) error {
	path := "/api/v1/drafts/" + url.PathEscape(id)
	tag := fmt.Sprintf(`"v%d"`, version)
	if version == 0 {
		var err error
		if tag, err = cl.Do(e.ctx, client.Request{Path: path}, nil); err != nil {
			return err
		}
	}
	var d client.Raw[client.Draft]
	if _, err := cl.Do(e.ctx, client.Request{Method: http.MethodPost, Path: path + "/" + step, Body: body, Match: tag}, &d); err != nil {
		return err
	}
	return show(e, f, d, func(d client.Draft) [][2]string {
		return [][2]string{{"id", d.ID}, {"title", d.Title.In(string(e.lang()))}, {"state", e.t("advisory.state." + d.State)}, {"version", fmt.Sprint(d.Version)}}
	})
}

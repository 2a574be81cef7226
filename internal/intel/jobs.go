package intel

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// The kinds of background work.
const (
	JobMail      = "mail.send"
	JobRetroHunt = "intel.retrohunt"
)

// mailSend is the work of mailing one member about one release: that it is
// there, or (Recall) that it was taken back.
type mailSend struct {
	Advisory AdvisoryID      `json:"advisory"`
	Release  string          `json:"release"`
	Member   sector.MemberID `json:"member"`
	Recall   bool            `json:"recall,omitempty"`
}

// retroHunt is the work of looking for an advisory's indicators in history.
type retroHunt struct {
	Advisory AdvisoryID `json:"advisory"`
}

// Mail is one mail to one recipient. Text has line ends of "\n".
type Mail struct {
	To string
	// ID names the mail: the same mail sent again has the same.
	ID      string
	Subject string
	Text    string
}

// Mailer sends mail. An error means that it may be tried again.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Worker does the background work of advisories.
type Worker struct {
	svc    *Service
	mails  MailStore
	mailer Mailer
	hunter Hunter
	texts  *mailTexts
}

// NewWorker returns a worker. baseURL is where members reach the portal, for
// the links in mails.
func NewWorker(svc *Service, mails MailStore, mailer Mailer, hunter Hunter, baseURL string) (*Worker, error) {
	texts, err := loadMailTexts(baseURL)
	if err != nil {
		return nil, err
	}
	return &Worker{svc, mails, mailer, hunter, texts}, nil
}

// Handlers are the worker's job handlers by kind.
func (w *Worker) Handlers() map[string]jobs.Handler {
	return map[string]jobs.Handler{JobMail: w.mail, JobRetroHunt: w.hunt}
}

// mail sends one mail unless it was sent, or what it tells is no longer so.
// It reads through the gate, as the member would at this moment.
func (w *Worker) mail(ctx context.Context, raw json.RawMessage) error {
	var job mailSend
	if err := json.Unmarshal(raw, &job); err != nil {
		return fmt.Errorf("mail job: %w", err)
	}
	member, err := w.member(ctx, job.Member)
	if err != nil || member.Mail == "" {
		return err
	}
	state, err := w.mails.Mailing(ctx, job.Release, job.Member)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil || job.done(state) {
		return err
	}
	item, err := w.svc.ReleasedItem(ctx, viewerOf(member), job.Advisory)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil || item.Release != job.Release || item.WithdrawnAt.IsZero() == job.Recall {
		return err
	}
	return w.send(ctx, job, member, item)
}

// done reports whether there is nothing (more) to send: it was sent, or it
// would take back what nobody was told.
func (j mailSend) done(state Mailing) bool {
	if j.Recall {
		return !state.Recall.IsZero() || state.Sent.IsZero()
	}
	return !state.Sent.IsZero()
}

func (w *Worker) member(ctx context.Context, id sector.MemberID) (sector.Member, error) {
	members, err := w.svc.Members.Members(ctx)
	if err != nil {
		return sector.Member{}, err
	}
	if i := slices.IndexFunc(members, func(m sector.Member) bool { return m.ID == id }); i >= 0 {
		return members[i], nil
	}
	return sector.Member{}, nil
}

func (w *Worker) send(ctx context.Context, job mailSend, to sector.Member, item ReleasedAdvisory) error {
	m, err := w.texts.compose(item, job.Recall)
	if err != nil {
		return err
	}
	m.To = to.Mail
	m.ID = job.Release + "-" + string(job.Member)
	if job.Recall {
		m.ID += "-withdrawn"
	}
	if err := w.mailer.Send(ctx, m); err != nil {
		if note := w.mails.MailFailed(ctx, job.Release, job.Member, clip(err.Error())); note != nil {
			return note
		}
		return err
	}
	e := ledger.Entry{Actor: sector.System().Actor(), Action: "advisory.mail", Object: "advisory:" + string(job.Advisory), Member: string(job.Member)}
	return w.mails.Mailed(ctx, job.Release, job.Member, job.Recall, w.svc.Now().UTC(), e)
}

// clip keeps a foreign error short; only the centre sees it.
func clip(s string) string {
	const most = 300
	r := []rune(s)
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// hunt looks for the indicators of what stands now.
func (w *Worker) hunt(ctx context.Context, raw json.RawMessage) error {
	var job retroHunt
	if err := json.Unmarshal(raw, &job); err != nil {
		return fmt.Errorf("retro-hunt job: %w", err)
	}
	item, err := w.svc.ReleasedItem(ctx, sector.System(), job.Advisory)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil || !item.WithdrawnAt.IsZero() || len(item.Indicators) == 0 {
		return err
	}
	if err := w.hunter.Hunt(ctx, item.ID, item.Title, item.Indicators); err != nil {
		return fmt.Errorf("retro-hunt %s: %w", item.ID, err)
	}
	return nil
}

// taipei is the zone that mails are written in. Taipei has had no daylight
// saving since 1979.
func taipei(t time.Time) string {
	return t.In(time.FixedZone("UTC+8", 8*60*60)).Format("2006-01-02 15:04") + " (UTC+8)"
}

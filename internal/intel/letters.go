package intel

import (
	"context"
	"slices"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Letter is what a recipient is told about a release.
type Letter struct {
	Subject string
	Text    string // line ends of "\n"
	TLP     sector.TLP
	Title   Text // empty where no content goes out
}

// Letters writes what recipients are told, as the gate shows it to them when
// it is written, and notes how their mail went.
type Letters struct {
	svc   *Service
	mails MailStore
	texts *mailTexts
}

// NewLetters returns a writer of letters. baseURL is where members reach the
// portal, for the links.
func NewLetters(svc *Service, mails MailStore, baseURL string) (*Letters, error) {
	texts, err := loadMailTexts(baseURL)
	if err != nil {
		return nil, err
	}
	return &Letters{svc, mails, texts}, nil
}

// Write writes a notice to the viewer; errs.NotFound when what it tells is no
// longer so. sealed: it will be encrypted, so that even TLP:RED has content.
func (l *Letters) Write(ctx context.Context, v sector.Viewer, n Notice, sealed bool) (Letter, error) {
	item, err := l.svc.ReleasedItem(ctx, v, n.Advisory)
	if err != nil {
		return Letter{}, err
	}
	stands := item.Release == n.Release && item.WithdrawnAt.IsZero()
	switch n.Kind {
	case NoticeReleased:
	case NoticeOverdue:
		stands = stands && item.AwaitsAnswer()
	case NoticeWithdrawn:
		if stands, err = l.takesBack(ctx, v, n, item); err != nil {
			return Letter{}, err
		}
	}
	if !stands {
		return Letter{}, errNoAdvisory()
	}
	return l.texts.compose(item, n.Kind, sealed)
}

// takesBack reports whether the member was told what is withdrawn.
func (l *Letters) takesBack(ctx context.Context, v sector.Viewer, n Notice, item ReleasedAdvisory) (bool, error) {
	if item.Release != n.Release || item.WithdrawnAt.IsZero() {
		return false, nil
	}
	state, err := l.mails.Mailing(ctx, n.Release, v.Member)
	return !state.Sent.IsZero(), err
}

// Told notes that the member was mailed, the first time.
func (l *Letters) Told(ctx context.Context, m sector.MemberID, n Notice) error {
	state, err := l.mails.Mailing(ctx, n.Release, m)
	if err != nil || n.noted(state) {
		return err
	}
	e := ledger.Entry{Actor: sector.System().Actor(), Action: "advisory.mail", Object: "advisory:" + string(n.Advisory), Member: string(m)}
	return l.mails.Mailed(ctx, n.Release, m, n.Kind == NoticeWithdrawn, l.svc.Now().UTC(), e)
}

// Failed notes why the member could not be mailed, unless it was.
func (l *Letters) Failed(ctx context.Context, m sector.MemberID, n Notice, reason string) error {
	state, err := l.mails.Mailing(ctx, n.Release, m)
	if err != nil || n.noted(state) {
		return err
	}
	return l.mails.MailFailed(ctx, n.Release, m, clip(reason))
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

// noted reports whether there is nothing (more) to note of the notice.
func (n Notice) noted(state Mailing) bool {
	switch n.Kind {
	case NoticeReleased:
		return !state.Sent.IsZero()
	case NoticeWithdrawn:
		return !state.Recall.IsZero()
	}
	return true
}

// Concerned are those of the members whom the notice still concerns: who owes
// an answer, or, of a release, where nobody has opened or answered it.
func (l *Letters) Concerned(ctx context.Context, n Notice) ([]sector.MemberID, error) {
	past, err := l.svc.Drafts.Releases(ctx, n.Advisory)
	if err != nil || len(past) == 0 {
		return nil, err
	}
	if last := past[len(past)-1]; last.ID != n.Release || !last.EndedAt.IsZero() {
		return nil, nil
	}
	deliveries, err := l.svc.Drafts.Deliveries(ctx, n.Advisory)
	if err != nil {
		return nil, err
	}
	var some []sector.MemberID
	for _, d := range deliveries {
		waits := d.Answer == nil && (n.Kind == NoticeOverdue || d.Opened.IsZero())
		if waits && slices.Contains(n.Members, d.Member) {
			some = append(some, d.Member)
		}
	}
	return some, nil
}

// Titles are the titles of the advisories that the viewer sees, in one query.
func (l *Letters) Titles(ctx context.Context, v sector.Viewer, ids []AdvisoryID) (map[AdvisoryID]Text, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id AdvisoryID) bool { return !id.valid() })
	titles := map[AdvisoryID]Text{}
	if len(ids) == 0 {
		return titles, nil
	}
	found, err := l.svc.Released(ctx, v, ReleasedQuery{IDs: ids, Limit: len(ids)})
	for _, r := range found {
		titles[r.ID] = r.Title
	}
	return titles, err
}

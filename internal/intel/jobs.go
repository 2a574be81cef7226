package intel

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// JobRetroHunt is the kind of the background work of looking for an
// advisory's indicators in history.
const JobRetroHunt = "intel.retrohunt"

// retroHunt is the work of looking for an advisory's indicators in history.
type retroHunt struct {
	Advisory AdvisoryID `json:"advisory"`
}

// NoticeKind is what recipients are told about a release.
type NoticeKind string

// The kinds of notices.
const (
	NoticeReleased  NoticeKind = "released"
	NoticeWithdrawn NoticeKind = "withdrawn" // or they were left out of a correction
	NoticeOverdue   NoticeKind = "overdue"   // to those who have not answered then
	NoticeSubmitted NoticeKind = "submitted" // to the centre: a second person is needed
)

// Notice is that members, or the centre's people, are to be told of something.
type Notice struct {
	Kind     NoticeKind
	Advisory AdvisoryID
	Version  int    // of what was submitted
	Release  string // of what was released
	Category Category
	Members  []sector.MemberID
	At       time.Time // not before; zero: at once
}

// Worker does the background work of advisories.
type Worker struct {
	svc    *Service
	hunter Hunter
}

// NewWorker returns a worker.
func NewWorker(svc *Service, hunter Hunter) *Worker { return &Worker{svc, hunter} }

// Handlers are the worker's job handlers by kind.
func (w *Worker) Handlers() map[string]jobs.Handler {
	return map[string]jobs.Handler{JobRetroHunt: w.hunt}
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

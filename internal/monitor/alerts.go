package monitor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
)

// AlertID is the id under which the alert of a finding is shown.
func AlertID(key string) string { return hashOf("alert", key) }

// Severities lists the severities, worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Informational} }

// String is Sigma's word for the severity.
func (s Severity) String() string {
	names := [...]string{"informational", "low", "medium", "high", "critical"}
	return names[min(int(s), len(names)-1)]
}

// ParseSeverity reads Sigma's word.
func ParseSeverity(word string) (Severity, bool) {
	for _, s := range Severities() {
		if s.String() == word {
			return s, true
		}
	}
	return 0, false
}

// States lists the states in the order of triage.
func States() []State {
	return []State{StateNew, StateInProgress, StateTruePos, StateFalsePos, StateClosed}
}

// Active reports whether an alert in this state still waits for somebody.
func (s State) Active() bool { return s == StateNew || s == StateInProgress }

// Causes lists the causes in display order.
func Causes() []Cause {
	return []Cause{CauseRule, CauseCorrelation, CauseIndicator, CauseRetroHunt}
}

// ObservableKind reads back [event.ObservableKind.String].
func ObservableKind(name string) event.ObservableKind {
	for k := event.ObservableIPv4; k.String() != event.ObservableUnknown.String(); k++ {
		if k.String() == name {
			return k
		}
	}
	return event.ObservableUnknown
}

// Bounds of what a person writes.
const (
	maxNote    = 4000 // characters
	maxText    = 200
	maxListing = 200
)

// Alerts is the triage of alerts: what the pipeline raised, who works on it
// and what came of it.
type Alerts struct {
	store AlertStore
	seal  *seal.Sealer
	now   func() time.Time
}

// NewAlerts returns the service. sealer makes the paging keys opaque.
func NewAlerts(store AlertStore, sealer *seal.Sealer, now func() time.Time) *Alerts {
	if now == nil {
		now = time.Now
	}
	return &Alerts{store: store, seal: sealer, now: now}
}

// List returns a page of the alerts that the viewer may see.
func (s *Alerts) List(ctx context.Context, v sector.Viewer, q AlertQuery) (AlertPage, error) {
	if err := checkQuery(&q); err != nil {
		return AlertPage{}, err
	}
	if q.After != "" {
		plain, err := s.seal.Open(q.After)
		if err != nil {
			return AlertPage{}, errs.New(errs.Invalid, "monitor.cursor").Because(err)
		}
		q.After = string(plain)
	}
	page, err := s.store.Alerts(ctx, sector.Gate{}.For(v), q)
	if err == nil && page.Next != "" {
		page.Next = s.seal.Seal([]byte(page.Next))
	}
	return page, err
}

func checkQuery(q *AlertQuery) error {
	if q.Limit == 0 {
		q.Limit = 50
	}
	switch {
	case q.Limit < 1 || q.Limit > maxListing:
		return errs.New(errs.Invalid, "monitor.limit", "200")
	case utf8.RuneCountInString(q.Text) > maxText:
		return errs.New(errs.Invalid, "monitor.text_too_long", "200")
	case !slices.Contains([]string{"", "raised", "severity", "last", "count"}, q.Sort):
		return errs.New(errs.Invalid, "monitor.sort")
	case q.Cause != "" && !slices.Contains(Causes(), q.Cause):
		return errs.New(errs.Invalid, "monitor.cause")
	}
	for _, s := range q.States {
		if !slices.Contains(States(), s) {
			return errs.New(errs.Invalid, "monitor.state")
		}
	}
	return nil
}

// Get returns one alert as the viewer may see it.
func (s *Alerts) Get(ctx context.Context, v sector.Viewer, id string) (Alert, error) {
	return s.store.Alert(ctx, sector.Gate{}.For(v), id)
}

// Count counts the alerts that wait, by severity.
func (s *Alerts) Count(ctx context.Context, v sector.Viewer) (map[Severity]int64, error) {
	return s.store.CountAlerts(ctx, sector.Gate{}.For(v))
}

// Triage applies a step by a person of the centre, if the alert is still at
// the version that the person saw; errs.Conflict if not. By and At are set
// here.
func (s *Alerts) Triage(ctx context.Context, v sector.Viewer, id string, version int, step Step) (Alert, error) {
	if !v.May(sector.TriageAlerts) {
		return Alert{}, errs.New(errs.Forbidden, "monitor.triage_role")
	}
	step.Note = strings.TrimSpace(step.Note)
	switch {
	case step.State != "" && !slices.Contains(States(), step.State):
		return Alert{}, errs.New(errs.Invalid, "monitor.state")
	case utf8.RuneCountInString(step.Note) > maxNote:
		return Alert{}, errs.New(errs.Invalid, "monitor.note_too_long", "4000")
	case !utf8.ValidString(step.Note) || strings.ContainsRune(step.Note, 0):
		return Alert{}, errs.New(errs.Invalid, "monitor.note_text")
	case step.State == "" && step.Assignee == nil && step.Note == "" && step.Advisory == "":
		return Alert{}, errs.New(errs.Invalid, "monitor.empty_step")
	}
	step.By, step.At = v.User, s.now().UTC()
	return s.store.ChangeAlert(ctx, id, version, step, triageEntry(v, id, step))
}

// LinkAdvisory notes that an advisory was drafted from the alerts. It is
// for the program: whoever may draft has been checked by the caller.
func (s *Alerts) LinkAdvisory(ctx context.Context, v sector.Viewer, ids []string, advisory string) error {
	for _, id := range ids {
		a, err := s.store.Alert(ctx, sector.Gate{}.For(sector.System()), id)
		if err != nil {
			return err
		}
		step := Step{Advisory: advisory, By: v.User, At: s.now().UTC()}
		if _, err := s.store.ChangeAlert(ctx, id, a.Version, step, triageEntry(v, id, step)); err != nil {
			return err
		}
	}
	return nil
}

// triageEntry explains a step in the ledger. A note's text stays with the
// alert: it may hold what the ledger must not.
func triageEntry(v sector.Viewer, id string, step Step) ledger.Entry {
	detail := map[string]any{}
	if step.State != "" {
		detail["state"] = step.State
	}
	if step.Assignee != nil {
		detail["assignee"] = *step.Assignee
	}
	if step.Note != "" {
		detail["note"] = true
	}
	if step.Advisory != "" {
		detail["advisory"] = step.Advisory
	}
	raw, err := json.Marshal(detail)
	if err != nil { // plain strings always encode
		raw = nil
	}
	return ledger.Entry{Actor: v.Actor(), Action: "alert.triage", Object: "alert:" + id, Detail: string(raw)}
}

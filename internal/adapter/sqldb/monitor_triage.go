package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// ChangeAlert implements monitor.AlertStore.
func (s *Alerts) ChangeAlert(ctx context.Context, id string, version int, step monitor.Step, e ledger.Entry) (monitor.Alert, error) {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var number int64
		var old struct{ state, assignee, advisory string }
		err := tx.QueryRowContext(ctx,
			`UPDATE alert SET version = version + 1 WHERE id = $1 AND version = $2
			 RETURNING number, state, assignee, advisory`, id, version).Scan(&number, &old.state, &old.assignee, &old.advisory)
		if errors.Is(err, sql.ErrNoRows) {
			return lostRace(ctx, tx, id)
		}
		if err != nil {
			return fmt.Errorf("change alert: %w", err)
		}
		var changes []monitor.Change
		note := func(what, from, to string) string {
			if from != to {
				changes = append(changes, monitor.Change{What: what, From: from, To: to})
			}
			return to
		}
		state, assignee, advisory := old.state, old.assignee, old.advisory
		if step.State != "" {
			state = note("state", state, string(step.State))
		}
		if step.Assignee != nil {
			assignee = note("assignee", assignee, string(*step.Assignee))
		}
		if step.Advisory != "" {
			advisory = note("advisory", advisory, step.Advisory)
		}
		_, err = tx.ExecContext(ctx, `UPDATE alert SET state = $1, active = $2, assignee = $3, advisory = $4 WHERE number = $5`,
			state, flag(monitor.State(state).Active()), assignee, advisory, number)
		if err != nil {
			return fmt.Errorf("change alert: %w", err)
		}
		if err := putStep(ctx, tx, number, step, changes); err != nil {
			return err
		}
		return s.db.appendLedger(ctx, tx, e)
	})
	if err != nil {
		return monitor.Alert{}, err
	}
	return s.Alert(ctx, sector.Gate{}.For(sector.System()), id)
}

// lostRace tells an alert that changed from one that is not there.
func lostRace(ctx context.Context, tx *sql.Tx, id string) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alert WHERE id = $1`, id).Scan(&n); err != nil {
		return fmt.Errorf("change alert: %w", err)
	}
	if n == 0 {
		return noAlert()
	}
	return errs.New(errs.Conflict, "monitor.alert_changed")
}

func putStep(ctx context.Context, tx *sql.Tx, number int64, step monitor.Step, changes []monitor.Change) error {
	rows := values{columns: 6}
	for _, c := range changes {
		rows.add(number, micros(step.At), string(step.By), c.What, c.From, c.To)
	}
	if step.Note != "" {
		rows.add(number, micros(step.At), string(step.By), "note", "", "")
		_, err := tx.ExecContext(ctx, `INSERT INTO alert_note (alert, at, author, text) VALUES ($1, $2, $3, $4)`,
			number, micros(step.At), string(step.By), step.Note)
		if err != nil {
			return fmt.Errorf("note on alert: %w", err)
		}
	}
	if err := rows.insert(ctx, tx, `INSERT INTO alert_change (alert, at, actor, what, old, new) VALUES `, ""); err != nil {
		return fmt.Errorf("history of alert: %w", err)
	}
	return nil
}

// AlertRecords implements monitor.AlertStore.
func (s *Alerts) AlertRecords(ctx context.Context, f sector.Filter, ids []string) (map[string][]monitor.RecordRef, error) {
	found := map[string][]monitor.RecordRef{}
	if !f.All() || len(ids) == 0 {
		return found, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	rows, err := s.db.read.QueryContext(ctx,
		`SELECT a.id, r.record, r.member, r.at, r.observables FROM alert a JOIN alert_record r ON r.alert = a.number
		 WHERE a.id IN (`+placeholders(1, len(args))+`) ORDER BY a.id, r.at, r.record`, args...)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var id, obs string
		var at int64
		var r monitor.RecordRef
		if err := row.Scan(&id, &r.ID, &r.Member, &at, &obs); err != nil {
			return struct{}{}, err
		}
		r.At = fromMicros(at)
		err := decodeObservables(obs, &r)
		found[id] = append(found[id], r)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("records of alerts: %w", err)
	}
	return found, nil
}

// storedObservable is how an alert keeps an observable of a record.
type storedObservable struct {
	Kind  string `json:"k"`
	Value string `json:"v"`
	Field string `json:"f,omitempty"`
}

func encodeObservables(list []event.Observable) (string, error) {
	out := make([]storedObservable, 0, len(list))
	for _, o := range list[:min(len(list), monitor.MaxRefObservables)] {
		out = append(out, storedObservable{o.Kind.String(), o.Value, o.Field})
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return "", fmt.Errorf("observables: %w", err)
	}
	return string(raw), nil
}

func decodeObservables(text string, r *monitor.RecordRef) error {
	var list []storedObservable
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return fmt.Errorf("observables: %w", err)
	}
	for _, o := range list {
		r.Observables = append(r.Observables, event.Observable{Kind: monitor.ObservableKind(o.Kind), Value: o.Value, Field: o.Field})
	}
	return nil
}

package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
)

// Replays keeps answers for requests that come again.
type Replays struct{ db *DB }

var _ access.ReplayStore = (*Replays)(nil)

// Replays is the store of package access.
func (d *DB) Replays() *Replays { return &Replays{d} }

// Claim implements access.ReplayStore. What is older than a day is dropped
// with it.
func (s *Replays) Claim(ctx context.Context, slot string, r access.Replay, since time.Time) (found access.Replay, claimed bool, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM api_replay WHERE at <= $1 OR (slot = $2 AND at <= $3)`,
			micros(r.At.Add(-access.ReplayLife)), slot, micros(since)); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `INSERT INTO api_replay (slot, request, answer, at) VALUES ($1, $2, '', $3)
			ON CONFLICT (slot) DO NOTHING`, slot, r.Request, micros(r.At))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if claimed = n > 0; claimed || err != nil {
			return err
		}
		var at int64
		err = tx.QueryRowContext(ctx, `SELECT request, answer, at FROM api_replay WHERE slot = $1`, slot).
			Scan(&found.Request, &found.Answer, &at)
		found.At = fromMicros(at)
		return err
	})
	if err != nil {
		err = fmt.Errorf("claim a request's answer: %w", err)
	}
	return found, claimed, err
}

// Together implements access.ReplayStore.
func (s *Replays) Together(ctx context.Context, work func(ctx context.Context) error) error {
	return s.db.Together(ctx, work)
}

// Keep implements access.ReplayStore.
func (s *Replays) Keep(ctx context.Context, slot, answer string) error {
	return s.exec(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE api_replay SET answer = $1 WHERE slot = $2 AND answer = ''`, answer, slot)
		return changedOne("api.key_in_use", r, err)
	})
}

// Release implements access.ReplayStore.
func (s *Replays) Release(ctx context.Context, slot string) error {
	return s.exec(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM api_replay WHERE slot = $1 AND answer = ''`, slot)
		return err
	})
}

func (s *Replays) exec(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if err := s.db.Write(ctx, fn); err != nil {
		return fmt.Errorf("keep a request's answer: %w", err)
	}
	return nil
}

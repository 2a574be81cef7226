package duckdb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// sortAgain is how long after a failure runs are sorted again: a full disk
// should not be written to with every append.
const sortAgain = time.Minute

// keepUp sorts runs and works the write-ahead log into the database, beside
// the appends rather than within one of them, until ctx ends. One goroutine
// does both: a checkpoint cannot be made while rows are moved.
func (h *History) keepUp(ctx context.Context) {
	var failed time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.upkeep:
		}
		if time.Since(failed) >= sortAgain {
			if err := h.sortRuns(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) {
				h.log.Warn("history: "+err.Error(), "again", sortAgain)
				failed = time.Now()
			}
		}
		if h.logIsLong() {
			h.checkpoint(ctx)
		}
	}
}

// checkpoint says in the log when it does not succeed: the next one will.
func (h *History) checkpoint(ctx context.Context) {
	start := time.Now()
	e, err := h.current(ctx)
	if err == nil {
		_, err = e.db.ExecContext(ctx, `CHECKPOINT history`)
		err = e.note(err)
	}
	switch {
	case err == nil:
		h.log.Debug("history: checkpoint", "took", time.Since(start))
	case errors.Is(err, ErrClosed) || ctx.Err() != nil:
	case strings.Contains(err.Error(), "other write transactions"):
		// It fell into an append, which asks again when it is done.
		h.log.Debug("history: checkpoint is put off", "error", err)
	default:
		h.log.Warn("history: checkpoint", "error", err)
	}
}

// logIsLong says whether the write-ahead log wants a checkpoint.
func (h *History) logIsLong() bool {
	info, err := os.Stat(h.cfg.Path + ".wal")
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			h.log.Warn("history: size of the log", "error", err)
		}
		return false
	}
	return info.Size() >= int64(h.cfg.CheckpointMB)<<20
}

// askUpkeep wakes the keeper when there is something to do.
func (h *History) askUpkeep(e *engine) {
	if !e.hasRun(h.cfg.RunRows) && !h.logIsLong() {
		return
	}
	select {
	case h.upkeep <- struct{}{}:
	default: // asked already
	}
}

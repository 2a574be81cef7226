package duckdb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// checkpointer works the write-ahead log into the database when it has grown,
// beside the appends rather than within one of them.
func (h *History) checkpointer() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		select {
		case <-h.stop:
			return
		case <-h.checkpoints:
		}
		start := time.Now()
		switch err := h.checkpoint(ctx); {
		case err == nil:
			h.log.Debug("history: checkpoint", "took", time.Since(start))
		case errors.Is(err, ErrClosed):
		case strings.Contains(err.Error(), "other write transactions"):
			// It fell into an append, which asks again when it is done.
			h.log.Debug("history: checkpoint is put off", "error", err)
		default:
			h.log.Warn("history: checkpoint", "error", err)
		}
	}
}

func (h *History) checkpoint(ctx context.Context) error {
	e, err := h.current(ctx)
	if err != nil {
		return err
	}
	_, err = e.db.ExecContext(ctx, `CHECKPOINT history`)
	return e.note(err)
}

// askCheckpoint wakes the checkpointer when the log is long enough.
func (h *History) askCheckpoint() {
	info, err := os.Stat(h.cfg.Path + ".wal")
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			h.log.Warn("history: size of the log", "error", err)
		}
		return
	}
	if info.Size() < int64(h.cfg.CheckpointMB)<<20 {
		return
	}
	select {
	case h.checkpoints <- struct{}{}:
	default: // asked already
	}
}

package duckdb

import (
	"context"
	"errors"
	"io/fs"
	"os"
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
		err := h.checkpoint(ctx)
		if err != nil && !errors.Is(err, ErrClosed) {
			h.log.Warn("history: checkpoint", "error", err)
			continue
		}
		h.log.Debug("history: checkpoint", "took", time.Since(start))
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

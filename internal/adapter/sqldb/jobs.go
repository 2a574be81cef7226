package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/aspis-platform/aspis/internal/platform/jobs"
)

// queue is River under one job kind of ours that carries a [jobs.Job], so
// that domains need not know River.
type queue struct {
	client   *river.Client[*sql.Tx]
	handlers map[string]jobs.Handler
}

// envelope is how a job lies in River's table.
type envelope struct {
	Job  string          `json:"job"`
	Args json.RawMessage `json:"args"`
}

// Kind names the envelope in River's table.
func (envelope) Kind() string { return "aspis" }

type worker struct {
	river.WorkerDefaults[envelope]
	queue *queue
}

// ErrNoHandler means that a stored job is of a kind nobody handles: it waits
// for a program that does.
var ErrNoHandler = errors.New("jobs: no handler for this kind")

func (w *worker) Work(ctx context.Context, job *river.Job[envelope]) error {
	handle, ok := w.queue.handlers[job.Args.Job]
	if !ok {
		return fmt.Errorf("%w: %s", ErrNoHandler, job.Args.Job)
	}
	return handle(ctx, job.Args.Args)
}

func newQueue(ctx context.Context, d *DB, log *slog.Logger) (*queue, error) {
	var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(d.write)
	if d.dialect == Postgres {
		driver = riverdatabasesql.New(d.write)
	}
	quiet := slog.New(levelHandler{log.Handler(), slog.LevelWarn})
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return nil, fmt.Errorf("job tables: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("job tables: %w", err)
	}
	q := &queue{handlers: map[string]jobs.Handler{}}
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &worker{queue: q}); err != nil {
		return nil, fmt.Errorf("job worker: %w", err)
	}
	q.client, err = river.NewClient(driver, &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}},
		Workers:           workers,
		Logger:            quiet,
		FetchCooldown:     50 * time.Millisecond,
		FetchPollInterval: 300 * time.Millisecond,
		JobTimeout:        5 * time.Minute,
		PollOnly:          true,
	})
	if err != nil {
		return nil, fmt.Errorf("job queue: %w", err)
	}
	return q, nil
}

// enqueue puts jobs into the queue within the caller's transaction.
func (d *DB) enqueue(ctx context.Context, tx *sql.Tx, work ...jobs.Job) error {
	if len(work) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(work))
	for i, j := range work {
		params[i] = river.InsertManyParams{
			Args:       envelope{Job: j.Kind, Args: j.Args},
			InsertOpts: &river.InsertOpts{ScheduledAt: j.At},
		}
	}
	if _, err := d.queue.client.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	return nil
}

// RunJobs works on jobs with the handlers, by kind, until ctx is done; jobs
// under way are given ten seconds to finish. It runs at most once.
func (d *DB) RunJobs(ctx context.Context, handlers map[string]jobs.Handler) error {
	d.queue.handlers = handlers
	// River gets a context of its own: ours ends the loop, not the jobs.
	if err := d.queue.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := d.queue.client.Stop(stop); err != nil {
		return errors.Join(err, d.queue.client.StopAndCancel(context.WithoutCancel(ctx)))
	}
	return nil
}

// levelHandler raises the level below which a library's lines are dropped.
type levelHandler struct {
	slog.Handler
	min slog.Level
}

func (h levelHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.min && h.Handler.Enabled(ctx, l)
}

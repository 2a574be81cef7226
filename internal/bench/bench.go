// Package bench measures the whole path on one machine: it starts the program
// itself as a separate process on fresh data folders, loads it over loopback
// as members and people would, and reports figures with their targets. The
// server's memory and processor time are its own, the driver's are not in
// them; but both share the machine's processors, as the figures say.
package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// Admin makes members, people and keys at a running server.
type Admin interface {
	CreateMember(ctx context.Context, by sector.Viewer, m sector.Member) (sector.Member, error)
	CreateUser(ctx context.Context, by sector.Viewer, u sector.User, password string) (sector.User, error)
	IssueKey(ctx context.Context, by sector.Viewer, spec sector.KeySpec) (sector.Key, string, error)
}

// Config says what to measure and how long.
type Config struct {
	// Program is the path of the binary that is started with "serve".
	Program string
	// Admin opens the administration of a running server's data folder.
	Admin func(ctx context.Context, data string) (Admin, func() error, error)
	// Folder holds the data folders while they are measured; "" is a new
	// temporary one, removed afterwards.
	Folder string
	// Rules is a .tar.xz or a folder of Sigma rules; "" makes synthetic ones.
	Rules      string
	Rate       int           // records a second for accepted_to_alert
	Duration   time.Duration // of each load
	Events     int64         // in the folder that start_seconds and page_ms are about
	RuleCount  int           // loaded beside the shipped rules
	Indicators int           // in the matcher
	Alerts     int           // in the folder that page_ms is about
	Releases   int           // timed
	Requests   int           // of each page
	// Only names the parts to run, of [Parts]; none: all.
	Only []string
	// Profile is a folder for processor and heap profiles of the servers; ""
	// takes none.
	Profile string
	Log     *slog.Logger
}

// Parts lists what can be run alone.
func Parts() []string { return []string{"idle", "alert", "sustained", "history"} }

func (c Config) runs(part string) bool {
	if len(c.Only) == 0 {
		return true
	}
	for _, p := range c.Only {
		if p == part {
			return true
		}
	}
	return false
}

// members is how many institutions send.
const members = 24

// Run measures and returns the report. What was measured before a failure is
// in it.
func Run(ctx context.Context, cfg Config) (Report, error) {
	r := Report{At: time.Now().UTC(), Machine: machine(), Setting: Setting{
		Members: members, Rate: cfg.Rate, Seconds: cfg.Duration.Seconds(), Batch: batchLines, Connections: connections}}
	folder := cfg.Folder
	if folder == "" {
		tmp, err := os.MkdirTemp("", "aspis-bench-")
		if err != nil {
			return r, fmt.Errorf("bench: %w", err)
		}
		defer os.RemoveAll(tmp)
		folder = tmp
	}
	b := &run{Config: cfg, folder: folder, report: &r}
	parts := map[string]func(context.Context) error{
		"idle": b.idle, "alert": b.alert, "sustained": b.sustained, "history": b.history,
	}
	for _, name := range Parts() {
		if !cfg.runs(name) {
			continue
		}
		cfg.Log.InfoContext(ctx, "measuring", slog.String("part", name))
		if err := parts[name](ctx); err != nil {
			return r, fmt.Errorf("bench: %s: %w", name, err)
		}
	}
	r.Machine.measureAgain()
	return r, nil
}

// run is one run of the benchmark.
type run struct {
	Config
	folder string
	report *Report
}

// at is a path in the run's folder.
func (b *run) at(name string) string { return filepath.Join(b.folder, name) }

// with starts a server, runs fn on it and stops it.
func (b *run) with(ctx context.Context, name string, args []string, fn func(*server) error) error {
	s, err := b.start(ctx, name, args...)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.stop())
}

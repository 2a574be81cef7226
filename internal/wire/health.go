package wire

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/admin"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/secret"
)

// check is a named check of an engine.
type check struct {
	name, engine string
	run          func(context.Context) error
}

// Name implements httpx.Check.
func (c check) Name() string { return c.name }

// Check implements httpx.Check.
func (c check) Check(ctx context.Context) error { return c.run(ctx) }

func (p *Program) engineChecks() []check {
	relational := "SQLite"
	if p.opts.Database != "" {
		relational = "PostgreSQL"
	}
	delivering := "SMTP"
	if p.opts.SMTP == "" {
		delivering = "DATA/mail"
	}
	list := []check{
		{"relational", relational, p.engines.db.Check},
		{"stream", "NATS JetStream", p.engines.stream.Check},
		{"history", "DuckDB", p.engines.history.Check},
		{"detector", "Sigma", p.soc.pipeline.Check},
		{"ledger", "Tessera", p.checkLedger},
		{"mail", delivering, p.deliveries},
	}
	if len(p.opts.Witnesses) > 0 {
		list = append(list, check{"witness", "tlog-witness", p.checkWitnesses})
	}
	return list
}

// checks are what taking records in and showing pages cannot do without. The
// history and the detector may be down or behind meanwhile: the health page
// and the metrics tell.
func (p *Program) checks() []httpx.Check {
	var list []httpx.Check
	for _, c := range p.engineChecks() {
		if c.name == "relational" || c.name == "stream" {
			list = append(list, check{c.name, c.engine, unlessFull(c.run)})
		}
	}
	return list
}

// unlessFull forgives a full disk: the door says so to those who send, and
// everybody else is served.
func unlessFull(run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := run(ctx); !errors.Is(err, monitor.ErrStreamFull) && !sqldb.IsFull(err) {
			return err
		}
		return nil
	}
}

// health is the administrators' view of the engines.
type health struct{ *Program }

var _ admin.Engines = health{}

// Status implements admin.Engines.
func (h health) Status(ctx context.Context) (admin.Status, error) {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s := admin.Status{Version: h.opts.Version, Go: runtime.Version(), Started: h.started, Memory: int64(mem.Sys)}
	for _, c := range h.engineChecks() {
		s.Parts = append(s.Parts, partOf(ctx, c))
	}
	s.Parts = append(s.Parts, h.edgeParts()...)
	state, err := h.engines.stream.State(ctx)
	if err != nil {
		return s, err
	}
	for _, at := range h.soc.pipeline.Positions() {
		name := map[string]string{"historian": "history", "detector": "records"}[at.Worker]
		s.Queues = append(s.Queues, admin.Queue{Name: name, Waiting: int64(state.Last - min(at.Done, state.Last)), Bytes: int64(state.Bytes)})
	}
	s.Queues = append(s.Queues, h.ledgerQueue())
	var fs syscall.Statfs_t
	if err := syscall.Statfs(h.engines.dir.Path(), &fs); err == nil {
		free, total := int64(fs.Bavail)*fs.Bsize, int64(fs.Blocks)*fs.Bsize
		s.Disks = []admin.Disk{{Path: h.engines.dir.Path(), Used: used(h.engines.dir.Path()), Free: free, Total: total, Low: free < 1<<30}}
	}
	return s, nil
}

// certificateWarning is how long before its end a certificate is mentioned.
const certificateWarning = 14 * 24 * time.Hour

// edgeParts are what protects the program, rather than what it runs on.
func (h health) edgeParts() []admin.Part {
	secrets := admin.Part{Name: "secrets", Engine: "XChaCha20-Poly1305", State: "ok"}
	if h.engines.keyFrom == secret.FromDataFolder {
		secrets.State, secrets.Note = "note", "admin.health.note_key"
	}
	if h.certificates == nil {
		return []admin.Part{secrets}
	}
	certificate := admin.Part{Name: "certificate", Engine: "TLS", State: "ok"}
	switch ends, trouble := h.certificates.State(); {
	case trouble != nil:
		certificate.State, certificate.Detail = "down", trouble.Error()
	case ends.IsZero():
		certificate.State, certificate.Note = "note", "admin.health.note_none"
	case ends.Sub(h.opts.Now()) < certificateWarning:
		certificate.State, certificate.Note = "note", "admin.health.note_ends"
	}
	return []admin.Part{secrets, certificate}
}

// used is the size of the files below a folder. Files that vanish meanwhile
// do not count.
func used(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // see above
		}
		if info, err := d.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

const slowCheck = 500 * time.Millisecond

func partOf(ctx context.Context, c check) admin.Part {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	began := time.Now()
	err := c.run(ctx)
	part := admin.Part{Name: c.name, Engine: c.engine, State: "ok", Took: time.Since(began)}
	switch {
	case err != nil:
		part.State, part.Detail = "down", err.Error()
	case part.Took > slowCheck:
		part.State = "slow"
	}
	return part
}

package admin

import (
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/web"
)

// Status is how the program is doing.
type Status struct {
	Version string
	Commit  string
	Go      string
	Started time.Time
	Memory  int64 // bytes the program holds
	Parts   []Part
	Queues  []Queue
	Disks   []Disk
}

// Part is an engine or a worker.
type Part struct {
	Name   string        // "relational", "stream", "history", "jobs", …: admin.part.<name>, else shown as it is
	Engine string        // "SQLite 3.51", "DuckDB 1.5": shown as it is
	State  string        // "ok", "slow", "note" (works, and something could be better), "down"
	Detail string        // what is wrong, for the centre's eyes
	Note   string        // catalogue key of what could be better
	Took   time.Duration // of the check
}

// Queue is work that waits.
type Queue struct {
	Name    string // admin.queue.<name>, else shown as it is
	Waiting int64
	Oldest  time.Time // zero when nothing waits
	Bytes   int64
	Late    bool // waits longer than it should
}

// Disk is a file system that data is on.
type Disk struct {
	Path  string
	Used  int64 // bytes of ours
	Free  int64 // bytes left for us
	Total int64
	Low   bool // new records will soon be, or are, refused
}

// UsedShare is the occupied part of the disk, 0 to 100, for <meter>.
func (d Disk) UsedShare() int {
	if d.Total <= 0 {
		return 0
	}
	return int(100 * (d.Total - d.Free) / d.Total)
}

type healthModel struct {
	Status
	Bad   int // parts that are not fine
	Empty web.State
}

func (p pages) health(w http.ResponseWriter, r *http.Request) error {
	s, err := p.Engines.Status(r.Context())
	if err != nil {
		return err
	}
	m := healthModel{Status: s, Empty: web.State{Kind: "empty", Title: "admin.health.no_queues"}}
	for _, part := range s.Parts {
		if part.State != "ok" && part.State != "note" {
			m.Bad++
		}
	}
	for _, q := range s.Queues {
		if q.Late {
			m.Bad++
		}
	}
	for _, d := range s.Disks {
		if d.Low {
			m.Bad++
		}
	}
	return p.views.Page(w, r, "health", web.Page{Title: "admin.health.title", Data: m})
}

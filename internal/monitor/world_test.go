package monitor_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/memory"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/sigma"
)

// noon is when every test happens.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

const testRules = `
title: Odd PowerShell
title_zh: 可疑的 PowerShell
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows, category: process_creation}
detection:
  sel: {Image|endswith: '\powershell.exe', CommandLine|contains: '-enc'}
  condition: sel
level: high
---
title: Outbound connection
id: 22222222-2222-4222-8222-222222222222
logsource: {product: zeek, service: conn}
detection:
  sel: {id.resp_p: 4444}
  condition: sel
level: low
---
title: Same destination at three institutions
title_zh: 三家機構連往同一目的地
id: 33333333-3333-4333-8333-333333333333
correlation:
  type: value_count
  rules: [22222222-2222-4222-8222-222222222222]
  group-by: [id.resp_h]
  timespan: 24h
  condition: {field: institution, gte: 3}
level: critical
`

func loadRules(t testing.TB) *monitor.Rules {
	t.Helper()
	r := monitor.LoadRules(sigma.Options{}, monitor.RuleFolder{Name: "rules", FS: fstest.MapFS{"test.yml": {Data: []byte(testRules)}}})
	for _, p := range r.Problems {
		t.Fatal(p)
	}
	return r
}

// world is a whole F-SOC in memory.
type world struct {
	stream     *memory.Stream
	history    *memory.History
	detections *memory.Detections
	receipts   *memory.Receipts
	catalogue  *monitor.Catalogue
	matcher    *monitor.Matcher
	door       *monitor.Door
	pulse      *monitor.Pulse
	snapshots  time.Duration
	trims      time.Duration
	now        func() time.Time
}

func newWorld(t testing.TB) *world {
	w := &world{
		stream: memory.NewStream(), history: &memory.History{}, detections: memory.NewDetections(),
		catalogue: monitor.NewCatalogue(loadRules(t), nil), matcher: monitor.NewMatcher(nil), pulse: monitor.NewPulse(atNoon), snapshots: time.Nanosecond,
		trims: time.Millisecond, now: atNoon,
	}
	w.receipts = memory.NewReceipts(w.detections)
	w.door = w.newDoor(monitor.DoorLimits{}, monitor.Quota{})
	return w
}

func (w *world) newDoor(lim monitor.DoorLimits, q monitor.Quota) *monitor.Door {
	return monitor.NewDoor(monitor.DoorConfig{
		Stream: w.stream, Receipts: w.receipts, Limits: lim, Quota: q, Pulse: w.pulse, Now: w.now, Log: slog.New(slog.DiscardHandler),
	})
}

func (w *world) pipeline(chunk int) *monitor.Pipeline {
	return monitor.NewPipeline(monitor.PipelineConfig{
		Stream: w.stream, History: w.history, Detections: w.detections, Catalogue: w.catalogue, Matcher: w.matcher, Pulse: w.pulse,
		Log: slog.New(slog.DiscardHandler), Now: w.now, Chunk: chunk, Linger: -1,
		Snapshots: w.snapshots, Trims: w.trims, Pause: time.Millisecond,
	})
}

// start runs a pipeline; stop ends it and waits.
func (w *world) start(chunk int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	p := w.pipeline(chunk)
	go func() { done <- p.Run(ctx) }()
	return func() { cancel(); <-done }
}

// settle waits until both workers are at the end of the stream.
func (w *world) settle(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		st, _ := w.stream.State(context.Background())
		h, err1 := w.history.Cursor(context.Background())
		d, err2 := w.detections.Cursor(context.Background())
		if err1 == nil && err2 == nil && h == st.Last && d == st.Last {
			return
		}
	}
	t.Fatal("the pipeline does not reach the end of the stream")
}

func (w *world) send(t testing.TB, m sector.MemberID, key, text string) monitor.Answer {
	t.Helper()
	a, err := w.door.Accept(context.Background(), m, key, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func conn(at time.Time, dest string) string {
	return fmt.Sprintf(`{"_path":"conn","ts":%d.5,"uid":"C1","id.orig_h":"10.0.0.5","id.orig_p":50000,"id.resp_h":%q,"id.resp_p":4444,"proto":"tcp"}`, at.Unix(), dest)
}

func powershell(at time.Time, host string) string {
	return fmt.Sprintf(`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Provider":"Microsoft-Windows-Sysmon","@timestamp":%q,"Computer":%q,"Image":"C:\\Windows\\powershell.exe","CommandLine":"powershell -enc AAAA","User":"CORP\\amy"}`,
		at.Format(time.RFC3339Nano), host)
}

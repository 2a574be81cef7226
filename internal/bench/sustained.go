package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/internal/demo"
)

// sustained measures what the door takes when every connection sends its next
// batch as soon as the last is answered, with the shipped rules, and how the
// pipeline behind it keeps up.
func (b *run) sustained(ctx context.Context) error {
	return b.with(ctx, "sustained", nil, func(s *server) error {
		c, err := b.found(ctx, s)
		if err != nil {
			return err
		}
		defer c.close()
		return b.sustain(ctx, c)
	})
}

func (b *run) sustain(ctx context.Context, c *centre) error {
	most, cpu, own := watch(ctx, c.pid), cpuOf(c.pid), ownCPU()
	got, err := demo.Load(ctx, demo.LoadConfig{Doors: c.doors, Duration: b.Duration, Lines: batchLines, Connections: connections})
	if err != nil {
		return err
	}
	own = ownCPU() - own
	ended := time.Now()
	err = c.arrived(ctx, got.Needles[max(len(got.Needles)-2*connections, 0):])
	drain := time.Since(ended)
	cpu = cpuOf(c.pid) - cpu
	f := atMost(most(), 1000, "MB")
	b.report.MemoryMB.Sustain = &f
	rate := float64(got.Accepted) / got.Elapsed.Seconds()
	b.report.SustainedAccept = &SustainedFigures{
		Accepted: atLeast(rate, 20_000, "records/s").against(b.report.Machine.JSON, "json_events_per_second"),
		Records:  got.Accepted, Failed: got.Failed, Answers: spreadOf(got.Answers), DrainS: round(drain.Seconds()),
		Pipeline:              round(float64(got.Accepted) / (got.Elapsed + drain).Seconds()),
		MicrosecondsPerRecord: perRecord(cpu, got.Accepted), DriverMicroseconds: perRecord(own, got.Accepted),
		DiskBytesPerRecord: round(sizeOf(c.data) / float64(max(got.Accepted, 1))),
	}
	return errors.Join(err, got.Err)
}

// arrived waits until the needles are in the history and among the alerts.
// The pipeline keeps the order, so whatever came before them is there too.
func (c *centre) arrived(ctx context.Context, needles []demo.Needle) error {
	for _, n := range needles {
		for _, path := range []string{"/api/v1/events?limit=1&q=host%3A", "/api/v1/alerts?limit=1&q="} {
			err := until(ctx, 10*time.Minute, 20*time.Millisecond, func() (bool, error) {
				body, err := c.analyst.get(ctx, path+n.Marker)
				return bytes.Contains(body, []byte(n.Marker)), err
			})
			if err != nil {
				return fmt.Errorf("record %s: %w", n.Marker, err)
			}
		}
	}
	return nil
}

// behindGauge counts batches that a worker of the pipeline has not done; the
// server sets it every gaugeEvery.
const (
	behindGauge = "aspis_pipeline_behind"
	gaugeEvery  = 2100 * time.Millisecond
)

// drained waits until the pipeline has worked on everything accepted so far.
func (s *server) drained(ctx context.Context) error {
	if err := pause(ctx, gaugeEvery); err != nil {
		return err
	}
	return until(ctx, time.Hour, 100*time.Millisecond, func() (bool, error) {
		n, err := s.metric(ctx, behindGauge, "")
		return n == 0, err
	})
}

package bench

import (
	"context"
	"errors"
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
	if err := pause(ctx, gaugeEvery); err != nil { // the gauge must have been set after the load
		return err
	}
	behind, err := c.metric(ctx, behindGauge, "")
	if err == nil {
		err = c.drained(ctx)
	}
	drain := time.Since(ended)
	cpu = cpuOf(c.pid) - cpu
	f := atMost(most(), 1000, "MB")
	b.report.MemoryMB.Sustain = &f
	rate := float64(got.Accepted) / got.Elapsed.Seconds()
	b.report.SustainedAccept = &SustainedFigures{
		Accepted: atLeast(rate, 20_000, "records/s").against(b.report.Machine.JSON, "json_events_per_second"),
		Records:  got.Accepted, Failed: got.Failed, Answers: spreadOf(got.Answers),
		Behind: behind, DrainS: round(drain.Seconds()),
		Pipeline:              round(float64(got.Accepted) / (got.Elapsed + drain).Seconds()),
		MicrosecondsPerRecord: perRecord(cpu, got.Accepted), DriverMicroseconds: perRecord(own, got.Accepted),
		DiskBytesPerRecord: round(sizeOf(c.data) / float64(max(got.Accepted, 1))),
	}
	return errors.Join(err, got.Err)
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

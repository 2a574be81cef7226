package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aspis-platform/aspis/internal/demo"
)

// batchLines and connections are of every load.
const (
	batchLines  = 500
	connections = 4
)

// needleRule is the shipped rule recovery-destroyed, which demo's needles
// fire.
const needleRule = "c2e47b18-0f93-47d6-9e1c-6a8b2d5f4644"

// idle measures the memory of a demonstration: shipped rules, 24 members that
// send what they send on an ordinary day, attacks among it.
func (b *run) idle(ctx context.Context) error {
	return b.with(ctx, "idle", nil, func(s *server) error {
		c, err := b.found(ctx, s)
		if err != nil {
			return err
		}
		defer c.close()
		day, stop := context.WithTimeout(ctx, 30*time.Second)
		defer stop()
		if err := demo.Run(day, demo.RunConfig{Members: demo.Members(members), Doors: c.doors, Log: b.Log}); err != nil {
			return err
		}
		f := atMost(memoryOf(s.pid).now, 250, "MB")
		b.report.MemoryMB.Idle = &f
		return ctx.Err()
	})
}

// alert measures the way from the door to an alert and from a release to
// another member, with all rules and indicators.
func (b *run) alert(ctx context.Context) error {
	rules, from, err := b.ruleSet()
	if err != nil {
		return err
	}
	b.report.Setting.Rules, b.report.Setting.RulesFrom = b.RuleCount, from
	return b.with(ctx, "alert", []string{"--rules", rules}, func(s *server) error {
		c, err := b.found(ctx, s)
		if err != nil {
			return err
		}
		defer c.close()
		if err := c.arm(ctx, b.Indicators); err != nil {
			return err
		}
		if err := b.noteSetting(ctx, c); err != nil {
			return err
		}
		if err := b.alertTimes(ctx, c); err != nil {
			return err
		}
		return b.releaseTimes(ctx, c)
	})
}

func (b *run) noteSetting(ctx context.Context, c *centre) error {
	rules, err1 := c.metric(ctx, "aspis_rules_loaded", "")
	indicators, err2 := c.metric(ctx, "aspis_indicators_loaded", "")
	b.report.Setting.RulesLoaded, b.report.Setting.Indicators = int(rules), int(indicators)
	return errors.Join(err1, err2)
}

func (b *run) alertTimes(ctx context.Context, c *centre) error {
	// What arming left to do, mails and retro-hunts, is not the load's.
	if err := c.settled(ctx); err != nil {
		return err
	}
	warm, err := demo.Load(ctx, demo.LoadConfig{Doors: c.doors, Rate: b.Rate, Duration: 5 * time.Second, Lines: batchLines, Connections: connections, NeedleEvery: -1})
	if err != nil || warm.Err != nil {
		return errors.Join(err, warm.Err)
	}
	look := &lookout{centre: c, seen: map[string]time.Time{}}
	stop := look.begin(ctx)
	most, cpu := watch(ctx, c.pid), cpuOf(c.pid)
	got, err := demo.Load(ctx, demo.LoadConfig{Doors: c.doors, Rate: b.Rate, Duration: b.Duration, Lines: batchLines, Connections: connections})
	cpu = cpuOf(c.pid) - cpu
	if err = errors.Join(err, got.Err); err == nil {
		err = look.await(ctx, got.Needles)
	}
	load := atMost(most(), 1000, "MB")
	err = errors.Join(err, stop())
	peak := Figure{Value: round(memoryOf(c.pid).most), Unit: "MB"}
	b.report.MemoryMB.Load, b.report.MemoryMB.Peak = &load, &peak
	times, missing := look.times(got.Needles)
	f := &AlertFigures{
		Times: spreadOf(times), Missing: missing, Rate: round(float64(got.Accepted) / got.Elapsed.Seconds()),
		LateMS: round(ms(got.Late)), Answers: spreadOf(got.Answers), PollMS: look.pace(),
		MicrosecondsPerRecord: perRecord(cpu, got.Accepted),
	}
	f.P99 = atMost(f.Times.P99, 1000, "ms")
	if missing > 0 {
		no := false
		f.P99.Met = &no
	}
	b.report.AcceptedToAlert = f
	return err
}

// lookout looks at the alerts as an analyst's program would, again and again.
type lookout struct {
	*centre
	mu    sync.Mutex
	seen  map[string]time.Time // needle's marker → when an answer showed it
	looks int
	began time.Time
	ended time.Time
}

// lookEvery is the pause between two looks.
const lookEvery = 20 * time.Millisecond

// begin looks until the returned function is called.
func (l *lookout) begin(ctx context.Context) func() error {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	l.began = time.Now()
	go func() {
		for {
			err := l.look(ctx)
			if ctx.Err() != nil {
				err = nil
			}
			if err != nil || pause(ctx, lookEvery) != nil {
				l.ended = time.Now()
				done <- err
				return
			}
		}
	}()
	return func() error {
		cancel()
		return <-done
	}
}

func (l *lookout) look(ctx context.Context) error {
	body, err := l.analyst.get(ctx, "/api/v1/alerts?limit=100&sort=raised&rule="+needleRule)
	at := time.Now()
	if err != nil {
		return err
	}
	var page struct {
		Alerts []struct {
			Group []struct{ Name, Value string }
		}
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks++
	for _, a := range page.Alerts {
		for _, g := range a.Group {
			marker := strings.ToLower(g.Value)
			if _, ok := l.seen[marker]; !ok {
				l.seen[marker] = at
			}
		}
	}
	return nil
}

// await waits until all needles are seen; those that never are count as
// missing, not as a failure.
func (l *lookout) await(ctx context.Context, needles []demo.Needle) error {
	err := until(ctx, time.Minute, 100*time.Millisecond, func() (bool, error) {
		_, missing := l.times(needles)
		return missing == 0, nil
	})
	if errors.Is(err, errPatience) {
		return nil
	}
	return err
}

// times is how long each needle took from its acceptance to the answer that
// showed it.
func (l *lookout) times(needles []demo.Needle) (times []time.Duration, missing int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range needles {
		at, ok := l.seen[n.Marker]
		if !ok {
			missing++
			continue
		}
		times = append(times, max(at.Sub(n.Accepted), 0))
	}
	return times, missing
}

func (l *lookout) pace() float64 {
	if l.looks == 0 {
		return 0
	}
	return round(ms(l.ended.Sub(l.began)) / float64(l.looks))
}

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aspis-platform/aspis/internal/demo"
)

// history fills a folder with events, alerts and advisories through the doors
// that members and analysts use, then measures a start on it and its pages.
// All events are of the last minutes, so each look-up's span holds them all.
// A folder that an earlier run with the same Folder filled is used as it is.
func (b *run) history(ctx context.Context) error {
	own, err := b.filled()
	if err != nil {
		err = b.with(ctx, "history", nil, func(s *server) error {
			c, err := b.found(ctx, s)
			if err != nil {
				return err
			}
			defer c.close()
			own = c.secrets
			return b.fill(ctx, c)
		})
	}
	if err != nil {
		return err
	}
	return b.with(ctx, "history", nil, func(s *server) error {
		b.report.StartSeconds = &StartFigures{
			Ready: atMost(s.ready.Seconds(), 3, "s"), Events: b.Events, DiskMB: round(sizeOf(s.data) / 1e6)}
		c, err := s.as(ctx, own)
		if err != nil {
			return err
		}
		defer c.close()
		return b.pages(ctx, c)
	})
}

// secretsFile holds the secrets of a folder that is filled.
func (b *run) secretsFile() string { return b.at(fmt.Sprintf("history-%d.json", b.Events)) }

func (b *run) filled() (own secrets, err error) {
	raw, err := os.ReadFile(b.secretsFile())
	if err == nil {
		err = json.Unmarshal(raw, &own)
	}
	return own, err
}

func (b *run) keep(own secrets) error {
	raw, err := json.Marshal(own)
	if err != nil {
		return err
	}
	return os.WriteFile(b.secretsFile(), raw, 0o600)
}

func (b *run) fill(ctx context.Context, c *centre) error {
	if err := c.arm(ctx, 40*50); err != nil {
		return err
	}
	for i := range 60 {
		id, err := c.advise(ctx, fmt.Sprintf("page %d", i), []string{fmt.Sprintf("page-%d.example.net", i)})
		if err != nil {
			return err
		}
		form, err := c.ripe(ctx, id)
		if err == nil && i%6 > 0 { // the others stay drafts
			err = c.release(ctx, id, form)
		}
		if err != nil {
			return err
		}
	}
	if err := b.raise(ctx, c); err != nil {
		return err
	}
	for sent := int64(b.Alerts); sent < b.Events; {
		got, err := demo.Load(ctx, demo.LoadConfig{Doors: c.doors, Duration: 20 * time.Second, Lines: batchLines, Connections: connections, NeedleEvery: -1})
		if err = errors.Join(err, got.Err); err != nil {
			return err
		}
		sent += got.Accepted
		b.Log.InfoContext(ctx, "filling", slog.Int64("events", sent), slog.Int64("of", b.Events))
		if err := c.drained(ctx); err != nil {
			return err
		}
	}
	return b.keep(c.secrets)
}

// raise raises alerts, each about a host of its own.
func (b *run) raise(ctx context.Context, c *centre) error {
	var lines []byte
	for i := range b.Alerts {
		lines = append(append(lines, demo.RecoveryNeedle(fmt.Sprintf("host-%06d.bench.example", i), time.Now())...), '\n')
		if (i+1)%batchLines != 0 && i+1 < b.Alerts {
			continue
		}
		if _, err := c.doors[i/batchLines%len(c.doors)].Post(ctx, fmt.Sprintf("alerts-%d", i), lines); err != nil {
			return err
		}
		lines = lines[:0]
	}
	return c.drained(ctx)
}

// page is something a person or a program asks for.
type page struct {
	by   *browser
	path string
}

// pages measures each page as its reader gets it, over loopback.
func (b *run) pages(ctx context.Context, c *centre) error {
	alert, event, advisory, err := c.some(ctx)
	if err != nil {
		return err
	}
	f := &PageFigures{Events: b.Events, Alerts: b.Alerts}
	if f.Pages, err = b.timeAll(ctx, map[string]page{
		"home": {c.analyst, "/"}, "pulse": {c.analyst, "/pulse"}, "alerts": {c.analyst, "/alerts"}, "alert": {c.analyst, "/alerts/" + alert},
		"alerts_search": {c.analyst, "/alerts?q=host-00"},
		"events":        {c.analyst, "/events"}, "event": {c.analyst, "/events/" + event},
		"events_field": {c.analyst, "/events?q=host%3Ahost-000100.bench.example"},
		"advisories":   {c.analyst, "/advisories"}, "advisory": {c.analyst, "/advisories/" + advisory},
		"inbox": {c.member, "/inbox"}, "member_alerts": {c.member, "/alerts"}, "member_events": {c.member, "/events"},
		"api_alerts": {c.analyst, "/api/v1/alerts"}, "api_events_histogram": {c.analyst, "/api/v1/events?histogram=60"},
	}, b.Requests); err != nil {
		return err
	}
	// What is looked for is in no record, so all are gone through.
	if f.Searches, err = b.timeAll(ctx, map[string]page{
		"events_text": {c.analyst, "/events?q=nowhere-to-be-found"}, "api_events_text": {c.analyst, "/api/v1/events?q=nowhere-to-be-found"},
	}, min(b.Requests, 5)); err != nil {
		return err
	}
	slowest := 0.0
	for _, s := range f.Pages {
		slowest = max(slowest, s.P95)
	}
	f.P95 = atMost(slowest, 100, "ms")
	b.report.PageMS = f
	m := Figure{Value: round(memoryOf(c.pid).now), Unit: "MB"}
	b.report.MemoryMB.History = &m
	return nil
}

// timeAll asks for each page n times; one time before, which fills what is
// kept in memory, does not count.
func (b *run) timeAll(ctx context.Context, all map[string]page, n int) (map[string]Spread, error) {
	out := map[string]Spread{}
	for name, p := range all {
		var times []time.Duration
		for i := range n + 1 {
			began := time.Now()
			if _, err := p.by.get(ctx, p.path); err != nil {
				return nil, err
			}
			if i > 0 {
				times = append(times, time.Since(began))
			}
		}
		out[name] = spreadOf(times)
	}
	return out, nil
}

// some finds an alert, an event and a released advisory to look at.
func (c *centre) some(ctx context.Context) (alert, event, advisory string, err error) {
	first := func(path, list string) string {
		body, gerr := c.analyst.get(ctx, path)
		var page map[string]json.RawMessage
		var items []struct{ ID string }
		if gerr = errors.Join(gerr, json.Unmarshal(body, &page)); gerr == nil {
			gerr = json.Unmarshal(page[list], &items)
		}
		if gerr == nil && len(items) == 0 {
			gerr = fmt.Errorf("GET %s: nothing there", path)
		}
		if err = errors.Join(err, gerr); gerr != nil {
			return ""
		}
		return items[0].ID
	}
	return first("/api/v1/alerts?limit=1&rule="+needleRule, "alerts"), first("/api/v1/events?limit=1", "events"),
		first("/api/v1/advisories?limit=1", "advisories"), err
}

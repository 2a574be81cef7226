package bench

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/taxii"
)

// releaseTimes measures from the analyst's button to a TAXII answer of
// another member, one release at a time.
func (b *run) releaseTimes(ctx context.Context, c *centre) error {
	client, err := taxii.NewClient(taxii.ClientConfig{BaseURL: c.url, Credentials: taxii.Credentials{Token: c.Keys[1]}})
	if err != nil {
		return err
	}
	defer client.Close()
	var times []time.Duration
	for i := range b.Releases {
		took, err := c.releaseToTAXII(ctx, client, i)
		if err != nil {
			return fmt.Errorf("release %d: %w", i, err)
		}
		times = append(times, took)
	}
	f := &ReleaseFigures{Times: spreadOf(times)}
	f.Max = atMost(f.Times.Max, 1000, "ms")
	b.report.ReleasedToTAXII = f
	return nil
}

func (c *centre) releaseToTAXII(ctx context.Context, client *taxii.Client, i int) (time.Duration, error) {
	domain := fmt.Sprintf("timed-%d-%d.example.net", time.Now().UnixNano(), i)
	id, err := c.advise(ctx, fmt.Sprintf("release %d", i), []string{domain})
	if err != nil {
		return 0, err
	}
	form, err := c.ripe(ctx, id)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := c.release(ctx, id, form); err != nil {
		return 0, err
	}
	// A second before: the filter is about the centre's clock, which is ours.
	poll := taxii.Poll{Filter: taxii.Filter{AddedAfter: began.Add(-time.Second), Types: []string{"indicator"}}}
	err = until(ctx, time.Minute, 2*time.Millisecond, func() (bool, error) {
		batch, err := client.Objects(ctx, "/taxii2/sector/", "indicators", poll)
		if err != nil {
			return false, err
		}
		for _, o := range batch.Objects {
			if bytes.Contains(o, []byte(domain)) {
				return true, nil
			}
		}
		return false, nil
	})
	return time.Since(began), err
}

package monitortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/monitor"
)

func historyBudget(t *testing.T, s *historySuite) {
	s.add(t, NewRecord("a", 0, "x"))
	q := monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Limit: 1}
	late, cancel := context.WithDeadline(s.ctx, time.Now().Add(-time.Second))
	defer cancel()
	page, err := s.Search(late, Everyone(), q)
	if err != nil || page.Searched.IsZero() || page.Searched.Before(q.From) || len(page.Records) != 0 {
		t.Errorf("Search without time: %+v, %v; want Searched and no error", page, err)
	}
	q.To = page.Searched // what the contract says: go on from there
	if got := s.search(t, Everyone(), q); len(got) != 1 {
		t.Errorf("going on found %d records", len(got))
	}
	gone, leave := context.WithCancel(s.ctx)
	leave()
	if _, err := s.Search(gone, Everyone(), q); !errors.Is(err, context.Canceled) {
		t.Errorf("Search for somebody who left: %v", err)
	}
}

// historyGoOn searches a text with too little time and goes on from Searched:
// every record turns up once, in order.
func historyGoOn(t *testing.T, s *historySuite) {
	const batches, each = 40, 500
	filler := strings.Repeat("filler ", 100)
	for b := range batches {
		var batch []monitor.Record
		for i := range each {
			raw := fmt.Sprint(filler, b*each+i)
			if i%50 == 0 {
				raw += " Needle"
			}
			batch = append(batch, NewRecord("a", time.Duration((b*each+i)/3)*time.Millisecond, raw))
		}
		s.add(t, batch...)
	}
	q := monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Text: "needle", Limit: 500}
	budget, parts := 4*time.Millisecond, 0
	var got []monitor.Record
	for {
		ctx, cancel := context.WithTimeout(s.ctx, budget)
		page, err := s.Search(ctx, Everyone(), q)
		cancel()
		if err != nil || page.More {
			t.Fatalf("Search: more %v, %v", page.More, err)
		}
		got = append(got, page.Records...)
		if page.Searched.IsZero() {
			break
		}
		if parts++; !page.Searched.Before(q.To) {
			budget *= 2
		}
		q.To = page.Searched
	}
	t.Logf("%d parts, the last with %v", parts+1, budget)
	if len(got) != batches*each/50 || !slices.IsSortedFunc(got, newestFirst) {
		t.Errorf("%d records in %d parts, want %d, newest first", len(got), parts+1, batches*each/50)
	}
}

func historyConcurrent(t *testing.T, s *historySuite) {
	s.add(t, NewRecord("a", 0, "first"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			last := 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				page, err := s.Search(s.ctx, Everyone(), monitor.Query{From: Epoch(), To: Epoch().Add(time.Hour), Limit: 500})
				if err != nil || len(page.Records) < last {
					t.Errorf("Search beside Append: %d records after %d, %v", len(page.Records), last, err)
					return
				}
				last = len(page.Records)
			}
		})
	}
	for i := range 50 {
		s.add(t, NewRecord("a", time.Duration(i)*time.Second, "more"), NewRecord("a", 0, "more"))
	}
	close(stop)
	wg.Wait()
}

package monitortest

import (
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/sector"
)

func historyHistogram(t *testing.T, s *historySuite) {
	var batch []monitor.Record
	for i := range 100 {
		batch = append(batch, NewRecord(sector.MemberID([]string{"a", "b"}[i%2]), time.Duration(i)*time.Second, "x"))
	}
	for _, us := range []int{23_333_333, 23_333_334, 46_666_666, 46_666_667} { // about the thirds
		batch = append(batch, NewRecord("b", time.Duration(us)*time.Microsecond, "x"))
	}
	s.add(t, batch...)
	for _, n := range []int{1, 3, 7, 10, 100} {
		q := monitor.Query{From: Epoch(), To: Epoch().Add(70 * time.Second), Member: "b"}
		got, err := s.Histogram(s.ctx, Everyone(), q, n)
		if err != nil || len(got) != n {
			t.Fatalf("%d buckets: %d, %v", n, len(got), err)
		}
		for i, b := range got {
			end := q.To
			if i+1 < n {
				end = got[i+1].From
			}
			want := int64(0)
			for _, r := range batch {
				if r.Member == "b" && !r.At.Before(b.From) && r.At.Before(end) {
					want++
				}
			}
			if b.Count != want {
				t.Errorf("%d buckets: bucket %d from %v has %d, want %d", n, i, b.From, b.Count, want)
			}
		}
		if !got[0].From.Equal(q.From) {
			t.Errorf("first bucket is from %v", got[0].From)
		}
	}
}

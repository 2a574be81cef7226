package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestKillNine kills the server under load, again and again, and then counts.
func TestKillNine(t *testing.T) {
	checkGoroutines(t)
	kills := 3
	if long() {
		kills = 10
	}
	data := filepath.Join(t.TempDir(), "data")
	var members institutions
	members.found(t, data, 4)
	newPerson(t, data, analystMail, "analyst")
	server := serve(t, data)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	senders, wait := startSenders(ctx, t, server.url, &members)
	for n := range kills {
		time.Sleep(700*time.Millisecond + rand.N(time.Second))
		server.kill()
		began := time.Now()
		server = serveAt(t, data, strings.TrimPrefix(server.url, "http://"))
		t.Logf("ready %v after kill %d", time.Since(began).Round(time.Millisecond), n+1)
	}
	time.Sleep(500 * time.Millisecond)
	cancel()
	wait()
	y := newTally()
	for _, s := range senders {
		s.add(y)
	}
	t.Logf("%d records acknowledged, %d without an answer, %d needles", len(y.acknowledged), len(y.unanswered), len(y.needles))
	if len(y.acknowledged) < 1000*kills || len(y.unanswered) == 0 {
		t.Errorf("that was no load that a kill could have hurt: %d acknowledged, %d without an answer", len(y.acknowledged), len(y.unanswered))
	}
	settle(t, server, &members)
	readHistory(t, server, &members, y)
	readAlerts(t, server, y)
	complaints := y.complaints()
	for i, c := range complaints {
		if i == 20 {
			t.Errorf("… and %d more", len(complaints)-i)
			break
		}
		t.Error(c)
	}
	server.stop()
}

// loadSender sends one member's batches, one after another.
type loadSender struct {
	*caller
	name    string
	patient bool // sends a batch again until it is answered
	began   time.Time

	acknowledged, unanswered []string
	needles                  map[string]string
	wrong                    error
}

// startSenders starts two senders for each member, a patient one and one that
// goes on without waiting for answers. wait returns when all have ended.
func startSenders(ctx context.Context, t *testing.T, base string, members *institutions) ([]*loadSender, func()) {
	t.Helper()
	var all sync.WaitGroup
	var senders []*loadSender
	for i, m := range members.all {
		for _, patient := range []bool{true, false} {
			s := &loadSender{caller: machine(t, base, members.keys[m.ID]), name: fmt.Sprintf("m%d-%t", i, patient),
				patient: patient, began: time.Now(), needles: map[string]string{}}
			senders = append(senders, s)
			all.Go(func() { s.run(ctx) })
		}
	}
	return senders, func() {
		all.Wait()
		for _, s := range senders {
			if s.wrong != nil {
				t.Errorf("sender %s: %v", s.name, s.wrong)
			}
		}
	}
}

const batchRecords = 100

func (s *loadSender) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil && s.wrong == nil; n++ {
		body, markers := s.batch(n)
		if s.deliver(ctx, n, body) {
			s.acknowledged = append(s.acknowledged, markers...)
		} else {
			s.unanswered = append(s.unanswered, markers...)
		}
	}
}

// batch makes records with markers that are nowhere else. Each has a needle;
// the needles of three batches are on one host, and so in one alert.
func (s *loadSender) batch(n int) (body []byte, markers []string) {
	var b bytes.Buffer
	stamp := s.began.UTC().Format(time.RFC3339Nano)
	for i := range batchRecords - 1 {
		marker := fmt.Sprintf("%s-%d-%d", s.name, n, i)
		markers = append(markers, marker)
		fmt.Fprintf(&b, `{"@timestamp":%q,"marker":%q,"message":"load","src_ip":"10.0.0.%d","synthetic":true}`+"\n", stamp, marker, i)
	}
	host := fmt.Sprintf("needle-%s-%d", s.name, n/3)
	marker := fmt.Sprintf("%s-%d-needle", s.name, n)
	line := strings.Replace(needle(host, s.began), "{", fmt.Sprintf(`{"marker":%q,`, marker), 1)
	b.WriteString(line)
	s.needles[marker] = host
	return b.Bytes(), append(markers, marker)
}

// deliver sends a batch and tells whether the door acknowledged it. Every
// other batch has no key, so that the door knows it by its bytes.
func (s *loadSender) deliver(ctx context.Context, n int, body []byte) bool {
	var header []string
	if n%2 == 0 {
		header = []string{"Idempotency-Key", fmt.Sprintf("%s-%d", s.name, n)}
	}
	for attempt := 0; ctx.Err() == nil; attempt++ {
		got, err := s.try(ctx, http.MethodPost, "/api/v1/records", bytes.NewReader(body), header...)
		if err == nil && got.status == http.StatusOK {
			return s.told(got, attempt)
		}
		if err == nil && got.status < 500 {
			s.wrong = fmt.Errorf("batch %d: %d %s", n, got.status, got.body)
			return false
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
		if !s.patient && attempt == 0 {
			return false
		}
	}
	return false
}

// told checks the door's answer: everything is there, by this request or by
// an earlier one.
func (s *loadSender) told(got answer, attempt int) bool {
	var a struct {
		Accepted, Duplicate int
		Rejected            []any
	}
	err := json.Unmarshal([]byte(got.body), &a)
	if err != nil || a.Accepted+a.Duplicate != batchRecords || len(a.Rejected) > 0 || attempt == 0 && a.Duplicate > 0 {
		s.wrong = fmt.Errorf("attempt %d was answered %s (%w)", attempt, got.body, err)
	}
	return true
}

func (s *loadSender) add(y *tally) {
	for _, m := range s.acknowledged {
		y.acknowledged[m] = true
	}
	for _, m := range s.unanswered {
		y.unanswered[m] = true
	}
	for m, host := range s.needles {
		y.needles[m] = host
	}
}

// settle sends a last needle as each member and waits for its alert: what was
// accepted before it has then gone the whole way.
func settle(t *testing.T, server *process, members *institutions) {
	t.Helper()
	for i, m := range members.all {
		c := machine(t, server.url, members.keys[m.ID])
		host := fmt.Sprintf("settled-%d-%d", i, time.Now().UnixNano())
		if got := c.do(http.MethodPost, "/api/v1/records", []byte(needle(host, time.Now()))); got.status != http.StatusOK {
			t.Fatalf("last record of %s: %d %s", m.ID, got.status, got.body)
		}
		eventually(t, 2*time.Minute, func() string {
			if len(c.alerts("rule="+needleRule+"&q="+host)) == 0 {
				return "the last record of " + string(m.ID) + " raised no alert"
			}
			return ""
		})
		eventually(t, 2*time.Minute, func() string {
			if len(c.events("host:"+host).Events) == 0 {
				return "the last record of " + string(m.ID) + " is not in the history"
			}
			return ""
		})
	}
}

// events is a page of the look-up.
type events struct {
	Events []struct{ ID, Member, Raw string }
	Next   string
}

func (c *caller) events(query string, more ...string) events {
	c.t.Helper()
	var page events
	c.read("/api/v1/events?limit=500&q="+url.QueryEscape(query)+strings.Join(more, ""), &page)
	return page
}

// readHistory counts the markers of every member's records, as the member
// reads them.
func readHistory(t *testing.T, server *process, members *institutions, y *tally) {
	t.Helper()
	find := regexp.MustCompile(`"marker":"([^"]+)"`)
	for _, m := range members.all {
		c := machine(t, server.url, members.keys[m.ID])
		span := "&from=2026-01-01T00:00:00Z&to=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		seen := map[string]bool{}
		for after := ""; ; {
			page := c.events("", span, "&after=", url.QueryEscape(after))
			for _, e := range page.Events {
				if e.Member != string(m.ID) {
					t.Fatalf("%s reads a record of %s", m.ID, e.Member)
				}
				if seen[e.ID] {
					t.Fatalf("paging gives record %s twice", e.ID)
				}
				seen[e.ID] = true
				if marker := find.FindStringSubmatch(e.Raw); marker != nil {
					y.history[marker[1]]++
				}
			}
			if after = page.Next; after == "" {
				break
			}
		}
	}
}

func readAlerts(t *testing.T, server *process, y *tally) {
	t.Helper()
	for _, a := range person(t, server.url, analystMail, password).alerts("rule=" + needleRule) {
		for _, pair := range a.Group {
			if pair.Name == "host" && strings.HasPrefix(pair.Value, "needle-") {
				y.alerts[pair.Value] = append(y.alerts[pair.Value], a.Count)
			}
		}
	}
}

package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func writeLines(t *testing.T, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"n\":%d}\n", i)
		if i%7 == 3 {
			b.WriteString("\n")
		}
	}
	path := filepath.Join(t.TempDir(), "records.json")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantOnce(t *testing.T, d *door, n int) {
	t.Helper()
	want := map[string]int{}
	for i := range n {
		want[fmt.Sprintf("{\"n\":%d}", i)] = 1
	}
	if diff := cmp.Diff(want, d.times()); diff != "" {
		t.Errorf("what the door stored, and how often (-want +got):\n%s", diff)
	}
}

// Every fault strikes every third request; each line arrives exactly once.
func TestEveryLineOnceWhateverFails(t *testing.T) {
	faults := []fault{
		none, overQuota, diskFull, busy, failedBefore, failedAfter, hangs, hangsAfter,
		cutAnswer, wrongAnswer, emptyAnswer, dropped, droppedAfter,
	}
	for _, f := range faults {
		t.Run(string(f), func(t *testing.T) {
			d := newDoor(t, func(n int, _ [][]byte) fault {
				if n%3 == 0 {
					return f
				}
				return none
			})
			c := d.client(t, nil)
			got, err := c.SendFile(t.Context(), writeLines(t, 95), Options{})
			if err != nil {
				t.Fatal(err)
			}
			wantOnce(t, d, 95)
			if got.Accepted+got.Duplicate != 95 || got.Rejected != 0 {
				t.Errorf("progress = %+v, want 95 accepted or duplicate", got)
			}
			if f != none && c.Retries() == 0 {
				t.Error("nothing was repeated: the fault did not strike")
			}
		})
	}
}

// A run is stopped at any request, several times over; the runs together
// deliver every line once.
func TestResumesWhereItStopped(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lines := rapid.IntRange(1, 120).Draw(rt, "lines")
		stops := rapid.SliceOfN(rapid.IntRange(0, 6), 0, 4).Draw(rt, "stops")
		lost := rapid.Bool().Draw(rt, "progress file lost")
		path := writeLines(t, lines)
		var stopAt int
		var stop context.CancelFunc
		d := newDoor(t, func(n int, _ [][]byte) fault {
			if n == stopAt {
				stop()
				return failedAfter
			}
			return none
		})
		for i, after := range stops {
			ctx, cancel := context.WithCancel(t.Context())
			d.mu.Lock()
			stopAt, stop = d.n+after, cancel
			d.mu.Unlock()
			_, err := d.client(t, nil).SendFile(ctx, path, Options{})
			cancel()
			if err != nil && !errors.Is(err, context.Canceled) {
				rt.Fatal(err)
			}
			if i == 0 && lost {
				if err := os.Remove(path + StateSuffix); err != nil {
					rt.Fatal(err)
				}
			}
		}
		d.mu.Lock()
		stopAt = -1
		d.mu.Unlock()
		got, err := d.client(t, nil).SendFile(t.Context(), path, Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if got.Accepted+got.Duplicate != int64(lines) {
			rt.Errorf("progress = %+v, want %d in total", got, lines)
		}
		wantOnce(t, d, lines)
	})
}

func TestDoneFileIsNotSentAgain(t *testing.T) {
	d := newDoor(t, func(int, [][]byte) fault { return none })
	path := writeLines(t, 30)
	opt := Options{}
	for range 2 {
		if _, err := d.client(t, nil).SendFile(t.Context(), path, opt); err != nil {
			t.Fatal(err)
		}
	}
	if d.n != 3 {
		t.Errorf("%d requests, want 3: the second run sends nothing", d.n)
	}
	opt.Again = true
	got, err := d.client(t, nil).SendFile(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	if got.Duplicate != 30 || d.n != 6 {
		t.Errorf("again: %+v after %d requests, want 30 duplicates after 6", got, d.n)
	}
}

func TestGrownFileGoesOn(t *testing.T) {
	d := newDoor(t, func(int, [][]byte) fault { return none })
	path := writeLines(t, 23)
	opt := Options{StateDir: t.TempDir()}
	if _, err := d.client(t, nil).SendFile(t.Context(), path, opt); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "{\"n\":23}\n{\"n\":24}\n")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.client(t, nil).SendFile(t.Context(), path, opt); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, d, 25)
}

func TestReplacedFileStartsOver(t *testing.T) {
	d := newDoor(t, func(int, [][]byte) fault { return none })
	path := writeLines(t, 23)
	opt := Options{}
	if _, err := d.client(t, nil).SendFile(t.Context(), path, opt); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{\"other\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := d.client(t, nil).SendFile(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	if got.Accepted != 1 || d.times()[`{"other":1}`] != 1 {
		t.Errorf("progress = %+v, stored %v; want the new file's line", got, d.times())
	}
}

func TestRejectedLinesAreNamedByTheirPlaceInTheFile(t *testing.T) {
	d := newDoor(t, func(int, [][]byte) fault { return rejectsSecond })
	var got []Rejected
	opt := Options{Rejected: func(r Rejected) { got = append(got, r) }}
	path := writeLines(t, 15)
	p, err := d.client(t, func(cfg *Config) { cfg.Language = "zh-Hant" }).SendFile(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	// Lines 5 and 13 of the file are blank, so the twelfth record is on line 14.
	const text = "不是完整的 JSON zh-Hant"
	want := []Rejected{{File: path, Line: 2, Reason: "bad_json", Text: text}, {File: path, Line: 14, Reason: "bad_json", Text: text}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
	if p.Accepted != 13 || p.Rejected != 2 {
		t.Errorf("progress = %+v, want 13 accepted, 2 rejected", p)
	}
}

func TestTooLargeBatchIsSplit(t *testing.T) {
	d := newDoor(t, func(_ int, lines [][]byte) fault {
		if bytes.Contains(bytes.Join(lines, nil), []byte(`{"n":4}`)) {
			return tooLarge
		}
		return none
	})
	var got []Rejected
	opt := Options{Rejected: func(r Rejected) { got = append(got, r) }}
	path := writeLines(t, 20)
	p, err := d.client(t, nil).SendFile(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Rejected{{File: path, Line: 6, Reason: ReasonTooLarge}}, got); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
	if p.Accepted != 19 || len(d.times()) != 19 {
		t.Errorf("progress = %+v, stored %d; want 19", p, len(d.times()))
	}
}

func TestRefusedForGood(t *testing.T) {
	for f, want := range map[fault]string{
		unauthorised: "401 Unauthorized: unknown key",
		redirected:   "302 Found: redirects to /elsewhere",
	} {
		t.Run(string(f), func(t *testing.T) {
			d := newDoor(t, func(int, [][]byte) fault { return f })
			c := d.client(t, nil)
			_, err := c.SendFile(t.Context(), writeLines(t, 5), Options{})
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
				t.Errorf("error = %v, want %q", err, want)
			}
			if c.Retries() != 0 {
				t.Errorf("%d repetitions of what cannot succeed", c.Retries())
			}
		})
	}
}

func TestGivesUpInTheEnd(t *testing.T) {
	d := newDoor(t, func(int, [][]byte) fault { return failedBefore })
	c := d.client(t, func(cfg *Config) { cfg.Backoff.GiveUp = 50 * time.Millisecond })
	_, err := c.SendFile(t.Context(), writeLines(t, 5), Options{})
	if err == nil || !strings.Contains(err.Error(), "gave up after") {
		t.Errorf("error = %v, want that it gave up", err)
	}
}

func TestUnreadableStateFileIsAReasonToStop(t *testing.T) {
	d := newDoor(t, func(int, [][]byte) fault { return none })
	opt := Options{StateDir: filepath.Join(t.TempDir(), "missing")}
	_, err := d.client(t, nil).SendFile(t.Context(), writeLines(t, 5), opt)
	if err == nil || d.n != 0 {
		t.Errorf("error = %v after %d requests, want one before anything is sent", err, d.n)
	}
}

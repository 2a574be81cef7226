package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// recordings writes files of n records each, a second apart, of the year 2020.
func recordings(t *testing.T, files, n int) string {
	t.Helper()
	dir := t.TempDir()
	for f := range files {
		var b bytes.Buffer
		for i := range n {
			at := time.Date(2020, 9, 20, 10, f, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
			fmt.Fprintf(&b, `{"@timestamp":%q,"file":%d,"n":%d}`+"\n", at.Format(time.RFC3339), f, i)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("set-%d.json", f)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReplayPlaysEachSetAsOneMembersNow(t *testing.T) {
	dir := recordings(t, 5, 120)
	synctest.Test(t, func(t *testing.T) {
		fakes, doors := fakeDoors(3)
		began := time.Now()
		if err := Replay(t.Context(), ReplayConfig{Paths: []string{dir}, Doors: doors, Rate: 30, Log: quiet()}); err != nil {
			t.Fatal(err)
		}
		total := 0
		for m, f := range fakes {
			total += len(f.lines)
			for i, line := range f.lines {
				if at := timeOf(t, line); at.After(f.at[i]) || f.at[i].Sub(at) > 3*time.Minute {
					t.Fatalf("record of %v sent at %v", at, f.at[i])
				}
				if file := int(line[bytes.Index(line, []byte(`"file":`))+7] - '0'); file%3 != m {
					t.Fatalf("record of file %d came from member %d", file, m)
				}
			}
		}
		if total != 600 {
			t.Errorf("%d records, want 600", total)
		}
		if took := time.Since(began); took < 19*time.Second || took > 21*time.Second {
			t.Errorf("600 records at 30 a second took %v", took)
		}
	})
}

func TestReplayLoopMovesSetsFromMemberToMember(t *testing.T) {
	dir := recordings(t, 1, 20)
	synctest.Test(t, func(t *testing.T) {
		fakes, doors := fakeDoors(4)
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		if err := Replay(ctx, ReplayConfig{Paths: []string{dir}, Doors: doors, Rate: 10, Loop: true, Log: quiet()}); err != nil {
			t.Fatal(err)
		}
		for m, f := range fakes {
			if len(f.lines) < 10 {
				t.Errorf("member %d sent %d records, want 10 at least", m, len(f.lines))
			}
		}
	})
}

func TestReplayNeedsRecordings(t *testing.T) {
	_, doors := fakeDoors(1)
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if err := Replay(t.Context(), ReplayConfig{Paths: []string{path}, Doors: doors, Log: quiet()}); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

// A folder that holds nothing readable does not make a loop spin.
func TestReplayOfBrokenFilesRests(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "broken.zip"), []byte("no archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		_, doors := fakeDoors(1)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := Replay(ctx, ReplayConfig{Paths: []string{dir}, Doors: doors, Loop: true, Log: quiet()}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestShifter(t *testing.T) {
	now := time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC)
	s := &shifter{now: func() time.Time { return now }}
	record := func(at string) []byte { return []byte(`{"@timestamp":"` + at + `"}`) }
	steps := []struct{ in, want string }{
		{"2020-09-20T10:00:00Z", "2026-01-15T10:00:00Z"}, // the first is now
		{"2020-09-20T09:59:30Z", "2026-01-15T09:59:30Z"}, // earlier stays earlier
		{"2020-09-20T10:00:05Z", "2026-01-15T10:00:00Z"}, // never the future
		{"2020-09-20T10:00:00Z", "2026-01-15T09:59:55Z"}, // and the distance stays
		{"2019-01-01T00:00:00Z", "2026-01-15T10:00:00Z"}, // another recording altogether
	}
	for _, st := range steps {
		if got := timeOf(t, s.move(record(st.in))); got.Format(time.RFC3339) != st.want {
			t.Errorf("%s moved to %s, want %s", st.in, got.Format(time.RFC3339), st.want)
		}
	}
	for _, raw := range []string{`{"no":"time"}`, `{broken`} {
		if got := s.move([]byte(raw)); string(got) != raw {
			t.Errorf("%s became %s", raw, got)
		}
	}
}

// The real event sets, where they are, arrive whole and at the present time.
func TestReplayOfRealSets(t *testing.T) {
	root := os.Getenv("ASPIS_DATA")
	if root == "" {
		t.Skip("skipped: ASPIS_DATA names no folder with the real event sets")
	}
	fakes, doors := fakeDoors(24)
	began := time.Now()
	path := filepath.Join(root, "events", "windows", "credential_access", "empire_powerdump_sam_access.zip")
	err := Replay(t.Context(), ReplayConfig{Paths: []string{path}, Doors: doors, Rate: 1e6, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if len(fakes[0].lines) < 1000 {
		t.Fatalf("%d records, want those of the set", len(fakes[0].lines))
	}
	for _, line := range fakes[0].lines {
		if at := timeOf(t, line); at.After(time.Now()) || began.Sub(at) > maxBehind {
			t.Fatalf("record is of %v", at)
		}
	}
}

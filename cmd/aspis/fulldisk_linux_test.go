package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system that is soon full, which needs root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no small file system to fill (mounting needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fullDisk is a server on a disk that fills up.
type fullDisk struct {
	*testing.T
	institutions
	disk    string
	server  *process
	device  *caller
	analyst *caller
	batches int
	sent    *tally
}

// TestFullDisk fills the disk under a running server: first down to the
// reserve that the server keeps, then to the last byte. New records are
// refused with 507, pages go on, nothing accepted is lost, and once there is
// room it goes on by itself.
func TestFullDisk(t *testing.T) {
	checkGoroutines(t)
	f := &fullDisk{T: t, disk: smallDisk(t, "420m"), sent: newTally()}
	data := filepath.Join(f.disk, "data")
	f.found(t, data, 1)
	newPerson(t, data, analystMail, "analyst")
	f.server = serve(t, data)
	f.device = machine(t, f.server.url, f.keys[f.all[0].ID])
	f.analyst = person(t, f.server.url, analystMail, password)
	for _, tc := range []struct {
		name  string
		leave int64 // room besides the ballast
	}{{"the reserve is left", (256 + 24) << 20}, {"nothing is left", 0}} {
		ballast := fillUp(t, f.disk, tc.leave)
		f.untilFull(tc.name)
		f.pagesGoOn(tc.name)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		f.goesOn(tc.name)
	}
	f.nothingLost("with the same process")
	f.server.stop()
	f.server = serve(t, data)
	f.nothingLost("after a new start")
	f.server.stop()
}

// untilFull sends until the door refuses.
func (f *fullDisk) untilFull(when string) {
	f.Helper()
	for range 400 {
		body, markers := noise(f.batches)
		f.batches++
		got := f.device.do(http.MethodPost, "/api/v1/records", body)
		into := f.sent.acknowledged
		if got.status != http.StatusOK {
			into = f.sent.unanswered
		}
		for _, m := range markers {
			into[m] = true
		}
		switch {
		case got.status == http.StatusOK:
		case got.status == http.StatusInsufficientStorage && strings.Contains(got.body, "door.full"):
			f.Logf("%s: %d records are on the disk; then: %s", when, len(f.sent.acknowledged), got.body)
			return
		default:
			f.Fatalf("%s: a batch is answered %d %s", when, got.status, got.body)
		}
	}
	f.Fatalf("%s: the disk is never full", when)
}

func (f *fullDisk) pagesGoOn(when string) {
	f.Helper()
	for _, path := range []string{"/", "/pulse", "/alerts", "/events", "/advisories", "/admin/health"} {
		if got := f.analyst.get(path); got.status != http.StatusOK {
			f.Errorf("%s: page %s: %d: %s", when, path, got.status, text(got.body))
		}
	}
	for _, path := range []string{"/taxii2/sector/collections/", "/api/v1/advisories", "/api/v1/events", "/healthz", "/readyz"} {
		if got := f.device.get(path); got.status != http.StatusOK {
			f.Errorf("%s: %s: %d %s", when, path, got.status, got.body)
		}
	}
	if log := f.server.out.String(); !strings.Contains(log, "room") && !strings.Contains(log, "full") {
		f.Errorf("%s: the log does not say so:\n%s", when, log)
	}
}

// goesOn expects records to be taken again without anybody's help.
func (f *fullDisk) goesOn(when string) {
	f.Helper()
	marker := fmt.Sprintf("room-again-%d", f.batches)
	eventually(f, time.Minute, func() string {
		got := f.device.do(http.MethodPost, "/api/v1/records", []byte(`{"marker":"`+marker+`"}`))
		if got.status != http.StatusOK {
			return fmt.Sprintf("%s, then there is room again: %d %s", when, got.status, got.body)
		}
		return ""
	})
	f.sent.acknowledged[marker] = true
}

func (f *fullDisk) nothingLost(when string) {
	f.Helper()
	settle(f.T, f.server, &f.institutions)
	y := newTally()
	y.acknowledged, y.unanswered = f.sent.acknowledged, f.sent.unanswered
	readHistory(f.T, f.server, &f.institutions, y)
	for i, c := range y.complaints() {
		if i < 10 {
			f.Errorf("%s: %s", when, c)
		}
	}
}

// fillUp leaves about the room given on a file system.
func fillUp(t *testing.T, disk string, leave int64) string {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(disk, &fs); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(disk, "ballast")
	free := int64(fs.Bavail) * fs.Bsize //nolint:gosec // a small file system
	if err := os.WriteFile(ballast, make([]byte, max(free-leave, 1<<20)), 0o600); err != nil && !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	return ballast
}

// noise is a batch that does not compress.
func noise(n int) (body []byte, markers []string) {
	source := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	junk := make([]byte, 3000)
	var b strings.Builder
	for i := range 100 {
		marker := fmt.Sprintf("noise-%d-%d", n, i)
		_, _ = source.Read(junk) // never fails
		fmt.Fprintf(&b, `{"marker":%q,"junk":%q}`+"\n", marker, base64.StdEncoding.EncodeToString(junk))
		markers = append(markers, marker)
	}
	return []byte(b.String()), markers
}

package main

import (
	"encoding/base64"
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

// TestFullDisk fills the disk under a running server: new records are
// refused with 507, pages go on, nothing accepted is lost, and once there is
// room it goes on by itself.
func TestFullDisk(t *testing.T) {
	checkGoroutines(t)
	disk := smallDisk(t, "160m")
	data := filepath.Join(disk, "data")
	var members institutions
	members.found(t, data, 1)
	newPerson(t, data, analystMail, "analyst")
	server := serve(t, data)
	device := machine(t, server.url, members.keys[members.all[0].ID])
	y := newTally()
	ballast := fillUp(t, disk, 48<<20)
	refused := answer{}
	for n := 0; n < 400 && refused.status == 0; n++ {
		body, markers := noise(n)
		switch got := device.do(http.MethodPost, "/api/v1/records", body); got.status {
		case http.StatusOK:
			for _, m := range markers {
				y.acknowledged[m] = true
			}
		case http.StatusInsufficientStorage:
			refused = got
			for _, m := range markers {
				y.unanswered[m] = true
			}
		default:
			t.Fatalf("batch %d on a filling disk: %d %s", n, got.status, got.body)
		}
	}
	if refused.status == 0 || !strings.Contains(refused.body, "door.full") || len(y.acknowledged) == 0 {
		t.Fatalf("after %d records: %d %s", len(y.acknowledged), refused.status, refused.body)
	}
	t.Logf("%d records fit; then: %s", len(y.acknowledged), refused.body)
	analyst := person(t, server.url, analystMail, password)
	for _, path := range []string{"/", "/alerts", "/events", "/advisories", "/admin/health"} {
		analyst.page(path)
	}
	if got := device.get("/taxii2/sector/collections/"); got.status != http.StatusOK {
		t.Errorf("TAXII on a full disk: %d %s", got.status, got.body)
	}
	if !strings.Contains(server.out.String(), "full") {
		t.Errorf("the log does not say that the disk is full:\n%s", server.out)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func() string {
		got := device.do(http.MethodPost, "/api/v1/records", []byte(`{"marker":"room-again"}`))
		if got.status != http.StatusOK {
			return fmt.Sprintf("with room again: %d %s", got.status, got.body)
		}
		return ""
	})
	y.acknowledged["room-again"] = true
	settle(t, server, &members)
	readHistory(t, server, &members, y)
	for _, c := range y.complaints() {
		t.Error(c)
	}
	server.stop()
	server = serve(t, data)
	again := newTally()
	again.acknowledged, again.unanswered = y.acknowledged, y.unanswered
	readHistory(t, server, &members, again)
	for _, c := range again.complaints() {
		t.Errorf("after a new start: %s", c)
	}
	server.stop()
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
	if err := os.WriteFile(ballast, make([]byte, max(free-leave, 1<<20)), 0o600); err != nil {
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

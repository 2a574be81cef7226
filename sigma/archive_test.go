package sigma

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/aspis-platform/aspis/event"
)

// dataDir returns the folder of real input or skips the test.
func dataDir(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("ASPIS_DATA")
	if dir == "" {
		tb.Skip("ASPIS_DATA is not set: the real rules and events are left out")
	}
	return dir
}

// realFiles reads every rule file of the SigmaHQ archive.
func realFiles(tb testing.TB) map[string][]byte {
	tb.Helper()
	f, err := os.Open(filepath.Join(dataDir(tb), "sigma-rules.tar.xz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	unpacked, err := xz.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string][]byte{}
	for archive := tar.NewReader(unpacked); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			tb.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || !isRuleFile(h.Name) {
			continue
		}
		src, err := io.ReadAll(archive)
		if err != nil {
			tb.Fatal(err)
		}
		out[h.Name] = src
	}
}

// realEvents decodes at most perSource events of each log source from the
// Windows sets. The order is that of the files.
func realEvents(tb testing.TB, perSource int) (events []*event.Event) {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(dataDir(tb), "events", "windows", "*", "*"))
	if err != nil {
		tb.Fatal(err)
	}
	seen := map[event.Logsource]int{}
	for _, name := range names {
		eachLine(tb, name, func(line []byte) {
			e, err := event.Decode(bytes.Clone(line), event.Limits{})
			if err != nil {
				return
			}
			if seen[e.Logsource()]++; seen[e.Logsource()] <= perSource {
				events = append(events, e)
			}
		})
	}
	return events
}

// eachLine calls f with the lines of the files in a .zip or .tar.gz.
func eachLine(tb testing.TB, name string, f func([]byte)) {
	tb.Helper()
	lines := func(r io.Reader) {
		s := bufio.NewScanner(r)
		s.Buffer(nil, 1<<24)
		for s.Scan() {
			f(s.Bytes())
		}
	}
	if strings.HasSuffix(name, ".zip") {
		z, err := zip.OpenReader(name)
		if err != nil {
			tb.Fatal(err)
		}
		defer z.Close()
		for _, member := range z.File {
			r, err := member.Open()
			if err != nil {
				tb.Fatal(err)
			}
			lines(r)
			r.Close()
		}
		return
	}
	file, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	for archive := tar.NewReader(unpacked); ; {
		h, err := archive.Next()
		if err != nil {
			return
		}
		if h.Typeflag == tar.TypeReg {
			lines(archive)
		}
	}
}

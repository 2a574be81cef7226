package sigma

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ulikunitz/xz"
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

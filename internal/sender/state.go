package sender

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// StateSuffix ends the name of the file that remembers how far a file was
// sent.
const StateSuffix = ".aspis-progress"

// headBytes is how much of a file's beginning tells it from others.
const headBytes = 64 << 10

const stateVersion = 1

// state is what a run leaves behind for the next one.
type state struct {
	Version    int    `json:"version"`
	Head       string `json:"head_sha256"` // of the first HeadBytes of the file
	HeadBytes  int64  `json:"head_bytes"`
	Size       int64  `json:"size"`        // of the file when last looked at
	BatchLines int    `json:"batch_lines"` // the limits that the cuts were made with
	BatchBytes int    `json:"batch_bytes"`
	Records    int64  `json:"records"` // of the file that are dealt with, all before the first that is not
	Bytes      int64  `json:"bytes"`   // of those records
	Accepted   int64  `json:"accepted"`
	Duplicate  int64  `json:"duplicate"`
	Rejected   int64  `json:"rejected"`
	Done       bool   `json:"done"`
}

// identity is what the file is called in idempotency keys.
func (s *state) identity() string { return fmt.Sprintf("%s/%d", s.Head, s.HeadBytes) }

// statePath is where the state of a file is kept: beside it, or under dir.
func statePath(path, dir string) (string, error) {
	if dir == "" {
		return path + StateSuffix, nil
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("sender: path of %s: %w", path, err)
	}
	sum := sha256.Sum256([]byte(full))
	return filepath.Join(dir, filepath.Base(path)+"-"+hex.EncodeToString(sum[:6])+StateSuffix), nil
}

// newState looks at the file for the first time.
func newState(path string, lines, bytes int) (*state, error) {
	head, n, size, err := fingerprint(path, headBytes)
	if err != nil {
		return nil, err
	}
	return &state{Version: stateVersion, Head: head, HeadBytes: n, Size: size, BatchLines: lines, BatchBytes: bytes}, nil
}

// fingerprint hashes up to n bytes of the file's beginning.
func fingerprint(path string, n int64) (sum string, read, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, 0, fmt.Errorf("sender: open: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	info, err := f.Stat()
	if err != nil {
		return "", 0, 0, fmt.Errorf("sender: stat: %w", err)
	}
	h := sha256.New()
	read, err = io.Copy(h, io.LimitReader(f, n))
	if err != nil {
		return "", 0, 0, fmt.Errorf("sender: read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), read, info.Size(), nil
}

// loadState returns the state left for the file, nil when there is none that
// fits: the file was replaced, or the state cannot be read. Nothing is lost by
// starting over, for the door knows the keys of what it has.
func loadState(path, at string) (*state, error) {
	text, err := os.ReadFile(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sender: read progress: %w", err)
	}
	s, ok := parseState(text)
	if !ok {
		return nil, nil
	}
	head, n, size, err := fingerprint(path, s.HeadBytes)
	if err != nil {
		return nil, err
	}
	if head != s.Head || n != s.HeadBytes || size < s.Size || (size > s.Size && packed(path)) {
		return nil, nil
	}
	if size > s.Size {
		s.Size, s.Done = size, false
	}
	return s, nil
}

func parseState(text []byte) (*state, bool) {
	var s state
	if json.Unmarshal(text, &s) != nil || s.Version != stateVersion {
		return nil, false
	}
	sane := s.HeadBytes >= 0 && s.HeadBytes <= headBytes && s.Records >= 0 && s.Bytes >= 0 &&
		s.BatchLines > 0 && s.BatchLines <= maxBatchLines && s.BatchBytes > 0 && s.BatchBytes <= maxBatchBytes
	return &s, sane
}

// packed reports whether a file that has grown is another file: an archive
// does not grow at its end, a log does.
func packed(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".zip", ".gz", ".tgz", ".xz", ".zst", ".bz2":
		return true
	}
	return false
}

// save replaces the state on disk, whole or not at all.
func (s *state) save(at string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("sender: write progress: %w", err)
	}
	tmp := at + ".new"
	if err := os.WriteFile(tmp, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("sender: write progress: %w", err)
	}
	if err := os.Rename(tmp, at); err != nil {
		return fmt.Errorf("sender: write progress: %w", err)
	}
	return nil
}

package password

import (
	"bufio"
	"bytes"
	"crypto/sha1" //nolint:gosec // what the lists of breached passwords hold
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/unicode/norm"
)

// ErrBreachedFile means a file that is no list of breached passwords.
var ErrBreachedFile = errors.New("want a line for each password: its SHA-1 in 40 hexadecimal digits, in order, with or without :COUNT behind it")

// hashSize is the length of a SHA-1 in hexadecimal digits.
const hashSize = 2 * sha1.Size

// maxLine bounds a line of the file in bytes.
const maxLine = 80

// Breached are passwords that were found in others' breaches: a file of
// SHA-1 hashes in order, as Have I Been Pwned gives them out ("ordered by
// hash"). It is searched where it lies, whatever its size: nothing is asked
// of the network, and nothing is read into memory. It is safe for concurrent
// use.
type Breached struct {
	file *os.File
	size int64
}

// OpenBreached opens a list and looks at its first lines.
func OpenBreached(path string) (*Breached, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("breached passwords: %w", err)
	}
	b := &Breached{file: file}
	info, err := file.Stat()
	if err == nil {
		b.size = info.Size()
		err = b.look()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("breached passwords: %s: %w", path, err), file.Close())
	}
	return b, nil
}

// look checks the form and the order of the first lines.
func (b *Breached) look() error {
	lines := bufio.NewScanner(io.NewSectionReader(b.file, 0, min(b.size, 100*maxLine)))
	var before []byte
	for n := 0; n < 50 && lines.Scan(); n++ {
		hash, ok := hashOf(lines.Bytes())
		if !ok || bytes.Compare(before, hash) >= 0 {
			return fmt.Errorf("line %d: %w", n+1, ErrBreachedFile)
		}
		before = hash
	}
	if before == nil {
		return ErrBreachedFile
	}
	return nil
}

// hashOf reads a line.
func hashOf(line []byte) ([]byte, bool) {
	line = bytes.TrimRight(line, "\r")
	if len(line) < hashSize || len(line) > hashSize && line[hashSize] != ':' {
		return nil, false
	}
	hash := make([]byte, sha1.Size)
	_, err := hex.Decode(hash, line[:hashSize])
	return hash, err == nil
}

// Close closes the file.
func (b *Breached) Close() error { return b.file.Close() }

// Holds reports whether the password is in the list. None is in a nil list.
func (b *Breached) Holds(password string) (bool, error) {
	if b == nil {
		return false, nil
	}
	want := sha1.Sum(norm.NFC.Bytes([]byte(password))) //nolint:gosec // see above
	from, to := int64(0), b.size                       // the line begins in [from, to)
	for from < to {
		middle := from + (to-from)/2
		start, hash, err := b.lineAt(middle)
		if err != nil {
			return false, fmt.Errorf("breached passwords: %w", err)
		}
		switch order := bytes.Compare(hash, want[:]); {
		case hash == nil, order > 0:
			to = middle // no line begins behind middle, or a later one does
		case order == 0:
			return true, nil
		default:
			from = start + 1
		}
	}
	return false, nil
}

// lineAt is the first line that begins at an offset or behind it; no hash
// where there is none.
func (b *Breached) lineAt(offset int64) (start int64, hash []byte, err error) {
	begin := max(0, offset-1)
	buffer := make([]byte, 2*maxLine)
	n, err := b.file.ReadAt(buffer, begin)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, nil, err
	}
	buffer = buffer[:n]
	skip := 0
	if offset > 0 {
		end := bytes.IndexByte(buffer, '\n')
		if end < 0 {
			if begin+int64(n) < b.size {
				return 0, nil, ErrBreachedFile
			}
			return 0, nil, nil
		}
		skip = end + 1
	}
	line, _, _ := bytes.Cut(buffer[skip:], []byte("\n"))
	if len(line) == 0 {
		return 0, nil, nil
	}
	hash, ok := hashOf(line)
	if !ok {
		return 0, nil, ErrBreachedFile
	}
	return begin + int64(skip), hash, nil
}

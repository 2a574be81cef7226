package duckdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/aspis-platform/aspis/internal/monitor"
)

// archive keeps the records whole, as frames in files that only grow. The
// database says where a record's frame is and where the last committed frame
// ends; what lies behind is of a transaction that did not happen and is
// written over.
//
// It is apart from the database because DuckDB reads a column of long strings
// in runs of 2,048: a page of a hundred scattered records would unpack
// hundreds of megabytes.
type archive struct {
	dir   string
	codec *frameCodec
	limit int64 // of a file: one that has reached it is not written further

	// The end; only the one that appends uses them.
	segment int64
	size    int64

	mu    sync.Mutex
	files map[int64]*os.File
}

// segmentBytes is where a file ends and the next begins.
const segmentBytes = 1 << 30

// place names a frame: the number of its file << 32 | offset.
type place = int64

func openArchive(dir string, segment, size int64, threads int) (*archive, error) {
	codec, err := newFrameCodec(threads)
	if err != nil {
		return nil, err
	}
	a := &archive{dir: dir, codec: codec, limit: segmentBytes, segment: segment, size: size, files: map[int64]*os.File{}}
	if err := a.check(); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// check compares the end with the files.
func (a *archive) check() error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return fmt.Errorf("records folder: %w", err)
	}
	info, err := os.Stat(a.path(a.segment))
	switch {
	case errors.Is(err, fs.ErrNotExist) && a.size == 0:
		_, _, err := a.turn(a.segment)
		return err
	case err != nil:
		return fmt.Errorf("records: %w", err)
	case info.Size() < a.size:
		return fmt.Errorf("records: %s has %d bytes, the database knows of %d", a.path(a.segment), info.Size(), a.size)
	}
	return nil
}

func (a *archive) path(segment int64) string {
	return filepath.Join(a.dir, fmt.Sprintf("%08d.rec", segment))
}

// file opens a segment, or gives it again.
func (a *archive) file(segment int64) (*os.File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.files[segment]; f != nil {
		return f, nil
	}
	f, err := os.OpenFile(a.path(segment), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	a.files[segment] = f
	return f, nil
}

func (a *archive) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, f := range a.files {
		errs = append(errs, f.Close())
	}
	a.files = nil
	a.codec.close()
	return errors.Join(errs...)
}

// write puts the records behind the end, synced, and returns each one's place
// and the end that holds once the transaction is committed.
func (a *archive) write(records []monitor.Record) (places []place, segment, size int64, err error) {
	segment, size = a.segment, a.size
	if len(records) == 0 {
		return nil, segment, size, nil
	}
	if size >= a.limit {
		if segment, size, err = a.turn(segment + 1); err != nil {
			return nil, 0, 0, err
		}
	}
	places = make([]place, 0, len(records))
	var out []byte
	for len(records) > 0 {
		n := frameEnd(records)
		for range n {
			places = append(places, segment<<32|(size+int64(len(out))))
		}
		out = a.codec.pack(out, records[:n])
		records = records[n:]
	}
	f, err := a.file(segment)
	if err != nil {
		return nil, 0, 0, err
	}
	if _, err := f.WriteAt(out, size); err != nil {
		return nil, 0, 0, fmt.Errorf("records: %w", err)
	}
	if err := f.Sync(); err != nil {
		return nil, 0, 0, fmt.Errorf("records: %w", err)
	}
	return places, segment, size + int64(len(out)), nil
}

// turn begins the file of a segment and makes its name durable.
func (a *archive) turn(segment int64) (int64, int64, error) {
	f, err := os.OpenFile(a.path(segment), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, 0, fmt.Errorf("records: %w", err)
	}
	a.mu.Lock()
	if old := a.files[segment]; old != nil {
		_ = old.Close() // of an append that failed: nobody reads it
	}
	a.files[segment] = f
	a.mu.Unlock()
	return segment, 0, syncDir(a.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	defer func() { _ = d.Close() }() // only read
	if err := d.Sync(); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	return nil
}

// committed moves the end.
func (a *archive) committed(segment, size int64) { a.segment, a.size = segment, size }

// read unpacks the frame at a place.
func (a *archive) read(at place) (frame, error) {
	f, err := a.file(at >> 32)
	if err != nil {
		return frame{}, err
	}
	offset := at & (1<<32 - 1)
	var header [frameHeader]byte
	if _, err := f.ReadAt(header[:], offset); err != nil {
		return frame{}, fmt.Errorf("records at %d in %s: %w", offset, f.Name(), err)
	}
	length := binary.LittleEndian.Uint32(header[:])
	if length > maxFrame {
		return frame{}, fmt.Errorf("records at %d in %s: %w: length", offset, f.Name(), errFrame)
	}
	body := make([]byte, length)
	if _, err := f.ReadAt(body, offset+frameHeader); err != nil {
		return frame{}, fmt.Errorf("records at %d in %s: %w", offset, f.Name(), err)
	}
	got, err := a.codec.unpack(body, binary.LittleEndian.Uint64(header[4:]))
	if err != nil {
		return frame{}, fmt.Errorf("records at %d in %s: %w", offset, f.Name(), err)
	}
	return got, nil
}

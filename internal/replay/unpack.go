package replay

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxNesting bounds archives within archives.
const maxNesting = 3

// freeOutput is how much any file may unpack to before its ratio counts.
const freeOutput = 64 << 20

// reader reads recordings and hands their records to yield. Its methods return
// false once yield has, meaning that no more is wanted.
type reader struct {
	opt    Options
	yield  func(Record, error) bool
	budget *budget
	index  int // of the next record in its file
	grown  growth
}

// budget counts what one file on disk has unpacked to.
type budget struct {
	packed, unpacked int64
	opt              Options
}

// spend accounts n unpacked bytes.
func (b *budget) spend(n int) error {
	b.unpacked += int64(n)
	switch {
	case b.unpacked > b.opt.MaxTotal:
		return ErrTooLarge
	case b.unpacked > freeOutput && b.unpacked/max(b.packed, 1) > b.opt.MaxRatio:
		return ErrRatio
	}
	return nil
}

// growth counts what the lines of a file become where each is written out under
// the names at its head, which may be much longer.
type growth struct {
	read, written, ratio int64
}

// add accounts a line and the record that was made of it.
func (g *growth) add(read, written int) error {
	g.read += int64(read)
	g.written += int64(written)
	if g.written > freeOutput && g.written/max(g.read, 1) > g.ratio {
		return ErrRatio
	}
	return nil
}

// metered charges what is read through it to a budget.
type metered struct {
	io.Reader
	*budget
}

func (m metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if over := m.spend(n); over != nil {
		return 0, over
	}
	return n, err
}

// record yields a record of the file that is being read.
func (r *reader) record(name string, line int, raw []byte) bool {
	r.index++
	return r.yield(Record{Raw: raw, File: name, Line: line, Index: r.index - 1}, nil)
}

// skip yields why a record is passed over.
func (r *reader) skip(name string, line int, err error) bool {
	r.index++
	return r.fail(name, line, err)
}

// fail yields an error.
func (r *reader) fail(name string, line int, err error) bool {
	if line > 0 {
		return r.yield(Record{}, fmt.Errorf("%s:%d: %w", name, line, err))
	}
	return r.yield(Record{}, fmt.Errorf("%s: %w", name, err))
}

// path reads a file or the files below a folder.
func (r *reader) path(path string) bool {
	files, err := list(path)
	if err != nil {
		return r.fail(path, 0, err)
	}
	for _, f := range files {
		if !r.file(f) {
			return false
		}
	}
	return true
}

func (r *reader) file(f File) bool {
	file, err := os.Open(f.Path)
	if err != nil {
		return r.fail(f.Path, 0, err)
	}
	defer file.Close() // read only: nothing to lose
	r.budget = &budget{packed: f.Size, opt: r.opt}
	if packing(f.Path) == ".zip" {
		return r.zip(f.Path, file, f.Size, 0)
	}
	return r.stream(f.Path, file, 0)
}

// stream reads a file that is read from front to back.
func (r *reader) stream(name string, src io.Reader, depth int) bool {
	if depth > maxNesting {
		return r.fail(name, 0, ErrFormat)
	}
	kind := packing(name)
	switch kind {
	case "":
		return r.content(name, name, metered{src, r.budget})
	case ".zip":
		return r.fail(name, 0, fmt.Errorf("%w: zip within another archive", ErrFormat))
	case ".tar":
		return r.tar(name, src, depth)
	}
	unpacked, done, err := unpack(kind, src)
	if err != nil {
		return r.fail(name, 0, err)
	}
	defer done()
	if strings.HasPrefix(kind, ".t") {
		return r.tar(name, unpacked, depth)
	}
	inner := name[:len(name)-len(kind)]
	if packing(inner) != "" {
		return r.stream(inner, metered{unpacked, r.budget}, depth+1)
	}
	return r.content(name, inner, metered{unpacked, r.budget})
}

// unpack opens one layer of compression. done releases what it holds.
func unpack(kind string, src io.Reader) (out io.Reader, done func(), err error) {
	done = func() {}
	switch kind {
	case ".xz", ".tar.xz":
		out, err = xz.NewReader(src)
	case ".zst":
		z, e := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if e != nil {
			return nil, done, fmt.Errorf("unpack: %w", e)
		}
		return z, z.Close, nil
	default:
		out, err = gzip.NewReader(src)
	}
	if err != nil {
		return nil, done, fmt.Errorf("unpack: %w", err)
	}
	return out, done, nil
}

// tar reads the recordings in a tar archive.
func (r *reader) tar(name string, src io.Reader, depth int) bool {
	archive := tar.NewReader(metered{src, r.budget})
	for {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			return r.fail(name, 0, fmt.Errorf("read archive: %w", err))
		}
		if head.Typeflag != tar.TypeReg || !readable(head.Name) {
			continue
		}
		if !r.stream(name+"!"+head.Name, archive, depth+1) {
			return false
		}
	}
}

// zip reads the recordings in a zip archive.
func (r *reader) zip(name string, src io.ReaderAt, size int64, depth int) bool {
	archive, err := zip.NewReader(src, size)
	if err != nil {
		return r.fail(name, 0, fmt.Errorf("read archive: %w", err))
	}
	for _, f := range archive.File {
		if f.FileInfo().IsDir() || !readable(f.Name) {
			continue
		}
		inner := name + "!" + f.Name
		content, err := f.Open()
		if err != nil {
			if !r.fail(inner, 0, err) {
				return false
			}
			continue
		}
		more := r.stream(inner, content, depth+1)
		content.Close() // read only: nothing to lose
		if !more {
			return false
		}
	}
	return true
}

package workbench

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/ulikunitz/xz"
)

// Bounds of one archive of rules.
const (
	maxArchiveFiles = 200_000
	maxArchiveBytes = 1 << 30 // unpacked
)

var errArchive = errors.New("archive unpacks to more than 1 GiB or 200,000 files")

func asPathError(err error) (*fs.PathError, bool) { return errors.AsType[*fs.PathError](err) }

// isArchive says whether a name is one of an archive.
func isArchive(name string) bool { return archiveKind(name) != "" }

func archiveKind(name string) string {
	name = strings.ToLower(name)
	for _, end := range [...]string{".tar.xz", ".tar.gz", ".tgz", ".tar", ".zip"} {
		if strings.HasSuffix(name, end) {
			return end
		}
	}
	return ""
}

// eachFile calls f with the regular files of an archive, in its order.
func eachFile(name string, f func(inner string, content io.Reader) error) error {
	file, err := os.Open(name) //nolint:gosec // named by who runs the command
	if err != nil {
		return err
	}
	defer file.Close()
	b := &allowance{files: maxArchiveFiles, bytes: maxArchiveBytes}
	kind := archiveKind(name)
	if kind == ".zip" {
		return eachZipped(file, b, f)
	}
	var unpacked io.Reader = file
	switch kind {
	case ".tar.xz":
		unpacked, err = xz.NewReader(file)
	case ".tar.gz", ".tgz":
		unpacked, err = gzip.NewReader(file)
	}
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return eachTarred(b.meter(unpacked), b, f)
}

func eachTarred(src io.Reader, b *allowance, f func(string, io.Reader) error) error {
	for archive := tar.NewReader(src); ; {
		head, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read archive: %w", err)
		}
		if err := b.file(); err != nil {
			return err
		}
		if head.Typeflag != tar.TypeReg {
			continue
		}
		if err := f(head.Name, archive); err != nil {
			return fmt.Errorf("%s: %w", head.Name, err)
		}
	}
}

func eachZipped(file *os.File, b *allowance, f func(string, io.Reader) error) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return fmt.Errorf("read archive: %w", err)
	}
	for _, member := range archive.File {
		if err := b.file(); err != nil {
			return err
		}
		if !member.Mode().IsRegular() {
			continue
		}
		content, err := member.Open()
		if err == nil {
			err = f(member.Name, b.meter(content))
			content.Close()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", member.Name, err)
		}
	}
	return nil
}

// allowance is what an archive may still unpack to.
type allowance struct {
	files int
	bytes int64
}

func (b *allowance) file() error {
	if b.files--; b.files < 0 {
		return errArchive
	}
	return nil
}

func (b *allowance) meter(r io.Reader) io.Reader { return metered{r, b} }

// metered charges what is read through it.
type metered struct {
	io.Reader
	*allowance
}

func (m metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if m.bytes -= int64(n); m.bytes < 0 {
		return 0, errArchive
	}
	return n, err
}

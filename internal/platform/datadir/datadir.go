// Package datadir opens the folder that holds everything an installation
// keeps: it belongs to one process at a time and knows which version of the
// program wrote it.
package datadir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// Format is the layout of the folder that this program writes. It grows when
// an older program could no longer read the folder.
const Format = 1

// Errors that tell the operator what to do.
var (
	ErrInUse = errors.New("another aspis is running on this data folder; stop it, or choose another folder with --data")
	ErrNewer = errors.New("the data folder was written by a newer version of aspis; start that version, or restore a backup made before the upgrade")
)

// Dir is an opened, locked data folder.
type Dir struct {
	path string
	lock *os.File
}

// Open creates or opens the folder and locks it against other processes until
// Close. Errors name the folder and what to do about it.
func Open(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, errs.New(errs.Invalid, "datadir.create", path, err.Error()).Because(err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errs.New(errs.Invalid, "datadir.write", path, err.Error()).Because(err)
	}
	d := &Dir{path: path, lock: lock}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errs.New(errs.Conflict, "datadir.in_use", path).Because(ErrInUse)
		}
		return nil, fmt.Errorf("lock data folder %s: %w", path, err)
	}
	if err := d.checkFormat(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Dir) checkFormat() error {
	file := d.Path("format")
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return WriteDurably(file, []byte(strconv.Itoa(Format)+"\n"))
	}
	if err != nil {
		return errs.New(errs.Invalid, "datadir.read", d.path, err.Error()).Because(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	switch {
	case err != nil:
		return errs.New(errs.Invalid, "datadir.format", file, d.path)
	case n > Format:
		return errs.New(errs.Conflict, "datadir.newer", d.path, n, Format).Because(ErrNewer)
	}
	return nil
}

// Close unlocks the folder.
func (d *Dir) Close() error { return d.lock.Close() }

// Path joins names below the folder.
func (d *Dir) Path(names ...string) string {
	return filepath.Join(append([]string{d.path}, names...)...)
}

// Sub creates a folder below the data folder and returns its path.
func (d *Dir) Sub(names ...string) (string, error) {
	path := d.Path(names...)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return path, nil
}

// Secret returns size random bytes, the same for a name ever after.
func (d *Dir) Secret(name string, size int) ([]byte, error) {
	key, err := d.Once(name, func() []byte {
		key := make([]byte, size)
		rand.Read(key)
		return key
	})
	if err == nil && len(key) != size {
		return nil, errs.New(errs.Invalid, "datadir.secret", d.Path(name), len(key), size)
	}
	return key, err
}

// Once returns what first makes the first time, the same for a name ever
// after.
func (d *Dir) Once(name string, first func() []byte) ([]byte, error) {
	content, err := os.ReadFile(d.Path(name))
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	content = first()
	return content, WriteDurably(d.Path(name), content)
}

// WriteDurably makes a file appear whole or not at all.
func WriteDurably(file string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("data folder cannot be written: %w", err)
	}
	defer os.Remove(tmp.Name()) // after the rename there is nothing left to remove
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.Rename(tmp.Name(), file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return syncFolder(filepath.Dir(file))
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

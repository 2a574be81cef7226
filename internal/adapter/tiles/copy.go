package tiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/transparency-dev/tessera/api/layout"

	"github.com/aspis-platform/aspis/internal/platform/datadir"
)

// Copy makes or brings up to date a copy of the log for somebody else to keep.
// It may run while the log grows: the checkpoint is read first and written
// last, and files of the tree never lose what they had. A file of the copy
// that holds something else is an error, not overwritten: it is evidence.
func Copy(ctx context.Context, from, to string) error {
	checkpoint, err := os.ReadFile(filepath.Join(from, layout.CheckpointPath))
	if err != nil {
		return fmt.Errorf("the ledger's log has no checkpoint yet: %w", err)
	}
	tree := filepath.Join(from, "tile")
	err = filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || d.IsDir() || leftover(filepath.ToSlash(rel)) {
			return err
		}
		return copyFile(path, filepath.Join(to, rel))
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copy the ledger's log: %w", err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil { //nolint:gosec // a copy holds no secrets
		return fmt.Errorf("copy the ledger's log: %w", err)
	}
	return datadir.WriteDurably(filepath.Join(to, layout.CheckpointPath), checkpoint)
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a partial file that was outgrown meanwhile
	}
	if err != nil {
		return err
	}
	switch there, err := os.ReadFile(to); {
	case err == nil && bytes.Equal(there, content):
		return nil
	case err == nil:
		return fmt.Errorf("%s differs from the ledger's; keep it, and run `aspis ledger verify --copy`", to)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // a copy holds no secrets
		return err
	}
	return datadir.WriteDurably(to, content)
}

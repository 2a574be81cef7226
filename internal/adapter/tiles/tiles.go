// Package tiles keeps the ledger's Merkle tree in a folder
// (c2sp.org/tlog-tiles), written by Tessera. The rows of the database are the
// log's source: an entry's place is its number there less one, so that writing
// it again after a crash writes the same bytes to the same place.
package tiles

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/datadir"
)

// Errors of a log that cannot go on.
var (
	// ErrChanged means that files of the log, or rows that are in it already,
	// are not what they were.
	ErrChanged = errors.New("the ledger's files and its rows do not agree; stop the program and run `aspis ledger verify`")
	// ErrNotYet means an entry that no checkpoint covers yet.
	ErrNotYet = errors.New("the entry is not in a signed checkpoint yet; try again in a few seconds")
)

// Config says where the log is and how it is signed.
type Config struct {
	Dir       string
	Key       []byte // as ledger.NewKey makes it
	Witnesses []Witness
	// Client asks the witnesses; nil: a client of its own.
	Client *http.Client
	// WitnessTimeout bounds the wait for all witnesses together; 0: 3 s.
	WitnessTimeout time.Duration
}

// Witness co-signs checkpoints (c2sp.org/tlog-witness).
type Witness struct {
	Key string // verifier key, c2sp.org/tlog-cosignature
	URL string // where its add-checkpoint is
}

// writer is what Tessera's mirror of a log does for us: it takes bundles of
// entries at the places that we give, and integrates them.
type writer interface {
	SetEntryBundle(ctx context.Context, index uint64, partial uint8, bundle []byte) error
	AwaitIntegration(ctx context.Context, size uint64) (root []byte, err error)
	IntegratedSize(ctx context.Context) (uint64, error)
}

// Log is the tree in its folder. One process opens it at a time: the data
// folder's lock sees to it.
type Log struct {
	dir     string
	vkey    string
	cosigns []string // the witnesses' keys
	tree    writer
	files   tessera.LogReader
	sign    func(ctx context.Context, size uint64, root []byte) ([]byte, error)
}

const witnessPatience = 3 * time.Second

// Open opens the log or begins one.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	l := &Log{dir: cfg.Dir}
	driver, err := posix.New(ctx, posix.Config{Path: cfg.Dir})
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", cfg.Dir, err)
	}
	store, ok := driver.(*posix.Storage)
	if !ok {
		return nil, fmt.Errorf("ledger %s: Tessera gave a %T", cfg.Dir, driver)
	}
	err = guard(func() error {
		l.tree, l.files, err = store.MigrationWriter(ctx, tessera.NewMigrationOptions())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", cfg.Dir, err)
	}
	return l, l.signWith(cfg)
}

func (l *Log) signWith(cfg Config) error {
	signer, err := note.NewSigner(strings.TrimSpace(string(cfg.Key)))
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrKey, err)
	}
	if l.vkey, err = ledger.PublicKey(cfg.Key); err != nil {
		return err
	}
	opts := tessera.NewAppendOptions().WithCheckpointSigner(signer)
	if len(cfg.Witnesses) > 0 {
		group, err := witnesses(cfg.Witnesses)
		if err != nil {
			return err
		}
		timeout := cfg.WitnessTimeout
		if timeout == 0 {
			timeout = witnessPatience
		}
		// Fail open: without a witness the centre goes on, and says so.
		opts.WithWitnesses(group, &tessera.WitnessOptions{Timeout: timeout, FailOpen: true})
	}
	for _, w := range cfg.Witnesses {
		l.cosigns = append(l.cosigns, w.Key)
	}
	asks := cfg.Client
	if asks == nil {
		asks = &http.Client{}
	}
	l.sign = opts.CheckpointPublisher(l.files, asks)
	return nil
}

func witnesses(list []Witness) (group tessera.WitnessGroup, err error) {
	for _, w := range list {
		at, err := url.Parse(w.URL)
		if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Host == "" {
			return group, fmt.Errorf("witness %q: want the address of its add-checkpoint's folder, http or https", w.URL)
		}
		one, err := tessera.NewWitness(w.Key, at)
		if err != nil {
			return group, fmt.Errorf("witness %q: its key %q is no verifier key of an Ed25519 witness: %w", w.URL, w.Key, err)
		}
		group.Components = append(group.Components, one)
	}
	group.N = len(list)
	return group, nil
}

// guard turns a panic of the library, which it has for files that it cannot
// make sense of, into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w (%v)", ErrChanged, p)
		}
	}()
	return fn()
}

// Key is the log's public key.
func (l *Log) Key() string { return l.vkey }

// Size is how many entries are in the tree, signed or not.
func (l *Log) Size(ctx context.Context) (uint64, error) { return l.tree.IntegratedSize(ctx) }

// Checkpoint is the newest signed state, and its text; the zero Checkpoint
// before the first.
func (l *Log) Checkpoint(ctx context.Context) (ledger.Checkpoint, []byte, error) {
	raw, err := l.files.ReadCheckpoint(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.Checkpoint{}, nil, nil
	}
	if err != nil {
		return ledger.Checkpoint{}, nil, err
	}
	cp, err := ledger.OpenCheckpoint(raw, l.vkey, l.cosigns...)
	if errors.Is(err, ledger.ErrWitnessMissing) {
		err = nil
	}
	return cp, raw, err
}

// frontier are the hashes that a tree of the size stands on.
func (l *Log) frontier(ctx context.Context, size uint64) (r *compact.Range, err error) {
	err = guard(func() error {
		hashes, err := client.FetchRangeNodes(ctx, size, l.files.ReadTile)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrChanged, err)
		}
		r, err = rangeFactory().NewRange(0, size, hashes)
		return err
	})
	return r, err
}

func rangeFactory() *compact.RangeFactory {
	return &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
}

func rootOf(r *compact.Range) ([]byte, error) {
	if r.End() == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	return r.GetRootHash(nil)
}

// LeafAt is the leaf at an index below Size.
func (l *Log) LeafAt(ctx context.Context, index, size uint64) ([]byte, error) {
	bundle, err := client.GetEntryBundle(ctx, l.files.ReadEntryBundle, index/layout.EntryBundleWidth, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrChanged, err)
	}
	at := int(index % layout.EntryBundleWidth)
	if at >= len(bundle.Entries) {
		return nil, fmt.Errorf("%w: bundle %d has %d entries", ErrChanged, index/layout.EntryBundleWidth, len(bundle.Entries))
	}
	return bundle.Entries[at], nil
}

// Prove is the inclusion proof of an index in the newest checkpoint, or
// ErrNotYet. The proof's entry is the caller's to fill in.
func (l *Log) Prove(ctx context.Context, index uint64) (ledger.Proof, error) {
	cp, raw, err := l.Checkpoint(ctx)
	if err != nil {
		return ledger.Proof{}, err
	}
	if index >= cp.Size {
		return ledger.Proof{}, ErrNotYet
	}
	p := ledger.Proof{Index: index, Checkpoint: raw}
	err = guard(func() error {
		builder, err := client.NewProofBuilder(ctx, cp.Size, l.files.ReadTile)
		if err != nil {
			return err
		}
		p.Path, err = builder.InclusionProof(ctx, index)
		return err
	})
	if err != nil {
		return ledger.Proof{}, fmt.Errorf("prove entry %d: %w", index+1, err)
	}
	return p, nil
}

// integrationPatience is how long the library may take for one batch; it
// looks once a second, and tries again for ever.
const integrationPatience = 30 * time.Second

// Append puts leaves behind the first size ones and returns the new root. It
// may be repeated: the same leaves go to the same place.
func (l *Log) Append(ctx context.Context, size uint64, leaves [][]byte) ([]byte, error) {
	tree, err := l.frontier(ctx, size)
	if err != nil {
		return nil, err
	}
	for _, leaf := range leaves {
		if err := tree.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil); err != nil {
			return nil, fmt.Errorf("ledger: append: %w", err)
		}
	}
	want, err := rootOf(tree)
	if err != nil {
		return nil, fmt.Errorf("ledger: root: %w", err)
	}
	if err := l.putBundles(ctx, size, leaves); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, integrationPatience)
	defer cancel()
	var root []byte
	err = guard(func() error {
		root, err = l.tree.AwaitIntegration(ctx, size+uint64(len(leaves)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: integrate %d entries: %w", len(leaves), err)
	}
	if string(root) != string(want) {
		return nil, fmt.Errorf("%w: the tree of %d entries has another root", ErrChanged, size+uint64(len(leaves)))
	}
	return root, nil
}

const writersAtOnce = 8

// putBundles writes the files that hold the leaves; a partial bundle at the
// end of the tree goes on from what it has.
func (l *Log) putBundles(ctx context.Context, size uint64, leaves [][]byte) error {
	index, have := size/layout.EntryBundleWidth, size%layout.EntryBundleWidth
	var bundle []byte
	if have > 0 {
		raw, err := l.files.ReadEntryBundle(ctx, index, uint8(have))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrChanged, err)
		}
		if bundle, err = firstEntries(raw, int(have)); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrChanged, layout.EntriesPath(index, uint8(have)), err)
		}
	}
	group, ctx := errgroup.WithContext(ctx) // each write waits for the disk
	group.SetLimit(writersAtOnce)
	for i, leaf := range leaves {
		bundle = appendEntry(bundle, leaf)
		have++
		if have < layout.EntryBundleWidth && i < len(leaves)-1 {
			continue
		}
		at, partial, content := index, uint8(have%layout.EntryBundleWidth), bundle
		group.Go(func() error { return l.tree.SetEntryBundle(ctx, at, partial, content) })
		index, have, bundle = index+1, 0, nil
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("ledger: write bundles: %w", err)
	}
	return nil
}

// Publish signs the tree, asks the witnesses and makes the checkpoint the
// newest. It returns how many witnesses have signed.
func (l *Log) Publish(ctx context.Context, size uint64, root []byte) (witnesses int, err error) {
	var text []byte
	err = guard(func() error {
		text, err = l.sign(ctx, size, root)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("ledger: sign: %w", err)
	}
	cp, err := ledger.OpenCheckpoint(text, l.vkey, l.cosigns...)
	if err != nil && !errors.Is(err, ledger.ErrWitnessMissing) {
		return 0, err
	}
	if err := datadir.WriteDurably(filepath.Join(l.dir, layout.CheckpointPath), text); err != nil {
		return 0, fmt.Errorf("ledger: publish: %w", err)
	}
	return len(cp.Witnesses), nil
}

// Tidy removes partial files that the tree between two sizes has outgrown.
// Whoever holds an older checkpoint finds their content in the full files.
func (l *Log) Tidy(from, to uint64) error {
	var all []error
	for level := uint64(0); level == 0 || to>>(8*level) > 0; level++ {
		for i := from >> (8 * (level + 1)); i < to>>(8*(level+1)); i++ {
			all = append(all, os.RemoveAll(filepath.Join(l.dir, layout.TilePath(level, i, 0)+".p")))
			if level == 0 {
				all = append(all, os.RemoveAll(filepath.Join(l.dir, layout.EntriesPath(i, 0)+".p")))
			}
		}
	}
	return errors.Join(all...)
}

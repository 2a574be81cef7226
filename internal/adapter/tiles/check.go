package tiles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"

	"github.com/aspis-platform/aspis/internal/ledger"
)

// Width is how many entries a bundle and how many hashes a tile holds.
const Width = layout.EntryBundleWidth

const stateFile = ".state/treeState"

// Checker recomputes a log's tree from its entries and compares every file of
// the folder with what it must hold. Feed it the leaves that the entries must
// have, bundle by bundle, or nothing where only the folder is known; then
// Finish.
type Checker struct {
	dir, name string // name stands before the files in findings
	report    func(ledger.Finding)

	Checkpoint ledger.Checkpoint
	state      treeState // what Tessera has noted; zero in a copy without it
	known      bool      // leaves are fed: the folder need not be believed
	next       uint64    // bundle
	tree       *compact.Range
	levels     [][]byte // hashes of the tile that is being filled, by level
	counts     []uint64 // full tiles, by level
	seen       map[string]bool
}

type treeState struct {
	Size uint64 `json:"size"`
	Root []byte `json:"root"`
}

// NewChecker begins with the folder's checkpoint. known says that leaves will
// be fed.
func NewChecker(dir, name, vkey string, known bool, report func(ledger.Finding)) *Checker {
	c := &Checker{dir: dir, name: name, report: report, known: known,
		tree: rangeFactory().NewEmptyRange(0), seen: map[string]bool{layout.CheckpointPath: true, stateFile: true}}
	raw, err := os.ReadFile(filepath.Join(dir, layout.CheckpointPath))
	if err == nil {
		c.Checkpoint, err = ledger.OpenCheckpoint(raw, vkey)
	}
	if err != nil {
		c.found(layout.CheckpointPath, 0, "ledger.finding.checkpoint", err.Error())
	}
	c.readState()
	return c
}

func (c *Checker) readState() {
	raw, err := os.ReadFile(filepath.Join(c.dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		err = d.Decode(&c.state)
	}
	if again, _ := json.Marshal(c.state); err != nil || !bytes.Equal(again, raw) { //nolint:errchkjson // numbers and bytes encode
		c.found(stateFile, 0, "ledger.finding.state")
		c.state = treeState{}
	}
	if c.state.Size < c.Checkpoint.Size || !c.holds(c.state.Size) {
		c.found(stateFile, 0, "ledger.finding.state_size", c.state.Size, c.Checkpoint.Size)
		c.state = treeState{}
	}
}

// holds reports whether the bundle is there with which a tree of that size
// ends.
func (c *Checker) holds(size uint64) bool {
	if size == 0 {
		return true
	}
	last := (size - 1) / Width
	for _, partial := range []uint8{0, uint8(size % Width)} {
		if _, err := os.Stat(filepath.Join(c.dir, layout.EntriesPath(last, partial))); err == nil {
			return true
		}
	}
	return false
}

func (c *Checker) found(file string, entry int64, key string, args ...any) {
	c.report(ledger.Finding{File: filepath.Join(c.name, file), Entry: entry, Key: key, Args: args})
}

// size is how many entries the folder must hold.
func (c *Checker) size() uint64 { return max(c.Checkpoint.Size, c.state.Size) }

// due is how many entries the next bundle must hold.
func (c *Checker) due() int {
	first := c.next * Width
	return int(min(Width, max(c.size(), first)-first))
}

// More reports whether the folder has another bundle, or must have one.
func (c *Checker) More() bool {
	path := layout.EntriesPath(c.next, 0)
	_, err := os.Stat(filepath.Join(c.dir, path))
	return c.next*Width < c.size() || err == nil || len(c.partials(path)) > 0
}

// Bundle checks the next bundle and the tile above it. want are the leaves
// that its entries must have, in order, nil for one that is not known, and
// fewer than Width at the end.
func (c *Checker) Bundle(want [][]byte) {
	index, due := c.next, c.due()
	c.next++
	b := bundle{index: index, path: layout.EntriesPath(index, 0), want: want}
	var ok bool
	if b.path, b.raw, ok = c.files(b.path, due); ok {
		c.readBundle(&b, due)
	}
	b.tileFile, b.tile = c.tile(0, index, due, max(due, len(b.entries)))
	hashes := make([][]byte, max(due, len(b.entries)))
	for i := range hashes {
		hashes[i] = c.judge(b, i)
	}
	c.count(hashes[:due])
	if len(hashes) == Width {
		c.full(0, hashes)
	}
}

// bundle is what is known about up to Width entries.
type bundle struct {
	index               uint64
	path, tileFile      string
	raw                 []byte
	entries, want, tile [][]byte
}

func (c *Checker) readBundle(b *bundle, due int) {
	entries, err := splitBundle(b.raw)
	if err != nil {
		c.found(b.path, int64(b.index*Width)+int64(len(entries))+1, "ledger.finding.bundle")
	} else if len(entries) > Width || len(entries) < due || !fits(b.path, len(entries)) {
		c.found(b.path, 0, "ledger.finding.entries", len(entries))
	}
	b.entries = entries[:min(len(entries), Width)]
	c.prefixes(b.path, layout.EntriesPath(b.index, 0), b.raw, func(n int) int {
		return len(joined(entries[:min(n, len(entries))]))
	})
}

// judge compares the database's leaf, the bundle's and the tile's hash, says
// which of them is wrong, and returns the hash to go on with: the one that two
// agree on.
func (c *Checker) judge(b bundle, i int) []byte {
	entry := int64(b.index*Width) + int64(i) + 1
	var row, here, above []byte
	if i < len(b.want) && b.want[i] != nil {
		row = rfc6962.DefaultHasher.HashLeaf(b.want[i])
	}
	if i < len(b.entries) {
		here = rfc6962.DefaultHasher.HashLeaf(b.entries[i])
	}
	if i < len(b.tile) {
		above = b.tile[i]
	}
	switch {
	case here == nil: // reported with its file
		return firstOf(row, above, make([]byte, ledger.LeafSize))
	case c.known && i >= len(b.want):
		c.found(b.path, entry, "ledger.finding.no_row")
	case row != nil && !bytes.Equal(row, here) && bytes.Equal(row, above):
		c.found(b.path, entry, "ledger.finding.entry_changed")
		return row
	case row != nil && !bytes.Equal(row, here):
		c.found(b.path, entry, "ledger.finding.row_changed")
	case above != nil && !bytes.Equal(here, above) && row == nil:
		c.found(b.path, entry, "ledger.finding.disagree", b.tileFile)
	case above != nil && !bytes.Equal(here, above):
		c.found(b.tileFile, entry, "ledger.finding.hash")
	}
	return here
}

func firstOf(hashes ...[]byte) []byte {
	for _, h := range hashes {
		if h != nil {
			return h
		}
	}
	return nil
}

func joined(entries [][]byte) []byte {
	var all []byte
	for _, e := range entries {
		all = appendEntry(all, e)
	}
	return all
}

// count adds leaves' hashes to the tree and checks the roots that somebody
// has written down.
func (c *Checker) count(hashes [][]byte) {
	for _, h := range hashes {
		if err := c.tree.Append(h, nil); err != nil { // only of ranges that do not meet
			c.found("", 0, "ledger.finding.tree", err.Error())
		}
		c.checkRoot()
	}
}

func (c *Checker) checkRoot() {
	size := c.tree.End()
	if size != c.Checkpoint.Size && size != c.state.Size {
		return
	}
	root, err := rootOf(c.tree)
	if err != nil {
		return
	}
	if size == c.Checkpoint.Size && c.Checkpoint.Root != nil && !bytes.Equal(root, c.Checkpoint.Root) {
		c.found(layout.CheckpointPath, 0, "ledger.finding.root")
	}
	if size == c.state.Size && c.state.Root != nil && !bytes.Equal(root, c.state.Root) {
		c.found(stateFile, 0, "ledger.finding.root")
	}
}

// full passes a full tile's hash to the level above.
func (c *Checker) full(level int, hashes [][]byte) {
	for len(c.levels) <= level {
		c.levels, c.counts = append(c.levels, nil), append(c.counts, 0)
	}
	r := rangeFactory().NewEmptyRange(0)
	for _, h := range hashes {
		if err := r.Append(h, nil); err != nil {
			return
		}
	}
	root, err := rootOf(r)
	if err != nil {
		return
	}
	c.levels[level] = append(c.levels[level], root...)
	if len(c.levels[level]) == Width*len(root) {
		c.upper(level)
	}
}

// upper checks the tile above a level that is filled, or at the end.
func (c *Checker) upper(level int) {
	hashes := slices.Collect(slices.Chunk(c.levels[level], ledger.LeafSize))
	above, index := uint64(level)+1, c.counts[level]
	first := index * Width
	due := int(min(Width, max(c.size()>>(8*above), first)-first))
	file, tile := c.tile(above, index, due, len(hashes))
	for i, got := range tile {
		if i < len(hashes) && !bytes.Equal(got, hashes[i]) {
			c.found(file, 0, "ledger.finding.tile", i)
		}
	}
	c.counts[level]++
	c.levels[level] = nil
	if len(hashes) == Width {
		c.full(level+1, hashes)
	}
}

// tile reads a tile and its partial files: it must hold due hashes and may
// hold up to most.
func (c *Checker) tile(level, index uint64, due, most int) (file string, hashes [][]byte) {
	whole := layout.TilePath(level, index, 0)
	file, raw, ok := c.files(whole, due)
	if !ok {
		return file, nil
	}
	n := len(raw) / ledger.LeafSize
	if len(raw)%ledger.LeafSize != 0 || n < due || n > most || !fits(file, n) {
		c.found(file, 0, "ledger.finding.bytes", len(raw))
	}
	c.prefixes(file, whole, raw, func(n int) int { return n * ledger.LeafSize })
	return file, slices.Collect(slices.Chunk(raw[:n*ledger.LeafSize], ledger.LeafSize))
}

// fits reports whether a file's name allows that many parts.
func fits(file string, n int) bool {
	_, partial, ok := strings.Cut(file, ".p/")
	return (!ok && n == Width) || (ok && partial == strconv.Itoa(n))
}

// files reads the fullest file of a bundle or tile: itself, or the largest of
// its partial ones. Not to find one matters where some part of it is due.
func (c *Checker) files(path string, due int) (file string, raw []byte, ok bool) {
	file = path
	raw, err := os.ReadFile(filepath.Join(c.dir, path))
	if errors.Is(err, fs.ErrNotExist) {
		if largest := slices.Max(append(c.partials(path), 0)); largest > 0 {
			file = path + ".p/" + strconv.Itoa(largest)
			raw, err = os.ReadFile(filepath.Join(c.dir, file))
		}
	}
	if err != nil {
		if due > 0 {
			c.found(file, 0, "ledger.finding.missing")
		}
		return file, nil, false
	}
	c.seen[file] = true
	return file, raw, true
}

// partials are the sizes of the partial files of a bundle or tile.
func (c *Checker) partials(path string) []int {
	list, err := os.ReadDir(filepath.Join(c.dir, path+".p"))
	if err != nil {
		return nil
	}
	var sizes []int
	for _, f := range list {
		if n, err := strconv.Atoi(f.Name()); err == nil && n > 0 && n < Width && strconv.Itoa(n) == f.Name() {
			sizes = append(sizes, n)
		}
	}
	return sizes
}

// prefixes checks the partial files that the fullest one has outgrown: each
// must be the beginning of it. length says how long n parts are.
func (c *Checker) prefixes(fullest, whole string, raw []byte, length func(n int) int) {
	for _, n := range c.partials(whole) {
		file := whole + ".p/" + strconv.Itoa(n)
		c.seen[file] = true
		if file == fullest {
			continue
		}
		part, err := os.ReadFile(filepath.Join(c.dir, file))
		if err != nil || len(part) != length(n) || !bytes.HasPrefix(raw, part) {
			c.found(file, 0, "ledger.finding.prefix", fullest)
		}
	}
}

// Finish checks what is above the last bundle, and that the folder holds
// nothing else.
func (c *Checker) Finish(ctx context.Context) error {
	for level := 0; level < len(c.levels); level++ {
		if len(c.levels[level]) > 0 {
			c.upper(level)
		}
	}
	if c.tree.End() == 0 {
		c.checkRoot()
	}
	if c.Checkpoint.Size > c.tree.End() {
		c.found(layout.CheckpointPath, 0, "ledger.finding.covers", c.Checkpoint.Size, c.tree.End())
	}
	return filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(c.dir, path)
		if err == nil && !c.seen[filepath.ToSlash(rel)] && !c.housekeeping(rel) {
			c.found(rel, 0, "ledger.finding.stranger")
		}
		return err
	})
}

// housekeeping are Tessera's files that say nothing about entries, and what a
// crash left of a file that was being written.
func (c *Checker) housekeeping(rel string) bool {
	rel = filepath.ToSlash(rel)
	raw, err := os.ReadFile(filepath.Join(c.dir, rel))
	switch rel {
	case ".state/version":
		return err == nil && string(raw) == "1"
	case ".state/treeState.lock", ".state/publish.lock", ".state/gcState.lock":
		return err == nil && len(raw) == 0
	}
	return leftover(rel)
}

// leftover reports whether the name is one that a file has before it is whole:
// its own with a random number behind it.
func leftover(rel string) bool {
	name := path.Base(rel)
	for _, prefix := range []string{layout.CheckpointPath + ".", path.Base(stateFile)} {
		if number, ok := strings.CutPrefix(name, prefix); ok && digits(number) {
			return true
		}
	}
	if strings.HasSuffix(path.Dir(rel), ".p") {
		return digits(name) && len(name) > 3
	}
	return strings.HasPrefix(rel, "tile/") && digits(strings.TrimPrefix(name, "x")) && len(name) > 4
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

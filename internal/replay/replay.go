// Package replay reads recordings of monitoring records from files and folders,
// packed or not, and yields them one by one: what `aspis records send` sends and
// `aspis demo --replay` plays.
package replay

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/event"
)

// Record is one record of a recording. Raw is one line without its end, and
// belongs to the receiver.
type Record struct {
	Raw   []byte
	File  string // path on disk, with the names inside archives after "!"
	Line  int    // line of the file that the record begins at, from 1; in .evtx files which record it is
	Index int    // of the record in its file, from 0, with those counted that are passed over
}

// Options bounds what is read. A zero field takes its default.
type Options struct {
	MaxRecord int   // bytes of one record; default 1 MiB
	MaxTotal  int64 // unpacked bytes of one file on disk; default 16 GiB
	MaxRatio  int64 // unpacked bytes per packed byte, beyond the first 64 MiB; default 200
}

// The reasons for which a file or a record is passed over.
var (
	ErrRecordTooLarge = errors.New("record is longer than allowed")
	ErrBroken         = errors.New("record is not complete")
	ErrTooLarge       = errors.New("file unpacks to more than allowed")
	ErrRatio          = errors.New("file unpacks to suspiciously much for its size")
	ErrFormat         = errors.New("not a format that records are read from")
)

func (o Options) withDefaults() Options {
	if o.MaxRecord <= 0 {
		o.MaxRecord = 1 << 20
	}
	if o.MaxTotal <= 0 {
		o.MaxTotal = 16 << 30
	}
	if o.MaxRatio <= 0 {
		o.MaxRatio = 200
	}
	return o
}

// Open yields the records of files and of all files below folders, in the order
// of their names. Folders may hold other things: only files whose names end in
// .json, .ndjson, .jsonl, .log, .csv, .tsv, .xml or .evtx, also packed as .gz,
// .xz, .zst, .tar, .tar.gz, .tar.xz, .tgz or .zip, are read there. A file given
// by name may also be any other text. Text is UTF-8, or UTF-16 where its first
// bytes say so.
//
//   - JSON may stand one object a line, pretty-printed, in lists, or in what
//     interfaces wrap around lists, such as CloudTrail's {"Records": […]}; each
//     object becomes one line, unchanged where it was one.
//   - Windows events as XML may go over several lines and stand in <Events>;
//     each becomes one line.
//   - The rows of .csv and .tsv files become JSON objects of texts, named by the
//     first row; so do the lines of logs in W3C's extended format (IIS, proxies),
//     and those of Zeek's own logs as Zeek itself writes JSON.
//   - Windows event log files become JSON; see package evtx.
//   - Other lines are taken as they are.
//
// An error names file and line and comes with a zero Record; the sequence goes
// on after it with what can still be read.
func Open(paths []string, opt Options) iter.Seq2[Record, error] {
	opt = opt.withDefaults()
	return func(yield func(Record, error) bool) {
		r := &reader{opt: opt, yield: yield}
		for _, path := range paths {
			if !r.path(path) {
				return
			}
		}
	}
}

// Files lists the files that Open reads for the paths given, with their sizes
// on disk, for a progress bar.
func Files(paths []string) ([]File, error) {
	var files []File
	for _, path := range paths {
		found, err := list(path)
		if err != nil {
			return nil, fmt.Errorf("list recordings: %w", err)
		}
		files = append(files, found...)
	}
	return files, nil
}

// File is a recording on disk.
type File struct {
	Path string
	Size int64 // bytes on disk
}

// list finds the recordings at or below path.
func list(path string) ([]File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []File{{Path: path, Size: info.Size()}}, nil
	}
	var files []File
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !readable(name) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files = append(files, File{Path: name, Size: info.Size()})
		return nil
	})
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, err
}

// readable says whether a name is one of a recording.
func readable(name string) bool {
	return packing(name) != "" || plain(name)
}

// plain says whether a name is one of an unpacked recording.
func plain(name string) bool {
	switch ending(name) {
	case ".json", ".ndjson", ".jsonl", ".log", ".csv", ".tsv", ".xml", ".evtx":
		return true
	}
	return false
}

func ending(name string) string { return strings.ToLower(filepath.Ext(name)) }

// packing returns how a file is packed, "" for not at all.
func packing(name string) string {
	name = strings.ToLower(name)
	for _, end := range [...]string{".tar.gz", ".tgz", ".tar.xz", ".tar", ".zip", ".gz", ".xz", ".zst"} {
		if strings.HasSuffix(name, end) {
			return end
		}
	}
	return ""
}

// Shift moves the times that a record states by delta; see [event.Shift].
func Shift(raw []byte, delta time.Duration) []byte { return event.Shift(raw, delta) }

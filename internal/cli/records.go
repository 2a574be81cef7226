package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/schollz/progressbar/v3"

	"github.com/aspis-platform/aspis/internal/replay"
	"github.com/aspis-platform/aspis/internal/sender"
)

type recordsCmd struct {
	Send sendCmd `cmd:"" help:"Send files of monitoring records; goes on where an earlier run stopped."`
}

type sendCmd struct {
	URL      string   `required:"" env:"ASPIS_URL" help:"The centre's address."`
	Key      string   `required:"" env:"ASPIS_KEY" help:"The member's key with the scope records."`
	Files    []string `arg:"" name:"file" type:"path" help:"Files or folders: .json .ndjson .log .csv .xml .evtx, plain or in .gz .xz .zst .zip .tar."`
	StateDir string   `type:"path" help:"Where to remember how far each file was sent; by default beside it."`
	Again    bool     `help:"Send from the beginning whatever was sent before."`
	Quiet    bool     `help:"No progress bar."`
}

// sent is what the command prints: what became of the records of all files,
// those of earlier runs included.
type sent struct {
	Files     int   `json:"files"`
	Records   int64 `json:"records"`
	Accepted  int64 `json:"accepted"`
	Duplicate int64 `json:"duplicate"`
	Rejected  int64 `json:"rejected"`
}

func (s *sent) add(p sender.Progress) {
	s.Files++
	s.Records += p.Records
	s.Accepted += p.Accepted
	s.Duplicate += p.Duplicate
	s.Rejected += p.Rejected
}

func (c sendCmd) Run(e *env) error {
	files, err := replay.Files(c.Files)
	if err != nil {
		return err
	}
	client, err := sender.New(sender.Config{URL: c.URL, Key: c.Key, Language: string(e.lang())})
	if err != nil {
		return err
	}
	defer client.Close()
	var total sent
	var problems []error
	for _, f := range files {
		progress, err := c.sendFile(e, client, f)
		total.add(progress)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", f.Path, err))
		}
		if e.ctx.Err() != nil {
			break
		}
	}
	return errors.Join(append(problems, e.printJSON(total))...)
}

func (c sendCmd) sendFile(e *env, client *sender.Client, f replay.File) (sender.Progress, error) {
	// What is sent is unpacked, so a packed file has no known end.
	end := f.Size
	switch filepath.Ext(f.Path) {
	case ".json", ".ndjson", ".jsonl", ".log":
	default:
		end = -1
	}
	bar := progressbar.NewOptions64(end, progressbar.OptionSetWriter(e.Err), progressbar.OptionSetVisibility(!c.Quiet),
		progressbar.OptionSetDescription(filepath.Base(f.Path)), progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(24), progressbar.OptionOnCompletion(func() { fmt.Fprintln(e.Err) }))
	unread := 0
	progress, err := client.SendFile(e.ctx, f.Path, sender.Options{
		StateDir: c.StateDir, Again: c.Again,
		Progress: func(p sender.Progress) { _ = bar.Set64(p.Bytes) }, // a bar that cannot be drawn stops nothing
		Rejected: func(r sender.Rejected) { fmt.Fprintf(e.Err, "%s:%d: %s %s\n", r.File, r.Line, r.Reason, r.Text) },
		Problem: func(err error) {
			unread++
			fmt.Fprintln(e.Err, err)
		},
	})
	if err == nil {
		err = bar.Finish()
	}
	if err == nil && unread > 0 { // a script must not take it for the whole
		err = fmt.Errorf("parts that could not be read were passed over: %d", unread)
	}
	return progress, err
}

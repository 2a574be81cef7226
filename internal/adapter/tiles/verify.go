package tiles

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aspis-platform/aspis/internal/ledger"
)

// Source are the rows of a database that nobody writes to.
type Source interface {
	// ScanLedger calls fn for every entry in order until it fails.
	ScanLedger(ctx context.Context, fn func(ledger.Stored) error) error
	// LedgerHead is the end of the chain as the database has noted it.
	LedgerHead(ctx context.Context) (seq int64, hash string, err error)
}

// Report is what a check of the whole ledger found.
type Report struct {
	Entries  int64            `json:"entries,omitzero"` // rows in the database; none of a copy by itself
	InLog    int64            `json:"in_log,omitzero"`  // entries under the signed checkpoint
	InCopy   *int64           `json:"in_copy,omitzero"` // the same in the copy
	Findings []ledger.Finding `json:"findings"`
	// More is how many findings there are beyond those listed.
	More int `json:"more,omitzero"`
}

// maxFindings bounds the list: a key that is lost makes every entry one.
const maxFindings = 50

func (r *Report) add(f ledger.Finding) {
	if len(r.Findings) == maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, f)
}

// Verify checks the chain of the rows and, entry by entry, the log in dir and
// a copy that somebody else has kept, older or newer ("" for none).
func Verify(ctx context.Context, rows Source, blind ledger.Blinder, dir, copied, vkey string) (Report, error) {
	r := Report{Findings: []ledger.Finding{}}
	var folders []*Checker
	for _, at := range []struct{ dir, name string }{{dir, "ledger"}, {copied, "copy"}} {
		if at.dir == "" {
			continue
		}
		if _, err := os.Stat(at.dir); err != nil {
			if at.dir != dir || !errors.Is(err, os.ErrNotExist) {
				return r, fmt.Errorf("the copy of the ledger: %w", err)
			}
			continue // nothing was published yet: the rows are all there is
		}
		folders = append(folders, NewChecker(at.dir, at.name, vkey, true, r.add))
	}
	if err := r.scan(ctx, rows, blind, folders); err != nil {
		return r, err
	}
	for _, c := range folders {
		if err := c.Finish(ctx); err != nil {
			return r, err
		}
		size := int64(c.Checkpoint.Size)
		if c.dir == dir {
			r.InLog = size
		} else {
			r.InCopy = &size
		}
	}
	return r, nil
}

// scan walks the rows, checks their chain and feeds the folders.
func (r *Report) scan(ctx context.Context, rows Source, blind ledger.Blinder, folders []*Checker) error {
	chain := chain{report: r.add}
	var want [][]byte
	feed := func() {
		for _, c := range folders {
			c.Bundle(want)
		}
		want = want[:0]
	}
	err := rows.ScanLedger(ctx, func(s ledger.Stored) error {
		for range chain.next(s) {
			if want = append(want, nil); len(want) == Width {
				feed()
			}
		}
		leaf := blind.Leaf(s)
		if want = append(want, leaf[:]); len(want) == Width {
			feed()
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if len(want) > 0 {
		feed()
	}
	for _, c := range folders {
		for c.More() && ctx.Err() == nil && r.More == 0 {
			c.Bundle(nil)
		}
	}
	r.Entries = chain.last.Seq
	seq, hash, err := rows.LedgerHead(ctx)
	if err == nil && (seq != chain.last.Seq || hash != chain.last.Hash) {
		r.add(ledger.Finding{Entry: max(seq, chain.last.Seq), Key: "ledger.finding.last", Args: []any{seq, chain.last.Seq}})
	}
	return errors.Join(err, ctx.Err())
}

// chain follows the hashes of the rows.
type chain struct {
	report func(ledger.Finding)
	last   ledger.Stored
}

// maxGap bounds how many missing entries are believed: a number can be
// anything once it was changed.
const maxGap = 1 << 20

// next checks a row behind the last and returns how many are missing between.
func (c *chain) next(s ledger.Stored) (missing int64) {
	if gap := s.Seq - c.last.Seq - 1; gap > 0 && gap <= maxGap {
		missing = gap
		c.report(ledger.Finding{Entry: c.last.Seq + 1, Key: "ledger.finding.gap", Args: []any{gap}})
	} else if gap != 0 {
		c.report(ledger.Finding{Entry: c.last.Seq + 1, Key: "ledger.finding.place", Args: []any{s.Seq}})
	}
	if missing == 0 && s.Hash != ledger.Chain(c.last.Hash, s.Seq, s.At, s.Entry) {
		c.report(ledger.Finding{Entry: s.Seq, Key: "ledger.finding.chain"})
	}
	c.last = s
	return missing
}

// VerifyCopy checks a copy by itself: what a keeper can do without the
// centre's data.
func VerifyCopy(ctx context.Context, dir, vkey string) (Report, error) {
	r := Report{Findings: []ledger.Finding{}}
	c := NewChecker(dir, "copy", vkey, false, r.add)
	for c.More() && ctx.Err() == nil && r.More == 0 {
		c.Bundle(nil)
	}
	size := int64(c.Checkpoint.Size)
	r.InCopy = &size
	return r, errors.Join(c.Finish(ctx), ctx.Err())
}

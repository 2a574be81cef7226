package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/wire"
)

type ledgerCmd struct {
	Verify      verifyCmd      `cmd:"" help:"Check every entry, the log and a copy of a stopped data folder."`
	VerifyCopy  verifyCopyCmd  `cmd:"" help:"Check a copy of the log by itself."`
	VerifyProof verifyProofCmd `cmd:"" help:"Check a proof that an entry is in the log; needs nothing but the file and the key."`
	Key         ledgerKeyCmd   `cmd:"" help:"Print the public key, with which copies and proofs are checked."`
	Copy        copyCmd        `cmd:"" help:"Make or update a copy of the log for somebody else to keep; the centre may run."`

	Entries    entriesCmd    `cmd:"" help:"List a running centre's entries, the newest first."`
	Entry      entryCmd      `cmd:"" help:"Show an entry, and whether it is in the signed log."`
	Proof      takeProofCmd  `cmd:"" help:"Take an entry's proof as a file, which verify-proof checks."`
	Checkpoint checkpointCmd `cmd:"" help:"Show the newest signed state of the log."`
}

type verifyCmd struct {
	dataFlag
	Database string `env:"ASPIS_DATABASE" help:"postgres://… instead of SQLite in the data folder."`
	Copy     string `type:"existingdir" help:"A copy of the log that somebody else has kept, older or newer."`
	Key      string `help:"The public key; default: the data folder's own."`
}

func (c verifyCmd) Run(e *env) error {
	r, err := wire.VerifyLedger(e.ctx, c.Data, c.Database, c.Copy, c.Key, e.log)
	if err != nil {
		return err
	}
	return e.judge(r)
}

// judge prints a report, its problems in words; findings are an error.
func (e *env) judge(r wire.LedgerReport) error {
	for i, f := range r.Findings {
		r.Findings[i].Problem = e.t(f.Key, f.Args...)
	}
	if err := e.printJSON(r); err != nil || len(r.Findings) == 0 {
		return err
	}
	return errs.New(errs.Conflict, "cli.ledger.tampered", len(r.Findings)+r.More)
}

type verifyCopyCmd struct {
	Dir string `arg:"" type:"existingdir" help:"The copy."`
	Key string `required:"" help:"The public key that the centre has given out."`
}

func (c verifyCopyCmd) Run(e *env) error {
	r, err := wire.VerifyLedgerCopy(e.ctx, c.Dir, c.Key)
	if err != nil {
		return err
	}
	return e.judge(r)
}

type verifyProofCmd struct {
	File    string   `arg:"" type:"existingfile" help:"The proof."`
	Key     string   `required:"" help:"The public key that the centre has given out."`
	Witness []string `help:"Public keys of witnesses that must have signed too."`
}

// proofJSON is what a proof proves. Withheld fields are listed by name only.
type proofJSON struct {
	Entry     int64             `json:"entry"`
	At        time.Time         `json:"at,omitzero"`
	Fields    map[string]string `json:"fields"`
	Withheld  []ledger.Field    `json:"withheld,omitempty"`
	Log       string            `json:"log"`
	Size      uint64            `json:"size"`
	Witnesses []string          `json:"witnesses,omitempty"`
}

func (c verifyProofCmd) Run(e *env) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	entry, cp, err := wire.VerifyProof(f, c.Key, c.Witness...)
	if err != nil {
		return worded(err)
	}
	told := proofJSON{Entry: entry.Seq, At: entry.At(), Fields: map[string]string{}, Log: cp.Origin, Size: cp.Size, Witnesses: cp.Witnesses}
	for _, field := range entry.Fields {
		if field.Withheld() {
			told.Withheld = append(told.Withheld, field.Name)
		} else if field.Name != ledger.FieldAt {
			told.Fields[string(field.Name)] = field.Value
		}
	}
	return e.printJSON(told)
}

// worded is what is wrong with a proof, in words.
func worded(err error) error {
	for why, key := range map[error]string{
		ledger.ErrProofForm: "cli.ledger.proof_form", ledger.ErrCheckpoint: "cli.ledger.checkpoint", ledger.ErrNotInLog: "cli.ledger.not_in_log",
		ledger.ErrWitnessMissing: "cli.ledger.witness", ledger.ErrShown: "cli.ledger.shown",
	} {
		if errors.Is(err, why) {
			return errs.New(errs.Invalid, key).Because(err)
		}
	}
	return err
}

type ledgerKeyCmd struct{ dataFlag }

func (c ledgerKeyCmd) Run(e *env) error {
	key, err := wire.LedgerKey(c.Data)
	if err == nil {
		_, err = fmt.Fprintln(e.Out, key)
	}
	return err
}

type copyCmd struct {
	dataFlag
	To string `required:"" type:"path" help:"Where the copy is, or shall be."`
}

func (c copyCmd) Run(e *env) error {
	return wire.CopyLedger(e.ctx, c.Data, c.To)
}

package cli

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/client"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

const (
	wholeLedger = "/api/v1/ledger"
	ownLedger   = "/api/v1/organisation/ledger"
)

// ownFlag says which way to the ledger is taken.
type ownFlag struct {
	Own bool `help:"As a member: what is about your own."`
}

func (f ownFlag) path() string {
	if f.Own {
		return ownLedger
	}
	return wholeLedger
}

type entriesCmd struct {
	listFlags
	ownFlag
	From   time.Time `help:"From this time on, as in 2026-05-01T08:00:00Z."`
	To     time.Time `help:"Before this time."`
	Action string    `help:"What was done, as in key.create."`
	Actor  string    `help:"Who did it: a mail address, system, or key:ID."`
	Object string    `help:"To what: KIND:ID."`
	Member string    `help:"For the centre: whom it is about."`
}

func (c entriesCmd) Run(e *env) error {
	q := url.Values{}
	for name, t := range map[string]time.Time{"from": c.From, "to": c.To} {
		if !t.IsZero() {
			q.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	put(q, "action", c.Action)
	put(q, "actor", c.Actor)
	put(q, "object", c.Object)
	put(q, "member", c.Member)
	return listed(e, c.listFlags, client.Request{Path: c.path(), Query: q}, "entries", []string{"entry", "at", "actor", "what", "object"},
		func(x client.Entry) []string {
			return []string{x.Entry, stamp(x.At), x.Actor.Name(), x.Text, x.Object.Name()}
		})
}

type entryCmd struct {
	remoteFlags
	ownFlag
	Entry string `arg:"" help:"The entry, as aspis ledger entries names it."`
}

func (c entryCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Path: below(c.path(), c.Entry)}, func(x client.ProvenEntry) [][2]string {
		var detail []string
		for _, name := range slices.Sorted(maps.Keys(x.Entry.Detail)) {
			detail = append(detail, name+": "+x.Entry.Detail[name])
		}
		lines := [][2]string{{"at", stamp(x.Entry.At)}, {"actor", x.Entry.Actor.Name()}, {"what", x.Entry.Text}, {"object", x.Entry.Object.Name()},
			{"member", x.Entry.Member}, {"detail", strings.Join(detail, "\n")}, {"log", e.t("cli.ledger." + x.State)}}
		if x.Place != nil {
			lines = append(lines, [2]string{"index", fmt.Sprint(x.Place.Index)}, [2]string{"checkpoint", x.Place.Checkpoint})
		}
		return lines
	})
}

type takeProofCmd struct {
	remoteFlags
	Entry     string `arg:"" help:"The entry, as aspis ledger entries names it."`
	ForMember bool   `help:"With what is not the member's business withheld."`
	To        string `help:"The file to write; - is standard output; default: as the centre calls it."`
}

func (c takeProofCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		body := map[string]string{}
		if c.ForMember {
			body["for"] = "member"
		}
		var p client.Proof
		_, err := cl.Do(e.ctx, client.Request{Method: http.MethodPost, Path: below(wholeLedger, c.Entry, "proof"), Body: body}, &p)
		if err != nil {
			return err
		}
		to := c.To
		if to == "" {
			to = filepath.Base(p.File)
		}
		if to == "-" {
			_, err := io.WriteString(e.Out, p.Proof)
			return err
		}
		if err := os.WriteFile(to, []byte(p.Proof), 0o600); err != nil {
			return errs.New(errs.Invalid, "cli.file_write", to, err.Error()).Because(err)
		}
		_, err = fmt.Fprintln(e.Out, to)
		return err
	})
}

type checkpointCmd struct{ remoteFlags }

func (c checkpointCmd) Run(e *env) error {
	return one(e, c.remoteFlags, client.Request{Path: wholeLedger + "/checkpoint"}, func(p client.Checkpoint) [][2]string {
		return [][2]string{{"log", p.Origin}, {"size", fmt.Sprint(p.Size)}, {"root", p.Root}, {"key", p.Key}, {"checkpoint", p.Text}}
	})
}

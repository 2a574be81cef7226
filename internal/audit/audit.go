// Package audit shows the ledger: its entries to those who may see them, and
// the proof that an entry is in the log.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Query is what to list, newest first. Zero fields do not restrict.
type Query struct {
	From, To time.Time // from, and before
	Actor    string    // a person's mail address, "system", or "key:…"
	Action   string
	Object   string
	Member   sector.MemberID // whom entries are about
	Before   int64           // entries with lower numbers
	Limit    int
}

// Names are who stands behind the ids in entries. Who is not there has no
// account any more.
type Names struct {
	Users map[sector.UserID]sector.User // without password hashes
	Keys  map[string]sector.MemberID
}

// Store is the ledger's rows.
type Store interface {
	LedgerEntries(ctx context.Context, f sector.Filter, q Query) ([]ledger.Stored, error)
	// LedgerEntry is one entry, or errs.NotFound where the viewer must not
	// know whether it is there.
	LedgerEntry(ctx context.Context, f sector.Filter, seq int64) (ledger.Stored, error)
	LedgerNames(ctx context.Context, users []sector.UserID, keys []string) (Names, error)
	Note(ctx context.Context, entries ...ledger.Entry) error
}

// Log proves that entries are in it.
type Log interface {
	// Prove is the inclusion proof of an index, without its entry, or an
	// error that NotYet recognises.
	Prove(ctx context.Context, index uint64) (ledger.Proof, error)
	// Checkpoint is the newest signed state, and its text; none before the
	// first.
	Checkpoint(ctx context.Context) (ledger.Checkpoint, []byte, error)
	Key() string
}

// Config is what the service works on.
type Config struct {
	Store   Store
	Log     Log
	Blinder ledger.Blinder
	// NotYet reports whether an error of Log.Prove means that the entry waits
	// for the next checkpoint.
	NotYet func(error) bool
}

// Service reads the ledger for a viewer.
type Service struct {
	Config
	gate sector.Gate
}

// NewService returns the service.
func NewService(c Config) *Service { return &Service{Config: c} }

// Line is an entry as a viewer sees it.
type Line struct {
	Seq    int64 // for the centre's eyes: a member could count others' entries
	At     time.Time
	Action string
	Actor  Party
	Object Party
	Member sector.MemberID
	Detail []Fact
}

// Fact is a part of an entry's detail.
type Fact struct {
	Name   string  // ledger.detail.<name>
	Value  string  // as it is
	People []Party // in place of Value, where it names accounts
}

// Party is somebody or something that an entry names.
type Party struct {
	Kind   string // "person", "key", "system", "centre", "gone", or the kind of an object
	ID     string // of a key or an object
	Mail   string // of a person
	Roles  []sector.Role
	Member sector.MemberID
}

// List is one page of entries.
func (s *Service) List(ctx context.Context, v sector.Viewer, q Query) ([]Line, error) {
	found, err := s.Store.LedgerEntries(ctx, s.gate.For(v), q)
	if err != nil {
		return nil, err
	}
	return s.lines(ctx, v, found)
}

// Entry is one entry.
func (s *Service) Entry(ctx context.Context, v sector.Viewer, seq int64) (Line, error) {
	e, err := s.Store.LedgerEntry(ctx, s.gate.For(v), seq)
	if err != nil {
		return Line{}, err
	}
	lines, err := s.lines(ctx, v, []ledger.Stored{e})
	if err != nil {
		return Line{}, err
	}
	return lines[0], nil
}

func (s *Service) lines(ctx context.Context, v sector.Viewer, entries []ledger.Stored) ([]Line, error) {
	details := make([]map[string]any, len(entries))
	var users []sector.UserID
	var keys []string
	note := func(ref string) {
		switch kind, id, _ := strings.Cut(inner(ref), ":"); kind {
		case "user":
			users = append(users, sector.UserID(id))
		case "key":
			keys = append(keys, id)
		}
	}
	for i, e := range entries {
		details[i] = visible(v, e)
		note(e.Actor)
		note(e.Object)
		for _, ref := range refs(details[i]) {
			note(ref)
		}
	}
	names, err := s.Store.LedgerNames(ctx, unique(users), unique(keys))
	if err != nil {
		return nil, err
	}
	view := view{v, names}
	lines := make([]Line, len(entries))
	for i, e := range entries {
		lines[i] = Line{Seq: e.Seq, At: e.At, Action: e.Action, Actor: view.party(e.Actor), Object: view.party(e.Object),
			Member: sector.MemberID(e.Member), Detail: view.facts(details[i])}
	}
	return lines, nil
}

func unique[T ~string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// visible is the part of an entry's detail that the viewer may see.
func visible(v sector.Viewer, e ledger.Stored) map[string]any {
	var all map[string]any
	if e.Detail == "" || json.Unmarshal([]byte(e.Detail), &all) != nil {
		return nil
	}
	if v.Org == sector.Centre {
		return all
	}
	shown := map[string]any{}
	for _, name := range ledger.ShownOf(e.Action) {
		if value, ok := all[name]; ok {
			shown[name] = value
		}
	}
	return shown
}

// peopleIn are the names of facts that hold account ids.
func peopleIn() []string { return []string{"decided_by", "approved_by", "assignee"} }

func refs(detail map[string]any) []string {
	var found []string
	for _, name := range peopleIn() {
		if id, ok := detail[name].(string); ok && id != "" {
			found = append(found, "user:"+id)
		}
	}
	return found
}

// inner is whom a recipient of notifications stands for.
func inner(ref string) string { return strings.TrimPrefix(ref, "notify:") }

// view names parties for a viewer.
type view struct {
	viewer sector.Viewer
	names  Names
}

// party is who or what a reference means. A member sees its own people and
// keys; everybody else that acts on it is the centre.
func (w view) party(ref string) Party {
	kind, id, _ := strings.Cut(inner(ref), ":")
	var p Party
	switch kind {
	case "user":
		u, ok := w.names.Users[sector.UserID(id)]
		if !ok {
			return Party{Kind: "gone"}
		}
		p = Party{Kind: "person", Mail: u.Email, Roles: u.Roles, Member: u.Member}
	case "key":
		p = Party{Kind: "key", ID: id, Member: w.names.Keys[id]}
	case "system", "nobody":
		p = Party{Kind: kind}
	default:
		return Party{Kind: kind, ID: id}
	}
	if w.viewer.Org != sector.Centre && (p.Member == "" || p.Member != w.viewer.Member) {
		return Party{Kind: "centre"}
	}
	return p
}

func (w view) facts(detail map[string]any) []Fact {
	var facts []Fact
	for name, value := range detail {
		fact := Fact{Name: name, Value: plain(value)}
		if id, ok := value.(string); ok && id != "" && slices.Contains(peopleIn(), name) {
			fact.People = []Party{w.party("user:" + id)}
		}
		if fact.Value != "" {
			facts = append(facts, fact)
		}
	}
	slices.SortFunc(facts, func(a, b Fact) int { return strings.Compare(a.Name, b.Name) })
	return facts
}

// plain words a value of a detail; empty for nothing.
func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		words := make([]string, len(v))
		for i, one := range v {
			words[i] = plain(one)
		}
		return strings.Join(words, ", ")
	case map[string]any:
		raw, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(raw)
	}
	return fmt.Sprint(value)
}

// Standing is whether an entry is in the log, as this program has checked.
type Standing struct {
	Proof      ledger.Proof
	Checkpoint ledger.Checkpoint
	Waiting    bool  // for the next checkpoint
	Err        error // why the proof does not hold
}

// Standing proves an entry that the viewer may see, and checks the proof.
func (s *Service) Standing(ctx context.Context, v sector.Viewer, seq int64) (Standing, error) {
	return s.prove(ctx, v, seq)
}

// Export is the proof as a file, for the centre or, with what is not the
// member's business withheld, for the member that the entry is about. That it
// was taken is in the ledger.
func (s *Service) Export(ctx context.Context, v sector.Viewer, seq int64, forMember bool) ([]byte, error) {
	e, err := s.Store.LedgerEntry(ctx, s.gate.For(v), seq)
	if err != nil {
		return nil, err
	}
	var withhold []ledger.Field
	if forMember {
		if e.Member == "" {
			return nil, errs.New(errs.Invalid, "ledger.no_member")
		}
		if withhold, err = s.withheld(ctx, e); err != nil {
			return nil, err
		}
	}
	st, err := s.prove(ctx, v, seq, withhold...)
	if err != nil {
		return nil, err
	}
	if st.Waiting {
		return nil, errs.New(errs.Conflict, "ledger.waiting")
	}
	if st.Err != nil {
		return nil, st.Err
	}
	detail, err := json.Marshal(map[string]any{"entry": seq, "for_member": forMember})
	if err != nil {
		return nil, err
	}
	note := ledger.Entry{Actor: v.Actor(), Action: "ledger.export", Object: fmt.Sprintf("entry:%d", seq), Detail: string(detail)}
	if err := s.Store.Note(ctx, note); err != nil {
		return nil, err
	}
	return st.Proof.Text()
}

// withheld are the fields that a member is not shown of an entry about itself:
// the chain, an actor that is not its own, and a detail with more in it than
// it may see.
func (s *Service) withheld(ctx context.Context, e ledger.Stored) ([]ledger.Field, error) {
	member := sector.Viewer{Org: sector.MemberOrg, Member: sector.MemberID(e.Member)}
	lines, err := s.lines(ctx, member, []ledger.Stored{e})
	if err != nil {
		return nil, err
	}
	withhold := []ledger.Field{ledger.FieldChain}
	if k := lines[0].Actor.Kind; k != "person" && k != "key" {
		withhold = append(withhold, ledger.FieldActor)
	}
	if lines[0].Object.Kind == "centre" {
		withhold = append(withhold, ledger.FieldObject)
	}
	var all map[string]any
	if e.Detail != "" && (json.Unmarshal([]byte(e.Detail), &all) != nil || len(visible(member, e)) < len(all)) {
		withhold = append(withhold, ledger.FieldDetail)
	}
	return withhold, nil
}

func (s *Service) prove(ctx context.Context, v sector.Viewer, seq int64, withhold ...ledger.Field) (Standing, error) {
	e, err := s.Store.LedgerEntry(ctx, s.gate.For(v), seq)
	if err != nil {
		return Standing{}, err
	}
	proof, err := s.Log.Prove(ctx, uint64(seq)-1)
	if s.NotYet(err) {
		return Standing{Waiting: true}, nil
	}
	if err != nil {
		return Standing{Err: err}, nil //nolint:nilerr // what is wrong with the log is shown, not answered with
	}
	proof.Entry = s.Blinder.Show(e, withhold...)
	st := Standing{Proof: proof}
	st.Checkpoint, st.Err = proof.Verify(s.Log.Key())
	return st, nil
}

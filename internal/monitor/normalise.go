package monitor

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/event"
)

// maxAhead is how far a record's own time may lie in the future.
const maxAhead = 10 * time.Minute

// MaxObservables bounds the observables of a record.
const MaxObservables = 256

// item is a record on its way through the pipeline, with its decoded form.
// It is what rules are evaluated on.
type item struct {
	Record
	event    *event.Event
	poisoned bool // the decoder failed; the record is kept as it came
}

// InstitutionField is the field that answers with the member a record came
// from. Reserved for correlations; no record can set it.
const InstitutionField = "institution"

// Field implements sigma.Event.
func (it *item) Field(name string) (event.Value, bool) {
	if name == InstitutionField {
		return event.StringValue(string(it.Member)), true
	}
	return it.event.Field(name)
}

// Get is Field for a prepared name.
func (it *item) Get(name *event.Name) (event.Value, bool) {
	if name.String() == InstitutionField {
		return event.StringValue(string(it.Member)), true
	}
	return it.event.Get(name)
}

// EachText implements sigma.Event.
func (it *item) EachText(f func(field, text string) bool) { it.event.EachText(f) }

// EachLeaf is EachText without paths.
func (it *item) EachLeaf(f func(text string) bool) { it.event.EachLeaf(f) }

// EachNamed looks for many fields at once.
func (it *item) EachNamed(names *event.Names, f func(name int, v event.Value)) bool {
	if !it.event.EachNamed(names, f) {
		return false
	}
	if i := names.Index(InstitutionField); i >= 0 {
		f(i, event.StringValue(string(it.Member)))
	}
	return true
}

// EachStretch is all texts of the record, and more.
func (it *item) EachStretch(f func(stretch string)) { it.event.EachStretch(f) }

// ASCII says whether every text is; a member's name is.
func (it *item) ASCII() bool { return it.event.ASCII() }

// Logsource implements sigma.Event.
func (it *item) Logsource() event.Logsource { return it.event.Logsource() }

// normalise makes the record of line i of a batch. Whatever the decoder does,
// the record is kept.
func normalise(b *Positioned, i int) (it item) {
	line := b.Lines[i]
	it.Record = Record{
		Number: int64(b.Seq<<16 | uint64(i)),
		ID:     fmt.Sprintf("%s-%d", b.ID, b.Numbers[i]),
		Member: b.Member, At: b.Received, Received: b.Received, Clock: ClockMissing,
		SHA256: sha256.Sum256(line), Raw: line,
	}
	defer func() {
		if recover() != nil {
			it.event, it.poisoned = nil, true
		}
	}()
	ev, err := event.Decode(line, event.Limits{MaxBytes: max(len(line), 1), MaxDepth: 128, MaxFields: 100_000})
	if err != nil { // the door let it in; its limits are narrower than these
		it.poisoned = true
		return it
	}
	it.read(ev)
	it.event = ev
	return it
}

// read fills the record from its decoded form.
func (it *item) read(ev *event.Event) {
	// Times before 1970 are zero values of some format, which no look-up and
	// no hunt would reach.
	if at, ok := ev.Time(); ok && at.Unix() >= 0 {
		it.At, it.Clock = at.UTC(), ClockOwn
		if at.After(it.Received.Add(maxAhead)) {
			it.At, it.Clock = it.Received, ClockAhead
		}
	}
	it.Source = ev.Logsource()
	for _, o := range ev.Observables() {
		if len(it.Observables) == MaxObservables {
			break
		}
		o.Value = clean(o.Value)
		it.Observables = append(it.Observables, o)
	}
	it.Host = it.entity(ev, event.ObservableHost, hostFields())
	it.Account = it.entity(ev, event.ObservableAccount, accountFields())
}

// entity is the first of the fields that is set, else the first observable
// of the kind.
func (it *item) entity(ev *event.Event, kind event.ObservableKind, fields []string) string {
	if v := firstField(ev, fields); v != "" {
		return v
	}
	for _, o := range it.Observables {
		if o.Kind == kind {
			return o.Value
		}
	}
	return ""
}

const maxEntity = 256

func firstField(ev *event.Event, fields []string) string {
	for _, name := range fields {
		v, ok := ev.Field(name)
		if !ok || (v.Kind() != event.String && v.Kind() != event.Number) {
			continue
		}
		if text := strings.TrimSpace(v.Text()); text != "" && text != "-" && len(text) <= maxEntity {
			return clean(text)
		}
	}
	return ""
}

func hostFields() []string {
	return []string{"Computer", "ComputerName", "Hostname", "host.name", "hostname", "host"}
}

func accountFields() []string {
	return []string{"TargetUserName", "User", "SubjectUserName", "AccountName", "user.name", "userIdentity.userName", "userIdentity.arn", "username", "user"}
}

func sourceFields() []string {
	return []string{"SourceIp", "IpAddress", "src_ip", "id.orig_h", "c-ip", "sourceIPAddress", "source.ip", "ClientAddress"}
}

// clean makes text storable everywhere: UTF-8 without NUL, which PostgreSQL
// refuses.
func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

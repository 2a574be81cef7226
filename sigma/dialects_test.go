package sigma

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/replay"
)

// TestFieldsOfRealEventsAreTold: of every field that a rule asks for and a real
// event has, the event tells when all are looked for at once, also in the forms
// of other collectors. The long suite looks at one event in ten, and at all with
// ASPIS_NAIVE_EVENTS=all (94 s).
func TestFieldsOfRealEventsAreTold(t *testing.T) {
	a := &telling{T: t, names: NewEngine(realRules(t).Rules(), EngineOptions{}).names[1:], dialects: map[event.Dialect]int{}}
	a.set = event.NewNames(a.names)
	stride, events := 100, 0
	if os.Getenv("ASPIS_LONG") != "" {
		stride = 10
	}
	if os.Getenv("ASPIS_NAIVE_EVENTS") == "all" {
		stride = 1
	}
	for record, err := range replay.Open([]string{filepath.Join(dataDir(t), "events")}, replay.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if events++; events%stride != 0 {
			continue
		}
		ev, err := event.Decode(record.Raw, event.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		a.check(ev)
		forms := restatings
		switch ev.Dialect() {
		case event.Zeek:
			forms = []restating{suricata}
		case event.WindowsFlat:
		default:
			continue
		}
		for _, form := range forms {
			if other := form.of(t, ev); other != nil {
				a.check(other)
			}
		}
	}
	for _, ev := range cloudEvents(t) {
		a.check(ev)
	}
	t.Logf("%d fields of %v events, %d of them asked", a.fields, a.dialects, a.asked)
	if len(a.dialects) < 10 || a.asked > events/stride/100 || a.fields < 100*events/stride/20 {
		t.Errorf("%d fields of %v events, %d of them asked: too few", a.fields, a.dialects, a.asked)
	}
}

// telling compares what events tell with what they have.
type telling struct {
	*testing.T
	names    []event.Name
	set      *event.Names
	dialects map[event.Dialect]int
	fields   int
	asked    int // events that have to be asked
}

func (a *telling) check(ev *event.Event) {
	a.dialects[ev.Dialect()]++
	values, unsure := make([][]string, len(a.names)), make([]bool, len(a.names))
	if !ev.EachNamed(a.set, func(name int, v event.Value) {
		if v.Kind() == event.Missing {
			unsure[name] = true
		} else {
			values[name] = append(values[name], v.Text())
		}
	}) {
		a.asked++
		return
	}
	for i := range a.names {
		v, ok := ev.Get(&a.names[i])
		if !ok {
			continue
		}
		a.fields++
		for _, text := range textsIn(v) {
			if !unsure[i] && !slices.Contains(values[i], text) {
				a.Fatalf("%s = %q is not told of, %q is\n%s", a.names[i].String(), text, values[i], ev.Raw())
			}
		}
	}
}

// textsIn are the texts of a value, of a list those of its elements.
func textsIn(v event.Value) (texts []string) {
	v.Each(func(item event.Value) bool {
		switch item.Kind() {
		case event.List:
			texts = append(texts, textsIn(item)...)
		case event.Null:
		default:
			texts = append(texts, item.Text())
		}
		return true
	})
	return texts
}

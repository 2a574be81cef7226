package workbench

import (
	"bytes"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

// ErrNothing says that there is nothing to measure.
var ErrNothing = errors.New("no rules or no events to measure")

// Measurement is what is measured.
type Measurement struct {
	Rules        []string // files, folders and archives
	Options      sigma.Options
	Events       []string
	All          bool          // ask every rule about every event
	Sample       int           // rules, spread evenly over all; 0: all
	PerLogsource int           // events of each log source; 0: all
	Least        time.Duration // processor time that each figure takes at least
	Problem      func(error)   // told of what could not be read
	Rewritten    func(n int)   // told how many of the events are not JSON
}

// Measured is the result. All times are processor time on one core, the garbage
// collector's work included.
type Measured struct {
	Rules                    int     `json:"rules"`
	Events                   int     `json:"events"`
	EventsPerCPUSecond       float64 `json:"events_per_cpu_second"`        // evaluation alone
	DecodeEventsPerCPUSecond float64 `json:"decode_events_per_cpu_second"` // encoding/json into maps
	Ratio                    float64 `json:"ratio"`                        // cost of evaluation / of that decoding
	OwnDecodeRatio           float64 `json:"own_decode_ratio"`             // cost of our decoding / of that decoding
	CandidatesPerEvent       float64 `json:"candidates_per_event"`
	Matches                  int     `json:"matches"`      // of one pass over the events
	HeapMB                   float64 `json:"heap_mb"`      // of the rules, with what the log sources of the events need
	LoadSeconds              float64 `json:"load_seconds"` // to unpack, read and compile the rules, for those log sources
}

// Measure loads the rules and measures them on one core. All figures are of the
// same events. A record that is not JSON is written as a JSON object of its
// fields for encoding/json; our own decoding reads it as it came.
func (m Measurement) Measure() (Measured, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var out Measured
	began, err := processorTime()
	if err != nil {
		return out, err
	}
	rules := Load(m.Rules, m.Options).Set.Rules()
	rules = spread(detections(rules), m.Sample)
	engine := sigma.NewEngine(rules, sigma.EngineOptions{IgnoreLogsource: m.All})
	loaded, err := processorTime()
	if err != nil {
		return out, err
	}
	out.LoadSeconds = (loaded - began).Seconds()
	out.HeapMB = heapMB()
	out.Rules = engine.Len()
	raw, asJSON := m.read()
	if out.Events = len(raw); out.Events == 0 || out.Rules == 0 {
		return out, ErrNothing
	}
	reference, err := m.encodingJSON(asJSON)
	if err != nil {
		return out, err
	}
	own, err := m.ownDecoding(raw)
	if err != nil {
		return out, err
	}
	evaluation, err := m.evaluation(engine, raw, &out)
	if err != nil {
		return out, err
	}
	out.EventsPerCPUSecond = 1 / evaluation
	out.DecodeEventsPerCPUSecond = 1 / reference
	out.Ratio = evaluation / reference
	out.OwnDecodeRatio = own / reference
	runtime.KeepAlive(rules)
	return out, nil
}

func detections(rules []*sigma.Rule) []*sigma.Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r *sigma.Rule) bool { return r.Correlation != nil })
}

// spread returns n rules evenly over the list.
func spread(rules []*sigma.Rule, n int) []*sigma.Rule {
	if n <= 0 || n >= len(rules) {
		return rules
	}
	out := make([]*sigma.Rule, n)
	for i := range out {
		out[i] = rules[i*len(rules)/n]
	}
	return out
}

func heapMB() float64 {
	runtime.GC()
	runtime.GC() // what the first one only marked
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return float64(mem.HeapAlloc) / (1 << 20)
}

// read chooses the events: the first of every log source in the order of files,
// as they came and as JSON.
func (m Measurement) read() (raw, asJSON [][]byte) {
	seen := map[event.Logsource]int{}
	rewritten := 0
	for ev, err := range Events(m.Events) {
		if err != nil {
			m.Problem(err)
			continue
		}
		ls := kept(ev.Logsource())
		if seen[ls]++; m.PerLogsource > 0 && seen[ls] > m.PerLogsource {
			continue
		}
		record := bytes.Clone(ev.Raw())
		raw = append(raw, record)
		if !bytes.HasPrefix(record, []byte("{")) {
			rewritten++
			record = fieldsAsJSON(ev.Event)
		}
		asJSON = append(asJSON, record)
	}
	if rewritten > 0 {
		m.Rewritten(rewritten)
	}
	return raw, asJSON
}

// fieldsAsJSON writes an event's fields as a JSON object; one with several values
// is a list.
func fieldsAsJSON(ev *event.Event) []byte {
	fields := map[string]any{}
	ev.EachText(func(field, text string) bool {
		switch was := fields[field].(type) {
		case nil:
			fields[field] = text
		case string:
			fields[field] = []string{was, text}
		case []string:
			fields[field] = append(was, text)
		}
		return true
	})
	out, err := json.Marshal(fields)
	if err != nil { // texts always encode
		return []byte("{}")
	}
	return out
}

// kept is a log source that stays valid when its event does not.
func kept(l event.Logsource) event.Logsource {
	return event.Logsource{Product: strings.Clone(l.Product), Category: strings.Clone(l.Category), Service: strings.Clone(l.Service)}
}

// cost is the processor time of one of n calls of f, in seconds. All n are made
// once before and then as often as m.Least takes.
func (m Measurement) cost(n int, f func(i int) error) (float64, error) {
	pass := func() error {
		for i := range n {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
	if err := pass(); err != nil {
		return 0, err
	}
	runtime.GC()
	began, err := processorTime()
	calls := 0
	for err == nil {
		if err = pass(); err != nil {
			break
		}
		calls += n
		var now time.Duration
		if now, err = processorTime(); err == nil && now-began >= m.Least {
			return (now - began).Seconds() / float64(calls), nil
		}
	}
	return 0, err
}

func (m Measurement) encodingJSON(raw [][]byte) (float64, error) {
	return m.cost(len(raw), func(i int) error {
		var v map[string]any
		return json.Unmarshal(raw[i], &v)
	})
}

func (m Measurement) ownDecoding(raw [][]byte) (float64, error) {
	d := event.NewDecoder(event.Limits{MaxBytes: maxEventBytes, MaxFields: maxEventFields})
	return m.cost(len(raw), func(i int) error {
		_, err := d.Decode(raw[i])
		return err
	})
}

func (m Measurement) evaluation(engine *sigma.Engine, raw [][]byte, out *Measured) (float64, error) {
	events := make([]*event.Event, len(raw))
	for i := range raw {
		var err error
		if events[i], err = event.Decode(raw[i], event.Limits{MaxBytes: maxEventBytes, MaxFields: maxEventFields}); err != nil {
			return 0, err
		}
	}
	before := heapMB()
	matcher := engine.NewMatcher()
	ignore := func(*sigma.Rule) bool { return true }
	began, err := processorTime()
	if err != nil {
		return 0, err
	}
	for _, ev := range events {
		matcher.Match(ev, ignore)
	}
	first, err := processorTime()
	if err != nil {
		return 0, err
	}
	out.HeapMB += heapMB() - before
	cost, err := m.cost(len(events), func(i int) error {
		matcher.Match(events[i], ignore)
		return nil
	})
	// What the first pass took longer went into the plans of the log sources.
	out.LoadSeconds += max(0, (first-began).Seconds()-cost*float64(len(events)))
	stats := matcher.Stats()
	out.CandidatesPerEvent = float64(stats.Candidates) / float64(stats.Events)
	out.Matches = int(stats.Matches / (stats.Events / uint64(len(events)))) //nolint:gosec // passes over all events
	return cost, err
}

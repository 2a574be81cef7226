package event_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/replay"
)

// realSets walks a folder of the shared event sets.
func realSets(t *testing.T, folder string, each func(replay.Record, *event.Event)) {
	t.Helper()
	data := os.Getenv("ASPIS_DATA")
	if data == "" {
		t.Skip("ASPIS_DATA is not set")
	}
	n := 0
	counts := map[string]int{}
	for r, err := range replay.Open([]string{filepath.Join(data, "events", folder)}, replay.Options{}) {
		if err != nil {
			t.Error(err)
			continue
		}
		e, err := event.Decode(r.Raw, event.Limits{})
		if err != nil {
			t.Fatalf("%s:%d: %v", r.File, r.Line, err)
		}
		n++
		l := e.Logsource()
		counts[fmt.Sprintf("%-13s %s/%s/%s", e.Dialect(), l.Product, l.Category, l.Service)]++
		each(r, e)
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%7d %s", counts[name], name)
	}
	if n == 0 {
		t.Error("no records")
	}
}

func text(e *event.Event, field string) string {
	v, _ := e.Field(field)
	return v.Text()
}

func TestRealWindows(t *testing.T) {
	creations := 0
	realSets(t, "windows", func(r replay.Record, e *event.Event) {
		l := e.Logsource()
		at := fmt.Sprintf("%s:%d", r.File, r.Line)
		if l.Product != "windows" {
			t.Fatalf("%s: product %q", at, l.Product)
		}
		if _, ok := e.Time(); !ok {
			t.Fatalf("%s: no time", at)
		}
		id, channel := text(e, "EventID"), strings.ToLower(text(e, "Channel"))
		if text(e, "Provider_Name") == "" || text(e, "Computer") == "" || id == "" {
			t.Fatalf("%s: provider, computer or number missing", at)
		}
		sysmon := channel == "microsoft-windows-sysmon/operational"
		if sysmon != (l.Service == "sysmon") || (channel == "security") != (l.Service == "security") {
			t.Fatalf("%s: channel %s is service %s", at, channel, l.Service)
		}
		created := sysmon && id == "1" || channel == "security" && id == "4688"
		if created != (l.Category == "process_creation") {
			t.Fatalf("%s: %s %s is category %q", at, channel, id, l.Category)
		}
		if created {
			creations++
			if text(e, "Image") == "" {
				t.Fatalf("%s: process creation without Image", at)
			}
		}
	})
	if creations < 1000 && !t.Failed() {
		t.Errorf("%d process creations", creations)
	}
}

func TestRealZeek(t *testing.T) {
	queries := 0
	realSets(t, "zeek", func(r replay.Record, e *event.Event) {
		l := e.Logsource()
		at := fmt.Sprintf("%s:%d", r.File, r.Line)
		if e.Dialect() != event.Zeek || l.Product != "zeek" || l.Service == "" || l.Service == "unknown" {
			t.Fatalf("%s: %s %+v", at, e.Dialect(), l)
		}
		if log, ok := strings.CutSuffix(filepath.Base(r.File), ".json.gz"); ok && l.Service != log {
			t.Fatalf("%s: service %s", at, l.Service)
		}
		if l.Service != "dns" {
			return
		}
		queries++
		if l.Category != "dns" || text(e, "src_ip") == "" || text(e, "dst_port") == "" {
			t.Fatalf("%s: DNS without its parts", at)
		}
	})
	if queries < 50_000 && !t.Failed() {
		t.Errorf("%d DNS queries", queries)
	}
}

func TestRealAWS(t *testing.T) {
	reported := 0
	realSets(t, "aws", func(r replay.Record, e *event.Event) {
		if strings.HasSuffix(r.File, ".csv") { // a report made from CloudTrail, in words of its own
			if text(e, "Event Type") != "AwsApiCall" || text(e, "Request ID") == "" {
				t.Fatalf("%s:%d: %s", r.File, r.Line, r.Raw)
			}
			reported++
			return
		}
		if l := e.Logsource(); l != (event.Logsource{Product: "aws", Service: "cloudtrail"}) {
			t.Fatalf("%s:%d: %+v", r.File, r.Line, l)
		}
		if text(e, "userIdentity.type") == "" || text(e, "eventName") == "" {
			t.Fatalf("%s:%d: no identity or event", r.File, r.Line)
		}
		if _, ok := e.Time(); !ok {
			t.Fatalf("%s:%d: no time", r.File, r.Line)
		}
	})
	if reported != 301 && !t.Failed() {
		t.Errorf("%d rows of the report", reported)
	}
}

func TestRealLinux(t *testing.T) {
	commands := 0
	realSets(t, "linux", func(r replay.Record, e *event.Event) {
		if _, ok := e.Time(); !ok {
			t.Fatalf("%s:%d: no time", r.File, r.Line)
		}
		switch e.Dialect() {
		case event.Auditd:
			if text(e, "type") == "" || text(e, "audit_id") == "" {
				t.Fatalf("%s:%d: audit record without type or id", r.File, r.Line)
			}
		case event.SysmonLinux:
			if e.Logsource().Category == "process_creation" && text(e, "CommandLine") != "" {
				commands++
			}
		}
	})
	if commands == 0 && !t.Failed() {
		t.Error("no command lines from Sysmon for Linux")
	}
}

// TestRealObservables: what is found is plausible in mass.
func TestRealObservables(t *testing.T) {
	kinds := map[string]int{}
	realSets(t, "", func(_ replay.Record, e *event.Event) {
		for _, o := range e.Observables() {
			kinds[o.Kind.String()]++
		}
	})
	t.Log(kinds)
	for _, kind := range []string{"ipv4", "ipv6", "domain", "url", "email", "md5", "sha1", "sha256", "host", "account"} {
		if kinds[kind] < 10 && !t.Failed() {
			t.Errorf("%d of kind %s", kinds[kind], kind)
		}
	}
}

package event

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestTrails: what is passed on as it is, and what is made of others.
func TestTrails(t *testing.T) {
	created := Logsource{Product: "windows", Category: "process_creation"}
	for _, tt := range []struct {
		dialect Dialect
		source  Logsource
		name    string
		want    string
	}{
		{ECS, created, "Image", "[{process.executable true}]"},
		{ECS, created, "CommandLine", "[{process.command_line true} {process.title true} {process.args false}]"},
		{ECS, created, "Initiated", "[{network.direction false}]"},
		{ECS, created, "TargetFilename", "[]"}, // of no process
		{ECS, Logsource{Category: "file_event"}, "TargetFilename", "[{file.path true}]"},
		{Winlogbeat, created, "IntegrityLevel", "[{process.Ext.token.integrity_level_name true} {MandatoryLabel false}]"},
		{OCSF, created, "ParentImage", "[{process.parent_process.file.path true} {actor.process.file.path true}]"},
		{OCSF, Logsource{}, "Image", "[{actor.process.file.path true}]"},
		{DefenderXDR, created, "Image", "[]"}, // the flat view has it
		{CloudTrail, Logsource{}, "requestParameters.name", "[{requestParameters{} false}]"},
		{Zeek, Logsource{}, "c-uri-stem", "[{c-uri false} {cs-uri false} {url.original false} {url.full false} {uri false}]"},
		{Cloud, Logsource{Product: "gcp"}, "eventService", "[{protoPayload.serviceName true} {data.protoPayload.serviceName true} {events false}]"},
		{Auditd, Logsource{}, "Image", "[]"},
	} {
		if got := fmt.Sprint(trails(tt.dialect, tt.source, tt.name)); got != tt.want {
			t.Errorf("%s in %s %+v: %s, want %s", tt.name, tt.dialect, tt.source, got, tt.want)
		}
	}
}

// TestLedNamesAreFew: events that say what log source they are of cannot make
// more and more of them, and equal ones are one.
func TestLedNamesAreFew(t *testing.T) {
	names := namesOf([]string{"Image", "CommandLine"})
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for i := range 2 * maxLed {
				names.led(ECS, Logsource{Category: strings.Repeat("x", i)})
			}
		})
	}
	workers.Wait()
	made := *names.ledBy.made.Load()
	if len(made) < maxLed || len(made) > maxLed+4 {
		t.Errorf("%d are kept, want about %d", len(made), maxLed)
	}
	slices.SortFunc(made, func(a, b ledFor) int { return len(a.source.Category) - len(b.source.Category) })
	if made[0].ledNames != made[len(made)-1].ledNames {
		t.Error("equal ones are several")
	}
	e, err := Decode([]byte(`{"ecs":{"version":"8"},"logsource":{"category":"another"},"process":{"executable":"x"}}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if e.EachNamed(names, func(int, Value) {}) {
		t.Error("one more is made")
	}
	if l := names.led(ECS, Logsource{}); l == nil || l != made[0].ledNames {
		t.Error("what was made is forgotten")
	}
}

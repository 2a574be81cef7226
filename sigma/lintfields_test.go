package sigma

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aspis-platform/aspis/event"
)

// lintOfSource returns the warnings of a rule of a log source.
func lintOfSource(t *testing.T, logsource, detection string) (places []string, messages string) {
	t.Helper()
	src := strings.Replace(ruleText(detection), "logsource: {product: windows}", "level: low\nlogsource: {"+logsource+"}", 1)
	set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(src)}}, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, w := range NewLinter().Lint(set) {
		places = append(places, fmt.Sprintf("%d %s", w.Line, w.Check))
		messages += w.Message + "\n"
	}
	return places, messages
}

func TestLintLogSources(t *testing.T) {
	tests := []struct{ name, logsource, detection, want, message string }{
		{"CloudTrail", "product: aws, service: cloudtrail", sel("eventName: x", "requestParameters.a.b: y"), "", ""},
		{"CloudTrail, slip", "product: aws, service: cloudtrail", sel("eventname: x"), "1 never-fires, 7 unknown-field", `"eventName" is`},
		{"CloudTrail, slip below", "product: aws, service: cloudtrail", sel("userIdentity.tpye: Root"), "1 never-fires, 7 unknown-field", `"userIdentity.type" is`},
		{"CloudTrail, value", "product: aws, service: cloudtrail", sel("userIdentity.type: User"), "1 never-fires, 7 impossible-value", "IAMUser"},
		{"Azure in any of its spellings", "product: azure, service: auditlogs", sel("properties.LoggedByService: x", "operationName: y"), "", ""},
		{"Azure, slip", "product: azure, service: auditlogs", sel("Initiatedby: x"), "1 never-fires, 7 unknown-field", `"initiatedBy" is`},
		{"Google Cloud through Pub/Sub", "product: gcp, service: gcp.audit", sel("data.protoPayload.methodName: x"), "", ""},
		{"Google Cloud, slip", "product: gcp, service: gcp.audit", sel("protoPayload.methodname: x"), "1 never-fires, 7 unknown-field", `"protoPayload.methodName" is`},
		{"Okta", "product: okta, service: okta", sel("debugContext.debugData.anything: x", "severity: warn"), "", ""},
		{"Okta, value", "product: okta, service: okta", sel("severity: high"), "1 never-fires, 7 impossible-value", "DEBUG, INFO, WARN, ERROR"},
		{"Kubernetes", "product: kubernetes, service: audit", sel("apiGroup: apps"), "1 never-fires, 7 unknown-field", ""},
		{"GitHub is open", "product: github, service: audit", sel("actoin: x"), "", ""},
		{"proxy", "category: proxy", sel("c-uri|contains: x", "cs-user-agent: y", "x-anything: z"), "", ""},
		{"proxy, slip", "category: proxy", sel("c-useragnt: y"), "1 never-fires, 7 unknown-field", `"c-useragent" is`},
		{"firewall, port", "category: firewall", sel("dst_port: http"), "1 never-fires, 7 impossible-value", "whole number"},
		{"Zeek, value", "product: zeek, service: conn", sel("conn_state: OPEN"), "1 never-fires, 7 impossible-value", ""},
		{"a logon", "product: windows, service: security", sel("EventID: 4624", "LogonType: 3", "IpAddress: '-'"), "", ""},
		{"a logon of another kind", "product: windows, service: security", sel("EventID: 4624", "LogonType: 6"), "1 never-fires, 8 impossible-value", ""},
		{"a field of another event", "product: windows, service: security", sel("EventID: 4624", "ServiceFileName: x"), "1 never-fires, 8 unknown-field", "with this EventID"},
		{"fields of either event", "product: windows, service: security", sel("EventID: [4624, 4697]", "ServiceFileName: x"), "", ""},
		{"an event that is not listed", "product: windows, service: security", sel("EventID: 4999", "ServiceFileName: x"), "", ""},
		{"event and field apart", "product: windows, service: security", "a: {EventID: 4625}\nb: {ServiceFileName: x}\ncondition: a and b", "1 never-fires", ""},
		{"a service, in an open channel", "product: windows, service: system", sel("EventID: 7045", "ImagePath: x"), "", ""},
		{"a slip there", "product: windows, service: system", sel("EventID: 7045", "ServiceFileName: x"), "1 never-fires, 8 unknown-field", ""},
		{"any event there", "product: windows, service: system", sel("Anything: x"), "", ""},
		{"auditd, by record", "product: linux, service: auditd", sel("type: EXECVE", "a0: x"), "", ""},
		{"auditd, field of another record", "product: linux, service: auditd", sel("type: EXECVE", "exe: x"), "1 never-fires, 8 unknown-field", ""},
		{"auditd, any record", "product: linux, service: auditd", sel("exe: x"), "", ""},
		{"Defender, names with spaces", "product: windows, service: windefend", sel("EventID: 5007", "New Value: x", "Old_Value: y"), "", ""},
		{"Defender, another event", "product: windows, service: windefend", sel("EventID: 5007", "Threat Name: x"), "1 never-fires, 8 unknown-field", "with this EventID"},
		{"field that few products have", "product: windows, category: file_event", sel("CommandLine: x"), "7 rare-field", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			places, messages := lintOfSource(t, tt.logsource, tt.detection)
			if got := strings.Join(places, ", "); got != tt.want || !strings.Contains(messages, tt.message) {
				t.Errorf("warnings %q, want %q with %q\n%s", got, tt.want, tt.message, messages)
			}
		})
	}
}

// TestLintCorrelation: a slip in what a correlation groups by is told of; a name
// that is like none of the events' may be what the correlator adds.
func TestLintCorrelation(t *testing.T) {
	src := ruleText(sel("EventID: 4625"))
	src = strings.Replace(src, "logsource: {product: windows}", "level: low\nlogsource: {product: windows, service: security}", 1)
	src += "\n---\ntitle: c\nid: c\nlevel: low\ncorrelation:\n  type: value_count\n  rules: [test]\n  group-by: [IpAdress]\n" +
		"  timespan: 1h\n  condition: {field: institution, gte: 3}\n"
	set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(src)}}, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	warnings := NewLinter().Lint(set)
	if len(warnings) != 1 || warnings[0].Rule != "c" || !strings.Contains(warnings[0].Message, `"IpAddress" is`) {
		t.Errorf("warnings %+v", warnings)
	}
}

// TestSlipsAreCaught plants slips into every name of the catalogue.
func TestSlipsAreCaught(t *testing.T) {
	planted := 0
	for source, set := range newCatalogue() {
		if set.names == nil {
			continue
		}
		for i, name := range slices.Sorted(maps.Keys(set.names)) {
			if i%4 > 0 { // time
				continue
			}
			for _, slip := range []string{name[1:], name[:len(name)/2] + name[len(name)/2+1:], name + "s", swap(name)} {
				if len(slip) < 4 || slip == name {
					continue
				}
				if _, ok := set.find(slip); ok {
					continue // another name
				}
				planted++
				if other := set.similar(slip); other == "" || distance(strings.ToLower(slip), strings.ToLower(set.spelling.name(other)), 3) > 2 {
					t.Errorf("%v: %q for %q is taken for %q", source, slip, name, other)
				}
			}
		}
	}
	if planted < 2000 {
		t.Errorf("%d slips planted", planted)
	}
}

// swap exchanges the two letters in the middle.
func swap(name string) string {
	i := len(name) / 2
	if i == 0 {
		return name
	}
	return name[:i-1] + name[i:i+1] + name[i-1:i] + name[i+1:]
}

// TestCatalogueIsRead: every line says something, and names nothing that is not
// there.
func TestCatalogueIsRead(t *testing.T) {
	files, err := fs.Glob(fieldFiles, "fields/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	heads := map[string]bool{}
	for _, name := range files {
		text, err := fieldFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			head, _, ok := strings.Cut(line, ": ")
			if strings.HasPrefix(line, "#") || line == "\n" {
				continue
			}
			if !ok || heads[head] {
				t.Errorf("%s: %q says nothing, or what another line says", name, head)
			}
			heads[head] = true
		}
	}
	c := newCatalogue()
	for source, set := range c {
		for _, s := range append(slices.Collect(maps.Values(set.variants)), set) {
			for name, k := range s.names {
				if strings.HasPrefix(name, "@") && name != "@timestamp" && name != "@version" && !strings.HasPrefix(name, "@s") && name != "@proc" ||
					strings.ContainsAny(name, "?=|*") || k.values == "" && strings.HasSuffix(name, "=") {
					t.Errorf("%v: %q", source, name)
				}
			}
		}
		for _, part := range []string{source.Product, source.Category, source.Service} {
			if strings.ToLower(part) != part {
				t.Errorf("%v is not in small letters", source)
			}
		}
	}
	for _, want := range []struct {
		source event.Logsource
		field  string
	}{
		{event.Logsource{Product: "windows", Category: "process_creation", Service: "sysmon"}, "Computer"},
		{event.Logsource{Product: "linux", Category: "process_creation"}, "Image"},
		{event.Logsource{Product: "zeek", Service: "dns"}, "qtype_name"},
	} {
		if _, ok := c.fields(want.source).find(want.field); !ok {
			t.Errorf("%v has no %s", want.source, want.field)
		}
	}
	l := NewLinter()
	if l.Knows(event.Logsource{Product: "github", Service: "audit"}) || !l.Knows(event.Logsource{Product: "okta", Service: "okta"}) {
		t.Error("GitHub's fields are known, or Okta's are not")
	}
}

// TestCatalogueAgreesWithTheDecoder: the numbers that the catalogue gives to a
// category are those by which the decoder tells it.
func TestCatalogueAgreesWithTheDecoder(t *testing.T) {
	c := newCatalogue()
	told := map[string]bool{}
	for channel, numbers := range map[string][]int{
		"Microsoft-Windows-Sysmon/Operational": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 255},
		"Security":                             {4688}, "Microsoft-Windows-PowerShell/Operational": {4103, 4104}, "Windows PowerShell": {400, 600, 800},
	} {
		for _, number := range numbers {
			record := fmt.Sprintf(`{"EventID":%d,"Channel":%q,"EventType":"CreateKey"}`, number, channel)
			ev, err := event.Decode([]byte(record), event.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			l := ev.Logsource()
			told[l.Category] = true
			k, ok := c.fields(event.Logsource{Product: l.Product, Category: l.Category}).find("EventID")
			if lit := strconv.Itoa(number); !ok || k.values == "" || !k.admits(&pred{predKey: predKey{kind: predNumber, lit: lit, alt: lit}}) {
				t.Errorf("event %d of %s is %s, whose numbers are %q", number, channel, l.Category, k.values)
			}
		}
	}
	for source, set := range c {
		if k := set.names["EventID"]; k.values != "" && k.values != "#" && !told[source.Category] && source.Category != "registry_delete" && source.Category != "registry_event" {
			t.Errorf("no event is %v", source)
		}
	}
}

// TestCatalogueKnowsRealEvents: what real events have, the catalogue says that
// they can have.
func TestCatalogueKnowsRealEvents(t *testing.T) {
	c := newCatalogue()
	unknown := map[string]int{}
	checked := 0
	for _, ev := range append(realEvents(t, 1500), monitoredEvents(t, 300)...) {
		l := ev.Logsource()
		for _, source := range append([]event.Logsource{l}, alsoOf(l)...) {
			set := c.fields(source)
			if set != nil && set.by != "" {
				if v, ok := ev.Field(set.by); ok {
					set = set.of([]string{v.Text()})
				}
			}
			ev.EachText(func(path, text string) bool {
				k, ok := set.find(path)
				if checked++; !ok {
					unknown[fmt.Sprintf("%v %s", l, path)]++
				} else if k.values != "" && !k.admits(&pred{predKey: predKey{kind: predExact, lit: fold(text)}}) {
					unknown[fmt.Sprintf("%v %s is %q", l, path, text)]++
				}
				return true
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		t.Errorf("%s (%d times)", name, unknown[name])
	}
	t.Logf("%d fields", checked)
}

// monitoredEvents are events of Zeek, CloudTrail and auditd, so many of a file.
func monitoredEvents(t *testing.T, most int) (events []*event.Event) {
	t.Helper()
	var names []string
	for _, pattern := range []string{"zeek/*.gz", "linux/sh_*.zip", "aws/ec2*.zip"} {
		found, err := filepath.Glob(filepath.Join(dataDir(t), "events", pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		names = append(names, found...)
	}
	for _, name := range names {
		left := most
		take := func(line []byte) {
			if left--; left < 0 {
				return
			}
			if ev, err := event.Decode(bytes.Clone(line), event.Limits{}); err == nil {
				events = append(events, ev)
			}
		}
		if strings.HasSuffix(name, ".zip") {
			eachLine(t, name, take)
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(z); left > 0 && lines.Scan(); {
			take(lines.Bytes())
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

func alsoOf(l event.Logsource) []event.Logsource {
	also := l.Also()
	return slices.DeleteFunc(also[:], func(l event.Logsource) bool { return l == event.Logsource{} })
}

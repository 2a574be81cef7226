package event_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/replay"
)

// probedNames are names of every kind of look-up: literal, dotted, alias,
// attribute, and names that lead nowhere.
func probedNames() []string {
	return []string{
		"EventID", "Image", "CommandLine", "Provider_Name", "Computer", "Data", "Execution_ProcessID", "IntegrityLevel", "a", "a.b", "a.b.c", "a.b.c.d",
		"userIdentity.type", "requestParameters.bucketName", "id.orig_h", "id.resp_p", "src_ip", "winlog.event_data.Image", "process.executable",
		"c-useragent", "event.code", ".", "..", "a.", ".a", "", "x_y", "none", "none.at.all", "TimeCreated_SystemTime", "alert.signature",
		"ParentImage", "LogonId", "Signature", "Filename", "Channel", "EventLog", "EventRecordID", "Keywords", "User", "ProcessId", "Hashes",
	}
}

// same says where a prepared name finds something else than the plain one.
func same(t testing.TB, e *event.Event) {
	t.Helper()
	text := func(v event.Value, ok bool) []any { return []any{v.Kind(), v.Text(), ok} }
	for _, name := range probedNames() {
		n := event.NewName(name)
		if diff := cmp.Diff(text(e.Field(name)), text(e.Get(&n))); diff != "" {
			t.Errorf("%q: Get finds something else than Field (-Field +Get):\n%s\n%s", name, diff, e.Raw())
		}
	}
}

func TestPreparedNames(t *testing.T) {
	for _, raw := range []string{
		`{"EventID":1,"SourceName":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational","Hostname":"h","Image":"x"}`, `{"a":{"b":{"c":1}}}`, `{"a.b":{"c":{"d":2}},"a":{"b":{"c":{"d":3}}}}`, `{"a":[{"b":1},{"b":{"c":2}}]}`, `{"a":null,"a.b":null}`, `{"":{"":1},".":2}`,
		`{"EventID":4688,"Channel":"Security","NewProcessName":"x","ParentProcessName":"p","SubjectLogonId":"0x3e7","MandatoryLabel":"S-1-16-8192"}`,
		`{"EventID":1116,"Channel":"Microsoft-Windows-Windows Defender/Operational","ThreatName":"t","Path":"p"}`,
		`{"Event":{"System":{"Provider":{"#attributes":{"Name":"x"}},"EventID":1},"EventData":{"Image":"y"}}}`,
		`{"winlog":{"event_id":1,"event_data":{"Image":"z"}},"process":{"executable":"p"}}`,
		`{"_path":"conn","id.orig_h":"192.0.2.1"}`, `{"event_type":"dns","src_ip":"192.0.2.1","alert":{"signature":"s"}}`, `<13>Jan  2 03:04:05 h p: x`,
	} {
		e, err := event.Decode([]byte(raw), event.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		same(t, e)
	}
}

func TestPreparedNamesOnRealRecords(t *testing.T) {
	for _, folder := range []string{"windows", "aws", "linux", "zeek"} {
		n := 0
		realSets(t, folder, func(_ replay.Record, e *event.Event) {
			if n++; n%40 == 0 {
				same(t, e)
			}
		})
	}
}

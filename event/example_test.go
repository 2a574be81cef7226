package event_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/aspis-platform/aspis/event"
)

// Records are told apart by what is in them; fields have the names of Sigma's
// taxonomy whatever the dialect calls them.
func ExampleDecode() {
	for _, record := range []string{
		`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"C:\\Windows\\whoami.exe","UtcTime":"2026-01-02 03:04:05.678"}`,
		`{"@timestamp":"2026-01-02T03:04:05Z","event":{"category":["process"],"type":["start"]},"host":{"os":{"type":"windows"}},"process":{"executable":"C:\\Windows\\whoami.exe"}}`,
		`type=EXECVE msg=audit(1767323045.678:42): argc=1 a0="/usr/bin/whoami"`,
	} {
		ev, err := event.Decode([]byte(record), event.Limits{})
		if err != nil {
			fmt.Println(err)
			continue
		}
		at, _ := ev.Time()
		image, ok := ev.Field("Image")
		l := ev.Logsource()
		fmt.Println(ev.Dialect(), l.Product, l.Category, l.Service, at.Format(time.TimeOnly), image.Text(), ok)
	}
	_, err := event.Decode([]byte(`{"EventID": 1,}`), event.Limits{})
	if refused, ok := errors.AsType[*event.DecodeError](err); ok {
		fmt.Println(refused)
	}
	// Output:
	// windows-flat windows process_creation sysmon 03:04:05 C:\Windows\whoami.exe true
	// ecs windows process_creation  03:04:05 C:\Windows\whoami.exe true
	// auditd linux  auditd 03:04:05  false
	// decode record: bad_json at byte 14
}

// A Decoder reuses its memory: what it returned is valid until the next call.
func ExampleDecoder() {
	d := event.NewDecoder(event.Limits{MaxBytes: 64 << 10})
	for _, record := range []string{`{"_path":"dns","ts":1,"uid":"C1","query":"a.example"}`, `{"_path":"dns","ts":2,"uid":"C2","query":"b.example"}`} {
		ev, err := d.Decode([]byte(record))
		if err != nil {
			fmt.Println(err)
			continue
		}
		query, _ := ev.Field("query")
		fmt.Println(query.Text())
	}
	// Output:
	// a.example
	// b.example
}

func ExampleEvent_Observables() {
	ev, err := event.Decode([]byte(`{"c-ip":"10.0.0.9","cs-host":"update.example.net","c-uri":"https://update.example.net/x"}`), event.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range ev.Observables() {
		fmt.Println(o.Kind, o.Value, o.Field, o.Internal())
	}
	// Output:
	// ipv4 10.0.0.9 c-ip true
	// domain update.example.net cs-host false
	// url https://update.example.net/x c-uri false
}

package event

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// windowsEvent is an event, apart from how it is written.
type windowsEvent struct {
	provider, channel, computer string
	id                          int
	data                        map[string]string
}

// windowsForms write an event in the ways that there are.
var windowsForms = map[string]func(windowsEvent) string{
	"flat": func(w windowsEvent) string {
		return object(w.data, map[string]any{"EventID": w.id, "Channel": w.channel, "SourceName": w.provider, "Hostname": w.computer})
	},
	"flat, EventID as text": func(w windowsEvent) string {
		return object(w.data, map[string]any{"EventID": fmt.Sprint(w.id), "Channel": w.channel, "Provider_Name": w.provider, "Computer": w.computer})
	},
	"flat, path in the names": func(w windowsEvent) string {
		return object(prefixed("Event.EventData.", w.data), map[string]any{
			"Event.System.EventID": w.id, "Event.System.Channel": w.channel, "Event.System.Provider_Name": w.provider, "Event.System.Computer": w.computer,
		})
	},
	"nested, #attributes": func(w windowsEvent) string {
		return toJSON(map[string]any{"Event": map[string]any{
			"System":    w.system(map[string]any{"#attributes": map[string]any{"Name": w.provider}}),
			"EventData": w.data,
		}})
	},
	"nested, @attributes": func(w windowsEvent) string {
		return toJSON(map[string]any{"Event": map[string]any{
			"System":    w.system(map[string]any{"@Name": w.provider}),
			"EventData": map[string]any{"Data": w.elements("@Name", "#text")},
		}})
	},
	"nested, no root": func(w windowsEvent) string {
		return toJSON(map[string]any{"System": w.system(map[string]any{"Name": w.provider}), "EventData": w.data})
	},
	"xml": windowsXML,
	"xml in a message": func(w windowsEvent) string {
		return toJSON(map[string]any{"message": windowsXML(w), "agent": map[string]any{"name": "x"}})
	},
	"json in a message": func(w windowsEvent) string {
		return toJSON(map[string]any{"message": object(w.data, map[string]any{"EventID": w.id, "Channel": w.channel, "SourceName": w.provider, "Computer": w.computer})})
	},
	"winlogbeat": func(w windowsEvent) string {
		return toJSON(map[string]any{"@timestamp": "2025-01-02T03:04:05Z", "winlog": map[string]any{
			"event_id": w.id, "channel": w.channel, "provider_name": w.provider, "computer_name": w.computer, "event_data": w.data,
		}})
	},
	"winlogbeat, path in the names": func(w windowsEvent) string {
		return object(prefixed("winlog.event_data.", w.data), map[string]any{
			"@timestamp": "2025-01-02T03:04:05Z", "event.code": fmt.Sprint(w.id), "winlog.channel": w.channel, "winlog.provider_name": w.provider, "winlog.computer_name": w.computer,
		})
	},
	"winlogbeat in an index": func(w windowsEvent) string {
		return toJSON(map[string]any{"_index": "x", "_id": "1", "_source": map[string]any{"winlog": map[string]any{
			"event_id": fmt.Sprint(w.id), "channel": w.channel, "provider_name": w.provider, "computer_name": w.computer, "event_data": w.data,
		}}})
	},
	"azure, data as object": func(w windowsEvent) string {
		return toJSON(map[string]any{"EventID": w.id, "Channel": w.channel, "Provider": w.provider, "Computer": w.computer, "EventData": w.data})
	},
	"azure, data as json text": func(w windowsEvent) string {
		return toJSON(map[string]any{"EventID": w.id, "Channel": w.channel, "Provider": w.provider, "Computer": w.computer, "EventData": toJSON(w.data)})
	},
	"azure, data as xml text": func(w windowsEvent) string {
		return toJSON(map[string]any{
			"EventID": w.id, "EventLog": w.channel, "Source": w.provider, "Computer": w.computer,
			"EventData": "<DataItem type=\"System.XmlData\"><EventData xmlns=\"x\">" + w.xmlData() + "</EventData></DataItem>",
		})
	},
	"evtxecmd": func(w windowsEvent) string {
		return toJSON(map[string]any{
			"EventId": w.id, "Channel": w.channel, "Provider": w.provider, "Computer": w.computer,
			"Payload": toJSON(map[string]any{"EventData": map[string]any{"Data": w.elements("@Name", "#text")}}),
		})
	},
	"splunk": func(w windowsEvent) string {
		return toJSON(map[string]any{"preview": false, "result": json.RawMessage(object(w.data, map[string]any{
			"EventCode": fmt.Sprint(w.id), "Channel": w.channel, "SourceName": w.provider, "ComputerName": w.computer, "sourcetype": "x",
		}))})
	},
}

func windowsXML(w windowsEvent) string {
	return fmt.Sprintf("<Event xmlns='x'><System><Provider Name='%s'/><EventID Qualifiers=''>%d</EventID><Channel>%s</Channel><Computer>%s</Computer></System><EventData>%s</EventData></Event>",
		escaped(w.provider), w.id, escaped(w.channel), escaped(w.computer), w.xmlData())
}

func (w windowsEvent) system(provider any) map[string]any {
	return map[string]any{"Provider": provider, "EventID": w.id, "Channel": w.channel, "Computer": w.computer}
}

func (w windowsEvent) elements(name, value string) (list []any) {
	for _, key := range slices.Sorted(maps.Keys(w.data)) {
		list = append(list, map[string]string{name: key, value: w.data[key]})
	}
	return list
}

func (w windowsEvent) xmlData() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(w.data)) {
		fmt.Fprintf(&b, "<Data Name=\"%s\">%s</Data>", escaped(key), escaped(w.data[key]))
	}
	return b.String()
}

func escaped(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return err.Error()
	}
	return b.String()
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func object(data map[string]string, more map[string]any) string {
	for name, value := range data {
		more[name] = value
	}
	return toJSON(more)
}

func prefixed(prefix string, data map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range data {
		out[prefix+name] = value
	}
	return out
}

// TestFormsSayTheSame: an event says the same in whatever form it is written.
func TestFormsSayTheSame(t *testing.T) {
	for name, form := range windowsForms {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := windowsEvent{
					provider: "Microsoft-Windows-Sysmon", channel: "Microsoft-Windows-Sysmon/Operational", computer: "h.example",
					id: rapid.IntRange(1, 29).Draw(t, "id"),
					data: rapid.MapOfN(
						rapid.SampledFrom([]string{"Image", "CommandLine", "UtcTime", "Details", "User", "ProcessId", "Hashes", "X"}),
						rapid.StringMatching(`[ -~日本é😀]{0,20}`), 1, 8,
					).Draw(t, "data"),
				}
				raw := form(w)
				e, err := Decode([]byte(raw), Limits{})
				if err != nil {
					t.Fatalf("%s: %v", raw, err)
				}
				want := Logsource{Product: "windows", Service: "sysmon", Category: sysmonCategory(fmt.Sprint(w.id), "")}
				if e.Logsource() != want {
					t.Fatalf("%s: %s, log source %+v, want %+v", raw, e.Dialect(), e.Logsource(), want)
				}
				fields := map[string]string{"EventID": fmt.Sprint(w.id), "Channel": w.channel, "Provider_Name": w.provider, "Computer": w.computer, "Missing": ""}
				maps.Copy(fields, w.data)
				for field, want := range fields {
					v, ok := e.Field(field)
					if v.Text() != want || ok != (field != "Missing") {
						t.Fatalf("%s: %s: %s = %q, %v, want %q", raw, e.Dialect(), field, v.Text(), ok, want)
					}
				}
			})
		})
	}
}

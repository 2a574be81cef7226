package sigma

import (
	"testing"

	"github.com/aspis-platform/aspis/event"
)

// TestRoutesToTheCategoriesOfAnEvent: an event is judged by the rules of every
// category it belongs to, and by no others.
func TestRoutesToTheCategoriesOfAnEvent(t *testing.T) {
	set, problems := func() (*Ruleset, []Problem) {
		l := NewLoader(Options{})
		for _, category := range []string{"registry_event", "registry_set", "registry_add", "file_delete", "webserver", "network"} {
			l.AddFile(category+".yml", []byte("title: "+category+"\nid: "+category+"\nlogsource: {category: "+category+"}\ndetection: {s: {x: 1}, condition: s}\n"))
		}
		return l.Finish()
	}()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := NewEngine(set.Rules(), EngineOptions{}).NewMatcher()
	for _, tt := range []struct {
		source event.Logsource
		want   []string
	}{
		{event.Logsource{Product: "windows", Category: "registry_set", Service: "sysmon"}, []string{"registry_event", "registry_set"}},
		{event.Logsource{Product: "windows", Category: "registry_event", Service: "sysmon"}, []string{"registry_event", "registry_add"}},
		{event.Logsource{Product: "windows", Category: "file_delete_detected"}, []string{"file_delete"}},
		{event.Logsource{Product: "zeek", Category: "proxy", Service: "http"}, []string{"webserver"}},
		{event.Logsource{Category: "proxy"}, []string{"webserver"}},
		{event.Logsource{Product: "zeek", Category: "dns", Service: "dns"}, []string{"network"}},
		{event.Logsource{Product: "windows", Category: "process_creation"}, nil},
	} {
		ev := newFake(t, `{"x":1}`)
		ev.source = tt.source
		var got []string
		m.Match(ev, func(r *Rule) bool { got = append(got, r.ID); return true })
		if len(got) != len(tt.want) || len(got) > 0 && (got[0] != tt.want[0] || got[len(got)-1] != tt.want[len(got)-1]) {
			t.Errorf("%+v is judged by %v, want %v", tt.source, got, tt.want)
		}
	}
}

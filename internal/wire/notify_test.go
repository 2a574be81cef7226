package wire

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// eventOf reads the one event that work posts.
func eventOf(t *testing.T, work []jobs.Job) notify.Event {
	t.Helper()
	if len(work) != 1 || work[0].Kind != notify.JobPost {
		t.Fatalf("work is %+v", work)
	}
	var e notify.Event
	if err := json.Unmarshal(work[0].Args, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestWhatAdvisoriesTell(t *testing.T) {
	ids := map[string]bool{}
	for _, c := range []struct {
		kind     intel.NoticeKind
		category intel.Category
		topic    notify.Topic
	}{
		{intel.NoticeReleased, intel.EWA, notify.WarningUrgent},
		{intel.NoticeReleased, intel.ANA, notify.WarningOther},
		{intel.NoticeWithdrawn, intel.EWA, notify.Withdrawn},
		{intel.NoticeOverdue, intel.EWA, notify.AnswerOverdue},
	} {
		n := intel.Notice{Kind: c.kind, Advisory: "a", Release: "r-" + string(c.category), Category: c.category,
			Members: []sector.MemberID{"m1", "m2"}, At: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)}
		work := tellOf(n)
		e := eventOf(t, work)
		if e.Topic != c.topic || !work[0].At.Equal(n.At) || !cmp.Equal(e.Audience.Members, sector.Audience{Members: n.Members}) || ids[e.ID] {
			t.Errorf("%s of %s is %+v", c.kind, c.category, e)
		}
		ids[e.ID] = true
		back := noticeOf(e)
		if back.Kind != n.Kind || back.Advisory != n.Advisory || back.Release != n.Release {
			t.Errorf("%s comes back as %+v", c.kind, back)
		}
	}
	e := eventOf(t, tellOf(intel.Notice{Kind: intel.NoticeSubmitted, Advisory: "a", Version: 3}))
	if e.Topic != notify.ApprovalNeeded || len(e.Audience.Members.ScopeKeys()) > 0 || !slices.Contains(e.Audience.Roles, sector.DutyManager) {
		t.Errorf("a submission is %+v", e)
	}
}

func TestWhatAlertsTell(t *testing.T) {
	alert := func(id string, restricted bool, members ...sector.MemberID) monitor.Alert {
		return monitor.Alert{ID: id, Finding: monitor.Finding{Members: members, Restricted: restricted}}
	}
	work := tellOfAlerts([]monitor.Alert{alert("a", false, "m1", "m2"), alert("b", false, "m1"), alert("c", true, "m2"), alert("d", true, "m3")})
	got := map[string]string{}
	for _, w := range work {
		e := eventOf(t, []jobs.Job{w})
		if len(e.Audience.Members.Members) != 1 {
			t.Errorf("an alert's event names members to each other: %+v", e)
		}
		got[string(e.Audience.Members.Members[0])] = e.Object + " " + e.Args[0]
	}
	if want := map[string]string{"m1": "path:/alerts 2", "m2": "alert:a 1"}; !cmp.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

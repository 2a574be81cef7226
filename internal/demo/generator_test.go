package demo

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/rules"
	"github.com/aspis-platform/aspis/sigma"
)

// morning is a Thursday, ten o'clock in Taipei.
var morning = time.Date(2026, 1, 15, 2, 0, 0, 0, time.UTC)

func TestMembersAreInventedAndComplete(t *testing.T) {
	ids, names, sectors := map[sector.MemberID]bool{}, map[string]bool{}, map[sector.SubSector]int{}
	for i, m := range Members(60) {
		if ids[m.ID] || names[m.Name] || names[m.NameZh] {
			t.Errorf("%s comes twice", m.ID)
		}
		ids[m.ID], names[m.Name], names[m.NameZh] = true, true, true
		if len(m.ID) < 2 || len(m.ID) > 32 || strings.Trim(string(m.ID), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("id %q is not 2 to 32 of a-z, 0-9 and -", m.ID)
		}
		if !strings.HasSuffix(m.Mail, ".example") {
			t.Errorf("mail %q could be somebody's", m.Mail)
		}
		if i < 24 {
			sectors[m.Sector]++
		}
	}
	want := map[sector.SubSector]int{sector.Banking: 8, sector.Insurance: 6, sector.Securities: 6, sector.Infrastructure: 4}
	if diff := cmp.Diff(want, sectors); diff != "" {
		t.Errorf("sub-sectors of the first 24 (-want +got):\n%s", diff)
	}
	if len(Members(0)) != 1 || len(Members(1<<20)) != MaxMembers {
		t.Error("the number of members is not bounded")
	}
	for _, m := range Members(4) {
		delete(sectors, m.Sector)
	}
	if len(sectors) != 0 {
		t.Errorf("a sector of four lacks %v", sectors)
	}
}

func TestSameSeedSameRecords(t *testing.T) {
	members := Members(24)
	all := func(seed uint64) []byte {
		g := NewGenerator(members, Options{Seed: seed, Rate: 80})
		var b []byte
		for s := range 30 {
			for m := range members {
				b = append(b, bytes.Join(g.Records(m, morning.Add(time.Duration(s)*Slot)), []byte("\n"))...)
			}
		}
		return b
	}
	if !bytes.Equal(all(1), all(1)) {
		t.Error("one seed gave two results")
	}
	if bytes.Equal(all(1), all(2)) {
		t.Error("two seeds gave one result")
	}
}

func TestRecordsAreReadableLabelledAndOfTheirSlot(t *testing.T) {
	g := NewGenerator(Members(24), Options{Rate: 240, AttackEvery: 5 * time.Second, CampaignEvery: 10 * time.Second})
	sources := map[event.Logsource]int{}
	for s := range 60 {
		slot := morning.Add(time.Duration(s) * Slot)
		for m := range 24 {
			last := time.Time{}
			for _, line := range g.Records(m, slot) {
				ev, err := event.Decode(line, event.Limits{})
				if err != nil {
					t.Fatalf("%v: %s", err, line)
				}
				at, ok := ev.Time()
				if !ok || at.Before(slot.Truncate(time.Millisecond)) || !at.Before(slot.Add(Slot)) || at.Before(last.Truncate(time.Millisecond)) {
					t.Fatalf("time %v of slot %v after %v: %s", at, slot, last, line)
				}
				last = at.Truncate(time.Millisecond)
				if !bytes.Contains(line, []byte(`"synthetic":true`)) && !bytes.Contains(line, []byte(`synthetic="true"`)) {
					t.Fatalf("not labelled: %s", line)
				}
				sources[ev.Logsource()]++
			}
		}
	}
	for _, want := range []event.Logsource{
		{Product: "windows", Category: "process_creation", Service: "sysmon"},
		{Product: "windows", Category: "process_creation", Service: "security"},
		{Product: "windows", Category: "network_connection", Service: "sysmon"},
		{Product: "windows", Category: "dns_query", Service: "sysmon"},
		{Product: "windows", Category: "process_access", Service: "sysmon"},
		{Product: "windows", Service: "security"},
		{Product: "zeek", Category: "dns", Service: "dns"},
		{Product: "zeek", Category: "proxy", Service: "http"},
		{Product: "zeek", Category: "firewall", Service: "conn"},
		{Category: "proxy"}, {Category: "firewall"},
		{Product: "linux", Service: "sshd"}, {Product: "linux", Service: "sudo"}, {Product: "linux", Service: "cron"},
	} {
		if sources[want] == 0 {
			t.Errorf("no record of %+v; got %v", want, sources)
		}
	}
	if n := sources[event.Logsource{}]; n > 0 {
		t.Errorf("%d records of no known source", n)
	}
}

func TestRateIsSharedEquallyAndHeldOverADay(t *testing.T) {
	members := Members(8)
	g := NewGenerator(members, Options{Rate: 40, AttackEvery: -1, CampaignEvery: -1})
	counts := make([]float64, len(members))
	const samples = 1440 // a minute apart, over a working day
	for s := range samples {
		for m := range members {
			counts[m] += float64(len(g.Records(m, morning.Add(time.Duration(s)*time.Minute))))
		}
	}
	for m, n := range counts {
		if rate := n / samples; math.Abs(rate-5) > 0.3 {
			t.Errorf("member %d sends %.2f a second, want 5", m, rate)
		}
	}
}

func TestRhythm(t *testing.T) {
	at := func(day, hour int) float64 { return Rhythm(time.Date(2026, 1, day, hour, 30, 0, 0, time.UTC)) }
	if !(at(15, 9) > 2*at(15, 5) && at(15, 14) > at(15, 12) && at(15, 5) > 0.2) {
		t.Errorf("9:30 %.2f, 12:30 %.2f, 14:30 %.2f, 5:30 %.2f", at(15, 9), at(15, 12), at(15, 14), at(15, 5))
	}
	if got := at(17, 9) / at(15, 9); got != 0.5 {
		t.Errorf("Saturday is %.2f of Thursday, want half", got)
	}
}

// watch runs the generated records through the shipped rules, as the pipeline
// would, and returns how many findings each rule had and the members of those
// across institutions.
func watch(t *testing.T, g *Generator, from time.Time, seconds int) (counts map[string]int, across [][]string) {
	t.Helper()
	set, problems := sigma.Load(rules.FS(), sigma.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	matcher := sigma.NewEngine(set.Rules(), sigma.EngineOptions{}).NewMatcher()
	w := &watcher{set: set, correlator: sigma.NewCorrelator(set, sigma.CorrelatorOptions{}), counts: map[string]int{}, across: map[string]sigma.Finding{}}
	dec := event.NewDecoder(event.Limits{})
	for s := range seconds {
		slot := from.Add(time.Duration(s) * Slot)
		for m, site := range g.sites {
			for i, line := range g.Records(m, slot) {
				ev, err := dec.Decode(line)
				if err != nil {
					t.Fatal(err)
				}
				w.member, w.event, w.id = string(site.member), ev, fmt.Sprint(m, s, i)
				matcher.Match(ev, w.matched)
			}
		}
	}
	for _, f := range w.across {
		across = append(across, f.Values)
	}
	return w.counts, across
}

type watcher struct {
	set        *sigma.Ruleset
	correlator *sigma.Correlator
	counts     map[string]int
	across     map[string]sigma.Finding
	member, id string
	event      *event.Event
}

func (w *watcher) matched(r *sigma.Rule) bool {
	if w.set.Standalone(r) {
		w.counts[folder(r)]++
	}
	at, _ := w.event.Time()
	for _, f := range w.correlator.Observe(sigma.Occurrence{Rule: r.ID, Time: at, RecordID: w.id, Lookup: w.lookup}) {
		if f.New {
			w.counts[folder(f.Rule)]++
		}
		if slices.Contains(f.Rule.Correlation.Fields, "institution") {
			w.across[f.Key] = f
		}
	}
	return true
}

func (w *watcher) lookup(field string) (string, bool) {
	if field == "institution" {
		return w.member, true
	}
	v, ok := w.event.Field(field)
	return strings.Clone(v.Text()), ok
}

func folder(r *sigma.Rule) string { return strings.TrimSuffix(r.File, "/rule.yml") }

// However much ordinary traffic and noise there is, nothing fires.
func TestNoiseFiresNothing(t *testing.T) {
	g := NewGenerator(Members(24), Options{Rate: 120, AttackEvery: -1, CampaignEvery: -1})
	counts, _ := watch(t, g, morning, 900)
	if len(counts) != 0 {
		t.Errorf("ordinary traffic fired %v", counts)
	}
}

// Attacks and campaigns fire every rule of the catalogue, and each about as
// often as it is played.
func TestScenariosFireEveryShippedRule(t *testing.T) {
	g := NewGenerator(Members(24), Options{Rate: 5})
	counts, across := watch(t, g, morning, 40*60)
	set, _ := sigma.Load(rules.FS(), sigma.Options{})
	for _, r := range set.Rules() {
		if n := counts[folder(r)]; n < 2 || n > 30 {
			t.Errorf("%s: %d findings in 40 minutes", folder(r), n)
		}
	}
	if len(across) < 9 {
		t.Errorf("%d findings across institutions in 40 minutes of 10 campaigns", len(across))
	}
	for _, members := range across {
		if len(members) < 3 {
			t.Errorf("only %v", members)
		}
	}
	t.Logf("findings in 40 minutes: %v", slices.Sorted(maps.Keys(counts)))
}

func TestCampaignsDoNotRepeatWithinADay(t *testing.T) {
	g := NewGenerator(Members(24), Options{})
	seen := map[string]time.Time{}
	for at := morning; at.Before(morning.Add(24 * time.Hour)); at = at.Add(4 * time.Minute) {
		c, ok := g.Campaign(at)
		if !ok || len(c.Members) < 3 || at.Sub(c.Began) >= 4*time.Minute {
			t.Fatalf("campaign at %v = %+v, %v", at, c, ok)
		}
		for _, v := range []string{c.Domain, c.Hashes, c.Kind.String() + c.Address} {
			if old, dup := seen[v]; dup {
				t.Errorf("%s at %v and %v", v, old, at)
			}
			seen[v] = at
		}
		if !strings.HasSuffix(c.Domain, ".example.net") {
			t.Errorf("domain %s is not for examples", c.Domain)
		}
	}
	if _, ok := NewGenerator(Members(3), Options{CampaignEvery: -1}).Campaign(morning); ok {
		t.Error("a campaign although there are none")
	}
}

// A bystander's records name what the campaign uses, and its address and
// domain are observables that indicators can match.
func TestBystandersSeeTheDomain(t *testing.T) {
	g := NewGenerator(Members(24), Options{Rate: 24})
	c, _ := g.Campaign(morning)
	for c.Kind == Spray {
		morningLater := c.Began.Add(4 * time.Minute)
		c, _ = g.Campaign(morningLater)
	}
	seen := map[event.ObservableKind]bool{}
	for s := range 20 {
		for _, line := range g.Records(c.Bystands[0], c.Began.Add(time.Duration(s)*Slot)) {
			ev, err := event.Decode(line, event.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range ev.Observables() {
				if o.Value == c.Domain || o.Value == c.Address {
					seen[o.Kind] = true
				}
			}
		}
	}
	if !seen[event.ObservableDomain] || !seen[event.ObservableIPv4] {
		t.Errorf("observables seen at the bystander: %v, want the domain %s and the address %s", seen, c.Domain, c.Address)
	}
}

func BenchmarkRecords(b *testing.B) {
	g := NewGenerator(Members(24), Options{Rate: 24_000})
	n, size := 0, 0
	for i := 0; b.Loop(); i++ {
		for _, line := range g.Records(i%24, morning.Add(time.Duration(i/24)*Slot)) {
			n, size = n+1, size+len(line)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(size)/float64(n), "bytes/record")
}

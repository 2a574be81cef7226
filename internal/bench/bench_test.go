package bench

import (
	"os"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/demo"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/rules"
	"github.com/aspis-platform/aspis/sigma"
)

func TestSpread(t *testing.T) {
	var times []time.Duration
	for i := 100; i >= 1; i-- {
		times = append(times, time.Duration(i)*time.Millisecond)
	}
	if got, want := spreadOf(times), (Spread{N: 100, P50: 50, P95: 95, P99: 99, Max: 100}); got != want {
		t.Errorf("spread %+v, want %+v", got, want)
	}
	if got, want := spreadOf(times[:1]), (Spread{N: 1, P50: 100, P95: 100, P99: 100, Max: 100}); got != want {
		t.Errorf("spread of one %+v, want %+v", got, want)
	}
	if got := spreadOf(nil); got != (Spread{}) {
		t.Errorf("spread of none %+v", got)
	}
}

func TestTargets(t *testing.T) {
	tests := map[string]struct {
		got  Figure
		want string
		met  bool
	}{
		"at most, met":     {atMost(1000, 1000, "ms"), "≤ 1000", true},
		"at most, missed":  {atMost(1000.04, 1000, "ms"), "≤ 1000", false},
		"at least, met":    {atLeast(20_000, 20_000, "records/s"), "≥ 20000", true},
		"at least, missed": {atLeast(19_999.99, 20_000, "records/s"), "≥ 20000", false},
		"fraction, missed": {atMost(3.0004, 3, "s"), "≤ 3", false},
		"nothing, met":     {atMost(0, 3, "s"), "≤ 3", true},
		"nothing, not met": {atLeast(0, 3, "s"), "≥ 3", false},
	}
	for name, tt := range tests {
		if tt.got.Target != tt.want || tt.got.Met == nil || *tt.got.Met != tt.met {
			t.Errorf("%s: %+v", name, tt.got)
		}
	}
}

func TestLookoutCountsMissingNeedles(t *testing.T) {
	now := time.Now()
	l := &lookout{seen: map[string]time.Time{"a": now.Add(30 * time.Millisecond), "b": now.Add(-time.Millisecond)}}
	times, missing := l.times([]demo.Needle{{Marker: "a", Accepted: now}, {Marker: "b", Accepted: now}, {Marker: "c", Accepted: now}})
	if missing != 1 || len(times) != 2 || times[0] != 30*time.Millisecond || times[1] != 0 {
		t.Errorf("times %v, %d missing", times, missing)
	}
}

func TestOwnProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	m := memoryOf(os.Getpid())
	if m.now < 1 || m.most < m.now || m.now > 1e5 {
		t.Errorf("memory %+v MB", m)
	}
	before := cpuOf(os.Getpid())
	for began := time.Now(); cpuOf(os.Getpid()) == before; {
		if time.Since(began) > 10*time.Second {
			t.Fatal("ten seconds of work cost no processor time")
		}
	}
}

// Made-up indicators are ones that an analyst may enter, each its own.
func TestIndicatorsAreAcceptable(t *testing.T) {
	seen := map[string]bool{}
	for n := range 1000 {
		i, err := intel.ParseIndicator(indicator(n))
		if err != nil {
			t.Fatalf("%s: %v", indicator(n), err)
		}
		if seen[i.Value] {
			t.Fatalf("%s twice", i.Value)
		}
		seen[i.Value] = true
	}
	if perAdvisory > intel.MaxIndicators {
		t.Errorf("%d indicators of an advisory, more than it may have", perAdvisory)
	}
}

func TestSyntheticRulesLoad(t *testing.T) {
	dir := t.TempDir()
	if err := writeSynthetic(dir, 50); err != nil {
		t.Fatal(err)
	}
	set, problems := sigma.Load(os.DirFS(dir), sigma.Options{})
	if len(problems) > 0 || len(set.Rules()) != 50 {
		t.Fatalf("%d rules, problems %v", len(set.Rules()), problems)
	}
}

func TestChooseSpreadsOverTheFiles(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	if err := writeSynthetic(from, 30); err != nil {
		t.Fatal(err)
	}
	b := &run{Config: Config{RuleCount: 10}}
	if err := b.choose(from, to); err != nil {
		t.Fatal(err)
	}
	set, _ := sigma.Load(os.DirFS(to), sigma.Options{})
	if got := set.Rules()[1].Title; len(set.Rules()) != 10 || got != "Made-up rule 3 of the benchmark" {
		t.Errorf("%d rules, the second is %q", len(set.Rules()), got)
	}
	b.RuleCount = 31
	if b.choose(from, to) == nil {
		t.Error("31 of 30 files")
	}
}

// The needle fires the rule whose alerts are looked for.
func TestNeedleRule(t *testing.T) {
	set, _ := sigma.Load(rules.FS(), sigma.Options{})
	ev, err := event.Decode(demo.RecoveryNeedle("needle.bench.example", time.Now()), event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	fired := map[string]bool{}
	sigma.NewEngine(set.Rules(), sigma.EngineOptions{}).NewMatcher().Match(ev, func(r *sigma.Rule) bool {
		fired[r.ID] = true
		return true
	})
	if !fired[needleRule] {
		t.Errorf("the needle fires %v, not %s", fired, needleRule)
	}
}

func TestVersionOfAForm(t *testing.T) {
	v, err := version([]byte(`<input type="hidden" name="version" value="42">`))
	if err != nil || v != "42" {
		t.Errorf("version %q, %v", v, err)
	}
	if _, err := version([]byte("<p>no form</p>")); err == nil {
		t.Error("a page without a form has a version")
	}
}

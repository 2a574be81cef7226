package sigma

import (
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"
)

// realRules loads the SigmaHQ rules.
func realRules(tb testing.TB) *Ruleset {
	tb.Helper()
	files := realFiles(tb)
	l := NewLoader(Options{})
	for _, name := range slices.Sorted(maps.Keys(files)) {
		l.AddFile(name, files[name])
	}
	set, problems := l.Finish()
	for _, p := range problems {
		tb.Log(p)
	}
	return set
}

func TestRealRulesLoad(t *testing.T) {
	files := realFiles(t)
	start := time.Now()
	l := NewLoader(Options{})
	for _, name := range slices.Sorted(maps.Keys(files)) {
		l.AddFile(name, files[name])
	}
	set, problems := l.Finish()
	parsed := time.Since(start)
	e := NewEngine(set.Rules(), EngineOptions{})
	total := time.Since(start)
	clear(files)
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	t.Logf("%d loaded, %d refused; parse %v, with compile %v; heap %d MB; %d predicates, %d nodes, %d fields",
		len(set.Rules()), len(problems), parsed, total, mem.HeapAlloc>>20, len(e.preds), len(e.nodes), len(e.fields))
	for _, p := range problems {
		t.Log(p)
	}
	if got := len(set.Rules()); got != 3141 {
		t.Errorf("loaded %d rules, want all 3141", got)
	}
	always := 0
	for _, p := range e.plans {
		always += len(p.always)
	}
	t.Logf("%d rules without a witness", always)
	runtime.KeepAlive(set)
}

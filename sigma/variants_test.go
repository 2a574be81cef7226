package sigma

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// variants are n rules made of the real ones: copies whose texts have letters
// of their own, so that each looks for something else in the same fields.
func variants(tb testing.TB, n int) []*Rule {
	tb.Helper()
	files := realFiles(tb)
	names := slices.Sorted(maps.Keys(files))
	var rules []*Rule
	for round := 0; len(rules) < n; round++ {
		for _, name := range names {
			var doc yaml.Node
			if err := yaml.Unmarshal(files[name], &doc); err != nil {
				tb.Fatal(err)
			}
			if round > 0 {
				vary(&doc, fmt.Sprintf("q%dz", round))
			}
			src, err := yaml.Marshal(&doc)
			if err != nil {
				tb.Fatal(err)
			}
			parsed, problems := Parse(name, src, Options{})
			if len(problems) > 0 {
				tb.Fatal(problems[0])
			}
			if rules = append(rules, parsed...); len(rules) == n {
				break
			}
		}
	}
	return rules
}

// vary changes a rule's id and the texts that it looks for.
func vary(doc *yaml.Node, mark string) {
	top := doc.Content[0]
	for i := 0; i < len(top.Content); i += 2 {
		switch value := top.Content[i+1]; top.Content[i].Value {
		case "id":
			value.Value += mark
		case "detection":
			for j := 0; j < len(value.Content); j += 2 {
				if key := value.Content[j].Value; key != "condition" && key != "timeframe" {
					varyTexts(value.Content[j+1], "", mark)
				}
			}
		}
	}
}

func varyTexts(n *yaml.Node, field, mark string) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			varyTexts(n.Content[i+1], n.Content[i].Value, mark)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			varyTexts(item, field, mark)
		}
	case yaml.ScalarNode:
		if n.Tag == "!!str" && strings.Trim(n.Value, `*?\`) != "" && !strings.ContainsAny(field, "#") &&
			!strings.Contains(field, "|cidr") && !strings.Contains(field, "|fieldref") && !strings.Contains(field, "|expand") {
			n.Value = varied(n.Value, strings.Contains(field, "|re"), mark)
		}
	}
}

// varied puts the mark into a text, or behind what a regular expression finds.
func varied(text string, regex bool, mark string) string {
	if regex {
		if body, ok := strings.CutSuffix(text, "$"); ok && !strings.HasSuffix(body, `\`) {
			return "(?:" + body + ")" + mark + "$"
		}
		return "(?:" + text + ")" + mark
	}
	middle := len(text) / 2
	for middle < len(text) && (!utf8.RuneStart(text[middle]) || middle > 0 && text[middle-1] == '\\') {
		middle++
	}
	return text[:middle] + mark + text[middle:]
}

// BenchmarkManyRules shows what sixteen times the rules cost: the goal is
// twice as much.
func BenchmarkManyRules(b *testing.B) {
	events := realEvents(b, 1500)
	for _, n := range []int{3141, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rules := variants(b, n)
			m := NewEngine(rules, EngineOptions{}).NewMatcher()
			yield := func(*Rule) bool { return true }
			for _, ev := range events {
				m.Match(ev, yield)
			}
			var mem runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&mem)
			b.ReportAllocs()
			b.ResetTimer()
			start, began := m.Stats(), cpuTime(b)
			for i := range b.N {
				m.Match(events[i%len(events)], yield)
			}
			count := float64(b.N)
			b.ReportMetric(count/(cpuTime(b)-began).Seconds(), "events/cpu-s")
			b.ReportMetric(float64(m.Stats().Candidates-start.Candidates)/count, "candidates/event")
			b.ReportMetric(float64(mem.HeapAlloc>>20), "heap-MB")
		})
	}
}

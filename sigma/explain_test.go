package sigma

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
)

// explained explains the rule of a detection on an event.
func explained(t *testing.T, detection, record string) Explanation {
	t.Helper()
	set, problems := Load(fstest.MapFS{"f.yml": {Data: []byte(ruleText(detection))}}, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	ev, err := event.Decode([]byte(record), event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return Explain(set.Rules()[0], ev)
}

func TestExplainHits(t *testing.T) {
	long := strings.Repeat("證據", 600)
	tests := []struct{ name, item, record, want string }{
		{"contains", "A|contains: BC", `{"A":"abcd"}`, "bc"},
		{"begins", "A|startswith: AB", `{"A":"abcd"}`, "ab"},
		{"ends", "A|endswith: d", `{"A":"abcd"}`, "d"},
		{"is", "A: abcd", `{"A":"ABCD"}`, "ABCD"},
		{"number", "A|gt: 5", `{"A":17}`, "17"},
		{"network", "A|cidr: 10.0.0.0/8", `{"A":"10.1.2.3"}`, "10.1.2.3"},
		{"pattern", "A: '*b?d*f*'", `{"A":"abcdefg"}`, "bcdef"},
		{"expression", "A|re: 'b.'", `{"A":"abcd"}`, "bc"},
		{"expression that looks around", "A|re: '(?<=證)b.'", `{"A":"a證bcd"}`, "bc"},
		{"text whose folding is of another length", "A|contains: K", `{"A":"İİ` + "\u212a" + `x"}`, "\u212a"},
		{"far into a long text", "A|contains: 'needle'", `{"A":"` + long + `NEEDLE` + long + `"}`, "NEEDLE"},
		{"at the end of a long text", "A|endswith: 'needle'", `{"A":"` + long + `NEEDLE"}`, "NEEDLE"},
		{"one of a list", "A: b", `{"A":["a","b","c"]}`, "b"},
		{"not this one", "A|contains: x", `{"A":"abcd"}`, ""},
		{"other than this one", "A|contains|neq: bc", `{"A":"abcd"}`, "bc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			item := explained(t, sel(tt.item), tt.record).Selections[0].Alternatives[0].Items[0]
			got := ""
			for _, h := range item.Hits {
				got += item.Actual[h.Value][h.From:h.To]
			}
			if got != tt.want || len(item.Actual[0]) > maxExplainedBytes+8 {
				t.Errorf("found %q, want %q in %d bytes", got, tt.want, len(item.Actual[0]))
			}
		})
	}
}

func TestExplainKeywords(t *testing.T) {
	x := explained(t, "keywords: [needle, other]\ncondition: keywords", `{"A":"x","B":{"C":["y","a needle"]}}`)
	item := x.Selections[0].Alternatives[0].Items[0]
	if len(item.Actual) != 1 || item.Actual[0] != "a needle" || item.Where[0] != "B.C" || item.Met[0] != "needle" {
		t.Errorf("%+v", item)
	}
}

// TestExplainListsBeyondTheBound: what was found is shown though it stands after
// more values than are kept.
func TestExplainListsBeyondTheBound(t *testing.T) {
	record := `{"A":[` + strings.Repeat(`"x",`, 40) + `"needle"]}`
	item := explained(t, sel("A: needle"), record).Selections[0].Alternatives[0].Items[0]
	if len(item.Actual) != maxExplainedValues || item.Actual[0] != "needle" {
		t.Errorf("%d values, first %q", len(item.Actual), item.Actual[0])
	}
}

func TestExplainSimilarFields(t *testing.T) {
	record := `{"CommandLine":"x","process":{"pid":7},"User":"amy","src_ip":"10.0.0.1","xy":1}`
	for field, want := range map[string]string{
		"commandline": "CommandLine", "CommandLin": "CommandLine", "ComandLin": "CommandLine", "pid": "process.pid", "SrcIp": "src_ip",
		"Usr": "", "Image": "", "yx": "", "Users": "User",
	} {
		item := explained(t, sel(field+": z"), record).Selections[0].Alternatives[0].Items[0]
		if !item.Missing || item.Similar != want {
			t.Errorf("%s: %q, want %q", field, item.Similar, want)
		}
	}
}

func TestExplainTurns(t *testing.T) {
	detection := "a: {A: 1}\nb: {B: 1}\nf1: {C: 1}\nf2: {D: 1}\ncondition: a and b and not 1 of f*"
	for record, want := range map[string]string{
		`{"A":1,"B":1}`:       "true a b f1 f2",
		`{"A":1}`:             "false b",
		`{"A":1,"B":1,"D":1}`: "false f2",
		`{"X":1}`:             "false",
	} {
		c := explained(t, detection, record).Conditions[0]
		got := strings.Join(append([]string{map[bool]string{true: "true", false: "false"}[c.Held]}, c.Turns...), " ")
		if got != want {
			t.Errorf("%s: %q, want %q", record, got, want)
		}
	}
}

func TestExplainParts(t *testing.T) {
	item := ItemOutcome{Actual: []string{"aaaabbccccccbbdddd", "資料資料資料資料", ""}, Hits: []Hit{{Value: 0, From: 4, To: 6}, {Value: 0, From: 12, To: 14}, {Value: 0, From: 5, To: 6}}}
	for _, tt := range []struct {
		value, near int
		want        string
	}{
		{0, 0, "aaaa[bb]cccccc[bb]dddd"},
		{0, 2, "…aa[bb]cc…cc[bb]dd…"},
		{0, 3, "aaaa[bb]cccccc[bb]dddd"},
		{1, 3, "資料資料資料…"},
		{1, 4, "資料資料資料資料"},
		{2, 4, ""},
	} {
		got := ""
		for _, p := range item.Parts(tt.value, tt.near) {
			if p.Hit {
				got += "[" + p.Text + "]"
			} else {
				got += p.Text
			}
		}
		if got != tt.want {
			t.Errorf("value %d, near %d: %q, want %q", tt.value, tt.near, got, tt.want)
		}
	}
}

// TestExplainHitsAreInside: whatever the texts, a hit is within its value, and the
// parts are the value.
func TestExplainHitsAreInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.SampledFrom([]rune("aAbİıKſ\u212aß證🛡 \x00\ufffd"))).Draw(t, "value")
		lit := rapid.StringOfN(rapid.SampledFrom([]rune("aAbİKſß證*?")), 1, 4, -1).Draw(t, "lit")
		value = strings.Repeat(value, rapid.SampledFrom([]int{1, 2, 300}).Draw(t, "times"))
		p := &pred{predKey: predKey{field: "A"}}
		pat := parsePattern(lit).mapText(fold).withStars(rapid.Bool().Draw(t, "before"), rapid.Bool().Draw(t, "after"))
		p.setShape(pat)
		c := &content{present: true}
		c.add(event.StringValue(value))
		held, err := p.holds(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := ItemOutcome{Field: "A"}
		(&explainer{}).actual(&out, c, []*pred{p})
		if held != (len(out.Hits) > 0) && value != "" {
			t.Fatalf("held %v with hits %v", held, out.Hits)
		}
		var all string
		for _, part := range out.Parts(0, 0) {
			all += part.Text
		}
		if all != out.Actual[0] {
			t.Fatalf("parts %q of %q", all, out.Actual[0])
		}
		for _, h := range out.Hits {
			if h.From < 0 || h.To < h.From || h.To > len(out.Actual[0]) || utf8.ValidString(value) && !utf8.ValidString(out.Actual[0][h.From:h.To]) {
				t.Fatalf("hit %+v of %q", h, out.Actual[0])
			}
		}
	})
}

package sigma

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// TestRefused checks that what cannot be evaluated exactly is refused, with
// the reason and the place.
func TestRefused(t *testing.T) {
	tests := []struct {
		name, detection, reason string
		line                    int // in the detection, from 1; 0: not checked
	}{
		{"unknown modifier", sel("A|near: x"), `unknown modifier "near"`, 2},
		{"modifier twice", sel("A|all|all: [x, y]"), "given twice", 2},
		{"re with contains", sel("A|re|contains: x"), "text only", 2},
		{"contains with re", sel("A|contains|re: x"), "must come before", 2},
		{"flag without re", sel("A|i: x"), `must follow "re"`, 2},
		{"bad regular expression", sel("A|re: 'a('"), "unsupported regular expression", 2},
		{"possessive quantifier", sel("A|re: 'a++b'"), "unsupported regular expression", 2},
		{"regular expression of a null", sel("A|re: null"), "needs text", 2},
		{"two anchors", sel("A|contains|endswith: x"), "only one of", 2},
		{"two comparisons", sel("A|gt|lt: 1"), "cannot be combined", 2},
		{"null with contains", sel("A|contains: null"), "cannot be applied to null", 2},
		{"comparison with text", sel("A|gt: x"), "not a number", 2},
		{"comparison with hexadecimal", sel("A|gt: '0x10'"), "not a number", 2},
		{"exists of text", sel("A|exists: 'yes'"), "needs true or false", 2},
		{"exists of a list", sel("A|exists: [true, false]"), "exactly one value", 2},
		{"exists neq", sel("A|exists|neq: true"), "cannot be combined", 2},
		{"network with host bits", sel("A|cidr: 10.0.0.1/8"), "bits set", 2},
		{"no network", sel("A|cidr: 10.0.*"), "not a network", 2},
		{"field reference with a wildcard", sel("A|fieldref: 'B*'"), "name of a field", 2},
		{"Base64 with a wildcard", sel("A|base64: 'a*'"), "wildcards", 2},
		{"Base64 after contains", sel("A|contains|base64: a"), "wildcards", 2},
		{"Base64 offset of one byte", sel("A|base64offset|contains: a"), "too short", 2},
		{"UTF-16 bytes as text", sel("A|utf16|contains: a"), "no text", 2},
		{"UTF-16 of accents without base64", sel("A|wide: 'é'"), "no text", 2},
		{"unknown placeholder", sel("A|expand: '%Nobody%'"), "%Nobody% has no value", 2},
		{"hour out of range", sel("A|hour: 24"), "from 0 to 23", 2},
		{"octal number", sel("A: 0777"), "ambiguous", 2},
		{"hexadecimal number", sel("A: 0x10"), "ambiguous", 2},
		{"infinite number", sel("A: .inf"), "ambiguous", 2},
		{"keyword comparison", "keywords:\n  '|gt': 5\ncondition: keywords", "needs a field", 2},
		{"keyword with endswith", "keywords:\n  '|endswith': x\ncondition: keywords", "no meaning for keywords", 2},
		{"null keyword", "keywords: [null]\ncondition: keywords", "null needs a field", 1},
		{"empty keyword", "keywords: ['']\ncondition: keywords", "empty keyword", 1},
		{"empty selection", "selection: {}\ncondition: selection", "empty selection", 1},
		{"null selection", "selection:\ncondition: selection", "null needs a field", 0},
		{"empty list of values", sel("A: []"), "empty list", 2},
		{"nested list", sel("A: [[x]]"), "must be text", 2},
		{"mapping as a value", sel("A: {b: c}"), "must be text", 2},
		{"duplicate field", sel("A: 1", "A: 2"), `duplicate key "A"`, 3},
		{"merge key", "x: &x {A: 1}\nselection:\n  <<: *x\ncondition: selection", "merge keys", 3},
		{"timeframe", sel("A: 1") + "\ntimeframe: 5m", "no meaning without an aggregation", 4},
		{"aggregation", strings.Replace(sel("A: 1"), "condition: selection", "condition: selection | count() > 5", 1), "without a timeframe", 3},
		{"no condition", "selection: {A: 1}", "no condition", 0},
		{"unknown identifier", "selection: {A: 1}\ncondition: selektion", "unknown search identifier", 2},
		{"missing operand", "selection: {A: 1}\ncondition: selection and", "ends too early", 2},
		{"missing operator", "selection: {A: 1}\ncondition: selection selection", `unexpected "selection"`, 2},
		{"missing parenthesis", "selection: {A: 1}\ncondition: (selection", "missing )", 2},
		{"pattern that means nothing", "selection: {A: 1}\ncondition: 1 of filter_*", "no search identifier", 2},
		{"only hidden identifiers", "_x: {A: 1}\ncondition: all of them", "no search identifier", 2},
		{"number of them", "selection: {A: 1}\ncondition: 2 of them", "unknown search identifier", 2},
		{"deep condition", "selection: {A: 1}\ncondition: " + strings.Repeat("(", 200) + "selection" + strings.Repeat(")", 200), "nested deeper", 2},
		{"too many dashes", sel("A|windash: '" + strings.Repeat(" -a", 9) + "'"), "more than 4 parameters", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, problems := Parse("f.yml", []byte(ruleText(tt.detection)), Options{Placeholders: placeholders})
			if len(rules) != 0 || len(problems) != 1 {
				t.Fatalf("%d rules, problems %v", len(rules), problems)
			}
			p := problems[0]
			if !strings.Contains(p.Reason, tt.reason) {
				t.Errorf("reason %q, want %q in it", p.Reason, tt.reason)
			}
			if p.File != "f.yml" || p.Rule != "test" || p.Col < 1 {
				t.Errorf("problem %+v", p)
			}
			if tt.line > 0 && p.Line != tt.line+4 {
				t.Errorf("line %d, want %d", p.Line, tt.line+4)
			}
		})
	}
}

func TestRefusedDocuments(t *testing.T) {
	const detection = "detection: {s: {A: 1}, condition: s}\n"
	const good = "title: t\nlogsource: {product: windows}\n" + detection
	tests := []struct{ name, src, reason string }{
		{"no title", "logsource: {product: w}\n" + detection, "no title"},
		{"no logsource", "title: t\n" + detection, "no logsource"},
		{"empty logsource", "title: t\nlogsource: {definition: x}\n" + detection, "names no product"},
		{"misspelt logsource attribute", "title: t\nlogsource: {product: w, categroy: c}\n" + detection, `is "category" meant?`},
		{"no detection", "title: t\nlogsource: {product: w}\n", "no detection"},
		{"unknown level", good + "level: severe\n", "unknown level"},
		{"unknown status", good + "status: good\n", "unknown status"},
		{"unsupported status", good + "status: unsupported\n", "cannot be used"},
		{"other taxonomy", good + "taxonomy: ecs\n", "taxonomy"},
		{"filter in a rule", good + "filter: {}\n", "both a detection and a filter"},
		{"legacy action", good + "action: global\n", "deprecated document action"},
		{"list", "- a\n", "must be a mapping"},
		{"not YAML", "a: [\n", "not YAML"},
		{"tab", "a:\n\tb: c\n", "not YAML"},
		{"not UTF-8", "title: \xff\n", "not YAML"},
		{"content after ---", good + "--- {a: b}\n", "document separator"},
		{"alias to itself", "title: &a [*a]\n", ""},
		{"recursive alias", good + "x: &a {b: *a}\ntags: *a\n", ""},
		{"unknown anchor", good + "x: *nowhere\n", "unknown anchor"},
		{"bomb", "title: t\nlogsource: {product: w}\na: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\ndetection: {s: {A: *b}, condition: s}\n", "must be text"},
		{"many values", "title: t\nlogsource: {product: w}\nx: &a [" + strings.Repeat("x,", 50_000) + "]\ndetection: {s: {A: *a, B: *a, C: *a}, condition: s}\n", "more than"},
		{"huge", good + "x: " + strings.Repeat("x", MaxDocumentBytes) + "\n", "larger than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, problems := Parse("f.yml", []byte(tt.src), Options{})
			if len(rules) != 0 || len(problems) != 1 {
				t.Fatalf("%d rules, problems %v", len(rules), problems)
			}
			if !strings.Contains(problems[0].Reason, tt.reason) {
				t.Errorf("reason %q, want %q in it", problems[0].Reason, tt.reason)
			}
		})
	}
}

func TestRefusedCorrelations(t *testing.T) {
	const ok = "type: event_count, rules: [r1], group-by: [U], timespan: 5m, condition: {gte: 2}"
	tests := []struct{ name, section, reason string }{
		{"good", ok, ""},
		{"no percentile", "type: value_percentile, rules: [r1], timespan: 5m, condition: {gte: 2, field: F}", "ambiguous"},
		{"percentile", "type: value_percentile, rules: [r1], timespan: 5m, condition: {gte: '2.5', field: F, percentile: '99.9'}", ""},
		{"percentile out of range", "type: value_percentile, rules: [r1], timespan: 5m, condition: {gte: 2, field: F, percentile: 101}", "from 0 to 100"},
		{"percentile of a sum", "type: value_sum, rules: [r1], timespan: 5m, condition: {gte: 2, field: F, percentile: 50}", "has no percentile"},
		{"sum without field", "type: value_sum, rules: [r1], timespan: 5m, condition: {gte: 2}", "needs one field"},
		{"mean of two fields", "type: value_avg, rules: [r1], timespan: 5m, condition: {gte: 2, field: [F, G]}", "needs one field"},
		{"sum of no number", "type: value_sum, rules: [r1], timespan: 5m, condition: {gte: many, field: F}", "decimal number"},
		{"sum between nothing", "type: value_sum, rules: [r1], timespan: 5m, condition: {gt: 2.5, lte: 2.5, field: F}", "never hold"},
		{"unknown type", strings.Replace(ok, "event_count", "event_cont", 1), "unknown correlation type"},
		{"no type", strings.Replace(ok, "type: event_count, ", "", 1), "no type"},
		{"no rules", strings.Replace(ok, "rules: [r1], ", "", 1), "no rules"},
		{"no timespan", strings.Replace(ok, "timespan: 5m, ", "", 1), "no timespan"},
		{"no condition", strings.Replace(ok, ", condition: {gte: 2}", "", 1), "no condition"},
		{"unknown rule", strings.Replace(ok, "r1", "r9", 1), "not loaded"},
		{"rule twice", strings.Replace(ok, "r1", "r1, r1", 1), "twice"},
		{"rule twice by name and id", strings.Replace(ok, "r1", "r1, first", 1), "twice"},
		{"name of two rules", strings.Replace(ok, "r1", "same", 1), "a name that 2 rules have"},
		{"correlation of a correlation", strings.Replace(ok, "r1", "base", 1), ""},
		{"correlation of itself", strings.Replace(ok, "r1", "corr", 1), "refers to itself"},
		{"months", strings.Replace(ok, "5m", "5M", 1), "timespan"},
		{"zero timespan", strings.Replace(ok, "5m", "0s", 1), "more than zero"},
		{"endless timespan", strings.Replace(ok, "5m", "9999999w", 1), "at most"},
		{"unknown attribute", ok + ", groupby: [X]", "unknown correlation attribute"},
		{"unknown criterion", strings.Replace(ok, "gte: 2", "ge: 2", 1), "unknown criterion"},
		{"no criterion", strings.Replace(ok, "gte: 2", "", 1), "no criterion"},
		{"fraction", strings.Replace(ok, "gte: 2", "gte: 2.5", 1), "whole number"},
		{"never", strings.Replace(ok, "gte: 2", "lt: 1", 1), "never hold"},
		{"contradiction", strings.Replace(ok, "gte: 2", "gt: 5, lt: 6", 1), "never hold"},
		{"count of a field", strings.Replace(ok, "gte: 2", "gte: 2, field: X", 1), "counts no field"},
		{"value_count without field", strings.Replace(ok, "event_count", "value_count", 1), "needs a field"},
		{"text condition", strings.Replace(ok, "{gte: 2}", "r1 and r2", 1), "needs type temporal"},
		{"extended count", strings.Replace(ok, "event_count", "event_count_extended", 1), "unknown correlation type"},
		{"extended without expression", "type: temporal_extended, rules: [r1, r2], timespan: 5m", "needs a condition over rules"},
		{"expression", "type: temporal, timespan: 5m, condition: 'first AND NOT (r2 or base)'", ""},
		{"expression of an unknown rule", "type: temporal, rules: [r1], timespan: 5m, condition: r1 and r2", "not among"},
		{"expression that leaves a rule out", "type: temporal, rules: [r1, r2], timespan: 5m, condition: r1", "would have no effect"},
		{"expression with a quantifier", "type: temporal, rules: [r1, r2], timespan: 5m, condition: 1 of them", "no meaning"},
		{"absence alone", "type: temporal, timespan: 5m, condition: not r1", "absence alone"},
		{"contradiction of rules", "type: temporal, timespan: 5m, condition: r1 and not r1", "never hold"},
		{"half an expression", "type: temporal, timespan: 5m, condition: r1 and", "ends too early"},
		{"rules by themselves", "type: temporal, timespan: 5m", "no rules"},
		{"temporal of more", "type: temporal, rules: [r1, r2], timespan: 5m, condition: {gte: 3}", "more rules"},
		{"ordered with an upper bound", "type: temporal_ordered, rules: [r1, r2], timespan: 5m, condition: {eq: 2}", "not defined"},
		{"ordered of fewer", "type: temporal_ordered, rules: [r1, r2], timespan: 5m, condition: {gte: 1}", "not defined"},
		{"alias without a field", "type: temporal, rules: [r1, r2], group-by: [ip], aliases: {ip: {r1: Src}}, timespan: 5m", "names no field"},
		{"alias of an unknown rule", ok + ", aliases: {ip: {r7: Src}}", "not loaded"},
		{"generate as text", ok + ", generate: maybe", "true or false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, problems := Load(fstest.MapFS{"x/rules.yaml": {Data: []byte(correlationFile(tt.section))}}, Options{})
			_, loaded := set.Rule("corr")
			if loaded != (tt.reason == "") {
				t.Fatalf("loaded %v, problems %v", loaded, problems)
			}
			if tt.reason != "" && !strings.Contains(fmt.Sprint(problems), tt.reason) {
				t.Errorf("problems %v, want %q", problems, tt.reason)
			}
			for _, p := range problems {
				if p.File != "x/rules.yaml" || p.Line == 0 {
					t.Errorf("place of %+v", p)
				}
			}
		})
	}
}

// correlationFile has the rules r1 (named first), r2, two named same, the
// correlation base and the one to be tested.
func correlationFile(section string) string {
	var b strings.Builder
	for _, r := range []string{"id: r1\nname: first", "id: r2", "id: r3\nname: same", "id: r4\nname: same"} {
		id := strings.TrimPrefix(strings.Split(r, "\n")[0], "id: ")
		fmt.Fprintf(&b, "title: %s\n%s\nlogsource: {product: windows}\ndetection: {s: {Kind: %s}, condition: s}\n---\n", id, r, id)
	}
	b.WriteString("title: base\nid: base\ncorrelation: {type: event_count, rules: [r1], timespan: 1m, condition: {gte: 1}}\n---\n")
	b.WriteString("title: corr\nid: corr\ncorrelation: {" + section + "}\n")
	return b.String()
}

func TestLoadRefusesDuplicateIDs(t *testing.T) {
	set, problems := Load(fstest.MapFS{
		"b.yml":      {Data: []byte(ruleText(sel("A: 2")))},
		"a/a.yml":    {Data: []byte("# a comment\n---\n" + ruleText(sel("A: 1")))},
		"readme.txt": {Data: []byte("nothing")},
	}, Options{})
	if len(set.Rules()) != 1 || set.Rules()[0].File != "a/a.yml" || set.Rules()[0].Line != 3 {
		t.Errorf("rules %+v", set.Rules()[0])
	}
	if len(problems) != 1 || problems[0].File != "b.yml" || !strings.Contains(problems[0].Reason, "a/a.yml:3") {
		t.Errorf("problems %v", problems)
	}
}

func TestMetadata(t *testing.T) {
	src := "title: T\nid: i\nname: n\nstatus: test\nlevel: high\ndescription: d\nauthor: a\nlicense: L\ndate: 2024-01-02\nmodified: 2024-02-03\n" +
		"references: [r1, r2]\ntags: [attack.t1059]\nfalsepositives: fp\nfields: [F]\nscope: [server]\ncustom: {x: [1]}\n" +
		"logsource: {product: Windows, service: Sysmon, definition: x}\ndetection: {s: {A: 1}, condition: s}\n"
	rules, problems := Parse("f", []byte(src), Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := rules[0]
	got := fmt.Sprintln(r.ID, r.Name, r.Title, r.Status, r.Level, r.Level.Rank(), r.Description, r.Author, r.License, r.Date, r.Modified,
		r.References, r.Tags, r.FalsePositives, r.Fields, r.Scope, r.Logsource)
	want := "i n T test high 4 d a L 2024-01-02 2024-02-03 [r1 r2] [attack.t1059] [fp] [F] [server] {windows  sysmon}\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	other, _ := Parse("f", []byte(src+"# changed\n"), Options{})
	if len(r.Version()) != 16 || r.Version() == other[0].Version() {
		t.Errorf("versions %s and %s", r.Version(), other[0].Version())
	}
}

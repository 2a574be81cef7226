package sigma

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sel writes a detection of one selection.
func sel(lines ...string) string {
	return "selection:\n  " + strings.Join(lines, "\n  ") + "\ncondition: selection"
}

func placeholders(name string) []string {
	return map[string][]string{
		"Administrators": {"root", "adm*"}, "Servers": {"srv1", "srv2"}, "Nets": {"10.0.0.0/8"},
	}[name]
}

// matchCase is a detection and events that it matches or not.
type matchCase struct {
	name, detection string
	yes, no         []string
}

func checkMatches(t *testing.T, tests []matchCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ruleOf(t, tt.detection, Options{Placeholders: placeholders})
			for _, ev := range tt.yes {
				if !matches(t, r, newFake(t, ev)) {
					t.Errorf("does not match %s", ev)
				}
			}
			for _, ev := range tt.no {
				if matches(t, r, newFake(t, ev)) {
					t.Errorf("matches %s", ev)
				}
			}
		})
	}
}

func TestValues(t *testing.T) {
	checkMatches(t, []matchCase{
		{"equality ignores case", sel(`Image: C:\Windows\cmd.exe`),
			[]string{`{"Image":"c:\\WINDOWS\\CMD.EXE"}`}, []string{`{"Image":"c:\\windows\\cmd.exe "}`, `{}`, `{"Image":null}`}},
		{"Unicode case folding", sel(`User|contains: ÉCOLE-ΣΊΣΥΦΟΣ-жук`),
			[]string{`{"User":"x école-σίσυφος-ЖУК y"}`}, []string{`{"User":"ecole-σίσυφος-жук"}`}},
		{"folding reaches ASCII", sel("User: 'kiss'"), []string{`{"User":"\u212Ai\u017Fs"}`}, []string{`{"User":"kis"}`}},
		{"Chinese text", sel("User|endswith: 管理員"), []string{`{"User":"本機管理員"}`}, []string{`{"User":"管理員2"}`}},
		{"number in a string", sel("EventID: 4624"), []string{`{"EventID":"4624"}`, `{"EventID":4624}`, `{"EventID":4624.0}`, `{"EventID":4.624e3}`},
			[]string{`{"EventID":46240}`, `{"EventID":"04624"}`, `{"EventID":"x4624"}`}},
		{"string for a number", sel("EventID: '4624'"), []string{`{"EventID":"4624"}`, `{"EventID":4624}`}, []string{`{"EventID":4625}`}},
		{"fraction", sel("Score: 1.50"), []string{`{"Score":1.5}`, `{"Score":"1.50"}`, `{"Score":"1.5"}`}, []string{`{"Score":1.51}`, `{"Score":"1.500"}`}},
		{"negative and large numbers", sel("N: [-1, 18446744073709551615]"), []string{`{"N":-1}`, `{"N":18446744073709551615}`}, []string{`{"N":18446744073709551614}`}},
		{"numbers are equal by value, exactly", sel("N: [1e20, 9007199254740993.0, 0.10]"), []string{`{"N":100000000000000000000}`, `{"N":9007199254740993}`, `{"N":1e-1}`, `{"N":"0.1"}`},
			[]string{`{"N":9007199254740992}`, `{"N":100000000000000000001}`, `{"N":0.1000000000000000000001}`}},
		{"a number as it is written, in either case", sel("N: 1e5"), []string{`{"N":"1E5"}`, `{"N":"1e5"}`, `{"N":"100000"}`}, []string{`{"N":"1e05"}`}},
		{"leading zeros as text", sel("Key|endswith: 00000429"), []string{`{"Key":"x00000429"}`}, []string{`{"Key":"429"}`}},
		{"booleans", sel("Signed: true"), []string{`{"Signed":true}`, `{"Signed":"True"}`}, []string{`{"Signed":false}`, `{"Signed":1}`}},
		{"lists of values", sel("Image|endswith: ['\\a.exe', '\\b.exe']"), []string{`{"Image":"c:\\B.exe"}`}, []string{`{"Image":"b.exe"}`}},
		{"list in the event", sel("Image: b"), []string{`{"Image":["a","b"]}`}, []string{`{"Image":["a","bb"]}`, `{"Image":[]}`}},
		{"fields are joined by and", sel("A: 1", "B: 2"), []string{`{"A":1,"B":2}`}, []string{`{"A":1}`, `{"A":1,"B":3}`}},
		{"list of mappings", "selection:\n  - A: 1\n    B: 2\n  - C: 3\ncondition: selection", []string{`{"A":1,"B":2}`, `{"C":3}`}, []string{`{"A":1}`, `{"B":2}`}},
		{"mappings and keywords in one list", "selection:\n  - A: 1\n  - evil\ncondition: selection", []string{`{"A":1}`, `{"Z":"an EVIL day"}`}, []string{`{"A":2}`}},

		{"empty text", sel("A: ''"), []string{`{"A":""}`}, []string{`{"A":null}`, `{}`, `{"A":" "}`, `{"A":[]}`}},
		{"null", sel("A: null"), []string{`{"A":null}`, `{}`, `{"A":[]}`, `{"A":[null,"x"]}`}, []string{`{"A":""}`, `{"A":"null"}`, `{"A":0}`}},
		{"null among values", sel("A: [null, '-']"), []string{`{"A":"-"}`, `{}`}, []string{`{"A":""}`}},
		{"star alone", sel("A: '*'"), []string{`{"A":""}`, `{"A":"x"}`}, []string{`{"A":null}`, `{}`}},
		{"exists true", sel("A|exists: true"), []string{`{"A":null}`, `{"A":""}`, `{"A":[]}`}, []string{`{}`}},
		{"exists false", sel("A|exists: false"), []string{`{}`}, []string{`{"A":null}`}},

		{"star inside", sel("A: 'a*z'"), []string{`{"A":"az"}`, `{"A":"A\nbz"}`}, []string{`{"A":"azb"}`, `{"A":"baz"}`}},
		{"question mark is one character", sel("A: 'p?p'"), []string{`{"A":"pap"}`, `{"A":"p中p"}`}, []string{`{"A":"pp"}`, `{"A":"paap"}`}},
		{"wildcards inside contains", sel("A|contains: 'b*d?f'"), []string{`{"A":"abcdefg"}`, `{"A":"bdxf"}`}, []string{`{"A":"abdf"}`}},
		{"wildcards inside startswith", sel("A|startswith: 'a?c'"), []string{`{"A":"abcd"}`}, []string{`{"A":"xabc"}`, `{"A":"ac"}`}},
		{"wildcards inside endswith", sel("A|endswith: 'a*c'"), []string{`{"A":"xxabbc"}`}, []string{`{"A":"abcd"}`}},
		{"glob segments do not overlap", sel("A: 'ab*ba'"), []string{`{"A":"abba"}`}, []string{`{"A":"aba"}`}},
		{"glob goes back", sel("A: '*ab?c'"), []string{`{"A":"ababxc"}`}, []string{`{"A":"abc"}`}},
		{"only question marks", sel("A: '??'"), []string{`{"A":"é中"}`}, []string{`{"A":"a"}`, `{"A":"abc"}`}},

		{"backslash before letters is plain", sel(`A: C:\new\temp`), []string{`{"A":"c:\\NEW\\temp"}`}, []string{`{"A":"c:new temp"}`}},
		{"double backslash is one", sel(`A: '\\server'`), []string{`{"A":"\\server"}`}, []string{`{"A":"\\\\server"}`}},
		{"four backslashes are two", sel(`A: '\\\\server'`), []string{`{"A":"\\\\server"}`}, []string{`{"A":"\\server"}`}},
		{"three backslashes are two", sel(`A: '\\\x'`), []string{`{"A":"\\\\x"}`}, []string{`{"A":"\\x"}`, `{"A":"\\\\\\x"}`}},
		{"escaped star", sel(`A: 'a\*b'`), []string{`{"A":"a*b"}`}, []string{`{"A":"axb"}`, `{"A":"a\\*b"}`}},
		{"escaped question mark", sel(`A: 'a\?'`), []string{`{"A":"a?"}`}, []string{`{"A":"ab"}`}},
		{"escaped backslash and star", sel(`A: 'a\\*'`), []string{`{"A":"a\\"}`, `{"A":"a\\b"}`}, []string{`{"A":"a*"}`, `{"A":"a"}`}},
		{"escaped backslash and escaped star", sel(`A: 'a\\\*'`), []string{`{"A":"a\\*"}`}, []string{`{"A":"a\\b"}`}},
		{"backslash at the end", sel(`A|endswith: '\'`), []string{`{"A":"x\\"}`}, []string{`{"A":"x"}`}},
	})
}

func TestModifiers(t *testing.T) {
	checkMatches(t, []matchCase{
		{"contains all", sel("A|contains|all: [' -a', ' -b']"), []string{`{"A":"x -B -A"}`}, []string{`{"A":"x -a"}`}},
		{"all over a list in the event", sel("A|all: [x, y]"), []string{`{"A":["y","z","x"]}`}, []string{`{"A":["x","xy"]}`}},
		{"cased", sel("A|contains|cased: aBc"), []string{`{"A":"xaBcx"}`}, []string{`{"A":"xabcx"}`}},
		{"cased equality", sel("A|cased: ABC"), []string{`{"A":"ABC"}`}, []string{`{"A":"abc"}`}},
		{"neq", sel("A|neq: [x, 5]"), []string{`{"A":"y"}`, `{}`, `{"A":null}`}, []string{`{"A":"X"}`, `{"A":5}`}},
		{"contains neq", sel("A|contains|neq: x"), []string{`{"A":"y"}`}, []string{`{"A":"axb"}`}},

		{"re is case-sensitive and unanchored", sel(`A|re: 'b+c$'`), []string{`{"A":"abbc"}`, `{"A":"abbc\n"}`}, []string{`{"A":"aBBc"}`, `{"A":"bcd"}`, `{"A":"bc\n\n"}`}},
		{"re keeps its backslashes", sel(`A|re: '\\\d{3}\*'`), []string{`{"A":"\\123*"}`}, []string{`{"A":"123*"}`}},
		{"re ignoring case", sel(`A|re|i: 'ab.c'`), []string{`{"A":"xAB-C"}`}, []string{`{"A":"ab\nc"}`}},
		{"re multi-line", sel(`A|re|m: '^b$'`), []string{`{"A":"a\nb\nc"}`}, []string{`{"A":"ab"}`}},
		{"re dot matches all", sel(`A|re|s: 'a.b'`), []string{`{"A":"a\nb"}`}, []string{`{"A":"ab"}`}},
		{"re with look-ahead", sel(`A|re: '^(?!.*good).*bad'`), []string{`{"A":"bad"}`}, []string{`{"A":"good bad"}`}},
		{"re with back-reference", sel(`A|re: '(\w)\1\1'`), []string{`{"A":"baaad"}`}, []string{`{"A":"baad"}`}},
		{"re in an alternation", sel(`A|re: 'foo|bar\d'`), []string{`{"A":"xfoo"}`, `{"A":"bar7"}`}, []string{`{"A":"bar"}`}},
		{"re all", sel(`A|re|all: ['a', 'b']`), []string{`{"A":"ab"}`}, []string{`{"A":"a"}`}},
		{"re on a number", sel(`A|re: '^1\d$'`), []string{`{"A":12}`}, []string{`{"A":112}`}},

		{"cidr v4", sel("A|cidr: 10.0.0.0/8"), []string{`{"A":"10.255.0.1"}`, `{"A":"::ffff:10.1.1.1"}`}, []string{`{"A":"11.0.0.1"}`, `{"A":"10.0.0"}`, `{"A":"10.0.0.1:80"}`}},
		{"cidr v6", sel("A|cidr: ['fe80::/10', '::1']"), []string{`{"A":"FE80::1"}`, `{"A":"fe80::1%eth0"}`, `{"A":"0:0:0:0:0:0:0:1"}`}, []string{`{"A":"::2"}`, `{"A":"1.2.3.4"}`}},

		{"lt and lte", sel("A|lt: 5", "B|lte: 5"), []string{`{"A":4.9,"B":5}`, `{"A":"-7","B":"5"}`}, []string{`{"A":5,"B":5}`, `{"A":1}`, `{"A":"x","B":1}`}},
		{"gt and gte", sel("A|gt: 5", "B|gte: 5"), []string{`{"A":5.1,"B":5}`}, []string{`{"A":5,"B":5}`, `{"A":"0x10","B":9}`}},

		{"base64", sel("A|base64: foobar"), []string{`{"A":"Zm9vYmFy"}`}, []string{`{"A":"foobar"}`}},
		{"base64 of UTF-16", sel("A|utf16|base64|contains: A"), []string{`{"A":"x //5BAA== y"}`}, []string{`{"A":"QQA="}`}},
		{"base64offset", sel("A|base64offset|contains: http://"), []string{`{"A":"aHR0cDovL2"}`, `{"A":"..h0dHA6Ly..."}`, `{"A":"xodHRwOi8v"}`}, []string{`{"A":"http://"}`}},
		{"wide base64offset", sel("A|wide|base64offset|contains: IEX"), []string{`{"A":"SQBFAFgA"}`, `{"A":"kARQBYA"}`, `{"A":"JAEUAWA"}`}, []string{`{"A":"SUVY"}`}},
		{"utf16be", sel("A|utf16be|base64: A"), []string{`{"A":"AEE="}`}, []string{`{"A":"QQA="}`}},
		{"utf16le is wide", sel("A|utf16le|base64: A"), []string{`{"A":"QQA="}`}, []string{`{"A":"AEE="}`}},
		{"wide without base64", sel("A|wide|contains: ab"), []string{`{"A":"xa\u0000b\u0000"}`}, []string{`{"A":"ab"}`}},

		{"windash", sel("A|windash|contains: ' -enc'"), []string{`{"A":"x -ENC y"}`, `{"A":"x /enc"}`, `{"A":"x –enc"}`, `{"A":"x —enc"}`, `{"A":"x ―enc"}`}, []string{`{"A":"x enc"}`, `{"A":"x-enc"}`}},
		{"windash leaves inner dashes", sel("A|contains|windash: '-param-name'"), []string{`{"A":"/param-name"}`}, []string{`{"A":"-param/name"}`, `{"A":"/param/name"}`}},
		{"windash from a slash", sel("A|contains|windash: '/c'"), []string{`{"A":"-c"}`}, []string{`{"A":"c"}`}},
		{"windash with all", sel("A|contains|all|windash: [' -a', ' -b']"), []string{`{"A":" /a –b"}`}, []string{`{"A":" /a"}`}},
		{"windash after a path", sel(`A|contains|windash: 'C:/x'`), []string{`{"A":"c:-x"}`}, []string{`{"A":"c:x"}`}},

		{"fieldref", sel("A|fieldref: B"), []string{`{"A":"X","B":"x"}`, `{"A":1,"B":"1"}`}, []string{`{"A":"x","B":"y"}`, `{"A":"x"}`, `{}`, `{"A":null,"B":null}`}},
		{"fieldref contains", sel("A|fieldref|contains: B"), []string{`{"A":"axb","B":"X"}`}, []string{`{"A":"x","B":"axb"}`}},
		{"fieldref startswith", sel("A|fieldref|startswith: B"), []string{`{"A":"abc","B":"ab"}`}, []string{`{"A":"cab","B":"ab"}`}},
		{"fieldref endswith", sel("A|endswith|fieldref: B"), []string{`{"A":"abc","B":"bc"}`}, []string{`{"A":"bca","B":"bc"}`}},
		{"fieldref neq", sel("A|fieldref|neq: B"), []string{`{"A":"x","B":"y"}`}, []string{`{"A":"x","B":"x"}`}},

		{"expand", sel("A|expand: '%Administrators%'"), []string{`{"A":"ROOT"}`, `{"A":"admin"}`}, []string{`{"A":"%Administrators%"}`, `{"A":"user"}`}},
		{"expand inside text", sel("A|expand|contains: '\\%x%Servers%y'"), []string{`{"A":"-%xsrv2y-"}`}, []string{`{"A":"-%xsrv3y-"}`}},
		{"expand into cidr", sel("A|expand|cidr: '%Nets%'"), []string{`{"A":"10.1.2.3"}`}, []string{`{"A":"11.1.2.3"}`}},
		{"no expand without the modifier", sel("A: '%Administrators%'"), []string{`{"A":"%administrators%"}`}, []string{`{"A":"root"}`}},

		{"hour and minute", sel("T|hour: 3", "T|minute: [0, 5]"), []string{`{"T":"2024-05-06T03:05:59.1Z"}`, `{"T":"2024-05-06 03:00:00"}`}, []string{`{"T":"2024-05-06T04:05:00Z"}`, `{"T":"3"}`, `{}`}},
		{"day, week, month, year", sel("T|day: 6", "T|week: 19", "T|month: 5", "T|year: 2024"), []string{`{"T":"2024-05-06T03:05:59+08:00"}`, `{"T":"2024-05-06"}`}, []string{`{"T":"2024-05-07"}`, `{"T":"x"}`}},

		{"field names with spaces, dots and @", sel("'New Value': 1", "a.b: 2", "'@timestamp': 3"), []string{`{"New Value":1,"a.b":2,"@timestamp":3}`}, []string{`{"NewValue":1,"a.b":2,"@timestamp":3}`}},
		{"keywords", "keywords: [mimi*katz, 42]\ncondition: keywords", []string{`{"X":"a MIMIKATZ b"}`, `{"X":"mimi and katz"}`, `{"X":[1,"142x"]}`}, []string{`{"mimikatz":"x"}`, `{"X":"mimi","Y":"katz"}`}},
		{"keyword alone", "keywords: evil\ncondition: keywords", []string{`{"X":"devils"}`}, []string{`{"X":"live"}`}},
		{"keywords all", "keywords:\n  '|all': [a1, b2]\ncondition: keywords", []string{`{"X":"xa1","Y":"B2"}`}, []string{`{"X":"a1"}`}},
		{"keywords re", "keywords:\n  '|re': 'x\\d'\ncondition: keywords", []string{`{"Q":"ax1"}`}, []string{`{"Q":"aX1"}`}},
	})
}

func TestConditions(t *testing.T) {
	// a, b, c and _d hold exactly when the event has the field.
	const head = "sel_a: {A: 1}\nsel_b: {B: 1}\nfilter_c: {C: 1}\n_d: {D: 1}\ncondition: "
	tests := []struct {
		condition string
		yes, no   []string
	}{
		{"sel_a", []string{"A", "AB"}, []string{"", "B"}},
		{"not sel_a", []string{"", "B"}, []string{"A"}},
		{"sel_a and sel_b", []string{"AB"}, []string{"A", "B"}},
		{"sel_a or sel_b and filter_c", []string{"A", "BC"}, []string{"B", "C"}},
		{"(sel_a or sel_b) and filter_c", []string{"AC", "BC"}, []string{"A", "B"}},
		{"not sel_a and sel_b", []string{"B"}, []string{"", "AB"}},
		{"not (sel_a and sel_b)", []string{"A", ""}, []string{"AB"}},
		{"not not sel_a", []string{"A"}, []string{""}},
		{"1 of sel_*", []string{"A", "B"}, []string{"C"}},
		{"any of sel_*", []string{"A", "B"}, []string{"C"}},
		{"all of sel_*", []string{"AB"}, []string{"A"}},
		{"1 of *_b", []string{"B"}, []string{"A"}},
		{"1 of s*_*a", []string{"A"}, []string{"B"}},
		{"1 of sel_a", []string{"A"}, []string{"B"}},
		{"1 of them", []string{"A", "C"}, []string{"D"}},
		{"all of them", []string{"ABC"}, []string{"AB"}},
		{"all of sel_* and not 1 of filter_*", []string{"AB"}, []string{"ABC"}},
		{"_d and 1 of them", []string{"AD"}, []string{"D", "A"}},
		{"SEL_A", nil, nil},
		{"sel_a AND NOT sel_b", []string{"A"}, []string{"AB"}},
		{"[sel_a, sel_b and filter_c]", []string{"A", "BC"}, []string{"B"}},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			if tt.yes == nil {
				if _, problems := Parse("t", []byte(ruleText(head+tt.condition)), Options{}); len(problems) == 0 {
					t.Error("loaded")
				}
				return
			}
			r := ruleOf(t, head+tt.condition, Options{})
			check := func(names []string, want bool) {
				for _, fields := range names {
					ev := &fakeEvent{fields: map[string]any{}, source: newFake(t, "{}").source}
					for _, f := range fields {
						ev.fields[string(f)] = "1"
					}
					if got := matches(t, r, ev); got != want {
						t.Errorf("with %q: %v", fields, got)
					}
				}
			}
			check(tt.yes, true)
			check(tt.no, false)
		})
	}
}

func TestLogsource(t *testing.T) {
	rule := func(ls string) *Rule {
		src := strings.Replace(ruleText(sel("A: 1")), "{product: windows}", ls, 1)
		rules, problems := Parse("t", []byte(src), Options{})
		for _, p := range problems {
			t.Fatal(p)
		}
		return rules[0]
	}
	ev := newFake(t, `{"A":1}`) // windows, process_creation, sysmon
	tests := []struct {
		logsource string
		want      bool
	}{
		{"{product: windows}", true},
		{"{product: Windows}", true},
		{"{category: process_creation}", true},
		{"{product: windows, service: sysmon}", true},
		{"{product: windows, category: process_creation, service: sysmon}", true},
		{"{product: linux}", false},
		{"{product: windows, service: security}", false},
		{"{product: linux, category: process_creation}", false},
		{"{product: windows, definition: d, agent: of no matter}", true},
	}
	for _, tt := range tests {
		got := false
		NewEngine([]*Rule{rule(tt.logsource)}, EngineOptions{}).NewMatcher().Match(ev, func(*Rule) bool { got = true; return true })
		if got != tt.want {
			t.Errorf("%s: %v", tt.logsource, got)
		}
	}
}

// TestPlainNumbers: what counts as written plainly is what rewriting would give.
func TestPlainNumbers(t *testing.T) {
	for s, want := range map[string]bool{
		"0": true, "-1": true, "10": true, "0.5": true, "-0.5": true, "1735787045.678901": true, "10.05": true,
		"-0": false, "01": false, "00.5": false, "1.": false, ".5": false, "1.0": false, "1.50": false, "1e3": false, "1.5e3": false, "1.2.3": false, "": false,
		"0." + strings.Repeat("1", 401): false,
	} {
		if plainNumber(s) != want {
			t.Errorf("plainNumber(%q) = %v", s, !want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9]{1,3}(\.[0-9]{1,4})?(e-?[0-9])?`).Draw(t, "number")
		if got := rewrittenNumber(s); plainNumber(s) && got != s {
			t.Errorf("%s is rewritten to %s", s, got)
		}
	})
}

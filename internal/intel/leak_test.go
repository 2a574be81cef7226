package intel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/sector"
)

func leakMembers() []sector.Member {
	return []sector.Member{
		{ID: "jade-bank", Name: "Jade Commercial Bank Co., Ltd.", NameZh: "翠玉商業銀行股份有限公司", Mail: "soc@jadebank.example"},
		{ID: "m7", Name: "Pine Insurance", NameZh: "松柏人壽保險", Mail: "x@pine.example"},
		{ID: "harbour", Name: "Harbour Securities Corp.", NameZh: "海灣證券", Mail: ""},
	}
}

func leakEvidence() Evidence {
	return Evidence{
		Members: []sector.MemberID{"jade-bank"},
		Internal: []event.Observable{
			{Kind: event.ObservableHost, Value: "ws-0417.corp.jade.example"}, {Kind: event.ObservableAccount, Value: `jade\lin.yt`},
			{Kind: event.ObservableAccount, Value: `NT AUTHORITY\SYSTEM`}, {Kind: event.ObservableIPv4, Value: "100.64.3.3"}, {Kind: event.ObservableHost, Value: "pc"},
		},
	}
}

func TestCheckLeaks(t *testing.T) {
	tests := []struct {
		name, body string
		want       []string
	}{
		{"clean", "Block evil.example and 198.51.100.7. SYSTEM account, a pc, version 10.0.19045.", nil},
		{"name", "Seen at Jade Commercial Bank.", []string{`block member_name body.en:1:9 "Jade Commercial Bank"`}},
		{"name, other case and spaces", "seen at JADE\n commercial  bank", []string{`block member_name body.en:1:9 "JADE\n commercial  bank"`}},
		{"name, full width", "ＪＡＤＥ　Commercial Bank", []string{`block member_name body.en:1:1 "ＪＡＤＥ\u3000Commercial Bank"`}},
		{"name, invisible characters", "Ja\u200bde Com\u00admercial Bank", []string{`block member_name body.en:1:1 "Ja\u200bde Com\u00admercial Bank"`}},
		{"name, whole", "Jade Commercial Bank Co., Ltd. says", []string{`block member_name body.en:1:1 "Jade Commercial Bank Co., Ltd."`}},
		{"Chinese name in running text", "昨日翠玉商業銀行的端點", []string{`block member_name body.en:1:3 "翠玉商業銀行"`}},
		{"Chinese name over a line", "昨日翠玉商\n業銀行的端點", []string{`block member_name body.en:1:3 "翠玉商\n業銀行"`}},
		{"other member warns", "海灣證券與 m7", []string{`warn member_name body.en:1:1 "海灣證券"`, `warn member_id body.en:1:7 "m7"`}},
		{"id in a word is none", "am7x harbours", nil},
		{"domain, defanged", "mail from soc@jadebank[.]example", []string{`block member_domain body.en:1:15 "jadebank[.]example"`}},
		{"private addresses", "10.1.2.3, fd00::1 and ::1; 12:30:45", []string{
			`block private_address body.en:1:1 "10.1.2.3"`, `block private_address body.en:1:11 "fd00::1"`, `block private_address body.en:1:23 "::1"`}},
		{"private, defanged, full width", "１０[.]1[.]2[.]3", []string{`block private_address body.en:1:1 "１０[.]1[.]2[.]3"`}},
		{"private, IPv6, defanged", "fd00[:]:1, fd00[::]2 and fd00[:][:]3.", []string{
			`block private_address body.en:1:1 "fd00[:]:1"`, `block private_address body.en:1:12 "fd00[::]2"`, `block private_address body.en:1:26 "fd00[:][:]3"`}},
		{"host and account", "on WS-0417 as lin.yt", []string{`block host body.en:1:4 "WS-0417"`, `block account body.en:1:15 "lin.yt"`}},
		{"second line", "a\nb 100.64.3.3", []string{`block private_address body.en:2:3 "100.64.3.3"`}},
		{"block first", "harbour\n10.1.2.3", []string{`block private_address body.en:2:1 "10.1.2.3"`, `warn member_id body.en:1:1 "harbour"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, l := range CheckLeaks(Message{Body: Text{En: test.body}}, leakMembers(), leakEvidence()) {
				got = append(got, l.String())
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestLeaksOfEveryField(t *testing.T) {
	m := Message{
		Title: Text{Zh: "翠玉商業銀行", En: "jade-bank"}, Body: Text{Zh: "松柏人壽保險"},
		Indicators: []Indicator{{Kind: event.ObservableIPv4, Value: "198.51.100.1"}, {Kind: event.ObservableDomain, Value: "mail.jadebank.example"}},
	}
	var got []string
	leaks := CheckLeaks(m, leakMembers(), leakEvidence())
	for _, l := range leaks {
		got = append(got, l.String())
	}
	want := []string{
		`block member_name title.zh:1:1 "翠玉商業銀行"`, `block member_id title.en:1:1 "jade-bank"`,
		`block member_domain indicators:2:1 "jadebank.example"`, `warn member_name body.zh:1:1 "松柏人壽保險"`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !Blocks(leaks) || Blocks(leaks[3:]) {
		t.Error("Blocks does not tell blocking leaks from warnings")
	}
}

// TestLeakIsFoundAnywhere: whatever surrounds a name, as a word of its own it
// is found, and the place given is where it stands.
func TestLeakIsFoundAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		around := rapid.StringOf(rapid.RuneFrom([]rune("ab 中文\n.,[](){}０ \u200b\u0301-é")))
		name := rapid.SampledFrom([]string{"翠玉商業銀行", "Jade Commercial Bank", "jade-bank", "jadebank.example", "10.9.8.7", "ws-0417"}).Draw(t, "name")
		before, after := around.Draw(t, "before"), around.Draw(t, "after")
		text := before + " | " + name + " | " + after
		for _, l := range CheckLeaks(Message{Body: Text{Zh: text}}, leakMembers(), leakEvidence()) {
			if l.Block && strings.HasPrefix(lineFrom(text, l.Line, l.Column), name) {
				return
			}
		}
		t.Fatalf("%q was not found in %q", name, text)
	})
}

func lineFrom(text string, line, column int) string {
	lines := strings.Split(text, "\n")
	if line > len(lines) {
		return ""
	}
	runes := []rune(lines[line-1])
	if column-1 > len(runes) {
		return ""
	}
	return string(runes[column-1:])
}

// FuzzFold: folding never fails, its map back is monotone and within the
// text, and every span found lies in the original.
func FuzzFold(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		got := fold(s)
		if len(got.from) != len(got.text)+1 || got.from[len(got.text)] != len(s) {
			t.Fatalf("fold %q: %d bytes, map of %d", s, len(got.text), len(got.from))
		}
		last := 0
		for _, at := range got.from {
			if at < last || at > len(s) {
				t.Fatalf("fold %q: the map goes back: %v", s, got.from)
			}
			last = at
		}
		CheckLeaks(Message{Body: Text{Zh: s}}, leakMembers(), leakEvidence())
	})
}

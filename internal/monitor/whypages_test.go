package monitor_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
	"github.com/aspis-platform/aspis/sigma"
)

// TestComputedNumbersAreShown: an alert says which number a correlation
// computed, of which field, and how sure an estimated one is.
func TestComputedNumbersAreShown(t *testing.T) {
	s := newScene(t)
	at := webtest.Now()
	whys := map[string]monitor.CorrelationWhy{
		"Much sent":    {Type: "value_sum", Seconds: 3600, Count: 7, Fields: []string{"bytes_out"}, Number: 1234567.5},
		"Slow":         {Type: "value_percentile", Seconds: 600, Count: 9, Fields: []string{"latency"}, Number: 480, Percent: 99.5},
		"Usually slow": {Type: "value_median", Seconds: 600, Count: 9, Fields: []string{"latency"}, Number: 240, Percent: 50},
		"Mean":         {Type: "value_avg", Seconds: 600, Count: 3, Fields: []string{"size"}, Number: 0.25},
		"Many names":   {Type: "value_count", Seconds: 600, Count: 40_000, Distinct: 31_337, Fields: []string{"query"}, Error: 0.01625},
	}
	commit := monitor.Commit{UpTo: 1, At: at}
	for title, why := range whys {
		raw, err := json.Marshal(monitor.Explained{Correlation: &why})
		if err != nil {
			t.Fatal(err)
		}
		commit.Findings = append(commit.Findings, monitor.Finding{
			Key: title, Cause: monitor.CauseCorrelation, RuleID: "c", RuleVersion: "1", Title: title, TitleZh: title, Severity: monitor.High, Total: true,
			Members: []sector.MemberID{"jade-bank"}, Shares: []monitor.Share{{Member: "jade-bank", Count: 1, First: at, Last: at}},
			First: at, Last: at, Count: why.Count, WhyMember: "jade-bank", Why: raw,
		})
	}
	if _, err := s.db.Detections().Apply(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	want := map[string][2]string{
		"Much sent":    {"欄位總和為 1234567.5", "sum of the field is 1234567.5"},
		"Slow":         {"第 99.5 百分位數為 480", "Percentile 99.5 of the field is 480"},
		"Usually slow": {"中位數為 240", "median of the field is 240"},
		"Mean":         {"平均為 0.25", "mean of the field is 0.25"},
		"Many names":   {"標準誤差為 1.6%", "standard error is 1.6 %"},
	}
	for title, words := range want {
		for i, lang := range []i18n.Lang{i18n.ZhHant, i18n.En} {
			page := s.kit.Get(t, sector.Analyst, lang, "/alerts/"+s.find(t, title).ID)
			webtest.Check(t, page)
			if !strings.Contains(page.Body, words[i]) || !strings.Contains(page.Body, whys[title].Fields[0]) {
				t.Errorf("%s in %s lacks %q or its field", title, lang, words[i])
			}
		}
	}
}

// filteredAlert raises an alert of a rule with filters, on a record of a member.
func (s *scene) filteredAlert(t *testing.T, title string, record string) monitor.Alert {
	t.Helper()
	set, problems := sigma.Load(fstest.MapFS{"r.yml": {Data: []byte(`
title: ` + title + `
id: odd
level: high
logsource: {product: windows, category: process_creation}
detection:
  selection: {CommandLine|contains: ' -enc '}
  condition: selection
---
title: 玉山以外的備份主機由各機構自行登錄，其備份帳號以 backup_ 開頭，執行的封存程式不視為異常
id: backups
logsource: {product: windows, category: process_creation}
filter:
  rules: [odd]
  backup: {User|startswith: 'BANK\backup_'}
  condition: not backup
---
title: Scanner of pine-life
id: scanner
logsource: {product: windows, category: process_creation}
polarity: exclude
filter:
  rules: [odd]
  scanner: {Computer: scanner.pine-life.example, Image|endswith: ['\scan.exe', '\probe.exe']}
  condition: scanner
`)}}, sigma.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	ev, err := event.Decode([]byte(record), event.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rule, _ := set.Rule("odd")
	why := sigma.Explain(rule, ev)
	raw, err := json.Marshal(monitor.Explained{Rule: &why})
	if err != nil {
		t.Fatal(err)
	}
	at := webtest.Now()
	commit := monitor.Commit{UpTo: 1, At: at, Findings: []monitor.Finding{{
		Key: title, Cause: monitor.CauseRule, RuleID: "odd", RuleVersion: rule.Version(), Title: title, TitleZh: title, Severity: monitor.High, Total: true,
		Members: []sector.MemberID{"jade-bank"}, Shares: []monitor.Share{{Member: "jade-bank", Count: 1, First: at, Last: at}},
		First: at, Last: at, Count: 1, WhyMember: "jade-bank", Why: raw,
	}}}
	if _, err := s.db.Detections().Apply(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	return s.find(t, title)
}

// TestFiltersAreShown: the centre sees which filters let a record through, and
// by which values. A member sees what the rule found in its record and nothing
// of the filters, which may be about another member.
func TestFiltersAreShown(t *testing.T) {
	s := newScene(t)
	a := s.filteredAlert(t, "Odd archive", `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"ws7",`+
		`"Image":"C:\\x\\scan.exe","User":"BANK\\amy","CommandLine":"scan.exe `+strings.Repeat("-Variable 資料 ", 200)+` -enc SQBFAFgA"}`)
	for lang, words := range map[i18n.Lang][]string{
		i18n.En:     {"Filters", "Let through", "Keeps only records that meet", "Leaves out records that meet"},
		i18n.ZhHant: {"篩選", "放行", "只保留符合此條件的紀錄", "排除符合此條件的紀錄"},
	} {
		page := s.kit.Get(t, sector.Analyst, lang, "/alerts/"+a.ID)
		webtest.Check(t, page)
		for _, word := range append(words, "玉山以外的備份主機", "not backup", `BANK\amy`, "<mark> -enc </mark>", "scanner.pine-life.example", `<mark>\scan.exe</mark>`) {
			if !strings.Contains(page.Body, word) {
				t.Errorf("in %s the page lacks %q", lang, word)
			}
		}
		mine := s.kit.Get(t, sector.MemberStaff, lang, "/alerts/"+a.ID)
		webtest.Check(t, mine)
		if !strings.Contains(mine.Body, "<mark> -enc </mark>") || strings.Contains(mine.Body, "pine-life") || strings.Contains(mine.Body, "backup") {
			t.Errorf("in %s the member sees a filter, or not its own record's values", lang)
		}
	}
	centre := s.kit.Get(t, sector.Analyst, i18n.En, "/as/"+string(sector.Analyst)+"/api/v1/alerts/"+a.ID).Body
	if !strings.Contains(centre, `"filters":[{"filter":"backups"`) || !strings.Contains(centre, `"passed":true`) {
		t.Errorf("the API shows the centre no filters: %s", centre)
	}
	member := s.kit.Get(t, sector.MemberStaff, i18n.En, "/as/"+string(sector.MemberStaff)+"/api/v1/alerts/"+a.ID).Body
	if !strings.Contains(member, `"selections"`) || strings.Contains(member, "pine-life") || strings.Contains(member, "backup") {
		t.Errorf("the API shows a member the filters, or nothing: %s", member)
	}
}

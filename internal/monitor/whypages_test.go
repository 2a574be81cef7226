package monitor_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
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

package monitor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/sector"
)

func TestLanes(t *testing.T) {
	start := time.Date(2026, 11, 23, 19, 0, 0, 0, time.UTC)
	record := func(member string, minute int) recordLine {
		return recordLine{RecordRef: RecordRef{Member: sector.MemberID(member), At: start.Add(time.Duration(minute) * time.Minute)}, Name: "The " + member}
	}
	for name, test := range map[string]struct {
		records []recordLine
		want    []lane
	}{
		"none":       {},
		"one member": {records: []recordLine{record("a", 0), record("a", 5)}},
		"spread": {
			records: []recordLine{record("b", 0), record("a", 5), record("b", 10)},
			want:    []lane{{"The b", []int{6, 994}}, {"The a", []int{500}}},
		},
		"at once": {
			records: []recordLine{record("a", 3), record("b", 3)},
			want:    []lane{{"The a", []int{500}}, {"The b", []int{500}}},
		},
		"out of order": {
			records: []recordLine{record("a", 10), record("b", 0)},
			want:    []lane{{"The a", []int{994}}, {"The b", []int{6}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lanes(test.records)); diff != "" {
				t.Errorf("lanes (-want +got):\n%s", diff)
			}
		})
	}
}

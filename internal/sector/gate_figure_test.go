package sector

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func authority() Counts { return Gate{}.Counts(Viewer{Org: Authority}) }

func TestFigureByViewer(t *testing.T) {
	tests := []struct {
		name   string
		counts Counts
		want   string // of 0, 1, 2, 3, 12345
	}{
		{"the centre", Gate{}.Counts(Viewer{Org: Centre}), "0 1 2 3 12,345"},
		{"a member, of its own", Gate{}.Counts(Viewer{Org: MemberOrg, Member: "m1"}), "0 1 2 3 12,345"},
		{"the authority", authority(), "0 <3 <3 3 12,345"},
		{"a member without a name", Gate{}.Counts(Viewer{Org: MemberOrg}), "* * * * *"},
		{"nobody", Gate{}.Counts(Viewer{}), "* * * * *"},
		{"forgotten", Counts{}, "* * * * *"},
	}
	for _, test := range tests {
		var got []string
		for _, n := range []int64{0, 1, 2, 3, 12345} {
			got = append(got, test.counts.Figure(n).String())
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s sees %s, want %s", test.name, s, test.want)
		}
	}
	if authority().exact || Gate.For(Gate{}, Viewer{Org: Authority}).All() {
		t.Error("the authority's filter for rows sees everything")
	}
}

// TestAWithheldFigureHoldsNothing: no way of printing one gives its number.
func TestAWithheldFigureHoldsNothing(t *testing.T) {
	one, two := authority().Figure(1), authority().Figure(2)
	if one != two {
		t.Errorf("withheld figures differ: %#v, %#v", one, two)
	}
	text, err := json.Marshal(map[string]Figure{"n": two})
	if err != nil || string(text) != `{"n":"\u003c3"}` {
		t.Errorf("as JSON: %s, %v", text, err)
	}
	if sum := two.Plus(authority().Figure(40)); !sum.Withheld() {
		t.Errorf("a sum with a withheld part is %s", sum)
	}
	if r := authority().Rate(2, 2./90); r.PerSecond() != 0 {
		t.Errorf("a rate of two in ninety seconds is shown: %v", r)
	}
	if r := authority().Rate(3, 3./90); r.PerSecond() == 0 {
		t.Error("a rate of three is withheld")
	}
}

// cells are the numbers of which a shown picture is made, by name, sums and
// differences among them.
type cells map[string]int64

// disclosed groups all true numbers by the picture that is shown of them: a
// number that is small, and the same in every case with that picture, can be
// worked out, even by somebody who knows this program.
func disclosed(cases []cells, shown func(cells) string, judged func(cells) bool) []string {
	type pinned struct{ values map[string]map[int64]bool }
	groups := map[string]pinned{}
	for _, c := range cases {
		picture := shown(c)
		g, ok := groups[picture]
		if !ok {
			g = pinned{map[string]map[int64]bool{}}
			groups[picture] = g
		}
		for name, n := range c {
			if g.values[name] == nil {
				g.values[name] = map[int64]bool{}
			}
			g.values[name][n] = true
		}
	}
	var found []string
	for _, c := range cases {
		picture := shown(c)
		for name, n := range c {
			if judged(c) && small(n) && len(groups[picture].values[name]) == 1 {
				found = append(found, fmt.Sprintf("%s = %d follows from %s", name, n, picture))
			}
		}
	}
	return found
}

const most = 7 // numbers of a cell that are tried

func funnelCases() []cells {
	var all []cells
	for i := range int64(most * most * most * most) {
		unreached, silent, a, b := i%most, i/most%most, i/most/most%most, i/most/most/most
		all = append(all, cells{
			"unreached": unreached, "silent": silent, "a": a, "b": b, "answered": a + b,
			"reached": silent + a + b, "not answered": unreached + silent, "whole": unreached + silent + a + b,
		})
	}
	return all
}

// inside leaves out cases at the border of what is tried, whose neighbours
// are not.
func inside(c cells) bool {
	for _, name := range []string{"unreached", "silent", "a", "b"} {
		if c[name] > most-3 {
			return false
		}
	}
	return true
}

func funnelText(c Counts) func(cells) string {
	return func(n cells) string {
		f := c.Funnel(n["whole"], n["reached"], []int64{n["a"], n["b"]})
		return fmt.Sprint(f.Whole, f.Reached, f.Answered, f.ByAnswer)
	}
}

// TestFunnelGivesNoSmallNumberAway tries every funnel of small numbers.
func TestFunnelGivesNoSmallNumberAway(t *testing.T) {
	for _, d := range disclosed(funnelCases(), funnelText(authority()), inside) {
		t.Error(d)
	}
}

// TestPlantedDisclosuresAreFound proves that the property can fail: simpler
// rules give small numbers away.
func TestPlantedDisclosuresAreFound(t *testing.T) {
	one := authority().Figure
	planted := map[string]func(cells) string{
		"exact": funnelText(Gate{}.Counts(System())),
		"each number for itself": func(n cells) string {
			return fmt.Sprint(one(n["whole"]), one(n["reached"]), one(n["answered"]), one(n["a"]), one(n["b"]))
		},
		"the sum withheld with its parts": func(n cells) string {
			answered := one(n["answered"])
			if small(n["a"]) || small(n["b"]) {
				answered = Figure{mark: markWithheld}
			}
			return fmt.Sprint(one(n["whole"]), one(n["reached"]), answered, one(n["a"]), one(n["b"]))
		},
	}
	for name, text := range planted {
		if len(disclosed(funnelCases(), text, inside)) == 0 {
			t.Errorf("%s: nothing was found", name)
		}
	}
}

func TestSeriesAndPartGiveNoSmallNumberAway(t *testing.T) {
	var all []cells
	for i := range int64(most * most * most) {
		a, b, c := i%most, i/most%most, i/most/most
		all = append(all, cells{"a": a, "b": b, "unreached": c, "sum": a + b + c})
	}
	for name, text := range map[string]func(cells) string{
		"series": func(n cells) string {
			sum, each := authority().Series([]int64{n["a"], n["b"], n["unreached"]})
			return fmt.Sprint(sum, each)
		},
		"part": func(n cells) string {
			whole, part := authority().Part(n["a"]+n["b"], n["a"])
			return fmt.Sprint(whole, part)
		},
	} {
		for _, d := range disclosed(all, text, inside) {
			t.Errorf("%s: %s", name, d)
		}
	}
}

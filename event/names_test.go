package event

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// caseNames are the names of all dialect cases, spelt in a few ways more.
func caseNames() []string {
	names := map[string]bool{"a.b.c": true, "Event.System.Channel": true, "EventData.Image": true, "Provider Name": true, "host.name": true, "Data": true}
	for _, c := range dialectCases {
		for name := range c.fields {
			names[name] = true
			names["Event.EventData."+name] = true
			names["winlog.event_data."+name] = true
			names[strings.ReplaceAll(name, "_", " ")] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func namesOf(texts []string) *Names {
	names := make([]Name, len(texts))
	for i := range texts {
		names[i] = NewName(texts[i])
	}
	return NewNames(names)
}

// textsOf are the texts of a value, as rules look at them: those of a list are
// its elements'.
func textsOf(v Value) (texts []string) {
	v.Each(func(item Value) bool {
		switch {
		case item.Kind() == List:
			texts = append(texts, textsOf(item)...)
		case item.Kind() != Null:
			texts = append(texts, item.Text())
		}
		return true
	})
	return texts
}

// checkNamed compares looking for many fields at once with asking for each, and
// with what the event has.
func checkNamed(t *testing.T, e *Event, texts []string, names *Names) {
	t.Helper()
	told := tellAll(e, names)
	if told.asked {
		t.Errorf("the event has to be asked about each name:\n%s", e.Raw())
	}
	for i, name := range texts {
		v, ok := e.Field(name)
		if fast, same := e.Get(&names.names[i]); same != ok || fast.Text() != v.Text() {
			t.Errorf("%s: Get says %q, %v and Field %q, %v", name, fast.Text(), same, v.Text(), ok)
		}
		if missed := told.misses(i, v); ok && missed {
			t.Errorf("%s = %q is not found among many; %q is\n%s", name, v.Text(), told.values[i], e.Raw())
		}
	}
	leaves := map[string]bool{}
	e.EachLeaf(func(text string) bool {
		leaves[text] = true
		return true
	})
	for i, texts := range told.values {
		for _, text := range texts {
			if text != "" && !leaves[text] {
				t.Errorf("%q is told for %s and is no text of the event", text, names.names[i].text)
			}
		}
	}
}

// TestNestedNamesAtOnce: names whose dots are nesting, dots or both, through
// lists and objects that hold a text, however deep.
func TestNestedNamesAtOnce(t *testing.T) {
	texts := []string{
		"a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "a.b.c.d.e.f.g.h", "b.c", "c", "l", "l.x", "l.x.y", "l.l", "t", "o.t", "n", ".a", "a.", "a..b", "",
		"requestParameters.k", "x_y", "d.", "d.d",
	}
	names := namesOf(texts)
	for _, raw := range []string{
		`{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":"deep"}}}}}}}}`, `{"a.b":{"c.d":{"e.f":{"g":{"h":"split"}}}}}`, `{"a.b.c.d.e":1,"a.b.c":{"d":2},"a":{"b.c":{"d.e":3}}}`,
		`{"l":[1,[2,{"x":3}],{"x":{"y":4}},{"x":[5,[6]]},{"l":[{"x":7}]},null,true]}`, `{"t":{"#text":"in an object"},"o":{"t":{"$t":"deeper"}},"n":null}`,
		`{"a":{"b":1},"a":{"b.c":{"b":2,"b":3}}}`, `{"":1,"a":{"":2,".b":3},".a":4}`, `{"x":{"@y":"an attribute"},"d":{"":{"d":1},"d":[[],{}]}}`,
		`{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"a":{"b":{"c":1}},"kubernetes":{"audit":{"a":{"b":2},"b":{"c":{"d":3}}}}}`,
		`{"winlog":{"channel":"Security","event_data":{"a":"1","b":{"c":"2"}},"user_data":{"a":{"b":{"c":"3"},"l":["4"]}}}}`,
		`{"eventVersion":"1","eventSource":"x.amazonaws.com","eventName":"n","requestParameters":"{\"k\":[{\"v\":1}]}"}`,
		`{"e":` + strings.Repeat(`{"a":`, 30) + `"bottom"` + strings.Repeat(`}`, 31),
	} {
		e, err := Decode([]byte(raw), Limits{MaxDepth: 100})
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		checkNamed(t, e, texts, names)
	}
}

// told is what EachNamed tells of an event.
type told struct {
	values map[int][]string
	unsure map[int]bool
	asked  bool // it does not
}

func tellAll(e *Event, names *Names) told {
	out := told{values: map[int][]string{}, unsure: map[int]bool{}}
	each := func(f func(int, Value)) bool {
		if e.dialect.ownWindows() {
			return e.EachNamed(names, f)
		}
		w := ledWalk{tape: &e.tape, names: names.names, led: names.led(e.dialect, e.source), f: f}
		return w.run() // whether or not asking costs less
	}
	out.asked = !each(func(i int, v Value) {
		if v.Kind() == Missing {
			out.unsure[i] = true
			return
		}
		out.values[i] = append(out.values[i], v.Text())
	})
	return out
}

// misses says whether a text of a field's value was not told.
func (o told) misses(name int, v Value) bool {
	for _, text := range textsOf(v) {
		if !o.unsure[name] && !slices.Contains(o.values[name], text) {
			return true
		}
	}
	return false
}

func TestManyNamesAtOnce(t *testing.T) {
	texts := caseNames()
	names := namesOf(texts)
	for _, c := range dialectCases {
		e, err := Decode([]byte(c.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		checkNamed(t, e, texts, names)
	}
	for i, name := range texts {
		if names.Index(name) != i {
			t.Errorf("%q is at %d, want %d", name, names.Index(name), i)
		}
	}
	if i := names.Index("no such name"); i != -1 {
		t.Errorf("what is not in the set is at %d", i)
	}
}

// TestMissingLeadsAreMissed: where what leads to a field is left out, in whatever
// dialect, checkNamed would see it.
func TestMissingLeadsAreMissed(t *testing.T) {
	texts, caught := caseNames(), map[Dialect]int{}
	for _, c := range dialectCases {
		e, err := Decode([]byte(c.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range texts {
			v, ok := e.Field(name)
			if !ok || len(textsOf(v)) == 0 || e.dialect.ownWindows() {
				continue
			}
			names := namesOf([]string{name})
			if tellAll(e, names).misses(0, v) {
				t.Errorf("%s: %s is missed", c.name, name)
			}
			led := names.led(e.dialect, e.source)
			for i := range led.entries {
				led.entries[i].hash++
			}
			if !tellAll(e, names).misses(0, v) {
				t.Errorf("%s: that nothing leads to %s is not seen", c.name, name)
			}
			caught[e.dialect]++
		}
	}
	for d := Generic; d.String() != Generic.String() || d == Generic; d++ {
		if caught[d] == 0 && !d.ownWindows() {
			t.Errorf("nothing was left out in %s", d)
		}
	}
}

// checkStretches compares stretches with the texts that lie in them.
func checkStretches(t *testing.T, e *Event) {
	t.Helper()
	var stretches []string
	e.EachStretch(func(s string) { stretches = append(stretches, s) })
	e.EachLeaf(func(text string) bool {
		if text != "" && !slices.ContainsFunc(stretches, func(s string) bool { return strings.Contains(s, text) }) {
			t.Errorf("the text %q is in no stretch of\n%s", text, e.Raw())
		}
		return true
	})
}

func TestStretches(t *testing.T) {
	for _, c := range dialectCases {
		e, err := Decode([]byte(c.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		checkStretches(t, e)
	}
	long := strings.Repeat("x", shortDetour)
	for raw, most := range map[string]int{
		`{"a":"b","c":["d",{"e":1}],"f":true}`:                                                        1,
		`{"a":"b","c":"short\\detour","d":"e"}`:                                                       2,
		`{"a":"b","c":"` + long + `\\","d":"e"}`:                                                      3,
		`{"a":"` + long + `\\","b":"` + long + `\\"}`:                                                 1,
		`{"a":"b","a":"` + long + `\u0041","list":["` + long + `\n","x"],"o":{"p":"` + long + `\t"}}`: 3,
		`{}`: 0,
	} {
		e, err := Decode([]byte(raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		checkStretches(t, e)
		n := 0
		e.EachStretch(func(string) { n++ })
		if n > most {
			t.Errorf("%s: %d stretches, want at most %d", raw, n, most)
		}
	}
}

func TestASCII(t *testing.T) {
	for raw, want := range map[string]bool{
		`{"a":"b"}`: true, `{"a":"資"}`: false, `{"a":"\u8cc7"}`: false, `{"a":"\u0041"}`: true, `plain text of a line`: true, "Grüße": false,
		`{"a":"` + strings.Repeat("x", 40) + `é` + strings.Repeat("x", 40) + `"}`: false,
	} {
		e, err := Decode([]byte(raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if e.ASCII() != want {
			t.Errorf("%s: ASCII %v", raw, e.ASCII())
		}
	}
}

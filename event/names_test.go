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

// checkNamed compares looking for many fields at once with asking for each, and
// with what the event has. It is false for dialects that must be asked.
func checkNamed(t *testing.T, e *Event, texts []string, names *Names) bool {
	t.Helper()
	values := map[int][]string{}
	unsure := map[int]bool{}
	if !e.EachNamed(names, func(i int, v Value) {
		if v.Kind() == Missing {
			unsure[i] = true
			return
		}
		values[i] = append(values[i], v.Text())
	}) {
		return false
	}
	for i, name := range texts {
		v, ok := e.Field(name)
		if fast, same := e.Get(&names.names[i]); same != ok || fast.Text() != v.Text() {
			t.Errorf("%s: Get says %q, %v and Field %q, %v", name, fast.Text(), same, v.Text(), ok)
		}
		if ok && v.Kind() != Null && !unsure[i] && !slices.Contains(values[i], v.Text()) {
			t.Errorf("%s = %q is not found among many; %q is\n%s", name, v.Text(), values[i], e.Raw())
		}
	}
	return true
}

func TestManyNamesAtOnce(t *testing.T) {
	texts := caseNames()
	names := namesOf(texts)
	checked := 0
	for _, c := range dialectCases {
		e, err := Decode([]byte(c.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if checkNamed(t, e, texts, names) {
			checked++
		}
	}
	if checked < 10 {
		t.Errorf("only %d records could be looked through at once", checked)
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

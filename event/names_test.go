package event

import (
	"maps"
	"math"
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
	var leaves []string
	if !e.EachNamed(names, 0, func(i int, v Value) {
		switch {
		case i >= 0 && v.Kind() == Missing:
			unsure[i] = true
		case i >= 0:
			values[i] = append(values[i], v.Text())
			fallthrough
		default:
			leaves = append(leaves, v.Text())
		}
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
	e.EachLeaf(func(text string) bool {
		if !slices.Contains(leaves, text) {
			t.Errorf("the text %q is left out", text)
		}
		return true
	})
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

// TestShortTextsAreLeftOut: but numbers are not, which equal longer ones.
func TestShortTextsAreLeftOut(t *testing.T) {
	e, err := Decode([]byte(`{"EventID":1,"Channel":"Security","A":"short","B":"long enough","C":1e3}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	e.EachNamed(NewNames(nil), 8, func(_ int, v Value) { got = append(got, v.Text()) })
	if want := []string{"1", "Security", "long enough", "1e3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	e.EachNamed(NewNames(nil), math.MaxInt, func(_ int, v Value) {
		if v.Kind() != Number {
			t.Errorf("%q is passed where no text is wanted", v.Text())
		}
	})
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

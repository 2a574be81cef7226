package rules

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/sigma"
)

func load(t *testing.T) *sigma.Ruleset {
	t.Helper()
	set, problems := sigma.Load(FS(), sigma.Options{})
	for _, p := range problems {
		t.Errorf("refused: %v", p)
	}
	return set
}

func folders(t *testing.T) []string {
	t.Helper()
	entries, err := fs.ReadDir(FS(), ".")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// main is the rule that a folder is about: the last of its file.
func mainRule(t *testing.T, set *sigma.Ruleset, folder string) *sigma.Rule {
	t.Helper()
	var last *sigma.Rule
	for _, r := range set.Rules() {
		if r.File == folder+"/rule.yml" {
			last = r
		}
	}
	if last == nil {
		t.Fatalf("%s: no rule", folder)
	}
	return last
}

func TestCatalogueHasTwelveRulesThreeOfThemAcrossInstitutions(t *testing.T) {
	set := load(t)
	across := 0
	for _, folder := range folders(t) {
		c := mainRule(t, set, folder).Correlation
		if c != nil && slices.Contains(c.Fields, "institution") {
			across++
		}
	}
	if n := len(folders(t)); n != 12 || across != 3 {
		t.Errorf("%d rules, %d across institutions; want 12 and 3", n, across)
	}
}

// A correlation that is not across institutions must keep them apart: inside
// addresses are the same everywhere.
func TestOtherCorrelationsKeepInstitutionsApart(t *testing.T) {
	for _, r := range load(t).Rules() {
		c := r.Correlation
		if c != nil && !slices.Contains(c.Fields, "institution") && !slices.Contains(c.GroupBy, "institution") {
			t.Errorf("%s: neither counts nor groups by institution", r.File)
		}
	}
}

var (
	uuid4     = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	technique = regexp.MustCompile(`^attack\.t[0-9]{4}(\.[0-9]{3})?$`)
	han       = regexp.MustCompile(`\p{Han}`)
)

func TestMetadataInBothLanguages(t *testing.T) {
	set := load(t)
	zh, err := Chinese(FS())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Rules() {
		if !uuid4.MatchString(r.ID) {
			t.Errorf("%s: id %q is not a random UUID", r.File, r.ID)
		}
		if r.Author != "Aspis" || r.License != "Apache-2.0" || r.Status != "stable" || r.Date == "" || r.Level == "" {
			t.Errorf("%s: author %q, licence %q, status %q, date %q, level %q", r.File, r.Author, r.License, r.Status, r.Date, r.Level)
		}
		if !slices.ContainsFunc(r.Tags, technique.MatchString) {
			t.Errorf("%s: no ATT&CK technique among %v", r.File, r.Tags)
		}
		english := append([]string{r.Title, r.Description}, r.FalsePositives...)
		checkWords(t, r.File+" en", english, len(r.FalsePositives), false)
		w := zh[r.ID]
		checkWords(t, r.File+" zh", append([]string{w.Title, w.Description}, w.FalsePositives...), len(r.FalsePositives), true)
	}
}

func checkWords(t *testing.T, where string, words []string, falsePositives int, chinese bool) {
	t.Helper()
	if len(words) != 2+falsePositives || falsePositives == 0 {
		t.Errorf("%s: %d false positives, want as many as in English, and one at least", where, len(words)-2)
	}
	for _, w := range words {
		if w == "" || han.MatchString(w) != chinese {
			t.Errorf("%s: %q is missing or in another language", where, w)
		}
	}
}

// sample is a record of a member, as the pipeline shows it to rules.
type sample struct {
	*event.Event
	institution string
}

func (s sample) Field(name string) (event.Value, bool) {
	if name == "institution" {
		return event.StringValue(s.institution), s.institution != ""
	}
	return s.Event.Field(name)
}

func samples(t *testing.T, folder, kind string) []sample {
	t.Helper()
	text, err := fs.ReadFile(FS(), folder+"/"+kind+".ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		raw := bytes.Clone(lines.Bytes())
		ev, err := event.Decode(raw, event.Limits{})
		if err != nil {
			t.Fatalf("%s/%s: %v", folder, kind, err)
		}
		if _, ok := ev.Time(); !ok {
			t.Errorf("%s/%s: no time in %s", folder, kind, raw)
		}
		var label struct {
			Synthetic   bool
			Institution string
		}
		if err := json.Unmarshal(raw, &label); err != nil || !label.Synthetic {
			t.Errorf("%s/%s: not labelled as synthetic: %s", folder, kind, raw)
		}
		out = append(out, sample{ev, label.Institution})
	}
	if len(out) == 0 {
		t.Fatalf("%s/%s: empty", folder, kind)
	}
	return out
}

// Every positive sample of a detection fires its rule, and no other rule of
// ours that is a finding by itself is silent about its own samples.
func TestSamplesOfDetections(t *testing.T) {
	set := load(t)
	engine := sigma.NewEngine(set.Rules(), sigma.EngineOptions{})
	for _, folder := range folders(t) {
		rule := mainRule(t, set, folder)
		if rule.Correlation != nil {
			continue
		}
		for kind, want := range map[string]bool{"positive": true, "negative": false} {
			for i, s := range samples(t, folder, kind) {
				if fired(engine, s, rule) != want {
					t.Errorf("%s/%s line %d: fired is %v\n%s", folder, kind, i+1, !want, s.Raw())
				}
			}
		}
	}
}

func fired(engine *sigma.Engine, s sample, rule *sigma.Rule) bool {
	found := false
	engine.NewMatcher().Match(s, func(r *sigma.Rule) bool {
		found = found || r == rule
		return true
	})
	return found
}

func TestChineseReportsWhatItCannotRead(t *testing.T) {
	words, err := Chinese(fstest.MapFS{
		"good/rule.yml": {Data: []byte("id: a\ntitle_zh: 標題\n---\nid: b\ntitle: only English\n")},
		"bad/rule.yml":  {Data: []byte("id: [")},
		"big/rule.yaml": {Data: bytes.Repeat([]byte("#"), maxRuleFile+1)},
		"many/r.yml":    {Data: []byte(strings.Repeat("---\nid: x\n", maxDocuments+1))},
		"readme.md":     {Data: []byte("id: [")},
	})
	if len(words) != 1 || words["a"].Title != "標題" {
		t.Errorf("words = %v, want those of rule a", words)
	}
	for _, file := range []string{"bad/rule.yml", "big/rule.yaml", "many/r.yml"} {
		if err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("error %v does not name %s", err, file)
		}
	}
	if strings.Contains(err.Error(), "readme.md") {
		t.Errorf("error %v about a file that is no rule", err)
	}
}

func FuzzDecodeWords(f *testing.F) {
	f.Add([]byte("id: a\ntitle_zh: 標題\nfalsepositives_zh:\n  - 甲\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("id: {}\n---\n- x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		out := map[string]Words{}
		if err := decodeWords(text, out); err == nil {
			for id, w := range out {
				if id == "" || w.Title == "" {
					t.Errorf("kept %q %+v", id, w)
				}
			}
		}
	})
}

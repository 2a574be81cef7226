package stix

import (
	"strings"
	"testing"
	"time"
)

// testSpace is the namespace of identifiers made in tests.
func testSpace() UUID { return NameUUID(ObservableNamespace(), []byte("test")) }

func testTime() Timestamp { return At(time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)) }

// emitted is one object of every kind this package makes, filled as the loop
// fills them: an advisory in two languages with its indicator, observables,
// sighting and markings.
func emitted(t testing.TB) []Object {
	t.Helper()
	at, ns := testTime(), testSpace()
	centre := NewIdentity(NameID(ns, "identity", "centre"), "F-ISAC", "organization", at)
	centre.Sectors = []string{"financial-services"}
	observables := observablesOfEveryKind(t)
	pattern, err := PatternOf(Observable{"domain-name", "value", "x.example"}, Observable{"ipv4-addr", "value", "198.51.100.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	indicator := NewIndicator(NameID(ns, "indicator", pattern), centre.ID, pattern, at)
	indicator.IndicatorTypes = []string{"malicious-activity"}
	indicator.ValidUntil = At(at.Time().AddDate(1, 0, 0))
	indicator.KillChainPhases = []KillChainPhase{{KillChainName: "mitre-attack", PhaseName: "command-and-control"}}
	confidence := 80
	indicator.Confidence = &confidence
	report := NewReport(NewID("report"), centre.ID, "警訊:偽冒網站", at, indicator.ID)
	report.Lang, report.ReportTypes = "zh-Hant", []string{"threat-report"}
	report.Description = "請封鎖 <下列> 網域。"
	report.ObjectMarkingRefs = []ID{TLPAmberStrict.ID(), PAPGreen.ID()}
	report.ExternalReferences = []ExternalReference{{SourceName: "F-ISAC", ExternalID: "EWA-2026-0001"}}
	report.GranularMarkings = []GranularMarking{{MarkingRef: TLPClear.ID(), Selectors: []string{"name"}}}
	english, err := Translate(NewID("language-content"), report, "en", map[string]string{"name": "Warning: fake site", "description": "Block these."})
	if err != nil {
		t.Fatal(err)
	}
	statement, err := NewStatement(NewID("marking-definition"), centre.ID, "Terms of use", at)
	if err != nil {
		t.Fatal(err)
	}
	objects := append([]Object{centre, indicator, report, english, statement}, observables...)
	return append(objects, linksOf(centre.ID, indicator, observables)...)
}

func linksOf(centre ID, indicator *Indicator, observables []Object) []Object {
	at := testTime()
	first := observables[0].Head().ID
	observed := NewObservedData(NewID("observed-data"), centre, at, at, 3, at, first)
	sighting := NewSighting(NewID("sighting"), centre, indicator.ID, at)
	count := 0
	sighting.Count, sighting.FirstSeen, sighting.LastSeen = &count, at, At(at.Time().Add(time.Hour))
	sighting.ObservedDataRefs, sighting.WhereSightedRefs = []ID{observed.ID}, []ID{centre}
	note := NewNote(NewID("note"), centre, "內容", at, indicator.ID)
	note.Authors = []string{"analyst"}
	opinion := NewOpinion(NewID("opinion"), centre, "strongly-agree", at, indicator.ID)
	return []Object{
		observed, sighting, note, opinion,
		NewRelationship(NewID("relationship"), centre, "based-on", indicator.ID, observed.ID, at),
		TLPClear.Marking(), TLPGreen.Marking(), TLPAmber.Marking(), TLPAmberStrict.Marking(), TLPRed.Marking(),
		PAPClear.Marking(), PAPGreen.Marking(), PAPAmber.Marking(), PAPRed.Marking(),
	}
}

func observablesOfEveryKind(t testing.TB) []Object {
	t.Helper()
	var objects []Object
	for _, o := range []Observable{
		{"ipv4-addr", "value", "198.51.100.3"},
		{"ipv4-addr", "value", "198.51.100.0/24"},
		{"ipv6-addr", "value", "2001:db8::1"},
		{"domain-name", "value", "x.example"},
		{"url", "value", "https://x.example/a?b=%20"},
		{"email-addr", "value", "a@x.example"},
		{"user-account", "account_login", "jdoe"},
		{"user-account", "user_id", "S-1-5-21"},
		{"file", "name", "惡意.exe"},
		{"file", "hashes.SHA-256", strings.Repeat("ab", 32)},
		{"file", "hashes.MD5", strings.Repeat("ab", 16)},
	} {
		object, err := o.Object()
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

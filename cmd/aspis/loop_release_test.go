package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
	"github.com/aspis-platform/aspis/taxii"
)

// draft writes the advisory from the alert's page, as the analyst.
func (l *loop) draft() {
	l.Helper()
	alert := l.analyst.page("/alerts/" + l.alert)
	compose := l.analyst.submit(alert.form(l, "/advisories"))
	parts := strings.Split(compose.path, "/")
	if compose.status != http.StatusOK || len(parts) != 4 || parts[3] != "edit" {
		l.Fatalf("drafting leads to %s: %d: %s", compose.path, compose.status, text(compose.body))
	}
	l.advisory = parts[2]
	if !strings.Contains(compose.body, `name="propose" value="`+attackerAddress+`"`) {
		l.Errorf("the evidence's address is not proposed as an indicator: %s", text(compose.body))
	}
	f := compose.form(l, "/advisories/"+l.advisory+"/edit")
	for _, name := range []string{"title_zh", "title_en", "body_zh", "body_en"} {
		for _, m := range l.all {
			if strings.Contains(f.values.Get(name), m.Name) || strings.Contains(f.values.Get(name), m.NameZh) || strings.Contains(f.values.Get(name), string(m.ID)) {
				l.Errorf("the draft's %s names %s: %s", name, m.ID, f.values.Get(name))
			}
		}
	}
	f.values.Set("title_zh", "新型後門程式連線警訊")
	f.values.Set("title_en", "A new implant calls home")
	f.values.Set("body_zh", "請於防火牆阻擋下列位址，並清查連線紀錄。")
	f.values.Set("body_en", "Block the address and look for connections to it.")
	f.values.Set("tlp", string(sector.TLPAmberStrict))
	f.values.Set("pap", string(sector.PAPGreen))
	f.values.Set("category", "EWA")
	f.values.Set("answer_due", time.Now().Add(48*time.Hour).Format("2006-01-02T15:04"))
	f.values.Set("indicators", attackerAddress+"\n"+attackerName)
	f.values["reach"] = []string{string(sector.Banking), "authority"}
	f.values.Set("then", "preview")
	saved := l.analyst.submit(f)
	if saved.path != "/advisories/"+l.advisory+"/preview" {
		l.Fatalf("saving leads to %s: %d: %s", saved.path, saved.status, text(saved.body))
	}
}

// preview must list exactly the audience, and offer no release to the author.
func (l *loop) preview() {
	l.Helper()
	page := l.analyst.page("/advisories/" + l.advisory + "/preview")
	var want []string
	for _, m := range l.audience {
		want = append(want, m.Name)
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(page.list(l, "names")))
	if diff := cmp.Diff(want, got); diff != "" {
		l.Errorf("members in the preview (-audience +shown):\n%s", diff)
	}
	release := "/advisories/" + l.advisory + "/release"
	if page.hasForm(l, release) {
		l.Error("the author is offered to release alone")
	}
	f := page.form(l, "/advisories/"+l.advisory+"/submit")
	forged := form{release, f.values}
	if got := l.analyst.submit(forged); got.status != http.StatusForbidden {
		l.Errorf("the author released alone: %d at %s", got.status, got.path)
	}
	if got := l.analyst.submit(f); got.status != http.StatusOK {
		l.Fatalf("putting the draft to a second person: %d: %s", got.status, text(got.body))
	}
	again := l.analyst.page("/advisories/" + l.advisory + "/preview")
	if again.hasForm(l, release) {
		l.Error("the author is offered to release what they submitted")
	}
	review := l.manager.page("/advisories/" + l.advisory + "/preview")
	forged.values = review.form(l, release).values
	if got := l.analyst.submit(forged); got.status != http.StatusForbidden {
		l.Errorf("the author released what they submitted: %d at %s", got.status, got.path)
	}
	for _, m := range l.all {
		var list advisories
		l.member(m.ID).read("/api/v1/advisories", &list)
		if len(list.Advisories) > 0 {
			l.Errorf("%s sees an advisory before its release: %+v", m.ID, list.Advisories)
		}
	}
}

// advisories is what the tests read of the API's list.
type advisories struct {
	Advisories []advisory
	Next       string
}

type advisory struct {
	ID, State, TLP, Category string
	Title                    struct{ En string }
	Revision                 int
	Indicators               []indicator
	Answer                   *struct{ Answer, Reason string }
	WithdrawnAt              time.Time `json:"withdrawn_at"`
}

// release is the second person's.
func (l *loop) release() {
	l.Helper()
	path := "/advisories/" + l.advisory + "/release"
	f := l.manager.page("/advisories/"+l.advisory+"/preview").form(l, path)
	began := time.Now()
	if got := l.manager.submit(f); got.status != http.StatusOK || got.path != "/advisories/"+l.advisory {
		l.Fatalf("release: %d at %s: %s", got.status, got.path, text(got.body))
	}
	var item advisory
	l.member(l.audience[0].ID).read("/api/v1/advisories/"+l.advisory, &item)
	l.Logf("released and with a member after %v", time.Since(began).Round(time.Millisecond))
	if item.State != "released" || item.TLP != string(sector.TLPAmberStrict) || item.Category != "EWA" || len(item.Indicators) != 2 {
		l.Fatalf("the advisory as a member reads it: %+v", item)
	}
	for _, i := range item.Indicators {
		if i.Value == attackerAddress {
			l.address = i
		} else {
			l.name = i
		}
	}
}

func (l *loop) client(id sector.MemberID) *taxii.Client {
	l.Helper()
	c, err := taxii.NewClient(taxii.ClientConfig{BaseURL: l.server.url, Credentials: taxii.Credentials{User: string(id), Password: l.keys[id]}})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(c.Close)
	return c
}

// taxiiRootOf is the first API root that discovery offers.
func (l *loop) taxiiRootOf(c *taxii.Client) string {
	l.Helper()
	found, err := c.Discovery(l.Context())
	if err != nil || len(found.APIRoots) == 0 {
		l.Fatalf("TAXII discovery: %+v %v", found, err)
	}
	return found.APIRoots[0]
}

// objectsOf are all objects of all collections that the member can read.
func (l *loop) objectsOf(id sector.MemberID, p taxii.Poll) map[string][]stixObject {
	l.Helper()
	c := l.client(id)
	defer c.Close()
	root := l.taxiiRootOf(c)
	collections, err := c.Collections(l.Context(), root)
	if err != nil || len(collections) == 0 {
		l.Fatalf("TAXII collections: %v %v", collections, err)
	}
	all := map[string][]stixObject{}
	for _, col := range collections {
		for page, err := range c.All(l.Context(), root, col.ID, p) {
			if err != nil {
				l.Fatalf("TAXII objects of %s for %s: %v", col.Alias, id, err)
			}
			for _, raw := range page.Objects {
				all[col.Alias] = append(all[col.Alias], readSTIX(l, raw))
			}
		}
	}
	return all
}

// taxii looks for the indicator as another member's device, and at
// everything that came with it.
func (l *loop) taxii() {
	l.Helper()
	reader := l.audience[len(l.audience)-1].ID
	objects := l.objectsOf(reader, taxii.Poll{Limit: 5})["advisories"]
	ids := map[string]bool{}
	for _, o := range objects {
		ids[o.ID] = true
	}
	for _, o := range objects {
		for _, ref := range o.refs {
			if !ids[ref] {
				l.Errorf("%s refers to %s, which the member was not given", o.ID, ref)
			}
		}
		l.namesNobody("a STIX object", o.raw)
	}
	centre := slices.IndexFunc(objects, func(o stixObject) bool { return o.Type == "identity" })
	if centre < 0 {
		l.Fatal("the centre's identity is not there")
	}
	found := slices.IndexFunc(objects, func(o stixObject) bool { return o.ID == l.address.ID })
	if found < 0 {
		l.Fatalf("the indicator %s is not among %d TAXII objects", l.address.ID, len(objects))
	}
	ind := objects[found]
	want := "[ipv4-addr:value = '" + attackerAddress + "']"
	if ind.Pattern != want || l.address.Pattern != want || ind.CreatedByRef != objects[centre].ID || ind.Revoked ||
		!slices.Contains(ind.ObjectMarkingRefs, string(stix.TLPAmberStrict.ID())) {
		l.Errorf("the indicator in TAXII is %s, want pattern %s, by %s, marked %s", ind.raw, want, objects[centre].ID, stix.TLPAmberStrict.ID())
	}
	l.dateAdded(reader, ind)
}

// dateAdded looks at the manifest: the time of the release for this member.
func (l *loop) dateAdded(reader sector.MemberID, ind stixObject) {
	l.Helper()
	c := l.client(reader)
	m, err := c.Manifest(l.Context(), l.taxiiRootOf(c), "indicators", taxii.Poll{Filter: taxii.Filter{IDs: []string{ind.ID}}})
	if err != nil || len(m.Objects) != 1 {
		l.Fatalf("manifest of %s: %+v %v", ind.ID, m, err)
	}
	added, err := time.Parse(time.RFC3339Nano, m.Objects[0].DateAdded)
	if err != nil || time.Since(added) > time.Minute || time.Since(added) < 0 || !sameTime(m.Objects[0].Version, ind.Modified) {
		l.Errorf("manifest record %+v of an indicator modified %s, released a moment ago (%v)", m.Objects[0], ind.Modified, err)
	}
	batch, err := c.Objects(l.Context(), l.taxiiRootOf(c), "indicators", taxii.Poll{Filter: taxii.Filter{AddedAfter: added}})
	if err != nil {
		l.Fatal(err)
	}
	for _, raw := range batch.Objects {
		if readSTIX(l, raw).ID == ind.ID {
			l.Errorf("added_after %s gives the object added then again", m.Objects[0].DateAdded)
		}
	}
}

func sameTime(a, b string) bool {
	one, err1 := time.Parse(time.RFC3339Nano, a)
	two, err2 := time.Parse(time.RFC3339Nano, b)
	return err1 == nil && err2 == nil && one.Equal(two)
}

// namesNobody finds members' names and hosts in what members are given.
func (l *loop) namesNobody(what, text string) {
	l.Helper()
	for _, m := range l.all {
		for _, word := range []string{m.Name, m.NameZh, string(m.ID)} {
			if strings.Contains(text, word) {
				l.Errorf("%s names %s: %s", what, m.ID, text)
			}
		}
	}
	for _, word := range []string{"planted-", "past-inside", "past-outside", "10.20.4.17"} {
		if strings.Contains(text, word) {
			l.Errorf("%s holds %q, which is inside a member: %s", what, word, text)
		}
	}
}

// toMembers are the recipients of letters at members. The centre's people are
// told of their own affairs, such as an approval that waits.
func (l *loop) toMembers() []string {
	return slices.DeleteFunc(l.office.recipients(), func(to string) bool { return to == analystMail || to == managerMail })
}

// mails waits for one letter to each member of the audience, and to each of
// its people: nobody has chosen otherwise, and it is an early warning.
func (l *loop) mails() {
	l.Helper()
	var want []string
	for _, m := range l.audience {
		want = append(want, mailOf(m.ID), staffOf(m.ID))
	}
	slices.Sort(want)
	eventually(l, time.Minute, func() string {
		if got := l.toMembers(); !slices.Equal(got, want) {
			return fmt.Sprintf("letters came for %v, want %v", got, want)
		}
		return ""
	})
	for _, letter := range l.office.all() {
		if len(letter.to) != 1 {
			l.Errorf("a letter has the recipients %v", letter.to)
		}
		if to := letter.to[0]; to == analystMail || to == managerMail {
			continue
		}
		_, self, _ := strings.Cut(strings.TrimSuffix(letter.to[0], ".example"), "@")
		for _, m := range l.all {
			if string(m.ID) != self && (strings.Contains(letter.raw, string(m.ID)) || strings.Contains(letter.raw, m.Name)) {
				l.Errorf("the letter to %s names %s:\n%s", self, m.ID, letter.raw)
			}
		}
		if strings.Contains(letter.raw, attackerName) || strings.Contains(letter.raw, attackerAddress) {
			l.Errorf("a letter under TLP:AMBER+STRICT carries an indicator as it is:\n%s", letter.raw)
		}
	}
}

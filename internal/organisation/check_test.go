package organisation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCheckFields(t *testing.T) {
	set := map[string]func(*Profile, string){
		"name":       func(p *Profile, s string) { p.Name = s },
		"name_zh":    func(p *Profile, s string) { p.NameZh = s },
		"stock_code": func(p *Profile, s string) { p.StockCode = s },
		"bic":        func(p *Profile, s string) { p.BIC = s },
		"mail":       func(p *Profile, s string) { p.Contacts = map[Duty]Contact{Desk: {Mail: s}} },
		"phone":      func(p *Profile, s string) { p.Contacts = map[Duty]Contact{Desk: {Phone: s}} },
		"networks":   func(p *Profile, s string) { p.Networks = strings.Split(s, "\n") },
		"domains":    func(p *Profile, s string) { p.Domains = strings.Split(s, "\n") },
		"products":   func(p *Profile, s string) { p.Products = strings.Split(s, "\n") },
		"suppliers":  func(p *Profile, s string) { p.Suppliers = strings.Split(s, "\n") },
	}
	get := func(p Profile, of string) string {
		switch of {
		case "mail":
			return p.Contacts[Desk].Mail
		case "phone":
			return p.Contacts[Desk].Phone
		}
		i := slices.IndexFunc(fields(), func(f field) bool { return f.name == of })
		return fields()[i].text(p)
	}
	for _, test := range []struct{ field, text, want, wrong string }{
		{"name", " North Bank ", "North Bank", ""},
		{"name", "North\u202eBank", "", "name text.unseen"},
		{"name", "N\u043erth", "", "name text.scripts"},
		{"name_zh", "北方銀行\u200b", "", "name_zh text.unseen"},
		{"name_zh", "Ａ銀行", "", "name_zh text.wide"},
		{"stock_code", "2884a", "2884A", ""},
		{"stock_code", "28 84", "", "stock_code profile.stock_code"},
		{"stock_code", "２８８４", "", "stock_code text.wide"},
		{"bic", "esun twtp", "ESUNTWTP", ""},
		{"bic", "ESUNTWTP123", "ESUNTWTP123", ""},
		{"bic", "ESUNTWT", "", "bic profile.bic"},
		{"mail", "Desk@North.example", "desk@north.example", ""},
		{"mail", "desk@ｎorth.example", "", "contact_desk_mail sector.mail_width"},
		{"mail", "desk\u200b@north.example", "", "contact_desk_mail sector.mail_unseen"},
		{"phone", "+886 2 2345-6789 #123", "+886 2 2345-6789 #123", ""},
		{"phone", "call me", "", "contact_desk_phone profile.phone"},
		{"phone", "＋886 2 2345 6789", "", "contact_desk_phone profile.ascii"},
		{"networks", "203.0.113.0/24\n\n2001:db8::/32\n203.0.113.9", "2001:db8::/32\n203.0.113.0/24\n203.0.113.9/32", ""},
		{"networks", "203.0.113.0/24\n203.0.113.0/24", "203.0.113.0/24", ""},
		{"networks", "198.51.100.0/24\n203.0.113.7/24", "", "networks 2 profile.network_start"},
		{"networks", "0.0.0.0/0", "", "networks 1 profile.network_wide"},
		{"networks", "10.0.0.0/8", "", "networks 1 profile.network_inside"},
		{"networks", "fe80::/64", "", "networks 1 profile.network_inside"},
		{"networks", "::ffff:203.0.113.0/120", "", "networks 1 profile.network"},
		{"networks", "203.0.113.0/33", "", "networks 1 profile.network"},
		{"networks", "２03.0.113.0/24", "", "networks 1 text.wide"},
		{"domains", "North.Example.\n銀行.example", "north.example\nxn--jn2ax2s.example", ""},
		{"domains", "ｎorth.example", "", "domains 1 text.wide"},
		{"domains", "north。example", "", "domains 1 profile.domain_form"},
		{"domains", "n\u043erth.example", "", "domains 1 text.scripts"},
		{"domains", "com.tw", "", "domains 1 profile.domain_suffix"},
		{"domains", "north", "", "domains 1 profile.domain"},
		{"domains", "203.0.113.1", "", "domains 1 profile.domain"},
		{"domains", "a_b.example", "", "domains 1 profile.domain"},
		{"products", "cpe:2.3:a:F5:big-ip:17.1.0:*:*:*:*:*:*:*", "cpe:2.3:a:f5:big-ip:17.1.0:*:*:*:*:*:*:*", ""},
		{"products", `cpe:2.3:o:microsoft:windows_server_2022:10.0\&a:*:*:zh-tw:*:*:x64:*`, `cpe:2.3:o:microsoft:windows_server_2022:10.0\&a:*:*:zh-tw:*:*:x64:*`, ""},
		{"products", "cpe:/a:f5:big-ip", "", "products 1 profile.cpe"},
		{"products", "cpe:2.3:a:f5:big-ip", "", "products 1 profile.cpe"},
		{"suppliers", "丙公司\n甲公司\n丙公司", "丙公司\n甲公司", ""},
	} {
		var p Profile
		set[test.field](&p, test.text)
		got, err := Check(p)
		if wrong := wrongs(err); wrong != test.wrong || get(got, test.field) != test.want {
			t.Errorf("%s %q: %q, %s; want %q, %s", test.field, test.text, get(got, test.field), wrong, test.want, test.wrong)
		}
	}
}

// wrongs are the problems of an error: field, entry, key.
func wrongs(err error) string {
	e, ok := errors.AsType[*ProblemsError](err)
	if !ok {
		return ""
	}
	var all []string
	for _, p := range e.Problems {
		text := p.Field
		if p.Line > 0 {
			text += fmt.Sprint(" ", p.Line)
		}
		all = append(all, text+" "+p.Err.Key)
	}
	return strings.Join(all, ", ")
}

func TestCheckBounds(t *testing.T) {
	many := make([]string, MaxList+1)
	for i := range many {
		many[i] = fmt.Sprintf("d%d.example", i)
	}
	_, err := Check(Profile{Domains: many, Size: "huge", Contacts: map[Duty]Contact{Desk: {Round: true}}})
	if got, want := wrongs(err), "size common.form.option, contact_desk_phone profile.round_needs_phone, domains profile.many"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// drawProfile draws one that is in its one form.
func drawProfile(t *rapid.T, label string) Profile {
	pick := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label+what) }
	some := func(what string, of ...string) []string {
		all := rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, 2, rapid.ID).Draw(t, label+what)
		slices.Sort(all)
		return all
	}
	return Profile{
		Name: pick("name", "", "A", "B"), BIC: pick("bic", "", "ESUNTWTP", "BKTWTWTP"), Size: SizeClass(pick("size", "", "small", "large")),
		Contacts: map[Duty]Contact{Desk: {Name: pick("who", "", "Li", "Wu"), Phone: pick("phone", "", "0223456789")}},
		Networks: some("nets", "203.0.113.0/24", "198.51.100.0/24"), Domains: some("domains", "a.example", "b.example"),
	}
}

// TestMergeKeepsEveryChange: each field that one of two people changed is as
// that person has it; fields that both changed differently are told, and only
// those.
func TestMergeKeepsEveryChange(t *testing.T) {
	collided, merged := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		base, mine, theirs := drawProfile(t, "base "), drawProfile(t, "mine "), drawProfile(t, "theirs ")
		before := [3]Profile{base, mine, theirs}
		got, collisions := merge(base, mine, theirs)
		var want []Collision
		for _, f := range fields() {
			was, a, b := f.text(base), f.text(mine), f.text(theirs)
			if a != was && b != was && a != b {
				want = append(want, Collision{f.name, a, b})
			}
			expect := b
			if a != was {
				expect = a
				merged++
			}
			if f.text(got) != expect {
				t.Fatalf("%s is %q; base %q, mine %q, theirs %q", f.name, f.text(got), was, a, b)
			}
		}
		collided += len(want)
		if d := cmp.Diff(want, collisions); d != "" {
			t.Fatalf("collisions (-want +got):\n%s", d)
		}
		if d := cmp.Diff(before, [3]Profile{base, mine, theirs}); d != "" {
			t.Fatalf("merging changed what it was given:\n%s", d)
		}
	})
	if collided == 0 || merged == 0 {
		t.Errorf("%d collisions, %d merged: the test tries nothing", collided, merged)
	}
}

func TestOverlap(t *testing.T) {
	nets := sharedNetworks([]string{"203.0.113.0/24", "2001:db8::/32"}, []string{"203.0.113.128/25", "198.51.100.0/24", "2001:db8:1::/48"})
	domains := sharedDomains([]string{"a.example", "b.example"}, []string{"www.a.example", "xa.example", "b.example"})
	if len(nets) != 2 || len(domains) != 2 {
		t.Errorf("networks %v, domains %v", nets, domains)
	}
}

// FuzzProfileEntries: what is taken is in its one form: taken again as it is.
func FuzzProfileEntries(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		for name, form := range map[string]func(string) (string, error){"network": network, "domain": domain, "cpe": cpe, "phone": phone, "bic": bic, "stock": stockCode} {
			got, err := form(text)
			if err != nil {
				continue
			}
			if again, err := form(got); err != nil || again != got {
				t.Fatalf("%s %q is taken as %q, and that as %q (%v)", name, text, got, again, err)
			}
			for _, r := range got {
				if r < ' ' || r > '~' {
					t.Fatalf("%s %q is taken with %U", name, text, r)
				}
			}
		}
	})
}

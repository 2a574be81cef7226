package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// found lists the observables of a record with one field.
func found(t *testing.T, field, text string) []string {
	t.Helper()
	raw, err := json.Marshal(map[string]string{field: text})
	if err != nil {
		t.Fatal(err)
	}
	e, err := Decode(raw, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, o := range e.Observables() {
		out = append(out, o.Kind.String()+" "+o.Value)
		if o.Field != field {
			t.Errorf("%s is said to be of field %q", o.Value, o.Field)
		}
	}
	return out
}

func TestObservables(t *testing.T) {
	md5, sha1 := "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef01234567"
	sha256 := md5 + "00112233445566778899aabbccddeeff"
	tests := []struct {
		field, text string
		want        []string
	}{
		{"x", "203.0.113.7", []string{"ipv4 203.0.113.7"}},
		{"x", "to 203.0.113.7:443, from [2001:DB8::1]:80.", []string{"ipv4 203.0.113.7", "ipv6 2001:db8::1"}},
		{"x", "::ffff:203.0.113.7", []string{"ipv4 203.0.113.7"}},
		{"x", "fe80::1%eth0", []string{"ipv6 fe80::1"}},
		{"x", "0.0.0.0 :: 255.255.255.0 1.2.3 1.2.3.4.5 01.2.3.4 300.1.1.1", nil},
		{"x", "Version=4.0.0.0 version: 8.1.2.3 3.0.0.0", nil},
		{"FileVersion", "10.1.2.3", nil},
		{"x", "12:34:56 00:0d:3a:13:e3:69 aa:bb:cc:dd:ee:ff:00:11 std::vector a::b", nil},
		{"x", "nslookup Evil.Example.COM.", []string{"domain evil.example.com"}},
		{"x", "nslookup www.Evil.COM. 8.8.8.8", []string{"domain www.evil.com", "ipv4 8.8.8.8"}},
		{"x", "bücher.de 例子.中国", []string{"domain xn--bcher-kva.de", "domain xn--fsqu00a.xn--fiqs8s"}},
		{"x", `C:\Windows\System32\cmd.exe /c foo.dll x.com\y C:\tools\setup.com`, []string{"domain x.com"}},
		{"x", `\\files.bank.com.tw\share\x.doc`, []string{"domain files.bank.com.tw"}},
		{"x", "System.Net.WebClient $this.Name obj.name() run.sh main.py archive.zip [System.IO.File]", nil},
		{"x", "com co.uk a.local b.internal c.arpa 4.3.2.1.in-addr.arpa -a.com a-.com", nil},
		{"query", "archive.zip", []string{"domain archive.zip"}},
		{"x", "see HTTPS://User@Evil.COM:8443/Path?q=A#f, now", []string{"domain evil.com", "url https://User@evil.com:8443/Path?q=A#f"}},
		{"x", "${jndi:ldap://203.0.113.9:1389/a}", []string{"ipv4 203.0.113.9", "url ldap://203.0.113.9:1389/a"}},
		{"x", "http://[2001:db8::1]/x http://intranet/x file:///c:/x", []string{"ipv6 2001:db8::1", "url http://[2001:db8::1]/x", "url http://intranet/x"}},
		{"x", "http:// https://?x http:///y", nil},
		{"x", "mail Alice.B+x@Evil.com or mailto:bob@evil.com, @evil.com x@ me@host", []string{
			"email alice.b+x@evil.com", "domain evil.com", "email bob@evil.com",
		}},
		{"x", "MD5=" + strings.ToUpper(md5) + ",SHA1=" + sha1 + ",SHA256=" + sha256 + ",IMPHASH=" + md5[1:] + "a", []string{
			"md5 " + md5, "sha1 " + sha1, "sha256 " + sha256,
		}},
		{"x", strings.Repeat("0", 32) + " " + strings.Repeat("12345678", 4) + " " + md5 + "a", nil},
		{"imphash", md5, nil},
		{"Computer", "TELLER-17.branch.local", []string{"host teller-17.branch.local"}},
		{"Computer", "-", nil},
		{"Hostname", "10.0.0.9", []string{"ipv4 10.0.0.9"}},
		{"hostname", "www.evil.com", []string{"host www.evil.com", "domain www.evil.com"}},
		{"User", `BANK\Teller17`, []string{`account bank\teller17`}},
		{"User", `NT AUTHORITY\SYSTEM`, nil},
		{"user", "root", []string{"account root"}},
		{"user", "-", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, found(t, tt.field, tt.text)); diff != "" {
			t.Errorf("%s: %s (-want +got)\n%s", tt.field, tt.text, diff)
		}
	}
}

func TestObservablesOfWholeRecords(t *testing.T) {
	tests := []struct {
		raw  string
		want []string
	}{
		{
			`{"EventID":4624,"Channel":"Security","SubjectUserName":"-","SubjectDomainName":"-","TargetUserName":"Alice","TargetDomainName":"BANK","IpAddress":"10.0.0.1"}`,
			[]string{"ipv4 10.0.0.1 IpAddress", `account bank\alice TargetUserName`},
		},
		{
			`{"_path":"http","ts":1.0,"host":"Evil.com","uri":"/a?b","id.orig_h":"10.0.0.1"}`,
			[]string{"domain evil.com host", "ipv4 10.0.0.1 id.orig_h", "url http://evil.com/a?b uri"},
		},
		{
			`{"a":[{"b":"203.0.113.7"},"203.0.113.7"],"c":3232235777}`,
			[]string{"ipv4 203.0.113.7 a.b"},
		},
		{
			`<13>Jan  2 03:04:05 fw1 p: from 203.0.113.7`,
			[]string{"host fw1 hostname", "ipv4 203.0.113.7 message"},
		},
	}
	for _, tt := range tests {
		e, err := Decode([]byte(tt.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range e.Observables() {
			got = append(got, fmt.Sprint(o.Kind, " ", o.Value, " ", o.Field))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.raw, diff)
		}
	}
}

func TestObservablesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "h%d.evil.com ", i)
	}
	if n := len(found(t, "x", b.String())); n != maxObservables {
		t.Errorf("%d observables", n)
	}
}

func TestInternal(t *testing.T) {
	tests := []struct {
		kind  ObservableKind
		value string
		want  bool
	}{
		{ObservableIPv4, "10.1.2.3", true}, {ObservableIPv4, "172.31.0.1", true}, {ObservableIPv4, "172.32.0.1", false},
		{ObservableIPv4, "100.64.0.1", true}, {ObservableIPv4, "100.128.0.1", false}, {ObservableIPv4, "169.254.1.1", true},
		{ObservableIPv4, "127.0.0.1", true}, {ObservableIPv4, "203.0.113.1", false}, {ObservableIPv6, "::1", true},
		{ObservableIPv6, "fd00::1", true}, {ObservableIPv6, "fe80::1", true}, {ObservableIPv6, "2001:db8::1", false},
		{ObservableHost, "teller", true}, {ObservableHost, "a.bank.local", true}, {ObservableHost, "a.bank.com", false},
		{ObservableDomain, "x.corp", true}, {ObservableDomain, "x.lan", true}, {ObservableDomain, "evil.com", false},
		{ObservableURL, "http://intranet/x", true}, {ObservableURL, "http://10.0.0.1:80/", true}, {ObservableURL, "http://[fd00::1]/", true},
		{ObservableURL, "https://u:p@evil.com:8443/10.0.0.1", false}, {ObservableEmail, "a@bank.local", true},
		{ObservableEmail, "a@evil.com", false}, {ObservableAccount, "x", true}, {ObservableMD5, "00", false},
	}
	for _, tt := range tests {
		if got := (Observable{Kind: tt.kind, Value: tt.value}).Internal(); got != tt.want {
			t.Errorf("%v %s: %v", tt.kind, tt.value, got)
		}
	}
}

// FuzzDecode: whatever the bytes, nothing panics, what is found is bounded and
// normalised, and a Decoder agrees with Decode.
func FuzzDecode(f *testing.F) {
	for _, c := range dialectCases {
		f.Add([]byte(c.raw))
	}
	texts := caseNames()
	names := namesOf(texts)
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Decode(raw, Limits{})
		if err != nil {
			if reason(err) == "" {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		summary(e)
		for _, name := range []string{"Provider_Name", "a.b.c", "c-uri-extension", "cs-host", "c-uri", "CommandLine", "setting_name", "DeviceDetail.a", "dst_port"} {
			e.Field(name)
		}
		checkNamed(t, e, texts, names)
		checkStretches(t, e)
		observables := e.Observables()
		if len(observables) > maxObservables {
			t.Fatalf("%d observables", len(observables))
		}
		for _, o := range observables {
			if o.Kind == ObservableUnknown || o.Value == "" {
				t.Fatalf("%+v", o)
			}
			o.Internal()
			if o.Kind != ObservableURL && o.Value != strings.ToLower(o.Value) {
				t.Fatalf("not normalised: %+v", o)
			}
		}
	})
}

package event

import "testing"

// TestHashesOfAnyNesting: whether Hashes are joined when the event is decoded or
// when they are asked for, they are the same, and no text of the event.
func TestHashesOfAnyNesting(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{`{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"process":{"hash":{"sha256":"B","md5":"A"},"pe":{"imphash":"C"}}}`, "MD5=A,SHA256=B,IMPHASH=C"},
		{`{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"process":{"hash":{"md5":"A"}},"dll":{"hash":{"sha1":"B"}}}`, "SHA1=B"},
		{`{"@timestamp":"2025-01-02T03:04:05Z","ecs.version":"8","process.hash.md5":"A","process.pe.imphash":"C"}`, "MD5=A,IMPHASH=C"},
		{`{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"process":{"hash.md5":"A"}}`, "MD5=A"},
		{`{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"process":{"hash":{}},"Hashes":"own"}`, "own"},
		{`{"@timestamp":"2025-01-02T03:04:05Z","ecs":{"version":"8"},"process":{"hash":{"md5":"A"}},"Hashes":"own"}`, "own"},
		{`{"winlog":{"channel":"Security","event_data":{"Hashes":"own"}},"process":{"hash":{"md5":"A"}}}`, "own"},
		{`{"winlog":{"channel":"Security"},"file":{"hash":{"md5":"A"}}}`, "MD5=A"},
		{`{"class_uid":1007,"activity_id":1,"metadata":{},"process":{"file":{"hashes":[{"algorithm":"SHA-256","value":"B"},{"value":"C"},{"algorithm":"MD5","value":"A"}]}}}`, "SHA256=B,MD5=A"},
		{`{"class_uid":1001,"activity_id":1,"metadata":{},"file":{"hashes":[{"algorithm":"MD5","value":"A"}]}}`, "MD5=A"},
		{`{"class_uid":1001,"activity_id":1,"metadata":{},"file.hashes":[{"algorithm":"MD5","value":"A"}]}`, "MD5=A"},
	} {
		e, err := Decode([]byte(tt.raw), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := e.Field("Hashes"); v.Text() != tt.want {
			t.Errorf("%s: %q, want %q", tt.raw, v.Text(), tt.want)
		}
		if v, ok := e.derived("Hashes"); tt.want != "own" && (!ok || v.Text() != tt.want) {
			t.Errorf("%s: asked for one by one %q, want %q", tt.raw, v.Text(), tt.want)
		}
		checkNamed(t, e, []string{"Hashes"}, namesOf([]string{"Hashes"}))
	}
}

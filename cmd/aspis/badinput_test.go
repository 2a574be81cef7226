package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/aspis-platform/aspis/internal/sector"
)

// bad is a server that bad input is sent to, and the members who send it.
type bad struct {
	*testing.T
	institutions
	server *process
	door   *caller // the first member's
}

// TestBadInput sends what should not be sent, and expects clear answers and
// that nothing accepted is lost.
func TestBadInput(t *testing.T) {
	checkGoroutines(t)
	b := &bad{T: t}
	data := filepath.Join(t.TempDir(), "data")
	b.found(t, data, 2)
	newPerson(t, data, adminMail, "administrator")
	b.server = serve(t, data)
	b.door = machine(t, b.server.url, b.keys[b.all[0].ID])
	for name, test := range map[string]func(*bad){
		"lines": (*bad).lines, "bodies": (*bad).bodies, "keys": (*bad).accessKeys, "retries": (*bad).retries,
		"clocks": (*bad).clocks, "slow client": (*bad).slowClient,
	} {
		t.Run(name, func(t *testing.T) {
			one := *b
			one.T = t
			one.door = machine(t, b.server.url, b.keys[b.all[0].ID])
			test(&one)
		})
	}
	if got := b.door.get("/readyz"); got.status != http.StatusOK {
		t.Errorf("after all this the server is not ready: %d %s", got.status, got.body)
	}
	if mb := peakMemory(t, b.server); mb > 1024 {
		t.Errorf("bad input took %d MB of memory", mb)
	}
	b.server.stop()
}

// peakMemory is the most the process ever held, in MB.
func peakMemory(t testing.TB, p *process) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(raw)
	if found == nil {
		t.Fatalf("no VmHWM in %s", raw)
	}
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("peak memory of the server: %d MB", kb/1024)
	return kb / 1024
}

// doorAnswer is what the door says to a batch.
type doorAnswer struct {
	Accepted, Duplicate int
	Rejected            []struct {
		Line   int
		Reason string
		Text   string
	}
}

// post sends a batch that must be answered with 200.
func (b *bad) post(body string, header ...string) doorAnswer {
	b.Helper()
	got := b.door.do(http.MethodPost, "/api/v1/records", []byte(body), header...)
	var a doorAnswer
	if err := json.Unmarshal([]byte(got.body), &a); err != nil || got.status != http.StatusOK {
		b.Fatalf("%.200q was answered %d %s", body, got.status, got.body)
	}
	return a
}

// letter is a line that was refused.
type deadLetter struct {
	ID, Reason, Raw string
	RawBase64       []byte `json:"raw_base64"`
	Line            int
}

func (b *bad) letters(c *caller) []deadLetter {
	b.Helper()
	var list struct{ Rejected []deadLetter }
	c.read("/api/v1/records/rejected?limit=200", &list)
	return list.Rejected
}

// lines: each bad line is refused by number and reason, the good ones around
// it are taken, and the refused can be read and sent again.
func (b *bad) lines() {
	for _, tc := range []struct{ name, line, reason string }{
		{"not UTF-8", "{\"name\":\"\xff\xfe\"}", "not_utf8"},
		{"nested deeply", strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000), "too_deep"},
		{"lists nested deeply", `{"a":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + "}", "too_deep"},
		{"longer than a megabyte", `{"a":"` + strings.Repeat("x", 2<<20) + `"}`, "too_large"},
		{"not JSON", `{"a":`, "bad_json"},
		{"a list", `[1,2]`, "not_object"},
		{"two objects", `{"a":1}{"b":2}`, "trailing_data"},
		{"a number without end", `{"a":` + strings.Repeat("9", 5000) + "}", "number_too_long"},
		{"duplicate keys", `{"user":"a","user":"b"}`, ""},
		{"nulls", `{"user":null,"ip":null,"@timestamp":null}`, ""},
		{"an empty object", `{}`, ""},
		{"NUL in a string", `{"a":"x` + "\x00" + `"}`, "control_char"},
		{"an escaped NUL", `{"a":"x\u0000y"}`, ""},
		{"half a surrogate", `{"a":"\ud800"}`, ""},
		{"a formula", `{"a":"=cmd|' /C calc'!A0"}`, ""},
	} {
		b.Run(tc.name, func(t *testing.T) {
			c := *b
			c.T = t
			c.line(tc.name, tc.line, tc.reason)
		})
	}
	if others := b.letters(machine(b, b.server.url, b.keys[b.all[1].ID])); len(others) > 0 {
		b.Errorf("another member reads the refused lines: %+v", others)
	}
}

func (b *bad) line(name, line, reason string) {
	b.Helper()
	good := func(where string) string {
		return fmt.Sprintf(`{"message":"around %s","where":%q}`, strings.ReplaceAll(name, " ", "-"), where)
	}
	got := b.post(good("before") + "\n" + line + "\n" + good("after") + "\n")
	if reason == "" {
		if got.Accepted != 3 || len(got.Rejected) > 0 {
			b.Errorf("the door says %+v, want all three taken", got)
		}
		return
	}
	if got.Accepted != 2 || len(got.Rejected) != 1 || got.Rejected[0].Line != 2 || got.Rejected[0].Reason != reason || got.Rejected[0].Text == "" {
		b.Fatalf("the door says %+v, want line 2 refused for %s", got, reason)
	}
	b.resend(line, reason)
}

// resend finds the refused line among the dead letters, sends a corrected
// one in its place, and looks for that in the history.
func (b *bad) resend(line, reason string) {
	b.Helper()
	for _, l := range b.letters(b.door) {
		raw := l.Raw
		if raw == "" {
			raw = string(l.RawBase64)
		}
		if l.Reason != reason || raw == "" || !strings.HasPrefix(line, raw[:min(len(raw), 1000)]) {
			continue
		}
		marker := "corrected-" + l.ID
		path := "/api/v1/records/rejected/" + l.ID + "/resend"
		again := b.door.do(http.MethodPost, path, []byte(`{"message":"`+marker+`"}`))
		var a doorAnswer
		if err := json.Unmarshal([]byte(again.body), &a); err != nil || again.status != http.StatusOK || a.Accepted != 1 {
			b.Fatalf("sending the corrected line: %d %s", again.status, again.body)
		}
		b.inHistory(marker, 1)
		if gone := b.door.get("/api/v1/records/rejected/" + l.ID); gone.status != http.StatusNotFound {
			b.Errorf("the letter is still there: %d", gone.status)
		}
		return
	}
	b.Errorf("the refused line is not among the dead letters")
}

// inHistory waits until n records hold the text.
func (b *bad) inHistory(text string, n int) {
	b.Helper()
	eventually(b, 30*time.Second, func() string {
		if got := len(b.door.events(`"` + text + `"`).Events); got != n {
			return fmt.Sprintf("%d records hold %s, want %d", got, text, n)
		}
		return ""
	})
}

// zeros is n bytes of nothing.
type zeros struct{ n int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.n)
	clear(p[:n])
	z.n -= n
	return int(n), nil
}

// bomb is a gigabyte of nothing, packed.
func bomb(t testing.TB, pack func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := pack(&packed)
	if err == nil {
		_, err = io.Copy(w, &zeros{1 << 30})
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func gzipped(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) }
func zstded(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
}

// bodies: what is wrong with a whole request.
func (b *bad) bodies() {
	long := append(append([]byte(`{"a":"`), bytes.Repeat([]byte("x"), 100<<20)...), `"}`...)
	var half bytes.Buffer
	if w, err := gzipped(&half); err != nil {
		b.Fatal(err)
	} else if _, err := w.Write(bytes.Repeat([]byte("{}\n"), 1000)); err != nil {
		b.Fatal(err)
	} else if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	for _, tc := range []struct {
		name, encoding string
		body           []byte
		status         int
		code           string
	}{
		{"a line of 100 MB", "", long, http.StatusRequestEntityTooLarge, "door.body_too_large"},
		{"gzip bomb", "gzip", bomb(b, gzipped), http.StatusRequestEntityTooLarge, "door."},
		{"zstd bomb", "zstd", bomb(b, zstded), http.StatusRequestEntityTooLarge, "door."},
		{"unknown encoding", "br", []byte("{}"), http.StatusBadRequest, "door.encoding"},
		{"two encodings", "gzip, zstd", []byte("{}"), http.StatusBadRequest, "door.encoding"},
		{"not gzip", "gzip", []byte("{}"), http.StatusBadRequest, "door.unreadable"},
		{"not zstd", "zstd", []byte("{}"), http.StatusBadRequest, "door.unreadable"},
		{"half a gzip", "gzip", half.Bytes()[:half.Len()/2], http.StatusBadRequest, "door.unreadable"},
		{"too many lines", "", bytes.Repeat([]byte("{}\n"), 100_000), http.StatusRequestEntityTooLarge, "door.too_many_lines"},
	} {
		b.Run(tc.name, func(t *testing.T) {
			var header []string
			if tc.encoding != "" {
				header = []string{"Content-Encoding", tc.encoding}
			}
			began := time.Now()
			got, err := b.door.try(t.Context(), http.MethodPost, "/api/v1/records", bytes.NewReader(tc.body), header...)
			if err != nil {
				t.Fatalf("no answer: %v", err)
			}
			var said struct{ Code, Detail string }
			if err := json.Unmarshal([]byte(got.body), &said); err != nil || got.status != tc.status || !strings.HasPrefix(said.Code, tc.code) || said.Detail == "" {
				t.Errorf("answered %d %s (%v), want %d %s", got.status, got.body, err, tc.status, tc.code)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the answer took %v", took)
			}
		})
	}
	if got := b.post(""); got.Accepted != 0 || len(got.Rejected) > 0 {
		b.Errorf("an empty body: %+v", got)
	}
}

// accessKeys: who may not send.
func (b *bad) accessKeys() {
	id := b.all[0].ID
	other, revoked := newKey(b, b.server.data, id, "taxii"), newKey(b, b.server.data, id, "records,taxii")
	if got := machine(b, b.server.url, revoked).do(http.MethodPost, "/api/v1/records", []byte("{}")); got.status != http.StatusOK {
		b.Fatalf("a new key: %d %s", got.status, got.body)
	}
	b.revokeNewest(id)
	for _, tc := range []struct {
		name, key string
		status    int
	}{
		{"no key", "", http.StatusUnauthorized},
		{"a key that never was", "nonsense", http.StatusUnauthorized},
		{"a key cut short", b.keys[id][:len(b.keys[id])-2], http.StatusUnauthorized},
		{"a revoked key", revoked, http.StatusUnauthorized},
		{"a key of another scope", other, http.StatusForbidden},
	} {
		b.Run(tc.name, func(t *testing.T) {
			got := machine(t, b.server.url, tc.key).do(http.MethodPost, "/api/v1/records", []byte("{}"), "Accept-Language", "zh-TW")
			if got.status != tc.status || !strings.Contains(got.body, "金鑰") {
				t.Errorf("sending with %s: %d %s, want %d and a word about the key", tc.name, got.status, got.body, tc.status)
			}
		})
	}
	if got := machine(b, b.server.url, revoked).get("/taxii2/"); got.status != http.StatusUnauthorized {
		b.Errorf("TAXII with a revoked key: %d %s", got.status, got.body)
	}
	if got := machine(b, b.server.url, newKey(b, b.server.data, id, "records")).get("/taxii2/"); got.status != http.StatusForbidden {
		b.Errorf("TAXII with a key for records: %d %s", got.status, got.body)
	}
}

// revokeNewest revokes the member's newest key on the administrator's page.
func (b *bad) revokeNewest(id sector.MemberID) {
	b.Helper()
	admin := person(b, b.server.url, adminMail, password)
	links := admin.page("/keys?member=" + string(id)).links(b)
	i := slices.IndexFunc(links, regexp.MustCompile(`^/keys/[a-z0-9]{16}$`).MatchString)
	if i < 0 {
		b.Fatalf("the list of keys leads to %v", links)
	}
	newest := links[i] + "/revoke"
	if got := admin.submit(admin.page(newest).form(b, newest)); got.status != http.StatusOK {
		b.Fatalf("revoking a key: %d %s", got.status, text(got.body))
	}
}

// retries: what was accepted is not accepted again.
func (b *bad) retries() {
	body := `{"message":"retried-with-key"}` + "\n"
	first, second := b.post(body, "Idempotency-Key", "once"), b.post(body, "Idempotency-Key", "once")
	if first.Accepted != 1 || second.Accepted != 0 || second.Duplicate != 1 {
		b.Errorf("the same key twice: %+v, %+v", first, second)
	}
	if got := b.door.do(http.MethodPost, "/api/v1/records", []byte(`{"message":"else"}`), "Idempotency-Key", "once"); got.status != http.StatusConflict {
		b.Errorf("the same key with another body: %d %s", got.status, got.body)
	}
	body = `{"message":"retried-with-bytes"}` + "\n" + `{"broken"` + "\n"
	first, second = b.post(body), b.post(body)
	if first.Accepted != 1 || second.Accepted != 0 || second.Duplicate != 1 || !cmp.Equal(first.Rejected, second.Rejected) {
		b.Errorf("the same bytes twice: %+v, %+v", first, second)
	}
	twin := `{"message":"identical-lines"}` + "\n"
	if got := b.post(twin + twin); got.Accepted != 2 {
		b.Errorf("two identical lines: %+v", got)
	}
	packed := func(pack func(io.Writer) (io.WriteCloser, error)) string {
		var buf bytes.Buffer
		w, err := pack(&buf)
		if err == nil {
			_, err = io.WriteString(w, `{"message":"packed-twice"}`+"\n")
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
		return buf.String()
	}
	first, second = b.post(packed(gzipped), "Content-Encoding", "gzip"), b.post(packed(zstded), "Content-Encoding", "zstd")
	if first.Accepted != 1 || second.Duplicate != 1 {
		b.Errorf("the same records in two packings: %+v, %+v", first, second)
	}
	for text, n := range map[string]int{"retried-with-key": 1, "retried-with-bytes": 1, "identical-lines": 2, "packed-twice": 1} {
		b.inHistory(text, n)
	}
}

// clocks: a record with a wrong time is kept, found and marked.
func (b *bad) clocks() {
	now := time.Now().UTC()
	for _, tc := range []struct{ name, stamp, clock string }{
		{"none", ``, "missing"},
		{"not-a-time", `"@timestamp":"yesterday",`, "missing"},
		{"a-number-too-large", `"@timestamp":99999999999999999999,`, "missing"},
		{"ten-years-ahead", `"@timestamp":"` + now.AddDate(10, 0, 0).Format(time.RFC3339) + `",`, "ahead"},
		{"year-one", `"@timestamp":"0001-01-01T00:00:00Z",`, "missing"},
		{"of-1970", `"@timestamp":"1970-01-02T00:00:00Z",`, "own"},
		{"right", `"@timestamp":"` + now.Format(time.RFC3339Nano) + `",`, "own"},
	} {
		if got := b.post(`{` + tc.stamp + `"message":"clock-` + tc.name + `"}` + "\n"); got.Accepted != 1 {
			b.Errorf("clock %s: %+v", tc.name, got)
			continue
		}
		eventually(b, 30*time.Second, func() string {
			found := b.anyTime("clock-" + tc.name)
			if len(found) != 1 || tc.clock != "" && found[0].Clock != tc.clock {
				return fmt.Sprintf("clock %s: found %+v, want one marked %q", tc.name, found, tc.clock)
			}
			return ""
		})
	}
	if got := b.door.get("/api/v1/events?from=1970-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"); got.status != http.StatusBadRequest || !strings.Contains(got.body, "ten years") {
		b.Errorf("a span of a century: %d %s", got.status, got.body)
	}
}

type clocked struct{ Clock, Time string }

// anyTime finds the records that hold a text, whenever they say they were;
// one question spans ten years at most.
func (b *bad) anyTime(text string) []clocked {
	b.Helper()
	var all []clocked
	for year := 1970; year < 2050; year += 8 {
		var page struct{ Events []clocked }
		b.door.read(fmt.Sprintf("/api/v1/events?q=%s&from=%d-01-01T00:00:00Z&to=%d-01-01T00:00:00Z", text, year, year+8), &page)
		all = append(all, page.Events...)
	}
	return all
}

// slowClient dribbles a body; the door must end it while others go on.
func (b *bad) slowClient() {
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.server.url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/v1/records HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\n{\"message\":", b.keys[b.all[0].ID])
	began := time.Now()
	if got := b.post(`{"message":"beside the slow one"}`); got.Accepted != 1 {
		b.Errorf("another request meanwhile: %+v", got)
	}
	if err := conn.SetReadDeadline(time.Now().Add(40 * time.Second)); err != nil {
		b.Fatal(err)
	}
	said, err := io.ReadAll(conn)
	if took := time.Since(began); took > 30*time.Second {
		b.Errorf("a slow client was borne for %v", took)
	}
	if !strings.Contains(string(said), "400 Bad Request") || !strings.Contains(string(said), "door.too_slow") {
		b.Errorf("a slow client was told %q (%v)", said, err)
	}
}

// TestQuota sends more than agreed.
func TestQuota(t *testing.T) {
	checkGoroutines(t)
	data := filepath.Join(t.TempDir(), "data")
	var members institutions
	members.found(t, data, 2)
	server := serve(t, data, "--quota", "100")
	c := machine(t, server.url, members.keys[members.all[0].ID])
	accepted, refused := 0, answer{}
	for n := 0; n < 200 && refused.status == 0; n++ {
		body := strings.Repeat(fmt.Sprintf(`{"message":"quota-%d"}`+"\n", n), 1000)
		got := c.do(http.MethodPost, "/api/v1/records", []byte(body))
		switch got.status {
		case http.StatusOK:
			accepted += 1000
		case http.StatusTooManyRequests:
			refused = got
		default:
			t.Fatalf("batch %d: %d %s", n, got.status, got.body)
		}
	}
	wait, err := strconv.Atoi(refused.header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 60 || !strings.Contains(refused.body, "door.over_quota") {
		t.Fatalf("after %d records: %d %s, Retry-After %q", accepted, refused.status, refused.body, refused.header.Get("Retry-After"))
	}
	if got := machine(t, server.url, members.keys[members.all[1].ID]).do(http.MethodPost, "/api/v1/records", []byte("{}")); got.status != http.StatusOK {
		t.Errorf("another member suffers: %d %s", got.status, got.body)
	}
	time.Sleep(time.Duration(wait) * time.Second)
	if got := c.do(http.MethodPost, "/api/v1/records", []byte(`{"message":"after the wait"}`)); got.status != http.StatusOK {
		t.Errorf("after the %d seconds that Retry-After asked for: %d %s", wait, got.status, got.body)
	}
	server.stop()
}

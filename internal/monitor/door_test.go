package monitor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/adapter/memory"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

func sending(m sector.MemberID) sector.Viewer {
	return sector.Viewer{Org: sector.MemberOrg, Member: m, Key: "key-" + string(m), Scopes: []sector.Scope{sector.ScopeRecords}}
}

// site is the door behind HTTP, with the viewer that the header X-Member
// names in place of real keys.
func site(t testing.TB, door *monitor.Door) http.Handler {
	t.Helper()
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	edge := httpx.NewEdge(slog.New(slog.DiscardHandler), texts, nil)
	routes := access.New(edge)
	monitor.NewDoorAPI(door, texts).Mount(routes)
	inner := edge.Wrap(routes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := sending(sector.MemberID(r.Header.Get("X-Member")))
		switch r.Header.Get("X-As") {
		case "nobody":
			v = sector.Viewer{}
		case "taxii":
			v.Scopes = []sector.Scope{sector.ScopeTAXII}
		case "person":
			v = sector.Viewer{Org: sector.MemberOrg, Member: v.Member, User: "u", Roles: []sector.Role{sector.MemberStaff}}
		}
		inner.ServeHTTP(w, r.WithContext(sector.WithViewer(r.Context(), v)))
	})
}

func post(t testing.TB, h http.Handler, body []byte, headers ...string) (int, http.Header, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/records", bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("X-Member", "bank-a")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Header(), w.Body.String()
}

func zipped(text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text)
	_ = z.Close()
	return b.Bytes()
}

func zstandard(text []byte) []byte {
	z, _ := zstd.NewWriter(nil)
	return z.EncodeAll(text, nil)
}

func TestDoorAnswers(t *testing.T) {
	nested := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	tests := []struct {
		name    string
		body    []byte
		headers []string
		status  int
		want    string // in the body
	}{
		{"one record", []byte(`{"a":1}`), nil, 200, `{"accepted":1,"duplicate":0,"rejected":[]}`},
		{"two equal lines are two records", []byte("{\"a\":1}\n{\"a\":1}\n"), nil, 200, `"accepted":2`},
		{"BOM, CRLF and blank lines", []byte("\xef\xbb\xbf{\"a\":1}\r\n\r\n  \r\n{\"a\":2}\r\n"), nil, 200, `"accepted":2,"duplicate":0,"rejected":[]`},
		{"a line of text", []byte("<34>1 2026-03-02T08:00:00Z host app - - - hello\n"), nil, 200, `"accepted":1`},
		{"nothing", nil, nil, 200, `{"accepted":0,"duplicate":0,"rejected":[]}`},
		{"gzip", zipped([]byte(`{"a":1}`)), []string{"Content-Encoding", "gzip"}, 200, `"accepted":1`},
		{"zstd", zstandard([]byte(`{"a":1}`)), []string{"Content-Encoding", "zstd"}, 200, `"accepted":1`},
		{"two gzip members", append(zipped([]byte("{\"a\":1}\n")), zipped([]byte("{\"a\":2}\n"))...), []string{"Content-Encoding", "gzip"}, 200, `"accepted":2`},
		{"not UTF-8", []byte("{\"a\":\"\xff\"}\n{\"a\":1}"), nil, 200, `"accepted":1,"duplicate":0,"rejected":[{"line":1,"reason":"not_utf8"`},
		{"deep nesting", []byte(nested), nil, 200, `"reason":"too_deep"`},
		{"broken JSON", []byte(`{"a":`), nil, 200, `"reason":"bad_json"`},
		{"a list", []byte(`[1]`), nil, 200, `"reason":"not_object"`},
		{"NUL", []byte("{\"a\":\"\x00\"}"), nil, 200, `"reason":"control_char"`},
		{"duplicate keys and nulls are records", []byte(`{"a":1,"a":2,"b":null}`), nil, 200, `"accepted":1`},
		{"a line over the limit", append([]byte(`{"a":"`), append(bytes.Repeat([]byte("x"), 1<<20), "\"}\n{\"a\":1}"...)...), nil, 200, `"accepted":1,"duplicate":0,"rejected":[{"line":1,"reason":"too_large"`},
		{"a body over the limit", bytes.Repeat([]byte("x"), 17<<20), nil, 413, `"code":"door.body_too_large"`},
		{"a gzip bomb", zipped(bytes.Repeat([]byte("0"), 300<<20)), []string{"Content-Encoding", "gzip"}, 413, `"status":413`},
		{"a zstd bomb", zstandard(bytes.Repeat([]byte("0"), 300<<20)), []string{"Content-Encoding", "zstd"}, 413, `"status":413`},
		{"too many lines", bytes.Repeat([]byte("{}\n"), monitor.MaxBatchLines+1), nil, 413, `"code":"door.too_many_lines"`},
		{"cut gzip", zipped(bytes.Repeat([]byte("{\"a\":1}\n"), 1000))[:30], []string{"Content-Encoding", "gzip"}, 400, `"code":"door.unreadable"`},
		{"not gzip", []byte(`{"a":1}`), []string{"Content-Encoding", "gzip"}, 400, `"code":"door.unreadable"`},
		{"unknown encoding", []byte(`{"a":1}`), []string{"Content-Encoding", "br"}, 400, `"code":"door.encoding"`},
		{"encoding twice", []byte(`{"a":1}`), []string{"Content-Encoding", "gzip, gzip"}, 400, `"code":"door.encoding"`},
		{"no key", []byte(`{"a":1}`), []string{"X-As", "nobody"}, 401, `"code":"error.sign_in_first"`},
		{"a key of another scope", []byte(`{"a":1}`), []string{"X-As", "taxii"}, 403, `"code":"error.scope"`},
		{"a person", []byte(`{"a":1}`), []string{"X-As", "person"}, 403, `"code":"error.role"`},
		{"a long idempotency key", []byte(`{"a":1}`), []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, `"code":"door.key_too_long"`},
		{"reasons in Chinese", []byte(`{"a":`), []string{"Accept-Language", "zh-TW"}, 200, `這一行開頭像 JSON，但不是正確的 JSON。`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			status, _, body := post(t, site(t, w.door), test.body, test.headers...)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("answered %d %.300s\nwant %d and %s", status, body, test.status, test.want)
			}
		})
	}
}

func TestRetries(t *testing.T) {
	w := newWorld(t)
	h := site(t, w.door)
	text, other := []byte("{\"a\":1}\n{broken\n"), []byte("{\"a\":2}\n")
	steps := []struct {
		body    []byte
		headers []string
		status  int
		want    string
	}{
		{text, nil, 200, `"accepted":1,"duplicate":0,"rejected":[{"line":2`},
		{text, nil, 200, `"accepted":0,"duplicate":1,"rejected":[{"line":2`},
		{zipped(text), []string{"Content-Encoding", "gzip"}, 200, `"accepted":0,"duplicate":1`},
		{text, []string{"X-Member", "bank-b"}, 200, `"accepted":1,"duplicate":0`},
		{other, []string{"Idempotency-Key", "k1"}, 200, `"accepted":1`},
		{other, []string{"Idempotency-Key", "k1"}, 200, `"duplicate":1`},
		{text, []string{"Idempotency-Key", "k1"}, 409, `"code":"door.key_reused"`},
		{other, []string{"Idempotency-Key", "k2"}, 200, `"accepted":1`},
		{other, []string{"Idempotency-Key", "k1", "X-Member", "bank-b"}, 200, `"accepted":1`},
	}
	for i, s := range steps {
		status, _, body := post(t, h, s.body, s.headers...)
		if status != s.status || !strings.Contains(body, s.want) {
			t.Errorf("step %d: answered %d %s, want %d and %s", i, status, body, s.status, s.want)
		}
	}
	if st, _ := w.stream.State(context.Background()); st.Last != 5 {
		t.Errorf("the stream holds %d batches, want 5", st.Last)
	}
}

func TestAllRejectedStoresNoBatch(t *testing.T) {
	w := newWorld(t)
	w.send(t, "bank-a", "", "{broken\n{too")
	if st, _ := w.stream.State(context.Background()); st.Last != 0 {
		t.Errorf("the stream holds %d batches, want none", st.Last)
	}
	if l, _ := w.receipts.Letters(context.Background(), "bank-a", "", 10); len(l) != 2 {
		t.Errorf("%d dead letters, want 2", len(l))
	}
}

func TestQuota(t *testing.T) {
	w := newWorld(t)
	door := w.newDoor(monitor.DoorLimits{MaxLines: 10, MaxBody: 1000}, monitor.Quota{Records: 1, Bytes: 1 << 20})
	h := site(t, door)
	body := bytes.Repeat([]byte("{}\n"), 8)
	for i, want := range []int{200, 429} {
		status, header, _ := post(t, h, append(body, fmt.Sprintf(`{"n":%d}`, i)...))
		if status != want || (want == 429) != (header.Get("Retry-After") != "") {
			t.Errorf("request %d: %d, Retry-After %q", i, status, header.Get("Retry-After"))
		}
	}
	if status, _, _ := post(t, h, body, "X-Member", "bank-b"); status != 200 {
		t.Errorf("another member pays: %d", status)
	}
	if status, _, body := post(t, h, append(body, `{"n":0}`...)); status != 200 || !strings.Contains(body, `"duplicate":9`) {
		t.Errorf("a retry is charged: %d %s", status, body)
	}
}

func TestStreamTroubles(t *testing.T) {
	w := newWorld(t)
	h := site(t, w.door)
	w.stream.Set(func(string) memory.Fault { return memory.Failed })
	if status, header, body := post(t, h, []byte(`{"a":1}`)); status != 503 || header.Get("Retry-After") == "" || strings.Contains(body, "injected") {
		t.Errorf("stream down: %d %s", status, body)
	}
	w.stream.Set(nil)
	w.stream.Capacity = 1
	for i, want := range []int{200, 507} {
		if status, _, body := post(t, h, fmt.Appendf(nil, `{"n":%d}`, i)); status != want {
			t.Errorf("stream full, request %d: %d %s", i, status, body)
		}
	}
}

func call(t testing.TB, h http.Handler, method, path, body string, into any) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("X-Member", "bank-a")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return w.Code
}

func TestDeadLetters(t *testing.T) {
	w := newWorld(t)
	h := site(t, w.door)
	w.send(t, "bank-a", "", "{one\n{two\n{three\n\xff\xfe")
	w.send(t, "bank-b", "", "{of another")
	var page struct {
		Rejected []struct{ ID, Raw, Reason, Text string }
		Next     string
	}
	var raws []string
	for path := "/api/v1/records/rejected?limit=3"; ; path = "/api/v1/records/rejected?limit=3&after=" + page.Next {
		page.Rejected, page.Next = nil, ""
		if status := call(t, h, "GET", path, "", &page); status != 200 {
			t.Fatal(status)
		}
		for _, l := range page.Rejected {
			raws = append(raws, l.Raw)
			if l.Reason == "" || l.Text == "" {
				t.Errorf("no reason in %+v", l)
			}
		}
		if page.Next == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"", "{three", "{two", "{one"}, raws); diff != "" {
		t.Error(diff)
	}
	id := page.Rejected[0].ID
	var answer struct {
		Accepted int
		Rejected []any
	}
	if call(t, h, "POST", "/api/v1/records/rejected/"+id+"/resend", "", &answer); answer.Accepted != 0 || len(answer.Rejected) != 1 {
		t.Errorf("sent again as it was: %+v", answer)
	}
	if call(t, h, "POST", "/api/v1/records/rejected/"+id+"/resend", `{"one":1}`, &answer); answer.Accepted != 1 {
		t.Errorf("corrected: %+v", answer)
	}
	if status := call(t, h, "POST", "/api/v1/records/rejected/"+id+"/resend", `{"one":1}`, nil); status != 404 {
		t.Errorf("sent again twice: %d", status)
	}
	if status := call(t, h, "GET", "/api/v1/records/rejected/"+id, "", nil); status != 404 {
		t.Errorf("the letter is still there: %d", status)
	}
	if st, _ := w.stream.State(context.Background()); st.Last != 1 {
		t.Errorf("the corrected line is in the stream %d times", st.Last)
	}
	second := page.Rejected[0].ID[:len(page.Rejected[0].ID)-1] + "2"
	for _, want := range []int{204, 404} {
		if status := call(t, h, "DELETE", "/api/v1/records/rejected/"+second, "", nil); status != want {
			t.Errorf("dropping: %d, want %d", status, want)
		}
	}
	entries := w.receipts.Entries()
	if len(entries) != 2 || !strings.Contains(entries[0].Detail, `"corrected":true`) {
		t.Fatalf("the ledger says %+v", entries)
	}
	entries[0].Detail = ""
	if diff := cmp.Diff([]ledger.Entry{
		{Actor: "key:key-bank-a", Action: "letter.resend", Object: "letter:" + id, Member: "bank-a"},
		{Actor: "key:key-bank-a", Action: "letter.drop", Object: "letter:" + second, Member: "bank-a"},
	}, entries); diff != "" {
		t.Error(diff)
	}
	other, _ := w.receipts.Letters(context.Background(), "bank-b", "", 10)
	for _, c := range [][2]string{{"GET", ""}, {"DELETE", ""}, {"POST", "/resend"}} {
		if status := call(t, h, c[0], "/api/v1/records/rejected/"+other[0].ID+c[1], "", nil); status != 404 {
			t.Errorf("%s of another member's letter: %d", c[0], status)
		}
	}
}

// TestSlowClient: a body that stops coming ends the request.
func TestSlowClient(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(site(t, w.newDoor(monitor.DoorLimits{Patience: 50 * time.Millisecond}, monitor.Quota{})))
	defer srv.Close()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = fmt.Fprintf(c, "POST /api/v1/records HTTP/1.1\r\nHost: x\r\nX-Member: bank-a\r\nAuthorization: Bearer x\r\nContent-Length: 100\r\n\r\n{\"a\":")
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	answer, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if !strings.Contains(string(answer), "door.too_slow") {
		t.Errorf("answered %q", answer)
	}
}

func TestHeldBytesAreBounded(t *testing.T) {
	w := newWorld(t)
	h := site(t, w.newDoor(monitor.DoorLimits{MaxHeld: 100 << 10}, monitor.Quota{}))
	if status, header, _ := post(t, h, []byte(`{"a":1}`)); status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("over the limit of held bytes: %d", status)
	}
}

func BenchmarkDoor(b *testing.B) {
	w := newWorld(b)
	h := site(b, w.newDoor(monitor.DoorLimits{}, monitor.Quota{Records: 1 << 30, Bytes: 1 << 40}))
	var text []byte
	for i := range 500 {
		text = append(text, conn(noon, fmt.Sprint("203.0.113.", i%250))+"\n"...)
	}
	body := zstandard(text)
	b.SetBytes(int64(len(text)))
	for i := range b.N {
		if status, _, answer := post(b, h, body, "Content-Encoding", "zstd", "Idempotency-Key", fmt.Sprint(i)); status != 200 {
			b.Fatal(answer)
		}
	}
	b.ReportMetric(float64(500*b.N)/b.Elapsed().Seconds(), "records/s")
}

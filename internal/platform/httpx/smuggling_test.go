package httpx_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// rawServer is a server of ours that answers with what it read; it returns
// its address.
func rawServer(t *testing.T) string {
	t.Helper()
	texts, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "[%s %s host=%s x=%q body=%q err=%v]", r.Method, r.URL.Path, r.Host, r.Header.Values("X-Test"), body, err)
	})
	server := httpx.NewServer(httpx.NewEdge(log, texts, nil).Wrap(mux), log)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// exchange sends bytes and returns the answers' statuses and everything that
// came back before the connection ended or fell silent.
func exchange(t *testing.T, addr, sent string) (statuses []int, all string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var raw strings.Builder
	in := bufio.NewReader(io.TeeReader(conn, &raw))
	for {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return statuses, raw.String()
		}
		statuses = append(statuses, resp.StatusCode)
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// TestRequestSmuggling pins what net/http does with requests that two servers
// could read differently: one answer that refuses, and the connection ends,
// so that nothing that was smuggled behind is ever taken for a request.
func TestRequestSmuggling(t *testing.T) {
	addr := rawServer(t)
	const hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
	post := func(headers, body string) string {
		return "POST /seen HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body
	}
	for name, sent := range map[string]string{
		"two lengths":              post("Content-Length: 0\r\nContent-Length: 36\r\n", hidden),
		"a list of lengths":        post("Content-Length: 0, 36\r\n", hidden),
		"a signed length":          post("Content-Length: +0\r\n", hidden),
		"a hexadecimal length":     post("Content-Length: 0x0\r\n", hidden),
		"a negative length":        post("Content-Length: -1\r\n", hidden),
		"another coding":           post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"+hidden),
		"unknown coding":           post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"+hidden),
		"chunked twice":            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden),
		"a space before the colon": post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"+hidden),
		"a bare CR in a value":     post("X-Test: a\rTransfer-Encoding: chunked\r\n", hidden),
		"a NUL in a value":         post("X-Test: a\x00b\r\n", hidden),
		"a name with a space":      post("X Test: a\r\n", hidden),
		"two hosts":                "GET /seen HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"no host":                  "GET /seen HTTP/1.1\r\n\r\n",
		"a host that is none":      "GET /seen HTTP/1.1\r\nHost: a b\r\n\r\n",
		"HTTP/1.2 with a tab":      "GET\t/seen\tHTTP/1.2\r\nHost: h\r\n\r\n",
		"a version that is none":   "GET /seen HTTP/one\r\nHost: h\r\n\r\n",
		"a method that is none":    "GE T/seen /x HTTP/1.1\r\nHost: h\r\n\r\n",
		"a control in the target":  "GET /se\x7fen HTTP/1.1\r\nHost: h\r\n\r\n",
		"HTTP/2 without TLS":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		statuses, all := exchange(t, addr, sent)
		if len(statuses) > 1 || len(statuses) == 1 && statuses[0] < 400 || strings.Contains(all, "/hidden") {
			t.Errorf("%s is answered %v: %s", name, statuses, all)
		}
	}
}

// TestBodiesEndWhereTheyShould: where both lengths are given the chunks count
// and the connection ends, and a folded or bare-LF line means one thing.
func TestBodiesEndWhereTheyShould(t *testing.T) {
	addr := rawServer(t)
	const hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
	for name, c := range map[string]struct{ sent, want string }{
		"chunks win over a length": {
			"POST /seen HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
			`[POST /seen host=h x=[] body="" err=<nil>]`},
		"a folded line is one value": {
			"GET /seen HTTP/1.1\r\nHost: h\r\nX-Test: a\r\n Transfer-Encoding: chunked\r\n\r\n",
			`x=["a Transfer-Encoding: chunked"]`},
		"a chunk that lies": {
			"POST /seen HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc\r\n0\r\n\r\n" + hidden,
			"err=malformed chunked encoding"},
		"a chunk size beyond measure": {
			"POST /seen HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n",
			"err=http chunk length too large"},
	} {
		_, all := exchange(t, addr, c.sent)
		if !strings.Contains(all, c.want) || strings.Contains(all, "/hidden") {
			t.Errorf("%s: want %s in\n%s", name, c.want, all)
		}
	}
}

// TestGreedyHeaders: too much before the body is refused, and nothing is
// remembered of it.
func TestGreedyHeaders(t *testing.T) {
	addr := rawServer(t)
	const head = "GET / HTTP/1.1\r\nHost: h\r\n"
	for name, sent := range map[string]string{
		"a long target": "GET /" + strings.Repeat("a", 80<<10) + " HTTP/1.1\r\nHost: h\r\n\r\n",
		"a long header": head + "X-Test: " + strings.Repeat("a", 80<<10) + "\r\n\r\n",
		"many headers":  head + strings.Repeat("X-Test: aaaaaaaa\r\n", 5000) + "\r\n",
	} {
		statuses, _ := exchange(t, addr, sent)
		if len(statuses) != 1 || statuses[0] != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s is answered %v", name, statuses)
		}
	}
}

// TestTimeLimits: who sends or reads too slowly is not waited for.
func TestTimeLimits(t *testing.T) {
	s := httpx.NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	for name, limit := range map[string]time.Duration{
		"ReadHeaderTimeout": s.ReadHeaderTimeout, "ReadTimeout": s.ReadTimeout, "WriteTimeout": s.WriteTimeout, "IdleTimeout": s.IdleTimeout,
	} {
		if limit <= 0 || limit > 2*time.Minute {
			t.Errorf("%s is %v", name, limit)
		}
	}
	s.ReadHeaderTimeout = 50 * time.Millisecond // the real one is tried without waiting for it
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ")
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("a slow header is waited for: %v", err)
	}
}

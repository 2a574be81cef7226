package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the command that runs the program with the arguments.
func program(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "LC_ALL=C.UTF-8")
	return cmd
}

// result is what a command left.
type result struct {
	out, err string
	code     int
}

// aspis runs the program to its end.
func aspis(t testing.TB, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := program(ctx, t, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("aspis %v: %v", args, err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// aspisJSON runs a command that must succeed and reads what it prints.
func aspisJSON(t testing.TB, into any, stdin string, args ...string) {
	t.Helper()
	r := aspis(t, stdin, args...)
	if r.code != 0 {
		t.Fatalf("aspis %v: exit code %d: %s", args, r.code, r.err)
	}
	if err := json.Unmarshal([]byte(r.out), into); err != nil {
		t.Fatalf("aspis %v printed %q: %v", args, r.out, err)
	}
}

// process is a running server.
type process struct {
	t    testing.TB
	url  string
	data string
	cmd  *exec.Cmd
	out  *tail         // of standard output and error
	done chan struct{} // closed when the process has ended
}

// startPatience is how long a server may take to be ready on this machine,
// busy as it may be.
const startPatience = time.Minute

// serve starts a server on the data folder and returns when it is ready. It
// is stopped when the test ends, if it still runs.
func serve(t testing.TB, data string, args ...string) *process {
	t.Helper()
	return serveAt(t, data, "127.0.0.1:0", args...)
}

// serveAt is serve at an address of one's own choice.
func serveAt(t testing.TB, data, listen string, args ...string) *process {
	t.Helper()
	p := start(t, data, listen, args...)
	deadline := time.Now().Add(startPatience)
	for p.url = ""; !p.ready(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.done:
			t.Fatalf("the server ended at its start: %s", p.out)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server is not ready after %v: %s", startPatience, p.out)
		}
	}
	return p
}

// start starts a server and does not wait.
func start(t testing.TB, data, listen string, args ...string) *process {
	t.Helper()
	args = append([]string{"serve", "--log-json", "--data", data, "--listen", listen}, args...)
	p := &process{t: t, data: data, cmd: program(context.Background(), t, args...), out: &tail{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the tests look at ProcessState
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the server at %s logged:\n%s", p.url, p.out)
		}
	})
	return p
}

// ready asks the server, once it has told where it listens.
func (p *process) ready() bool {
	if p.url == "" {
		p.url = p.out.url()
		return false
	}
	resp, err := http.Get(p.url + "/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}

// stop asks the server to end and expects it to do so well.
func (p *process) stop() {
	p.t.Helper()
	http.DefaultClient.CloseIdleConnections()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Fatal("the server does not stop")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("the stopped server left exit code %d: %s", code, p.out)
	}
}

// kill ends the server without a word, as a power cut does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// exit waits for a server that must end by itself.
func (p *process) exit(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("the server still runs after %v: %s", within, p.out)
	}
	return p.cmd.ProcessState.ExitCode()
}

// tail keeps the end of what a process writes, without the lines about
// requests that went well and about those of serve itself, and finds the line that tells where it listens.
type tail struct {
	mu   sync.Mutex
	part []byte // of a line
	text []byte
	at   string
}

const tailBytes = 64 << 10

func (b *tail) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.part = append(b.part, p...)
	for {
		line, rest, whole := bytes.Cut(b.part, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		b.line(line)
		b.part = rest
	}
}

func (b *tail) line(line []byte) {
	var told struct{ Msg, URL, Level, Route string }
	if json.Unmarshal(line, &told) == nil {
		switch {
		case told.Msg == "ready":
			b.at = told.URL
		case told.Msg == "request" && (told.Level == "INFO" || told.Route == "GET /readyz"):
			return
		}
	}
	b.text = append(append(b.text, line...), '\n')
	if len(b.text) > 2*tailBytes {
		b.text = append(b.text[:0], b.text[len(b.text)-tailBytes:]...)
	}
}

func (b *tail) url() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *tail) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text) + string(b.part)
}

// eventually repeats ask until it is content or the time is over, and then
// fails with what was missing last.
func eventually(t testing.TB, within time.Duration, ask func() (missing string)) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		missing := ask()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %s", within, missing)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

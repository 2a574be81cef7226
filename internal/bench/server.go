package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// server is the program running as a process of its own.
type server struct {
	url   string
	data  string
	pid   int
	ready time.Duration // from the start of the process to /readyz
	cmd   *exec.Cmd
	ended chan struct{} // closed when the log has ended
	http  *http.Client
}

// Bounds of waiting.
const (
	startPatience = 2 * time.Minute
	stopPatience  = 30 * time.Second
)

// start runs "serve" on the data folder name of the run and waits until it is
// ready.
func (b *run) start(ctx context.Context, name string, args ...string) (*server, error) {
	s := &server{data: b.at(name), ended: make(chan struct{}), http: &http.Client{
		Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	args = append([]string{"--log-json", "serve", "--data", s.data, "--listen", "127.0.0.1:0"}, args...)
	if b.Profile != "" {
		args = append(args, "--profile", b.Profile+"/"+name)
	}
	s.cmd = exec.CommandContext(ctx, b.Program, args...) //nolint:gosec // our own binary
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopPatience
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", b.Program, err)
	}
	s.pid = s.cmd.Process.Pid
	urls := make(chan string, 1)
	go b.follow(log, urls, s.ended)
	if err := s.await(ctx, urls); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.ready = time.Since(began)
	return s, nil
}

// follow reads the server's log: the address is in the line "ready", and what
// is worse than information is passed on.
func (b *run) follow(log io.Reader, urls chan<- string, ended chan<- struct{}) {
	defer close(ended)
	in := bufio.NewScanner(log)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var line struct{ Level, Msg, URL string }
		if json.Unmarshal(in.Bytes(), &line) != nil {
			b.Log.Warn("the server says", slog.String("line", in.Text()))
			continue
		}
		if line.Msg == "ready" && line.URL != "" {
			urls <- line.URL
		}
		if line.Level != "INFO" && line.Level != "DEBUG" && line.Msg != "rule refused" {
			b.Log.Warn("the server says", slog.String("line", in.Text()))
		}
	}
	_, _ = io.Copy(io.Discard, log) // a longer line must not stop the server
}

func (s *server) await(ctx context.Context, urls <-chan string) error {
	select {
	case s.url = <-urls:
	case <-s.ended:
		return errors.New("the server ended before it was ready")
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(startPatience):
		return errors.New("the server does not get ready")
	}
	return until(ctx, startPatience, 5*time.Millisecond, func() (bool, error) {
		status, _, err := s.get(ctx, "/readyz", "")
		return status == http.StatusOK, err
	})
}

// errPatience means that something did not happen in time.
var errPatience = errors.New("waited too long")

// until calls done every so often until it is, or fails.
func until(ctx context.Context, patience, every time.Duration, done func() (bool, error)) error {
	end := time.Now().Add(patience)
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return errPatience
		}
		if err := pause(ctx, every); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// get asks for a path, with a key or without.
func (s *server) get(ctx context.Context, path, key string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return 0, nil, err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// metric is the sum of a metric's samples whose line holds the label.
func (s *server) metric(ctx context.Context, name, label string) (float64, error) {
	_, body, err := s.get(ctx, "/metrics", "")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.Lines(string(body)) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest[0] != ' ' && rest[0] != '{' || !strings.Contains(line, label) {
			continue
		}
		var v float64
		if _, err := fmt.Sscan(rest[strings.LastIndexByte(rest, ' ')+1:], &v); err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		sum += v
	}
	return sum, nil
}

// stop ends the server and waits until it has ended.
func (s *server) stop() error {
	s.http.CloseIdleConnections()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
	case <-time.After(stopPatience):
		if err := s.cmd.Process.Kill(); err != nil {
			return err
		}
		<-s.ended
	}
	return s.cmd.Wait()
}

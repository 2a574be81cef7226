// Package localsock lets commands on the same machine administer a running
// server through a socket in its data folder. Who can open the socket owns
// the folder and could change the database directly, so nobody signs in.
package localsock

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Admin is what local commands can do. A stopped data folder serves it
// directly, a running server through the socket.
type Admin interface {
	CreateMember(ctx context.Context, by sector.Viewer, m sector.Member) (sector.Member, error)
	CreateUser(ctx context.Context, by sector.Viewer, u sector.User, password string) (sector.User, error)
	IssueKey(ctx context.Context, by sector.Viewer, spec sector.KeySpec) (sector.Key, string, error)
	// CreateLinkFor returns the secret of a one-time link for whoever has the
	// address: the way back in when no administrator can sign in any more.
	CreateLinkFor(ctx context.Context, by sector.Viewer, email string, valid time.Duration) (string, error)
}

const (
	maxBody     = 1 << 20
	callTimeout = 30 * time.Second
)

// Path is the socket's path for a data folder: in the folder, or, where that
// is too long for a socket address (108 bytes on Linux), in the system's
// temporary folder under a name derived from it.
func Path(data string) string {
	path := filepath.Join(data, "admin.sock")
	if len(path) < 100 {
		return path
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(os.TempDir(), "aspis-"+hex.EncodeToString(sum[:8])+".sock")
}

type memberCall struct{ Member sector.Member }

type userCall struct {
	User     sector.User
	Password string
}

type keyCall struct{ Spec sector.KeySpec }
type linkCall struct {
	Email string
	Valid time.Duration
}

type keyAnswer struct {
	Key    sector.Key
	Secret string
}

// Serve answers on the socket of the data folder until ctx is done. The
// caller holds the folder's lock, so a socket left behind is removed.
func Serve(ctx context.Context, data string, admin Admin) error {
	path := Path(data)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("admin socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("admin socket: %w", err), listener.Close())
	}
	server := &http.Server{Handler: handler(admin), ReadTimeout: callTimeout, WriteTimeout: callTimeout}
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin socket: %w", err)
	}
	return <-closed
}

func handler(admin Admin) http.Handler {
	by := sector.System()
	mux := http.NewServeMux()
	mux.Handle("POST /member", answer(func(ctx context.Context, c memberCall) (sector.Member, error) {
		return admin.CreateMember(ctx, by, c.Member)
	}))
	mux.Handle("POST /user", answer(func(ctx context.Context, c userCall) (sector.User, error) {
		return admin.CreateUser(ctx, by, c.User, c.Password)
	}))
	mux.Handle("POST /key", answer(func(ctx context.Context, c keyCall) (keyAnswer, error) {
		k, secret, err := admin.IssueKey(ctx, by, c.Spec)
		return keyAnswer{k, secret}, err
	}))
	mux.Handle("POST /link", answer(func(ctx context.Context, c linkCall) (string, error) {
		return admin.CreateLinkFor(ctx, by, c.Email, c.Valid)
	}))
	return mux
}

// failure carries an errs.Error over the socket.
type failure struct {
	Kind errs.Kind
	Key  string
	Args []any
	Text string
}

func answer[In, Out any](call func(context.Context, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in In
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in)
		var out any
		if err == nil {
			out, err = call(r.Context(), in)
		}
		if err != nil {
			f := failure{Kind: errs.KindOf(err), Text: err.Error()}
			if e, ok := errors.AsType[*errs.Error](err); ok {
				f.Key, f.Args = e.Key, e.Args
			}
			w.WriteHeader(http.StatusBadRequest)
			out = f
		}
		if err := json.NewEncoder(w).Encode(out); err != nil {
			return // the caller has gone away
		}
	})
}

// Client speaks to a running server.
type Client struct{ http *http.Client }

// Dial returns a client of the server running on the data folder. Nothing is
// sent yet; calls fail when none is running.
func Dial(data string) *Client {
	var dialer net.Dialer
	return &Client{&http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", Path(data))
		}},
	}}
}

// CreateMember implements Admin.
func (c *Client) CreateMember(ctx context.Context, _ sector.Viewer, m sector.Member) (sector.Member, error) {
	return post[sector.Member](ctx, c, "/member", memberCall{m})
}

// CreateUser implements Admin.
func (c *Client) CreateUser(ctx context.Context, _ sector.Viewer, u sector.User, password string) (sector.User, error) {
	return post[sector.User](ctx, c, "/user", userCall{u, password})
}

// IssueKey implements Admin.
func (c *Client) IssueKey(ctx context.Context, _ sector.Viewer, spec sector.KeySpec) (sector.Key, string, error) {
	a, err := post[keyAnswer](ctx, c, "/key", keyCall{spec})
	return a.Key, a.Secret, err
}

// CreateLinkFor implements Admin.
func (c *Client) CreateLinkFor(ctx context.Context, _ sector.Viewer, email string, valid time.Duration) (string, error) {
	return post[string](ctx, c, "/link", linkCall{email, valid})
}

func post[Out any](ctx context.Context, c *Client, path string, in any) (Out, error) {
	var out Out
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("admin socket: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://aspis"+path, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("admin socket: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return out, fmt.Errorf("admin socket: %w", err)
	}
	defer resp.Body.Close()
	dec := json.NewDecoder(io.LimitReader(resp.Body, maxBody))
	if resp.StatusCode == http.StatusOK {
		return out, dec.Decode(&out)
	}
	var f failure
	if err := dec.Decode(&f); err != nil {
		return out, fmt.Errorf("admin socket: %s: %w", resp.Status, err)
	}
	if f.Key == "" {
		return out, errors.New(f.Text)
	}
	return out, errs.New(f.Kind, f.Key, f.Args...)
}

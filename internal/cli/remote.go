package cli

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/aspis-platform/aspis/internal/client"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// remoteFlags are shared by the commands that ask a centre.
type remoteFlags struct {
	URL    string `env:"ASPIS_URL" help:"The centre's address; default that of aspis login."`
	Key    string `env:"ASPIS_KEY" help:"A member's key or a personal token; default that of aspis login."`
	Output string `short:"o" enum:"table,json" default:"table" help:"table or json."`
}

// listFlags are shared by the commands that list.
type listFlags struct {
	remoteFlags
	Limit int `default:"100" help:"How many at most; 0 for all."`
}

// open makes a client of the flags, the environment and what aspis login
// left, in this order.
func (f remoteFlags) open(e *env) (*client.Client, error) {
	if f.URL == "" || f.Key == "" {
		kept, err := readCredentials()
		if err != nil {
			return nil, err
		}
		if f.URL == "" || f.URL == kept.URL {
			f.URL = kept.URL
			if f.Key == "" { // a kept secret goes to its own centre only
				f.Key = kept.Secret
			}
		}
	}
	return newClient(e, f.URL, f.Key)
}

func newClient(e *env, address, secret string) (*client.Client, error) {
	c, err := client.New(client.Config{URL: address, Secret: secret, Language: string(e.lang())})
	switch {
	case address == "":
		return nil, errs.New(errs.Invalid, "cli.no_url")
	case errors.Is(err, client.ErrURL):
		return nil, errs.New(errs.Invalid, "cli.url", address)
	case errors.Is(err, client.ErrPlainHTTP):
		return nil, errs.New(errs.Invalid, "cli.plain_http", address)
	case errors.Is(err, client.ErrNoSecret):
		return nil, errs.New(errs.Invalid, "cli.no_key")
	}
	return c, err
}

// with runs fn with a client and closes it.
func (f remoteFlags) with(e *env, fn func(*client.Client) error) error {
	c, err := f.open(e)
	if err != nil {
		return err
	}
	defer c.Close()
	return reached(fn(c))
}

// reached words an error of the network.
func reached(err error) error {
	_, problem := errors.AsType[*client.Problem](err)
	_, known := errors.AsType[*errs.Error](err)
	switch {
	case err == nil, problem, known:
		return err
	case errors.Is(err, client.ErrNotAspis):
		return errs.New(errs.Unavailable, "cli.not_aspis", err.Error()).Because(err)
	}
	return errs.New(errs.Unavailable, "cli.unreachable", err.Error()).Because(err)
}

// show prints one thing: whole as JSON, or as the lines of a table.
func show[T any](e *env, f remoteFlags, one client.Raw[T], lines func(T) [][2]string) error {
	if f.Output == "json" {
		return e.printJSON(one)
	}
	return e.facts(lines(one.Value))
}

// one asks for one thing and shows it.
func one[T any](e *env, f remoteFlags, q client.Request, lines func(T) [][2]string) error {
	return f.with(e, func(cl *client.Client) error {
		var got client.Raw[T]
		if _, err := cl.Do(e.ctx, q, &got); err != nil {
			return err
		}
		return show(e, f, got, lines)
	})
}

// act asks for a change and says that it was made.
func act(e *env, f remoteFlags, q client.Request, key string, args ...any) error {
	return f.with(e, func(cl *client.Client) error {
		if _, err := cl.Do(e.ctx, q, nil); err != nil {
			return err
		}
		if f.Output == "json" {
			return e.printJSON(map[string]bool{"done": true})
		}
		_, err := fmt.Fprintln(e.Out, e.t(key, args...))
		return err
	})
}

// listed asks for a list and shows it.
func listed[T any](e *env, f listFlags, q client.Request, rows string, columns []string, row func(T) []string) error {
	return f.with(e, func(cl *client.Client) error {
		return list(e, f, client.List[client.Raw[T]](e.ctx, cl, q, rows, "cursor", f.Limit), columns, row)
	})
}

// below is a path below another, of names that are escaped.
func below(path string, names ...string) string {
	for _, name := range names {
		path += "/" + url.PathEscape(name)
	}
	return path
}

// list prints a list: whole as JSON, or as a table with these columns.
func list[T any](e *env, f listFlags, rows iter.Seq2[client.Raw[T], error], columns []string, row func(T) []string) error {
	all := []client.Raw[T]{}
	for one, err := range rows {
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if f.Output == "json" {
		return e.printJSON(all)
	}
	t := table{}
	for _, key := range columns {
		t.head = append(t.head, e.t("cli.col."+key))
	}
	for _, one := range all {
		t.rows = append(t.rows, row(one.Value))
	}
	if len(all) == 0 {
		fmt.Fprintln(e.Err, e.t("cli.none"))
		return nil
	}
	return t.print(e.Out)
}

// t is a text in the user's language.
func (e *env) t(key string, args ...any) string { return e.texts.T(e.lang(), key, args...) }

// maxStdin bounds what is read from standard input in bytes.
const maxStdin = 64 << 10

// text is the value of a flag, or standard input where the flag is "-".
func (e *env) text(value string) (string, error) {
	if value != "-" {
		return value, nil
	}
	raw, err := io.ReadAll(io.LimitReader(e.In, maxStdin+1))
	if err == nil && len(raw) > maxStdin {
		err = errs.New(errs.TooLarge, "cli.stdin_large", maxStdin)
	}
	return strings.TrimSpace(string(raw)), err
}

// Exit codes beside 0: a script tells by them what to do.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitForbidden   = 4
	exitConflict    = 5
	exitUnavailable = 6
)

// exitCode is the program's exit code for an error.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	status := 0
	if p, ok := errors.AsType[*client.Problem](err); ok {
		status = p.Status
	}
	switch {
	case status == http.StatusNotFound:
		return exitNotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return exitForbidden
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return exitConflict
	case status >= 500, status == http.StatusTooManyRequests, errs.Is(err, errs.Unavailable):
		return exitUnavailable
	}
	return exitFailed
}

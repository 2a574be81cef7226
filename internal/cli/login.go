package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aspis-platform/aspis/internal/client"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// credentials are what aspis login keeps.
type credentials struct {
	URL    string `json:"url"`
	Secret string `json:"key"`
}

// credentialsFile is where they are: aspis/config in the folder for settings
// that the system names, unless ASPIS_CONFIG names a file.
func credentialsFile() (string, error) {
	if file := os.Getenv("ASPIS_CONFIG"); file != "" {
		return file, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errs.New(errs.Invalid, "cli.no_home").Because(err)
	}
	return filepath.Join(dir, "aspis", "config"), nil
}

// readCredentials reads the file; none is no error. One that others can read
// is refused: the secret in it must be taken as known.
func readCredentials() (credentials, error) {
	var c credentials
	file, err := credentialsFile()
	if err != nil {
		return c, err
	}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return c, errs.New(errs.Invalid, "cli.config_open", file)
	}
	var raw []byte
	if err == nil {
		raw, err = os.ReadFile(file)
	}
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return c, errs.New(errs.Invalid, "cli.config", file).Because(err)
	}
	return c, nil
}

func writeCredentials(c credentials) (string, error) {
	file, err := credentialsFile()
	if err != nil {
		return "", err
	}
	raw, err := json.MarshalIndent(c, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil { // beside it and renamed: never half, never open for a moment
		err = os.WriteFile(file+".new", append(raw, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return file, errs.New(errs.Invalid, "cli.config_write", file, err.Error()).Because(err)
	}
	return file, nil
}

type loginCmd struct {
	URL string `required:"" env:"ASPIS_URL" help:"The centre's address."`
	Key string `env:"ASPIS_KEY" help:"A member's key or a personal token; default: a line of standard input."`
}

func (c loginCmd) Run(e *env) error {
	if c.Key == "" {
		fmt.Fprint(e.Err, e.t("cli.login.ask", c.URL))
		line, err := bufio.NewReader(e.In).ReadString('\n')
		if c.Key = strings.TrimSpace(line); c.Key == "" {
			return errs.New(errs.Invalid, "cli.no_key").Because(err)
		}
	}
	asks, err := newClient(e, c.URL, c.Key)
	if err != nil {
		return err
	}
	defer asks.Close()
	who, err := whoIs(e, asks)
	if err != nil {
		return reached(err)
	}
	file, err := writeCredentials(credentials{c.URL, c.Key})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.Out, e.t("cli.login.done", who, file))
	return err
}

// whoIs tells whose the secret is. A member's key may not ask, which shows
// that it is one: an unknown secret is answered otherwise.
func whoIs(e *env, c *client.Client) (string, error) {
	var me client.Me
	_, err := c.Do(e.ctx, client.Request{Path: "/api/v1/me"}, &me)
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Code == "error.role" {
		return e.t("cli.login.machine"), nil
	}
	return me.Email, err
}

type logoutCmd struct{}

func (logoutCmd) Run(e *env) error {
	file, err := credentialsFile()
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.Invalid, "cli.config_write", file, err.Error()).Because(err)
	}
	_, err = fmt.Fprintln(e.Out, e.t("cli.logout.done"))
	return err
}

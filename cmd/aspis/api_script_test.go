package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestAPIScripts runs the commands that ask a centre against a running one,
// as people and machines do: the scripts find its address and their tokens in
// the environment.
func TestAPIScripts(t *testing.T) {
	c := newCentre(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "api"), RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exec-code": execCode},
		Setup: func(env *testscript.Env) error {
			for name, value := range c.env {
				env.Setenv(name, value)
			}
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("TZ", "UTC")
			return nil
		},
	})
}

// centre is a running centre with people, an alert and advisories.
type centre struct {
	t      *testing.T
	server *process
	env    map[string]string
}

func newCentre(t *testing.T) *centre {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	c := &centre{t: t, server: serve(t, data), env: map[string]string{}}
	var sector institutions
	sector.found(t, data, 3)
	first, second := string(sector.all[0].ID), string(sector.all[1].ID)
	c.env["CENTRE"], c.env["MEMBER"], c.env["OTHER"] = c.server.url, first, second
	c.env["KEY"] = sector.keys[sector.all[0].ID]
	c.env["NARROW"] = newKey(t, data, sector.all[0].ID, "taxii")
	for name, role := range map[string]string{"ANALYST": "analyst", "DUTY": "duty-manager", "ADMIN": "administrator"} {
		c.env[name] = c.token(data, role, "")
	}
	c.env["STAFF"], c.env["BOSS"] = c.token(data, "member", first), c.token(data, "member-administrator", first)
	c.env["NEIGHBOUR"] = c.token(data, "member-administrator", second)
	for n := range 4 {
		c.env[fmt.Sprintf("DRAFT%d", n)] = c.draft(n, first)
	}
	c.release(c.env["DRAFT0"])
	c.raise(sector.keys[sector.all[0].ID])
	return c
}

// token is a new person's personal token, made on its page.
func (c *centre) token(data, role, member string) string {
	c.t.Helper()
	email := role + "@people.example"
	if member != "" {
		email = role + "." + member + "@people.example"
	}
	if member == "" {
		newPerson(c.t, data, email, role)
	} else {
		newPerson(c.t, data, email, role, "--member", member)
	}
	p := person(c.t, c.server.url, email, password)
	f := p.page("/tokens").form(c.t, "/tokens")
	f.values.Set("name", "command line")
	f.values["roles"] = []string{role}
	secret := regexp.MustCompile(`aspis_pat_\w+`).FindString(p.submit(f).body)
	if secret == "" {
		c.t.Fatalf("%s gets no token", email)
	}
	return secret
}

// draft is an advisory for one member that can be released by one person.
func (c *centre) draft(n int, member string) string {
	c.t.Helper()
	ana := machine(c.t, c.server.url, c.env["ANALYST"])
	made := ana.do("POST", "/api/v1/drafts", []byte(`{}`))
	var d struct{ ID string }
	if err := json.Unmarshal([]byte(made.body), &d); err != nil {
		c.t.Fatalf("%v: %s", err, made.body)
	}
	content := fmt.Sprintf(`{"title":{"zh":"警訊第 %d 號","en":"Warning number %d"},"body":{"zh":"請阻擋。","en":"Please block."},"tlp":"AMBER","pap":"GREEN",
		"category":"INT","indicators":["198.51.100.%d","*.evil%d.example"],"audience":{"members":[%q]}}`, n, n, n+7, n, member)
	if got := ana.do("PUT", "/api/v1/drafts/"+d.ID, []byte(content), "If-Match", made.header.Get("ETag")); got.status != 200 {
		c.t.Fatalf("edit: %d %s", got.status, got.body)
	}
	return d.ID
}

func (c *centre) release(id string) {
	c.t.Helper()
	ana := machine(c.t, c.server.url, c.env["ANALYST"])
	tag := ana.get("/api/v1/drafts/" + id).header.Get("ETag")
	if got := ana.do("POST", "/api/v1/drafts/"+id+"/release", nil, "If-Match", tag); got.status != 200 {
		c.t.Fatalf("release: %d %s", got.status, got.body)
	}
}

// raise sends a record that holds the first advisory's indicator.
func (c *centre) raise(key string) {
	c.t.Helper()
	sends, ana := machine(c.t, c.server.url, key), machine(c.t, c.server.url, c.env["ANALYST"])
	eventually(c.t, time.Minute, func() string {
		if got := sends.do("POST", "/api/v1/records", []byte(connection("host-1", "198.51.100.7", time.Now()))); got.status != 200 {
			return "the record is not accepted: " + got.body
		}
		var page struct{ Alerts []struct{ ID string } }
		ana.read("/api/v1/alerts", &page)
		if len(page.Alerts) == 0 {
			return "there is no alert"
		}
		c.env["ALERT"] = page.Alerts[0].ID
		return ""
	})
}

// execCode runs a program that must end with an exit code: exec-code 3 aspis …
func execCode(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exec-code CODE PROGRAM…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = strconv.Itoa(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("%v ends with %s (%v), want %s", args[1:], got, err, args[0])
	}
}

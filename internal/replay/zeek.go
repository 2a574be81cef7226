package replay

import (
	"encoding/json"
	"strconv"
	"strings"
)

// zeekLog is a log in Zeek's own form: lines that begin with # name the fields
// and their types, and each other line is a record of them. It is written as
// Zeek itself writes JSON, with the log's name under _path.
// Source: docs.zeek.org, Zeek Log Formats and Inspection.
type zeekLog struct {
	separator, setSeparator string
	empty, unset            string
	path                    string
	fields, types           []string
}

func newZeekLog() *zeekLog {
	return &zeekLog{separator: "\t", setSeparator: ",", empty: "(empty)", unset: "-"}
}

func (l *zeekLog) directive(line string) {
	if sep, ok := strings.CutPrefix(line, "#separator "); ok {
		l.separator = unescape(sep)
		return
	}
	name, rest, ok := strings.Cut(line, l.separator)
	if !ok {
		return
	}
	switch name {
	case "#set_separator":
		l.setSeparator = rest
	case "#empty_field":
		l.empty = rest
	case "#unset_field":
		l.unset = rest
	case "#path":
		l.path = rest
	case "#fields":
		l.fields = strings.Split(rest, l.separator)
	case "#types":
		l.types = strings.Split(rest, l.separator)
	}
}

// record writes a line as JSON. Fields that are not set are left out.
func (l *zeekLog) record(line string) []byte {
	var o objectWriter
	o.member("_path", func(dst []byte) []byte { return appendText(dst, l.path) })
	for i, text := range strings.Split(line, l.separator) {
		if text == l.unset || i >= len(l.fields) {
			continue
		}
		kind := "string"
		if i < len(l.types) {
			kind = l.types[i]
		}
		o.member(l.fields[i], func(dst []byte) []byte { return l.value(dst, kind, text) })
	}
	return o.bytes()
}

// value writes a value of a type: a set or vector as a list.
func (l *zeekLog) value(dst []byte, kind, text string) []byte {
	inner, ok := strings.CutSuffix(kind, "]")
	if !ok {
		return l.scalar(dst, kind, text)
	}
	_, inner, _ = strings.Cut(inner, "[")
	dst = append(dst, '[')
	if text != l.empty {
		for i, item := range strings.Split(text, l.setSeparator) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = l.scalar(dst, inner, item)
		}
	}
	return append(dst, ']')
}

func (l *zeekLog) scalar(dst []byte, kind, text string) []byte {
	switch kind {
	case "bool":
		return strconv.AppendBool(dst, text == "T")
	case "count", "int", "port", "double", "time", "interval":
		if json.Valid([]byte(text)) {
			return append(dst, text...)
		}
	}
	if text == l.empty {
		text = ""
	}
	return appendText(dst, unescape(text))
}

// unescape replaces \xHH by the byte it stands for.
func unescape(text string) string {
	if !strings.Contains(text, `\x`) {
		return text
	}
	var out []byte
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], `\x`) && i+4 <= len(text) {
			if b, err := strconv.ParseUint(text[i+2:i+4], 16, 8); err == nil {
				out = append(out, byte(b))
				i += 3
				continue
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}

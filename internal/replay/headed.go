package replay

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// headedLog is a log whose lines mean what lines before them say, which begin
// with #.
type headedLog interface {
	// directive takes in a line that begins with #.
	directive(line string)
	// record writes any other line as a JSON object.
	record(line string) []byte
}

// headed yields the records of such a log.
func (r *reader) headed(name string, src *bufio.Reader, log headedLog) bool {
	s := splitter{in: src, line: 1, max: r.opt.MaxRecord}
	for {
		line := s.line
		raw, err := s.text()
		more := true
		switch {
		case errors.Is(err, io.EOF):
			return true
		case errors.Is(err, ErrRecordTooLarge):
			more = r.skip(name, line, err)
		case err != nil:
			return r.fail(name, line, err)
		case len(raw) == 0:
		case !utf8.Valid(raw):
			more = r.skip(name, line, ErrBroken)
		case raw[0] == '#':
			log.directive(string(raw))
		default:
			record := log.record(string(raw))
			if over := r.grown.add(len(raw), len(record)); over != nil {
				return r.fail(name, line, over)
			}
			more = r.record(name, line, record)
		}
		if !more {
			return false
		}
	}
}

// w3cLog is a log in the Extended Log File Format, as IIS and proxies write it.
// The names of its fields are Sigma's for web servers and proxies.
// Source: W3C Working Draft WD-logfile-960323.
type w3cLog struct{ fields []string }

func (l *w3cLog) directive(line string) {
	if rest, ok := strings.CutPrefix(line, "#Fields:"); ok {
		l.fields = strings.Fields(rest)
	}
}

// record writes a line. Fields that have no value are left out. Date and time,
// which are in UTC, become a timestamp as well.
func (l *w3cLog) record(line string) []byte {
	var o objectWriter
	var date, clock string
	for i, text := range w3cFields(line) {
		if i >= len(l.fields) || text == "-" {
			continue
		}
		switch l.fields[i] {
		case "date":
			date = text
		case "time":
			clock = text
		}
		o.member(l.fields[i], func(dst []byte) []byte { return appendText(dst, text) })
	}
	if date != "" && clock != "" {
		o.member("timestamp", func(dst []byte) []byte { return appendText(dst, date+"T"+clock+"Z") })
	}
	return o.bytes()
}

// w3cFields splits a line at its spaces and tabs, but not within quotation marks.
func w3cFields(line string) []string {
	var fields []string
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		if end := strings.IndexByte(line[1:], '"'); line[0] == '"' && end >= 0 {
			fields = append(fields, line[1:end+1])
			line = line[end+2:]
			continue
		}
		end := strings.IndexAny(line, " \t")
		if end < 0 {
			end = len(line)
		}
		fields = append(fields, line[:end])
		line = line[end:]
	}
	return fields
}

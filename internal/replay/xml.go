package replay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Windows events as XML, as wevtutil and Event Viewer export them: each an
// element Event, perhaps over several lines, perhaps within Events.

const (
	openEvent  = "<Event"
	closeEvent = "</Event>"
)

// aroundEvents passes what stands around events: declarations, comments, and the
// tags of Events. It says whether there was something.
func (s *splitter) aroundEvents() bool {
	head, _ := s.in.Peek(headBytes)
	for _, tag := range [...]struct{ begin, end string }{
		{"<?xml", "?>"}, {"<!--", "-->"}, {"<Events>", ">"}, {"<Events ", ">"}, {"</Events>", ">"},
	} {
		if !bytes.HasPrefix(head, []byte(tag.begin)) {
			continue
		}
		if end := bytes.Index(head, []byte(tag.end)); end >= 0 {
			s.discard(end + len(tag.end))
			return true
		}
	}
	return false
}

// atEvent says whether an event begins here.
func (s *splitter) atEvent() bool {
	head, _ := s.in.Peek(len(openEvent) + 1)
	return eventTag(head)
}

// eventTag says whether text begins with the start tag of an event.
func eventTag(text []byte) bool {
	return bytes.HasPrefix(text, []byte(openEvent)) && len(text) > len(openEvent) &&
		bytes.IndexByte([]byte("> \t\r\n"), text[len(openEvent)]) >= 0
}

// event reads an event to its end tag and returns it in one line. An event that
// begins before another has ended means that the first was cut off.
func (s *splitter) event() ([]byte, error) {
	raw := s.start
	s.start = nil
	size := len(raw)
	for {
		part, err := s.in.ReadSlice('>')
		s.line += bytes.Count(part, []byte{'\n'})
		if open := bytes.LastIndexByte(part, '<'); size > 0 && open >= 0 && eventTag(part[open:]) {
			s.start = bytes.Clone(part[open:])
			return nil, ErrBroken
		}
		size += len(part)
		if size <= s.max {
			raw = append(raw, part...)
		}
		switch {
		case size <= s.max && bytes.HasSuffix(raw, []byte(closeEvent)):
			return oneLineXML(raw), nil
		case size > s.max && bytes.HasSuffix(part, []byte(closeEvent)):
			return nil, fmt.Errorf("%w (%d bytes)", ErrRecordTooLarge, s.max)
		case errors.Is(err, io.EOF):
			return nil, ErrBroken
		case err != nil && len(part) == 0:
			return nil, err
		}
	}
}

// oneLineXML writes XML without line ends: between tags they are dropped with the
// white space around them, within tags they become spaces, and in text
// references to themselves.
func oneLineXML(raw []byte) []byte {
	if bytes.IndexByte(raw, '\n') < 0 {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		open := bytes.IndexByte(raw, '<')
		if open < 0 {
			open = len(raw)
		}
		if text := raw[:open]; len(bytes.TrimSpace(text)) > 0 {
			text = bytes.ReplaceAll(text, []byte{'\r'}, []byte("&#13;"))
			out = append(out, bytes.ReplaceAll(text, []byte{'\n'}, []byte("&#10;"))...)
		}
		raw = raw[open:]
		end := bytes.IndexByte(raw, '>') + 1
		if end == 0 {
			end = len(raw)
		}
		tag := bytes.ReplaceAll(raw[:end], []byte{'\r'}, nil)
		out = append(out, bytes.ReplaceAll(tag, []byte{'\n'}, []byte{' '})...)
		raw = raw[end:]
	}
	return out
}

package monitor

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// sorted is a request's lines, told apart.
type sorted struct {
	lines   [][]byte // accepted, as sent
	numbers []int    // their 1-based numbers in the request
	bytes   int      // of the accepted lines
	refused []refusedLine
}

type refusedLine struct {
	Rejection
	raw []byte
}

// total is the number of lines that are not blank.
func (s *sorted) total() int { return len(s.lines) + len(s.refused) }

const byteOrderMark = "\xef\xbb\xbf"

// sortLines splits NDJSON at line feeds and validates each line. A byte order
// mark at the start, carriage returns before line feeds and blank lines are
// no part of any record.
func sortLines(text []byte, lim DoorLimits) (*sorted, error) {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	s := &sorted{}
	check := event.NewDecoder(event.Limits{MaxBytes: lim.MaxLine})
	for number := 1; len(text) > 0; number++ {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if s.total() == lim.MaxLines {
			return nil, errs.New(errs.TooLarge, "door.too_many_lines", strconv.Itoa(lim.MaxLines))
		}
		s.add(number, line, check)
	}
	return s, nil
}

func (s *sorted) add(number int, line []byte, check *event.Decoder) {
	if why := validate(line, check); why != nil {
		why.Line = number
		s.refused = append(s.refused, refusedLine{*why, line})
		return
	}
	s.lines = append(s.lines, line)
	s.numbers = append(s.numbers, number)
	s.bytes += len(line)
}

// validate says why the line is no record; nil when it is one.
func validate(line []byte, check *event.Decoder) (why *Rejection) {
	defer func() {
		if recover() != nil { // a defect in the decoder must not cost the batch
			why = &Rejection{Reason: reasonPoison}
		}
	}()
	err := check.Check(line)
	if err == nil {
		return nil
	}
	if d, ok := errors.AsType[*event.DecodeError](err); ok {
		return &Rejection{Reason: d.Reason, Offset: d.Offset}
	}
	return &Rejection{Reason: event.ReasonBadJSON}
}

// reasonPoison marks a record that a part of the program failed on.
const reasonPoison = "poison"

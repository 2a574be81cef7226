package sender

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Answer is what the door says about one batch.
type Answer struct {
	Accepted  int          `json:"accepted"`
	Duplicate int          `json:"duplicate"`
	Rejected  []RejectLine `json:"rejected"`
}

// RejectLine is one line the door did not take.
type RejectLine struct {
	Line   int    `json:"line"`   // 1-based in the batch
	Reason string `json:"reason"` // a word for programs
	Text   string `json:"text"`   // the same for people, in Config.Language; may be empty
}

// parseAnswer reads a 200's body. One that is cut off or is something else
// altogether is an error worth a repetition: the door knows the key.
func parseAnswer(text []byte) (Answer, error) {
	if len(text) > maxAnswer {
		return Answer{}, fmt.Errorf("sender: answer is over %d bytes", maxAnswer)
	}
	var a struct {
		Answer
		Accepted *int `json:"accepted"` // must be there: {} is no answer
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return Answer{}, fmt.Errorf("sender: understand answer: %w", err)
	}
	if a.Accepted == nil || *a.Accepted < 0 || a.Duplicate < 0 {
		return Answer{}, errors.New("sender: answer without counts")
	}
	a.Answer.Accepted = *a.Accepted
	return a.Answer, nil
}

// RefusedError is an answer other than 200.
type RefusedError struct {
	Status     int
	Detail     string        // what the door said, at most 300 bytes
	RetryAfter time.Duration // what the door asked for, at most an hour; 0 if nothing
}

// Error implements error.
func (e *RefusedError) Error() string {
	text := fmt.Sprintf("sender: the centre answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Temporary reports whether the same batch may be taken later.
func (e *RefusedError) Temporary() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusInsufficientStorage:
		return true
	}
	return false
}

// maxRetryAfter bounds what a door, or something in front of it, can make a
// sender wait.
const maxRetryAfter = time.Hour

func refusal(resp *http.Response, text []byte) *RefusedError {
	e := &RefusedError{Status: resp.StatusCode, Detail: detail(text)}
	if where := resp.Header.Get("Location"); where != "" {
		e.Detail = "redirects to " + detail([]byte(where))
	}
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	return e
}

// retryAfter reads the header's two forms (RFC 9110, section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// detail picks the readable part of a problem document (RFC 9457), or the
// beginning of whatever text it is, in one line.
func detail(text []byte) string {
	var p struct{ Title, Detail, Error, Message string }
	if json.Unmarshal(text, &p) == nil {
		for _, s := range []string{p.Detail, p.Message, p.Error, p.Title} {
			if s != "" {
				return oneLine(s)
			}
		}
	}
	return oneLine(string(text))
}

// oneLine keeps a foreign text from breaking a terminal.
func oneLine(s string) string {
	const most = 300
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	for i := range s {
		if i > most-4 {
			return s[:i] + "…"
		}
	}
	return s
}

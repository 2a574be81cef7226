package taxii

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// answer is a response on its way out.
type answer struct {
	code  int // 200 when 0
	body  any
	dates []Object // of which the date headers tell
}

func (a answer) write(w http.ResponseWriter, r *http.Request) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a.body); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	header := w.Header()
	header.Set("Content-Type", MediaType)
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	if len(a.dates) > 0 {
		first, last := a.dates[0].DateAdded, a.dates[0].DateAdded
		for _, o := range a.dates {
			if o.DateAdded.Before(first) {
				first = o.DateAdded
			}
			if o.DateAdded.After(last) {
				last = o.DateAdded
			}
		}
		header.Set(HeaderFirst, FormatTime(first))
		header.Set(HeaderLast, FormatTime(last))
	}
	w.WriteHeader(orElse(a.code, http.StatusOK))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes()) // a reader that is gone is not our failure
	}
	return nil
}

// httpError is an answer the server itself gives. Both texts are sent.
type httpError struct {
	code               int
	title, description string
}

func (e *httpError) Error() string { return e.title + ": " + e.description }

// fail answers with an error message. The text of an unexpected error goes to the
// log under the error_id, never to the viewer.
func (s *Server[V]) fail(w http.ResponseWriter, r *http.Request, err error) {
	shown := explain(err)
	if shown.code == http.StatusUnauthorized {
		w.Header().Add("WWW-Authenticate", `Basic realm="`+s.cfg.Realm+`", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", `Bearer realm="`+s.cfg.Realm+`"`)
	}
	message := ErrorMessage{Title: shown.title, Description: shown.description, HTTPStatus: strconv.Itoa(shown.code)}
	if shown.code >= 500 {
		message.ErrorID = rand.Text()
		s.cfg.Log.ErrorContext(r.Context(), "taxii request failed",
			slog.String("error_id", message.ErrorID), slog.String("method", r.Method),
			slog.String("path", r.URL.Path), slog.Any("error", err))
	}
	_ = answer{code: shown.code, body: message}.write(w, r) // an ErrorMessage always encodes
}

func explain(err error) *httpError {
	var own *httpError
	var rejected *RejectedError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &rejected):
		return &httpError{http.StatusUnprocessableEntity, "Unprocessable Content", rejected.Reason}
	case errors.Is(err, ErrUnauthenticated):
		return &httpError{http.StatusUnauthorized, "Unauthorized", "Give valid credentials."}
	case errors.Is(err, ErrForbidden):
		return &httpError{http.StatusForbidden, "Forbidden", "These credentials do not allow this."}
	case errors.Is(err, ErrNotFound):
		return &httpError{http.StatusNotFound, "Not Found", "There is no such resource, or it is not for you."}
	case errors.Is(err, ErrCursor):
		return &httpError{http.StatusBadRequest, "Bad Request", "next is not a value that this server gave for this query."}
	case errors.Is(err, ErrUnavailable):
		return &httpError{http.StatusServiceUnavailable, "Service Unavailable", "Try again later."}
	}
	return &httpError{http.StatusInternalServerError, "Internal Server Error", "The server failed. Give the error_id when you ask about it."}
}

// accepts reports whether an Accept header takes TAXII 2.1. None at all takes
// everything (RFC 9110, section 12.5.1).
func accepts(headers []string) bool {
	if len(headers) == 0 {
		return true
	}
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		typ, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil && q <= 0 {
			continue
		}
		if typ == "*/*" || typ == "application/*" || typ == "application/taxii+json" && isVersion21(params) {
			return true
		}
	}
	return false
}

// isTAXII reports whether a Content-Type is TAXII 2.1.
func isTAXII(contentType string) bool {
	typ, params, err := mime.ParseMediaType(contentType)
	return err == nil && typ == "application/taxii+json" && isVersion21(params)
}

// isVersion21 reports whether the version is 2.1 or left to the server.
func isVersion21(params map[string]string) bool {
	version, given := params["version"]
	return !given || version == "2.1"
}

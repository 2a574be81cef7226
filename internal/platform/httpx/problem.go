package httpx

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// Problem is an error answer (RFC 9457). Type is "about:blank" plus the
// catalogue key in Code, which programs may rely on; Title and Detail are for
// people, in the language of the request.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Code      string `json:"code"`
	RequestID string `json:"request_id,omitempty"`
	Details   any    `json:"details,omitempty"` // what changed, or which fields are wrong
}

// Status is the HTTP status of an error kind: the one place that decides it.
func Status(k errs.Kind) int {
	switch k {
	case errs.Invalid:
		return http.StatusBadRequest
	case errs.Unauthenticated:
		return http.StatusUnauthorized
	case errs.Forbidden:
		return http.StatusForbidden
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Conflict:
		return http.StatusConflict
	case errs.TooLarge:
		return http.StatusRequestEntityTooLarge
	case errs.TooMany:
		return http.StatusTooManyRequests
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	case errs.Full:
		return http.StatusInsufficientStorage
	case errs.Stale:
		return http.StatusPreconditionFailed
	}
	return http.StatusInternalServerError
}

// KindName is the kind's name in catalogue keys: error.<name>.title and
// error.<name>.text exist for every kind.
func KindName(k errs.Kind) string {
	names := map[errs.Kind]string{
		errs.Invalid: "invalid", errs.Unauthenticated: "unauthenticated", errs.Forbidden: "forbidden",
		errs.NotFound: "not_found", errs.Conflict: "conflict", errs.TooLarge: "too_large",
		errs.TooMany: "too_many", errs.Unavailable: "unavailable", errs.Full: "full", errs.Stale: "stale",
	}
	if name, ok := names[k]; ok {
		return name
	}
	return "internal"
}

// Explain turns an error into words. The cause never shows: an error without
// a kind, or whose key has no text, is explained by its kind alone.
func Explain(texts *i18n.Catalogue, lang i18n.Lang, err error) Problem {
	kind := errs.KindOf(err)
	name := KindName(kind)
	p := Problem{
		Type: "about:blank", Status: Status(kind), Code: "error." + name,
		Title:  texts.T(lang, "error."+name+".title"),
		Detail: texts.T(lang, "error."+name+".text"),
	}
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || kind == errs.Internal {
		return p
	}
	p.Code, p.Details = e.Key, e.Details
	if text, err := texts.Text(lang, e.Key, e.Args...); err == nil {
		p.Detail = text
	}
	return p
}

// Problem answers with problem+json and keeps the error for the log line.
func (e *Edge) Problem(w http.ResponseWriter, r *http.Request, err error) {
	Note(r.Context(), err)
	p := Explain(e.texts, i18n.Negotiate(r), err)
	p.RequestID = RequestID(r.Context())
	SetRetryAfter(w.Header(), err)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="aspis"`)
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the connection is gone; nobody to tell
}

// SetRetryAfter sets the header in whole seconds, rounded up, when the error
// says when to try again.
func SetRetryAfter(h http.Header, err error) {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
}

// JSON answers with v. An error while encoding is kept for the log line.
func JSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		Note(r.Context(), err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// Handler is a handler that may fail; the edge answers for it.
type Handler func(w http.ResponseWriter, r *http.Request) error

// API makes an http.Handler whose errors are answered with problem+json. A
// handler that fails after it began to answer only has its error logged.
func (e *Edge) API(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tracked := &writer{ResponseWriter: w}
		err := h(tracked, r)
		switch {
		case err == nil:
		case tracked.status != 0:
			Note(r.Context(), err)
		default:
			e.Problem(tracked, r, err)
		}
	})
}

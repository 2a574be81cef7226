package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// outcome is how an operation failed: by its handler's error, or because huma
// refused the request.
type outcome struct {
	err     error
	refusal *huma.ErrorModel
}

type outcomeKey struct{}

func outcomeOf(ctx context.Context) *outcome {
	o, ok := ctx.Value(outcomeKey{}).(*outcome)
	if !ok {
		return &outcome{}
	}
	return o
}

type langKey struct{}

// Lang is the language of an operation's request, for words in its answer.
func Lang(ctx context.Context) i18n.Lang {
	lang, ok := ctx.Value(langKey{}).(i18n.Lang)
	if !ok {
		return i18n.En
	}
	return lang
}

// keepRefusal takes huma's own problems aside: the edge words them.
func keepRefusal(ctx huma.Context, _ string, v any) (any, error) {
	if m, ok := v.(*huma.ErrorModel); ok {
		outcomeOf(ctx.Context()).refusal = m
	}
	return v, nil
}

// answer runs an operation on a writer that holds its answer back until it is
// known to be one.
func answer(op *huma.Operation, serve func(huma.Context)) httpx.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		done := &outcome{}
		if r.Body != nil {
			r.Header.Set("Content-Type", "application/json") // the only one that is read
		}
		held := &held{header: http.Header{}}
		ctx := context.WithValue(r.Context(), outcomeKey{}, done)
		ctx = context.WithValue(ctx, langKey{}, i18n.Negotiate(r))
		serve(humago.NewContext(op, r.WithContext(ctx), held))
		switch {
		case done.err != nil:
			return done.err
		case done.refusal != nil:
			return refused(done.refusal, op.MaxBodyBytes)
		}
		return held.send(w, r)
	}
}

// refused words a request that was not read.
func refused(m *huma.ErrorModel, most int64) error {
	if m.Status == http.StatusRequestEntityTooLarge {
		return errs.New(errs.TooLarge, "api.too_large", most)
	}
	if len(m.Errors) == 0 {
		return errs.New(errs.Invalid, "api.body")
	}
	first := m.Errors[0]
	place, name, _ := strings.Cut(first.Location, ".")
	fields := make([]Field, 0, len(m.Errors))
	for _, e := range m.Errors {
		fields = append(fields, Field{At: e.Location, Problem: e.Message})
	}
	switch {
	case first.Message == "unknown query parameter":
		return errs.New(errs.Invalid, "query.unknown", name)
	case place == "body":
		return errs.New(errs.Invalid, "api.body_field", first.Location, first.Message).With(fields)
	}
	return errs.New(errs.Invalid, "api.parameter", name, first.Message).With(fields)
}

// Field is a part of a request that is wrong.
type Field struct {
	At      string `json:"at"`      // "body.title.zh", "query.limit"
	Problem string `json:"problem"` // for programs and their authors
}

// held is an answer that is not sent yet.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (h *held) Header() http.Header { return h.header }

// Write implements http.ResponseWriter.
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

// WriteHeader implements http.ResponseWriter.
func (h *held) WriteHeader(status int) { h.status = status }

// send answers, with 304 to who has it already.
func (h *held) send(w http.ResponseWriter, r *http.Request) error {
	if h.status == 0 {
		h.status = http.StatusOK
	}
	header := w.Header()
	for name, values := range h.header {
		header[name] = values
	}
	header.Set("Cache-Control", "no-store")
	if r.Method == http.MethodGet && h.status == http.StatusOK {
		if header.Get("ETag") == "" {
			sum := sha256.Sum256(h.body.Bytes())
			header.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:18])+`"`)
		}
		header.Set("Cache-Control", "private, no-cache")
		header.Set("Vary", "Authorization, Cookie")
		if slices.Contains(tags(r.Header.Get("If-None-Match")), header.Get("ETag")) {
			header.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	w.WriteHeader(h.status)
	_, err := w.Write(h.body.Bytes())
	return err
}

// tags splits a list of entity tags.
func tags(list string) []string {
	return strings.Split(strings.ReplaceAll(list, " ", ""), ",")
}

// Shown is the rows of an answer as it shows them: a list without rows is [],
// never null.
func Shown[Row, JSON any](rows []Row, show func(Row) JSON) []JSON {
	shown := make([]JSON, len(rows))
	for i, row := range rows {
		shown[i] = show(row)
	}
	return shown
}

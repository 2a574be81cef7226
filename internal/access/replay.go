package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Replay is an answer that is kept for when its request comes again.
type Replay struct {
	Request string // hash of what was asked
	Answer  string // sealed; empty while the first request is being answered
	At      time.Time
}

// ReplayStore keeps replays by slot.
type ReplayStore interface {
	// Claim stores an unanswered replay unless the slot has one from after
	// since, which is returned instead.
	Claim(ctx context.Context, slot string, r Replay, since time.Time) (found Replay, claimed bool, err error)
	// Together runs work, and stores what it and all that it calls with its
	// context write in one transaction: all of it, or, when it fails, nothing.
	// work may be run again.
	Together(ctx context.Context, work func(ctx context.Context) error) error
	// Keep stores the answer of a claimed slot; errs.Conflict when it has one.
	Keep(ctx context.Context, slot, answer string) error
	// Release frees a slot without an answer: its request failed, and may be
	// sent again.
	Release(ctx context.Context, slot string) error
}

// Sealer makes texts that only this installation reads.
type Sealer interface {
	Seal(plain []byte) string
	Open(sealed string) ([]byte, error)
}

// Memory answers requests that come again with the same Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header-07) as it did the first time.
// Answers are sealed: some hold a secret that is shown once.
type Memory struct {
	store  ReplayStore
	sealer Sealer
	now    func() time.Time
}

// NewMemory returns a memory over its store.
func NewMemory(store ReplayStore, sealer Sealer, now func() time.Time) *Memory {
	return &Memory{store, sealer, now}
}

// Remember makes operations that create answer again from the memory.
func (rs *Routes) Remember(m *Memory) { rs.memo = m }

// ReplayLife is how long an answer is kept.
const ReplayLife = 24 * time.Hour

const (
	idempotencyKey  = "Idempotency-Key"
	maxKey          = 255
	replayUnsettled = time.Minute // a request that takes longer ended without an answer
)

// kept is an answer as it is sealed.
type kept struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// remembered answers with h, or with what h answered before.
func (rs *Routes) remembered(d Doc, h httpx.Handler) httpx.Handler {
	if !d.Creates {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		key := r.Header.Get(idempotencyKey)
		switch {
		case key == "" || rs.memo == nil:
			return h(w, r)
		case len(key) > maxKey:
			return errs.New(errs.Invalid, "api.key_too_long", maxKey)
		}
		return rs.memo.serve(w, r, key, d, h)
	}
}

func (m *Memory) serve(w http.ResponseWriter, r *http.Request, key string, d Doc, h httpx.Handler) error {
	most := max(d.MaxBody, defaultMaxBody)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errs.New(errs.TooLarge, "api.too_large", most).Because(err)
	}
	if err != nil {
		return errs.New(errs.Invalid, "api.body").Because(err)
	}
	who := sector.ViewerFrom(r.Context()).Actor()
	slot, now := digest(who, r.Method, r.URL.Path, key), m.now().UTC()
	asked := digest(r.URL.RawQuery, string(body))
	found, claimed, err := m.claim(r.Context(), slot, asked, now)
	switch {
	case err != nil:
		return err
	case claimed:
		return m.first(w, r, slot, body, h)
	case found.Request != asked:
		return errs.New(errs.Conflict, "api.key_reused")
	case found.Answer == "":
		e := errs.New(errs.Conflict, "api.key_in_use")
		e.RetryAfter = time.Second
		return e
	}
	return m.again(w, found.Answer)
}

// claim takes the slot; one whose request never ended is free after a while.
func (m *Memory) claim(ctx context.Context, slot, asked string, now time.Time) (Replay, bool, error) {
	mine := Replay{Request: asked, At: now}
	found, claimed, err := m.store.Claim(ctx, slot, mine, now.Add(-ReplayLife))
	if err == nil && !claimed && found.Answer == "" && now.Sub(found.At) > replayUnsettled {
		return m.store.Claim(ctx, slot, mine, now)
	}
	return found, claimed, err
}

// first answers for the first time. The answer is kept in the transaction of
// what the request changes, so that there is never the one without the other.
func (m *Memory) first(w http.ResponseWriter, r *http.Request, slot string, body []byte, h httpx.Handler) error {
	var answer *held
	var failed error
	err := m.store.Together(r.Context(), func(ctx context.Context) error {
		once := r.WithContext(ctx)
		once.Body = io.NopCloser(bytes.NewReader(body))
		answer = &held{header: http.Header{}}
		if failed = h(answer, once); failed == nil {
			return m.keep(ctx, slot, answer)
		}
		return nil // what it wrote before it failed stays, as without a key
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return errors.Join(err, m.store.Release(context.WithoutCancel(r.Context()), slot)) // the client may be gone
	}
	return answer.send(w, r)
}

func (m *Memory) keep(ctx context.Context, slot string, a *held) error {
	raw, err := json.Marshal(kept{a.status, a.header, a.body.Bytes()})
	if err != nil {
		return err
	}
	return m.store.Keep(ctx, slot, m.sealer.Seal(raw))
}

func (m *Memory) again(w http.ResponseWriter, sealed string) error {
	raw, err := m.sealer.Open(sealed)
	if err != nil {
		return err
	}
	var k kept
	if err := json.Unmarshal(raw, &k); err != nil {
		return err
	}
	for name, values := range k.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Idempotent-Replayed", "true")
	w.WriteHeader(k.Status)
	_, err = w.Write(k.Body)
	return err
}

// digest is a hash of texts that no other texts have.
func digest(texts ...string) string {
	raw, err := json.Marshal(texts)
	if err != nil { // texts always encode
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

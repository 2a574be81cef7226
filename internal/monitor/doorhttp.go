package monitor

import (
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// MaxIdempotencyKey bounds the Idempotency-Key header in bytes.
const MaxIdempotencyKey = 255

// DoorAPI serves the door over HTTP:
//
//	POST   /api/v1/records                       NDJSON; the answer follows the records to disk
//	GET    /api/v1/records/rejected?after=&limit= the member's dead letters
//	GET    /api/v1/records/rejected/{id}          one, whole
//	POST   /api/v1/records/rejected/{id}/resend   again, or the body in its place
//	DELETE /api/v1/records/rejected/{id}
//
// The viewer in the request's context decides the member. An
// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07) used again
// with another body is answered 409.
type DoorAPI struct {
	door  *Door
	texts *i18n.Catalogue
}

// NewDoorAPI returns the door's routes.
func NewDoorAPI(door *Door, texts *i18n.Catalogue) *DoorAPI {
	return &DoorAPI{door: door, texts: texts}
}

// Mount adds the routes.
func (a *DoorAPI) Mount(routes *access.Routes) {
	tag := "records"
	access.Describe[recordsIn, doorOut](routes, "POST /api/v1/records", sector.SendRecords,
		access.Doc{ID: "record-send", Tag: tag, Takes: "application/x-ndjson"}, a.send)
	access.Describe[lettersIn, lettersOut](routes, "GET /api/v1/records/rejected", sector.ReadRejected,
		access.Doc{ID: "rejected-list", Tag: tag}, a.letters)
	access.Describe[letterIn, letterOut](routes, "GET /api/v1/records/rejected/{id}", sector.ReadRejected,
		access.Doc{ID: "rejected-show", Tag: tag}, a.letter)
	access.Describe[letterIn, doorOut](routes, "POST /api/v1/records/rejected/{id}/resend", sector.SendRejected,
		access.Doc{ID: "rejected-resend", Tag: tag, Takes: "application/json"}, a.resend)
	access.Describe[letterIn, noneOut](routes, "DELETE /api/v1/records/rejected/{id}", sector.DropRejected,
		access.Doc{ID: "rejected-drop", Tag: tag}, a.drop)
}

func (a *DoorAPI) send(w http.ResponseWriter, r *http.Request) error {
	start := time.Now()
	member := sector.ViewerFrom(r.Context()).Member
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	if err := a.door.quotas.overdrawn(member, a.door.now()); err != nil {
		return err
	}
	text, err := a.door.bodies.read(w, r)
	if err != nil {
		return err
	}
	defer text.release()
	if err := a.door.quotas.takeBytes(member, len(text.bytes), a.door.now()); err != nil {
		return err
	}
	answer, err := a.door.Accept(r.Context(), member, key, text.bytes)
	if err != nil {
		return err
	}
	a.door.metrics.answered(time.Since(start))
	a.reply(w, r, answer)
	return nil
}

func idempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > MaxIdempotencyKey {
		return "", errs.New(errs.Invalid, "door.key_too_long", strconv.Itoa(MaxIdempotencyKey))
	}
	return key, nil
}

// answerJSON is the answer on the wire.
type answerJSON struct {
	Accepted  int            `json:"accepted"`
	Duplicate int            `json:"duplicate"`
	Rejected  []rejectedJSON `json:"rejected"`
}

type rejectedJSON struct {
	Rejection
	Text string `json:"text"` // the reason in the language of the request
}

func (a *DoorAPI) reply(w http.ResponseWriter, r *http.Request, answer Answer) {
	lang := i18n.Negotiate(r)
	out := answerJSON{Accepted: answer.Accepted, Duplicate: answer.Duplicate, Rejected: []rejectedJSON{}}
	for _, x := range answer.Rejected {
		out.Rejected = append(out.Rejected, rejectedJSON{x, a.reason(lang, x.Reason)})
	}
	httpx.JSON(w, r, http.StatusOK, out)
}

func (a *DoorAPI) reason(lang i18n.Lang, reason string) string {
	return a.texts.T(lang, "door.reason."+reason)
}

// letterJSON is a dead letter on the wire. Exactly one of Raw and RawBase64
// is set: the latter when the line is not UTF-8.
type letterJSON struct {
	ID string `json:"id"`
	rejectedJSON
	At        string `json:"at"`
	Bytes     int    `json:"bytes"`
	Cut       bool   `json:"cut"`
	Raw       string `json:"raw,omitempty"`
	RawBase64 []byte `json:"raw_base64,omitempty"`
}

func (a *DoorAPI) letterJSON(lang i18n.Lang, d DeadLetter) letterJSON {
	out := letterJSON{
		ID: d.ID, rejectedJSON: rejectedJSON{d.Rejection, a.reason(lang, d.Reason)},
		At: stamp(d.At), Bytes: d.Bytes, Cut: d.Cut(),
	}
	if utf8.Valid(d.Raw) {
		out.Raw = string(d.Raw)
	} else {
		out.RawBase64 = d.Raw
	}
	return out
}

// stamp writes a time as RFC 3339 in UTC with microseconds.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

func (a *DoorAPI) letters(w http.ResponseWriter, r *http.Request) error {
	member := sector.ViewerFrom(r.Context()).Member
	limit, err := limitOf(r, 50, 200)
	if err != nil {
		return err
	}
	list, err := a.door.receipts.Letters(r.Context(), member, r.URL.Query().Get("after"), limit+1)
	if err != nil {
		return err
	}
	out := letterPageJSON{Rejected: []letterJSON{}}
	if len(list) > limit {
		list = list[:limit]
		out.Next = list[limit-1].ID
	}
	lang := i18n.Negotiate(r)
	for _, d := range list {
		out.Rejected = append(out.Rejected, a.letterJSON(lang, d))
	}
	httpx.JSON(w, r, http.StatusOK, out)
	return nil
}

// limitOf reads ?limit=.
func limitOf(r *http.Request, def, most int) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, errs.New(errs.Invalid, "monitor.limit", strconv.Itoa(most))
	}
	return n, nil
}

func (a *DoorAPI) letter(w http.ResponseWriter, r *http.Request) error {
	d, err := a.door.receipts.Letter(r.Context(), sector.ViewerFrom(r.Context()).Member, r.PathValue("id"))
	if err != nil {
		return err
	}
	httpx.JSON(w, r, http.StatusOK, a.letterJSON(i18n.Negotiate(r), d))
	return nil
}

func (a *DoorAPI) resend(w http.ResponseWriter, r *http.Request) error {
	corrected, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(a.door.limits.MaxLine)+4))
	if err != nil {
		return errs.New(errs.TooLarge, "door.line_too_large", strconv.Itoa(a.door.limits.MaxLine>>10)).Because(err)
	}
	answer, err := a.door.Resend(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id"), corrected)
	if err != nil {
		return err
	}
	a.reply(w, r, answer)
	return nil
}

func (a *DoorAPI) drop(w http.ResponseWriter, r *http.Request) error {
	if err := a.door.Drop(r.Context(), sector.ViewerFrom(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

package intel

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/httpx"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// api is /api/v1/advisories and /api/v1/drafts.
type api struct {
	svc     *Service
	sealer  Sealer
	cursors access.Cursors
	texts   *i18n.Catalogue
}

// MountAPI adds
//
//	GET  /api/v1/advisories               scope advisories
//	GET  /api/v1/advisories/{id}
//	POST /api/v1/advisories/{id}/answers
//	GET  /api/v1/figures
//
// and the centre's /api/v1/drafts.
func MountAPI(routes *access.Routes, svc *Service, sealer Sealer) {
	a := api{svc, sealer, access.NewCursors(sealer), routes.Texts()}
	a.mountDrafts(routes)
	a.mountFigures(routes)
	tag := "advisories"
	access.Describe[listIn, listOut](routes, "GET /api/v1/advisories", sector.ReadAdvisories,
		access.Doc{ID: "advisory-list", Tag: tag}, a.list)
	access.Describe[itemIn, itemOut](routes, "GET /api/v1/advisories/{id}", sector.ReadAdvisories,
		access.Doc{ID: "advisory-show", Tag: tag}, a.item)
	access.Describe[answerIn, answerOut](routes, "POST /api/v1/advisories/{id}/answers", sector.AnswerWarnings,
		access.Doc{ID: "advisory-answer", Tag: tag, Status: http.StatusCreated}, a.answer)
}

// What the operations read and answer, for the document.
type (
	listIn struct {
		Limit      int       `query:"limit" minimum:"1" maximum:"499" default:"50" doc:"How many at most."`
		Cursor     string    `query:"cursor" doc:"The next of the page before."`
		Order      string    `query:"order" enum:"asc,desc" default:"desc" doc:"By when it last changed for the reader."`
		Category   Category  `query:"category" enum:"ANA,EWA,INT,DEF,FBI"`
		Text       string    `query:"q" maxLength:"200" doc:"In either title."`
		Unanswered bool      `query:"unanswered" doc:"Only those that wait for an answer of the reader."`
		AddedAfter time.Time `query:"added_after" doc:"Only what changed after this time."`
	}
	listOut struct{ Body pageJSON }
	itemIn  struct {
		ID string `path:"id" format:"uuid"`
	}
	itemOut struct {
		ETag string `header:"ETag"`
		Body advisoryJSON
	}
	answerIn struct {
		ID   string `path:"id" format:"uuid"`
		Body struct {
			Answer AnswerKind `json:"answer" enum:"not_affected,affected,blocked,false_alarm,true_incident,undetermined"`
			Reason string     `json:"reason,omitempty" doc:"Required for the last three answers, which are for EWA."`
		}
	}
	answerOut struct{ Body answerJSON }
)

// advisoryJSON is an advisory as a recipient's program reads it. Times are
// RFC 3339 in UTC.
type advisoryJSON struct {
	ID              AdvisoryID      `json:"id"`
	Revision        int             `json:"revision"` // counts the versions this recipient was given
	State           State           `json:"state"`    // "released" or "withdrawn"
	Title           Text            `json:"title"`
	Body            Text            `json:"body"`
	TLP             sector.TLP      `json:"tlp"`
	PAP             sector.PAP      `json:"pap"`
	Category        Category        `json:"category"`
	RSIT            string          `json:"rsit,omitempty"`
	Indicators      []indicatorJSON `json:"indicators"`
	AnswerDue       time.Time       `json:"answer_due,omitzero"`
	FirstReleasedAt time.Time       `json:"first_released_at"`
	ReleasedAt      time.Time       `json:"released_at"`
	WithdrawnAt     time.Time       `json:"withdrawn_at,omitzero"`
	OpenedAt        time.Time       `json:"opened_at,omitzero"`
	Answer          *answerJSON     `json:"answer,omitempty"`
}

// indicatorJSON is an indicator with the id it has in TAXII.
type indicatorJSON struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Value   string `json:"value"`
	Under   bool   `json:"subdomains,omitempty"`
	Pattern string `json:"pattern"`
}

type answerJSON struct {
	Answer AnswerKind `json:"answer"`
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"answered_at,omitzero"`
}

// pageJSON is a page of advisories. Next is given when there are more.
type pageJSON struct {
	Advisories []advisoryJSON `json:"advisories"`
	More       bool           `json:"more"`
	Next       string         `json:"next,omitempty"`
}

func newAdvisoryJSON(r ReleasedAdvisory) (advisoryJSON, error) {
	m := r.Marking.OrDefault()
	a := advisoryJSON{
		ID: r.ID, Revision: r.Revision, State: Released, Title: r.Title, Body: r.Body, TLP: m.TLP, PAP: m.PAP,
		Category: r.Category, RSIT: r.RSIT, Indicators: []indicatorJSON{}, AnswerDue: r.AnswerDue.UTC(),
		FirstReleasedAt: r.CreatedAt, ReleasedAt: r.ReleasedAt, WithdrawnAt: r.WithdrawnAt, OpenedAt: r.OpenedAt,
	}
	if !r.WithdrawnAt.IsZero() {
		a.State = Withdrawn
	}
	for _, i := range r.Indicators {
		pattern, err := i.Pattern()
		if err != nil {
			return a, err
		}
		a.Indicators = append(a.Indicators, indicatorJSON{i.ID, i.Kind.String(), i.Value, i.Under, pattern})
	}
	if r.Answer != nil {
		a.Answer = &answerJSON{r.Answer.Kind, r.Answer.Reason, r.Answer.At}
	}
	return a, nil
}

func (a api) list(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	q, err := a.query(r, v)
	if err != nil {
		return err
	}
	limit := q.Limit
	q.Limit = min(limit+1, MaxPage)
	found, err := a.svc.Released(r.Context(), v, q)
	if err != nil {
		return err
	}
	page := pageJSON{Advisories: []advisoryJSON{}}
	if len(found) > limit {
		found = found[:limit]
		page.More, page.Next = true, sealPlace(a.sealer, apiTag(v, q), found[limit-1].Place())
	}
	for _, f := range found {
		one, err := newAdvisoryJSON(f)
		if err != nil {
			return err
		}
		page.Advisories = append(page.Advisories, one)
	}
	return answerTagged(w, r, page)
}

// apiLimit is the page size by default; at most MaxPage-1, as one row more is
// read to know whether there are more.
const apiLimit = 50

// maxQueryText bounds the words to look for in bytes.
const maxQueryText = 200

// query reads the parameters limit, cursor, order (asc, desc), category, q,
// unanswered (true), added_after (RFC 3339). Others are refused, because a
// filter that is silently ignored shows too much.
func (a api) query(r *http.Request, v sector.Viewer) (ReleasedQuery, error) {
	q := ReleasedQuery{Limit: apiLimit}
	var cursor string
	var err error
	for name, values := range r.URL.Query() {
		value := values[0]
		switch name {
		case "limit":
			q.Limit, err = strconv.Atoi(value)
			if err != nil || q.Limit < 1 || q.Limit >= MaxPage {
				err = errs.New(errs.Invalid, "query.limit", MaxPage-1)
			}
		case "cursor":
			cursor = value
		case "order":
			q.Ascending = value == "asc"
			err = oneOf(name, value, "asc", "desc")
		case "category":
			q.Category = Category(value)
			err = oneOf(name, value, "ANA", "EWA", "INT", "DEF", "FBI")
		case "q":
			q.Text = value
			if len(value) > maxQueryText {
				err = errs.New(errs.Invalid, "query.text", name, maxQueryText)
			}
		case "unanswered":
			q.Unanswered = value == "true"
			err = oneOf(name, value, "true", "false")
		case "added_after":
			if q.AddedAfter, err = time.Parse(time.RFC3339Nano, value); err != nil {
				err = errs.New(errs.Invalid, "query.time", name)
			}
		default:
			err = errs.New(errs.Invalid, "query.unknown", name)
		}
		if err != nil {
			return q, err
		}
	}
	if cursor != "" {
		q.After, err = openPlace(a.sealer, apiTag(v, q), cursor)
	}
	return q, err
}

func oneOf(name, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return errs.New(errs.Invalid, "query.value", name, strings.Join(allowed, ", "))
}

// apiTag binds a cursor to the viewer and the question.
func apiTag(v sector.Viewer, q ReleasedQuery) []byte {
	raw, err := json.Marshal([]any{v.Org, v.Member, q.AddedAfter, q.Ascending, q.Text, q.Category, q.Unanswered})
	if err != nil { // plain data
		return nil
	}
	sum := sha256.Sum256(raw)
	return append([]byte("place1"), sum[:10]...)
}

func sealPlace(s Sealer, tag []byte, p Place) string {
	plain := binary.BigEndian.AppendUint64(tag, uint64(p.At.UnixMicro())) //nolint:gosec // times are positive
	return s.Seal(append(plain, p.ID...))
}

func openPlace(s Sealer, tag []byte, token string) (Place, error) {
	plain, err := s.Open(token)
	if err != nil || len(plain) < len(tag)+8 || string(plain[:len(tag)]) != string(tag) {
		return Place{}, errs.New(errs.Invalid, "query.cursor")
	}
	rest := plain[len(tag):]
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(rest))).UTC() //nolint:gosec // we wrote it
	return Place{At: at, ID: AdvisoryID(rest[8:])}, nil
}

func (a api) item(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	found, err := a.svc.Read(r.Context(), v, AdvisoryID(r.PathValue("id")))
	if err != nil {
		return err
	}
	one, err := newAdvisoryJSON(found)
	if err != nil {
		return err
	}
	return answerTagged(w, r, one)
}

// maxAnswerBody bounds an answer's JSON in bytes.
const maxAnswerBody = 16 << 10

func (a api) answer(w http.ResponseWriter, r *http.Request) error {
	v := sector.ViewerFrom(r.Context())
	in, err := readAnswer(http.MaxBytesReader(w, r.Body, maxAnswerBody))
	if err != nil {
		return err
	}
	given, err := a.svc.Answer(r.Context(), v, AdvisoryID(r.PathValue("id")), in.Answer, in.Reason)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	httpx.JSON(w, r, http.StatusCreated, answerJSON{given.Kind, given.Reason, given.At})
	return nil
}

// readAnswer reads {"answer": …, "reason": …} and nothing else.
func readAnswer(body io.Reader) (answerJSON, error) {
	var in struct {
		Answer AnswerKind `json:"answer"`
		Reason string     `json:"reason"`
	}
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	err := dec.Decode(&in)
	if err == nil && dec.More() {
		err = errors.New("more than one value")
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return answerJSON{}, errs.New(errs.TooLarge, "answer.too_large", maxAnswerBody).Because(err)
	}
	if err != nil {
		return answerJSON{}, errs.New(errs.Invalid, "answer.not_json").Because(err)
	}
	return answerJSON{Answer: in.Answer, Reason: in.Reason}, nil
}

// answerTagged answers with v and its ETag, or 304 when the client has it.
func answerTagged(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Authorization, Cookie")
	if slices.Contains(strings.Split(strings.ReplaceAll(r.Header.Get("If-None-Match"), " ", ""), ","), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/json")
	_, err = w.Write(append(body, '\n'))
	return err
}

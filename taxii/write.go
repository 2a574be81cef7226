package taxii

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// status answers what became of an earlier request. Without a writer there never
// was one.
func (s *Server[V]) status(c call[V]) (answer, error) {
	if s.cfg.Writer == nil {
		return answer{}, ErrNotFound
	}
	st, err := s.cfg.Writer.Status(c.Context(), c.viewer, c.root.Name, c.target.status)
	if err != nil {
		return answer{}, fmt.Errorf("status: %w", err)
	}
	return answer{body: st}, nil
}

// addObjects takes an envelope (section 5.5).
func (s *Server[V]) addObjects(c call[V]) (answer, error) {
	found, err := s.find(c)
	if err != nil {
		return answer{}, err
	}
	if !found.CanWrite { // never set without a writer
		return answer{}, &httpError{http.StatusForbidden, "Forbidden", "This collection cannot be written."}
	}
	if !isTAXII(c.Header.Get("Content-Type")) {
		return answer{}, &httpError{http.StatusUnsupportedMediaType, "Unsupported Media Type", "Send " + MediaType + "."}
	}
	objects, err := s.readEnvelope(c.Request)
	if err != nil {
		return answer{}, err
	}
	st, err := s.cfg.Writer.Add(c.Context(), c.viewer, c.root.Name, found.ID, objects)
	if err != nil {
		return answer{}, fmt.Errorf("add objects: %w", err)
	}
	return answer{code: http.StatusAccepted, body: st}, nil
}

func (s *Server[V]) readEnvelope(r *http.Request) ([]json.RawMessage, error) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, s.cfg.MaxBody))
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return nil, &httpError{http.StatusRequestEntityTooLarge, "Content Too Large", fmt.Sprintf("At most %d bytes are read.", s.cfg.MaxBody)}
	}
	if err != nil {
		return nil, &httpError{http.StatusBadRequest, "Bad Request", "The body broke off."}
	}
	var e Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, &httpError{http.StatusBadRequest, "Bad Request", "The body is not an envelope in JSON."}
	}
	if len(e.Objects) == 0 {
		return nil, &httpError{http.StatusUnprocessableEntity, "Unprocessable Content", "The envelope has no objects."}
	}
	for i, o := range e.Objects {
		if o[0] != '{' {
			return nil, &httpError{http.StatusUnprocessableEntity, "Unprocessable Content", fmt.Sprintf("objects[%d] is not a JSON object.", i)}
		}
	}
	return e.Objects, nil
}

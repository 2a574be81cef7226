package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/outbound"
	"github.com/aspis-platform/aspis/internal/sector"
)

// URLChecker refuses addresses that lead where nobody outside may send us.
type URLChecker interface {
	Check(text string) (*url.URL, error)
}

// Hook is a member's machine that is told of topics by HTTP POST, signed as
// Standard Webhooks 1.0 says.
type Hook struct {
	ID     string
	Member sector.MemberID
	URL    string
	Topics []Topic
	// Secret is sealed; so is Old, which signs too until OldUntil.
	Secret, Old string
	OldUntil    time.Time
	CreatedAt   time.Time
	ChangedAt   time.Time
}

const (
	secretPrefix = "whsec_"
	maxHooks     = 10 // of a member
	overlap      = 24 * time.Hour
)

// HookTopics lists what machines may be told.
func HookTopics() []Topic {
	var all []Topic
	for _, r := range Table() {
		if r.Hook {
			all = append(all, r.Topic)
		}
	}
	return all
}

// HooksOf lists the member's webhooks.
func (s *Service) HooksOf(ctx context.Context, v sector.Viewer) ([]Hook, error) {
	return s.Store.Hooks(ctx, s.gate.For(v))
}

// CreateHook adds a webhook and returns its secret, which is shown once.
func (s *Service) CreateHook(ctx context.Context, v sector.Viewer, address string, topics []Topic) (Hook, string, error) {
	if v.Member == "" {
		return Hook{}, "", errs.New(errs.Forbidden, "notify.members_only")
	}
	u, err := s.checkHook(address, topics)
	if err != nil {
		return Hook{}, "", err
	}
	have, err := s.HooksOf(ctx, v)
	if err != nil {
		return Hook{}, "", err
	}
	if len(have) >= maxHooks {
		return Hook{}, "", errs.New(errs.Conflict, "notify.hook.many", maxHooks)
	}
	now := s.Now().UTC()
	h := Hook{ID: newID(), Member: v.Member, URL: u.String(), Topics: topics, CreatedAt: now, ChangedAt: now}
	secret, err := s.newSecret(&h)
	if err != nil {
		return Hook{}, "", err
	}
	return h, secret, s.Store.PutHook(ctx, h, s.entry(v, "webhook.create", h))
}

func (s *Service) checkHook(address string, topics []Topic) (*url.URL, error) {
	u, err := s.Hooks.Check(strings.TrimSpace(address))
	switch {
	case errors.Is(err, outbound.ErrHost):
		return nil, errs.New(errs.Invalid, "notify.hook.host").Because(err)
	case errors.Is(err, outbound.ErrAddress):
		return nil, errs.New(errs.Invalid, "notify.hook.address").Because(err)
	case err != nil:
		return nil, errs.New(errs.Invalid, "notify.hook.url").Because(err)
	case len(topics) == 0:
		return nil, errs.New(errs.Invalid, "notify.hook.topics")
	}
	for _, t := range topics {
		if !slices.Contains(HookTopics(), t) {
			return nil, errs.New(errs.Invalid, "notify.hook.topics")
		}
	}
	return u, nil
}

// sealedFor is the purpose of webhooks' secrets.
const sealedFor = "webhook"

// newSecret gives the webhook a new secret, which it returns.
func (s *Service) newSecret(h *Hook) (string, error) {
	plain := make([]byte, 24)
	if _, err := rand.Read(plain); err != nil {
		return "", fmt.Errorf("notify: secret: %w", err)
	}
	sealed, err := s.Secrets.Seal(sealedFor, h.ID, plain)
	if err != nil {
		return "", fmt.Errorf("notify: secret: %w", err)
	}
	h.Secret = sealed
	return secretPrefix + base64.StdEncoding.EncodeToString(plain), nil
}

func (s *Service) entry(v sector.Viewer, action string, h Hook) ledger.Entry {
	host := ""
	if u, err := url.Parse(h.URL); err == nil {
		host = u.Host
	}
	return ledger.Entry{Actor: v.Actor(), Action: action, Object: "webhook:" + h.ID, Member: string(h.Member),
		Detail: detail(map[string]any{"host": host, "topics": h.Topics})}
}

// Hook is one of the viewer's webhooks.
func (s *Service) Hook(ctx context.Context, v sector.Viewer, id string) (Hook, error) {
	return s.Store.Hook(ctx, s.gate.For(v), id)
}

// RotateHook gives a webhook a new secret. The old one signs beside it for a
// day, so that the receiver can change over.
func (s *Service) RotateHook(ctx context.Context, v sector.Viewer, id string) (Hook, string, error) {
	h, err := s.Hook(ctx, v, id)
	if err != nil {
		return Hook{}, "", err
	}
	now := s.Now().UTC()
	h.Old, h.OldUntil, h.ChangedAt = h.Secret, now.Add(overlap), now
	secret, err := s.newSecret(&h)
	if err != nil {
		return Hook{}, "", err
	}
	return h, secret, s.Store.PutHook(ctx, h, s.entry(v, "webhook.rotate", h))
}

// DropHook removes a webhook; what waits for it is not sent.
func (s *Service) DropHook(ctx context.Context, v sector.Viewer, id string) error {
	h, err := s.Hook(ctx, v, id)
	if err != nil {
		return err
	}
	return s.Store.DropHook(ctx, s.gate.For(v), id, s.entry(v, "webhook.drop", h))
}

// payload is the body of a webhook. Content is for the API: a machine that is
// told fetches it there, as the gate shows it then.
type payload struct {
	Type      Topic     `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Object string     `json:"object,omitempty"`
		TLP    sector.TLP `json:"tlp,omitempty"`
		Title  *Text      `json:"title,omitempty"`
		Link   string     `json:"link"`
	} `json:"data"`
}

// call tells a machine.
func (s *Service) call(ctx context.Context, m Message, id string) error {
	member, err := s.member(ctx, m.Member)
	if err != nil {
		return err
	}
	v := memberViewer(member)
	h, err := s.Store.Hook(ctx, s.gate.For(v), id)
	if err != nil {
		return err
	}
	if len(m.Events) == 0 {
		return errGone()
	}
	e := m.Events[0]
	l, err := s.letter(ctx, v, e, false)
	if err != nil {
		return err
	}
	p := payload{Type: e.Topic, Timestamp: e.At}
	p.Data.Object, p.Data.TLP, p.Data.Link = e.Object, l.TLP, s.BaseURL+e.path()
	if l.Title != (Text{}) {
		p.Data.Title = &l.Title
	}
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("notify: payload: %w", err)
	}
	return s.push(ctx, h, m.ID, body)
}

// push makes the request. Any 2xx is success; 410 means: never again.
func (s *Service) push(ctx context.Context, h Hook, id string, body []byte) error {
	now := s.Now()
	signature, err := s.sign(h, id, now, body)
	if err != nil {
		return &failure{reason: "notify.fail.secret", final: true, cause: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return &failure{reason: "notify.hook.url", final: true, cause: err}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "aspis")
	r.Header.Set("webhook-id", "msg_"+id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("webhook-signature", signature)
	answer, err := s.Caller.Do(r)
	switch {
	case errors.Is(err, outbound.ErrHost):
		return &failure{reason: "notify.fail.host", cause: err}
	case errors.Is(err, outbound.ErrAddress):
		return &failure{reason: "notify.fail.address", cause: err}
	case errors.Is(err, outbound.ErrTooLarge) && answer.Status/100 == 2:
		return nil
	case err != nil:
		return &failure{reason: "notify.fail.hook", cause: err}
	case answer.Status/100 == 2:
		return nil
	}
	return &failure{reason: "notify.fail.status", final: answer.Status == http.StatusGone,
		cause: fmt.Errorf("HTTP %d %s", answer.Status, http.StatusText(answer.Status))}
}

// sign makes the header of Standard Webhooks 1.0: a MAC over id, time and
// body with each secret that is valid.
func (s *Service) sign(h Hook, id string, now time.Time, body []byte) (string, error) {
	secrets := []string{h.Secret}
	if h.Old != "" && now.Before(h.OldUntil) {
		secrets = append(secrets, h.Old)
	}
	var all []string
	for _, sealed := range secrets {
		secret, err := s.Secrets.Open(sealedFor, h.ID, sealed)
		if err != nil {
			return "", err
		}
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "msg_%s.%d.%s", id, now.Unix(), body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " "), nil
}

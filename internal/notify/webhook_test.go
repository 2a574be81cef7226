package notify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/outbound"
)

// machine is a member's system that checks what it gets as Standard Webhooks
// says.
type machine struct {
	*outbound.Client // for addresses
	t                *testing.T
	secrets          []string
	status           int
	bodies           []map[string]any
	ids              []string
	calls            int
	refused          int
}

func newMachine(t *testing.T) *machine {
	return &machine{Client: outbound.New(outbound.Config{}), t: t, status: http.StatusNoContent}
}

// Do implements notify.Caller.
func (m *machine) Do(r *http.Request) (outbound.Answer, error) {
	m.calls++
	if m.status == 0 {
		return outbound.Answer{}, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return outbound.Answer{Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}, nil
}

func (m *machine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		m.t.Error(err)
	}
	if !m.genuine(r.Header, body) {
		m.refused++
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if m.status/100 == 2 {
		var parsed map[string]any
		if err := json.Unmarshal(body, &parsed); err != nil {
			m.t.Error(err)
		}
		m.bodies = append(m.bodies, parsed)
	}
	m.ids = append(m.ids, r.Header.Get("webhook-id"))
	w.WriteHeader(m.status)
}

// genuine checks signature and time.
func (m *machine) genuine(h http.Header, body []byte) bool {
	at, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	for _, secret := range m.secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			m.t.Fatal(err)
		}
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%d.%s", h.Get("webhook-id"), at, body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if slices.Contains(strings.Fields(h.Get("webhook-signature")), want) {
			return true
		}
	}
	return false
}

// hooked runs a test with a machine of m1 that is told of warnings.
func hooked(t *testing.T, test func(t *testing.T, w *world, m *machine, h notify.Hook)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		w := newWorld(t, m)
		h, secret, err := w.svc.CreateHook(context.Background(), w.viewer("admin1"), "https://hooks.m1.example.org/in",
			[]notify.Topic{notify.WarningUrgent, notify.WarningOther})
		if err != nil {
			t.Fatal(err)
		}
		m.secrets = []string{secret}
		test(t, w, m, h)
	})
}

func TestWebhook(t *testing.T) {
	hooked(t, func(t *testing.T, w *world, m *machine, _ notify.Hook) {
		w.post(notify.WarningOther, "a", "m1")
		w.post(notify.Withdrawn, "b", "m1") // not one of its topics
		w.post(notify.WarningOther, "c", "m2")
		w.run(time.Second)
		if len(m.bodies) != 1 || m.refused > 0 {
			t.Fatalf("got %v, refused %d", m.bodies, m.refused)
		}
		data, ok := m.bodies[0]["data"].(map[string]any)
		if !ok || m.bodies[0]["type"] != "warning" || data["object"] != "advisory:a" || data["link"] != "https://centre.example/inbox/a" {
			t.Errorf("body %v", m.bodies[0])
		}
		if text := fmt.Sprint(m.bodies[0]); !strings.Contains(text, "title a") || strings.Contains(text, "content") {
			t.Errorf("body %v", text)
		}
		w.narrow = true
		w.post(notify.WarningUrgent, "d", "m1")
		w.run(time.Second)
		if text := fmt.Sprint(m.bodies[len(m.bodies)-1]); strings.Contains(text, "title") || !strings.Contains(text, "RED") {
			t.Errorf("a narrow marking goes out with its title: %v", text)
		}
	})
}

func TestWebhookIsTriedForADay(t *testing.T) {
	hooked(t, func(t *testing.T, w *world, m *machine, h notify.Hook) {
		ctx := context.Background()
		m.status = http.StatusServiceUnavailable
		w.post(notify.WarningOther, "a", "m1")
		w.run(time.Hour)
		m.status = http.StatusOK
		w.run(3 * time.Hour)
		if len(m.bodies) != 1 || len(slices.Compact(slices.Clone(m.ids))) != 1 {
			t.Fatalf("arrived %d times, ids %v", len(m.bodies), m.ids)
		}
		m.status, m.calls = 0, 0
		w.post(notify.WarningOther, "b", "m1")
		w.run(30 * time.Hour)
		if m.calls < 10 || m.calls > 25 {
			t.Errorf("%d calls in a day", m.calls)
		}
		letters, _, err := w.svc.DeadLetters(ctx, w.viewer("admin1"), notify.Place{})
		if err != nil || len(letters) != 1 || letters[0].Recipient != notify.HookRecipient(h.ID) || letters[0].Detail == "" {
			t.Fatalf("dead letters %+v, %v", letters, err)
		}
		m.status, m.calls = http.StatusGone, 0
		w.post(notify.WarningOther, "c", "m1")
		w.run(time.Hour)
		if m.calls != 1 {
			t.Errorf("%d calls of a machine that said: never again", m.calls)
		}
	})
}

func TestSecretsRotateWithOverlap(t *testing.T) {
	hooked(t, func(t *testing.T, w *world, m *machine, h notify.Hook) {
		ctx := context.Background()
		if _, _, err := w.svc.RotateHook(ctx, w.viewer("staff2"), h.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("another member gets a secret: %v", err)
		}
		_, fresh, err := w.svc.RotateHook(ctx, w.viewer("admin1"), h.ID)
		if err != nil || fresh == m.secrets[0] {
			t.Fatal(err)
		}
		old := m.secrets
		for i, secrets := range [][]string{old, {fresh}} {
			m.secrets = secrets
			w.post(notify.WarningOther, fmt.Sprint("a", i), "m1")
			w.run(time.Second)
		}
		if len(m.bodies) != 2 {
			t.Errorf("%d of 2 arrived within the overlap", len(m.bodies))
		}
		w.run(25 * time.Hour)
		m.secrets = old
		w.post(notify.WarningOther, "b", "m1")
		w.run(time.Second)
		if m.refused != 1 {
			t.Error("the old secret still signs after the overlap")
		}
	})
}

func TestWebhookAddresses(t *testing.T) {
	hooked(t, func(t *testing.T, w *world, _ *machine, _ notify.Hook) {
		ctx := context.Background()
		for _, bad := range []string{"", "http://hooks.example.org/", "https://127.0.0.1/", "https://169.254.169.254/latest", "https://localhost/",
			"https://2130706433/", "https://[::ffff:10.0.0.1]/", "https://u:p@hooks.example.org/"} {
			_, _, err := w.svc.CreateHook(ctx, w.viewer("admin1"), bad, []notify.Topic{notify.WarningOther})
			if !errs.Is(err, errs.Invalid) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if _, _, err := w.svc.CreateHook(ctx, w.viewer("admin1"), "https://hooks.example.org/", []notify.Topic{notify.DeliveryFails}); !errs.Is(err, errs.Invalid) {
			t.Errorf("a machine is told the centre's topics: %v", err)
		}
		if _, _, err := w.svc.CreateHook(ctx, w.viewer("root"), "https://hooks.example.org/", []notify.Topic{notify.WarningOther}); !errs.Is(err, errs.Forbidden) {
			t.Errorf("the centre has a member's webhook: %v", err)
		}
		for range 20 {
			if _, _, err := w.svc.CreateHook(ctx, w.viewer("admin1"), "https://hooks.example.org/", []notify.Topic{notify.WarningOther}); err != nil {
				if !errs.Is(err, errs.Conflict) {
					t.Error(err)
				}
				return
			}
		}
		t.Error("a member may have any number of webhooks")
	})
}

func TestARemovedWebhookIsNotCalled(t *testing.T) {
	hooked(t, func(t *testing.T, w *world, m *machine, h notify.Hook) {
		ctx := context.Background()
		m.status = http.StatusServiceUnavailable
		w.post(notify.WarningOther, "a", "m1")
		w.run(time.Minute)
		if err := w.svc.DropHook(ctx, w.viewer("staff2"), h.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("another member removes it: %v", err)
		}
		if err := w.svc.DropHook(ctx, w.viewer("admin1"), h.ID); err != nil {
			t.Fatal(err)
		}
		m.calls = 0
		w.run(30 * time.Hour)
		if m.calls > 0 {
			t.Errorf("called %d times", m.calls)
		}
		w.audit()
	})
}

// secretsAreSealed: the database never holds a secret as it is.
func TestSecretsAreSealedAtRest(t *testing.T) {
	hooked(t, func(t *testing.T, w *world, m *machine, h notify.Hook) {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.secrets[0], "whsec_"))
		if err != nil {
			t.Fatal(err)
		}
		stored, err := w.svc.Hook(t.Context(), w.viewer("admin1"), h.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{m.secrets[0], string(key), url.QueryEscape(m.secrets[0]), base64.RawURLEncoding.EncodeToString(key)} {
			if strings.Contains(stored.Secret, form) {
				t.Error("the secret is stored as it is")
			}
		}
	})
}

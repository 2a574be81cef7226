package mail

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/gopenpgp/v3/crypto"
	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"

	"github.com/aspis-platform/aspis/internal/notify"
	"github.com/aspis-platform/aspis/internal/platform/openpgp"
)

func fixed() time.Time { return time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC) }

func letter() notify.Mail {
	return notify.Mail{To: "soc@m1.example", ID: "release-m1", Subject: "[TLP:AMBER] 警訊 / Advisory", Text: "請檢查 hxxps://evil[.]example\n\nCheck.\n.\nend"}
}

// server is an SMTP server in the test.
type server struct {
	mu   sync.Mutex
	got  []string
	to   []string
	busy bool
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{s}, nil }

type session struct{ *server }

func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.busy {
		return &smtp.SMTPError{Code: 451, Message: "try later"}
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, string(raw))
	return err
}
func (*session) Reset()        {}
func (*session) Logout() error { return nil }

func startServer(t *testing.T, s *server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(s)
	srv.Domain = "test"
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return "smtp://" + l.Addr().String()
}

func TestSMTP(t *testing.T) {
	s := &server{}
	m, err := NewSMTP(startServer(t, s), "Centre <isac@centre.example>", fixed)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(context.Background(), letter()); err != nil {
		t.Fatal(err)
	}
	if len(s.got) != 1 || len(s.to) != 1 || s.to[0] != "soc@m1.example" {
		t.Fatalf("server got %d mails for %v", len(s.got), s.to)
	}
	checkLetter(t, strings.NewReader(s.got[0]))
	s.busy = true
	if err := m.Send(context.Background(), letter()); err == nil {
		t.Error("a refused mail counts as sent")
	}
}

// checkLetter reads the mail as a client does.
func checkLetter(t *testing.T, r io.Reader) {
	t.Helper()
	msg, err := mail.ReadMessage(r)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != letter().Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"To": "<soc@m1.example>", "From": `"Centre" <isac@centre.example>`, "Message-Id": "<release-m1@centre.example>",
		"Auto-Submitted": "auto-generated", "Date": "Mon, 02 Mar 2026 01:00:00 +0000",
	} {
		if got := msg.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	body, err := io.ReadAll(quotedprintable.NewReader(msg.Body))
	if got := strings.ReplaceAll(strings.TrimSpace(string(body)), "\r\n", "\n"); err != nil || got != letter().Text {
		t.Errorf("text %q, %v", got, err)
	}
}

// TestSealedMail reads an encrypted mail as a client does: RFC 3156 outside,
// the private key for what is inside.
func TestSealedMail(t *testing.T) {
	private, err := crypto.PGP().KeyGeneration().AddUserId("soc", "soc@m1.example").New().GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public, err := private.GetArmoredPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := openpgp.Parse(public, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	entity, err := openpgp.Entity("警訊 Warning", strings.Repeat("內容 content\r\n", 200))
	if err != nil {
		t.Fatal(err)
	}
	m := letter()
	if m.Sealed, err = key.Encrypt(entity, time.Now()); err != nil {
		t.Fatal(err)
	}
	s := &server{}
	sender, err := NewSMTP(startServer(t, s), "isac@centre.example", fixed)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s.got[0], "請檢查") || strings.Contains(s.got[0], "evil") {
		t.Error("the plain text is in the encrypted mail")
	}
	if got := open(t, s.got[0], private); got != string(entity) {
		t.Errorf("decrypted to %q", got)
	}
}

// open takes an RFC 3156 mail apart and decrypts it.
func open(t *testing.T, raw string, private *crypto.Key) string {
	t.Helper()
	msg, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/encrypted" || params["protocol"] != "application/pgp-encrypted" {
		t.Fatalf("content type %q %v, %v", kind, params, err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	var bodies []string
	for _, want := range []string{"application/pgp-encrypted", "application/octet-stream"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if got, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); got != want || err != nil {
			t.Errorf("part %q, want %q (%v)", got, want, err)
		}
		bodies = append(bodies, string(body))
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		t.Error("there are more than two parts")
	}
	if strings.TrimSpace(bodies[0]) != "Version: 1" {
		t.Errorf("control part %q", bodies[0])
	}
	d, err := crypto.PGP().Decryption().DecryptionKey(private).New()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := d.Decrypt([]byte(bodies[1]), crypto.Armor)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain.Bytes())
}

func TestDrop(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	d, err := NewDrop(dir, "Centre <isac@centre.example>", fixed)
	if err != nil {
		t.Fatal(err)
	}
	m := letter()
	for range 2 { // the same mail replaces itself
		if err := d.Send(context.Background(), m); err != nil {
			t.Fatal(err)
		}
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 || names[0].Name() != "release-m1.eml" {
		t.Fatalf("folder holds %v, %v", names, err)
	}
	f, err := os.Open(filepath.Join(dir, "release-m1.eml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	checkLetter(t, f)
	m.ID = "../../etc/passwd"
	if err := d.Send(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "______etc_passwd.eml")); err != nil {
		t.Error("an id with a path escaped the folder")
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	d, err := NewDrop(t.TempDir(), "isac@centre.example", fixed)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*notify.Mail){
		"subject, CRLF":       func(m *notify.Mail) { m.Subject = "a\r\nBcc: x@y.example" },
		"subject, LF":         func(m *notify.Mail) { m.Subject = "a\nBcc: x@y.example" },
		"subject, separators": func(m *notify.Mail) { m.Subject = "a\u2028b" },
		"recipient":           func(m *notify.Mail) { m.To = "a@b.example\r\nRCPT TO:<x@y.example>" },
		"id":                  func(m *notify.Mail) { m.ID = "a\r\nX: y" },
	}
	for name, change := range tests {
		m := letter()
		change(&m)
		if err := d.Send(context.Background(), m); !errors.Is(err, errHeader) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, to := range []string{"", "nobody", "a@b.example, c@d.example", "<>"} {
		m := letter()
		m.To = to
		if err := d.Send(context.Background(), m); err == nil {
			t.Errorf("recipient %q passed", to)
		}
	}
}

func TestConfiguration(t *testing.T) {
	for _, server := range []string{"", "smtp://", "http://x", "smtp://host:port", "mail.example:25"} {
		if _, err := NewSMTP(server, "a@b.example", fixed); err == nil {
			t.Errorf("server %q passed", server)
		}
	}
	if _, err := NewSMTP("smtp://h:25", "nobody", fixed); err == nil {
		t.Error("a sender without an address passed")
	}
	_, err := NewSMTP("imap://u:hush@h", "a@b.example", fixed)
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("the password is in the message: %v", err)
	}
	if _, err := NewSMTP("smtps://u:p@mail.example", "a@b.example", fixed); err != nil {
		t.Error(err)
	}
}

// TestNothingIsSentInTheClear: a server that offers no TLS gets a mail only on
// this machine, or when the operator has said so.
func TestNothingIsSentInTheClear(t *testing.T) {
	for said, want := range map[string]int{"": 1, "?tls=none": 1, "?tls=offered": 1, "?tls=required": 0} {
		s := &server{}
		m, err := NewSMTP(startServer(t, s)+said, "isac@centre.example", fixed)
		if err != nil {
			t.Fatal(err)
		}
		err = m.Send(context.Background(), letter())
		if (err == nil) != (want == 1) || len(s.got) != want {
			t.Errorf("%q: %d mails, %v", said, len(s.got), err)
		}
	}
	for server, want := range map[string]gomail.TLSPolicy{
		"smtp://mail.example": gomail.TLSMandatory, "smtp://mail.example?tls=offered": gomail.TLSOpportunistic,
		"smtp://u:p@mail.example?tls=offered": gomail.TLSMandatory, "smtp://u:p@mail.example?tls=none": gomail.TLSMandatory,
		"smtp://mail.example?tls=none": gomail.NoTLS, "smtp://192.0.2.1": gomail.TLSMandatory,
		"smtp://localhost": gomail.NoTLS, "smtp://[::1]": gomail.NoTLS, "smtp://localhost?tls=required": gomail.TLSMandatory,
	} {
		u, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := policy(u); got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", server, got, err, want)
		}
	}
	if _, err := NewSMTP("smtp://mail.example?tls=maybe", "a@b.example", fixed); err == nil {
		t.Error("?tls=maybe passed")
	}
}

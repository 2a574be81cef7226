// Package mail sends the program's mails: over SMTP, or as files in a folder
// where there is no server (the demonstration, a closed network).
package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/aspis-platform/aspis/internal/notify"
)

var (
	_ notify.Mailer = (*SMTP)(nil)
	_ notify.Mailer = (*Drop)(nil)
)

// sendTimeout bounds one mail.
const sendTimeout = 30 * time.Second

// SMTP sends over a server.
type SMTP struct {
	from *mail.Address
	now  func() time.Time
	host string
	opts []gomail.Option
}

// NewSMTP returns a sender over the server smtp://[user:password@]host[:port]
// (STARTTLS) or smtps:// (TLS from the start). A server elsewhere that offers
// no TLS is sent nothing; ?tls=offered takes what it offers, ?tls=required
// wants TLS of a server on this machine too, ?tls=none asks for none.
func NewSMTP(server, from string, now func() time.Time) (*SMTP, error) {
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("mail: sender %q: %w", from, err)
	}
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, fmt.Errorf("mail: %q is not smtp://[user:password@]host[:port]", redacted(server))
	}
	encrypt, err := policy(u)
	if err != nil {
		return nil, err
	}
	s := &SMTP{from: sender, now: now, host: u.Hostname()}
	s.opts = []gomail.Option{gomail.WithTimeout(sendTimeout), gomail.WithTLSPolicy(encrypt)}
	if u.Scheme == "smtps" {
		s.opts = append(s.opts, gomail.WithSSL(), gomail.WithPort(465))
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("mail: port %q: %w", port, err)
		}
		s.opts = append(s.opts, gomail.WithPort(n))
	}
	if password, ok := u.User.Password(); ok {
		s.opts = append(s.opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return s, nil
}

// policy says when a connection must be encrypted: always, but on this
// machine, unless the operator says otherwise. A password goes nowhere else
// in the clear, whatever is said.
func policy(u *url.URL) (gomail.TLSPolicy, error) {
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	said := u.Query().Get("tls")
	switch {
	case said != "" && said != "required" && said != "offered" && said != "none":
		return 0, fmt.Errorf("mail: ?tls=%s: want required, offered or none", said)
	case said == "required", !local && (said == "" || u.User != nil):
		return gomail.TLSMandatory, nil
	case said == "offered":
		return gomail.TLSOpportunistic, nil
	}
	return gomail.NoTLS, nil
}

// redacted is a URL without its password, for messages.
func redacted(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Redacted()
	}
	return "the given address"
}

// Send implements notify.Mailer.
func (s *SMTP) Send(ctx context.Context, m notify.Mail) error {
	msg, err := compose(s.from, m, s.now())
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(s.host, s.opts...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("mail: send: %w", err)
	}
	return nil
}

// Drop writes each mail to a folder as ID.eml (RFC 5322). The same mail
// written again replaces itself.
type Drop struct {
	from *mail.Address
	now  func() time.Time
	dir  string
}

// NewDrop returns a sender that writes to dir and creates it.
func NewDrop(dir, from string, now func() time.Time) (*Drop, error) {
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("mail: sender %q: %w", from, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("mail: folder: %w", err)
	}
	return &Drop{from: sender, now: now, dir: dir}, nil
}

// Send implements notify.Mailer.
func (d *Drop) Send(_ context.Context, m notify.Mail) error {
	msg, err := compose(d.from, m, d.now())
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(d.dir, ".mail-*")
	if err != nil {
		return fmt.Errorf("mail: drop: %w", err)
	}
	_, err = msg.WriteTo(tmp)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(d.dir, fileName(m.ID)+".eml"))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("mail: drop: %w", err), os.Remove(tmp.Name()))
	}
	return nil
}

// fileName keeps of an id what is safe in a file name.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, id)
}

// errHeader means that a header value could have become more than one header.
var errHeader = errors.New("mail: a line break or control character in a header")

// compose builds the message: plain text, one recipient, a Message-ID that
// stays when the mail is sent again.
func compose(from *mail.Address, m notify.Mail, now time.Time) (*gomail.Msg, error) {
	for _, header := range []string{m.To, m.ID, m.Subject} {
		if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r == '\u0085' }) {
			return nil, errHeader
		}
	}
	to, err := mail.ParseAddress(m.To)
	if err != nil {
		return nil, fmt.Errorf("mail: recipient: %w", err)
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.ToMailAddress(&mail.Address{Address: to.Address})
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(fileName(m.ID) + "@" + domain)
	msg.SetDateWithValue(now)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation answers
	if m.Sealed == nil {
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
		return msg, nil
	}
	seal(msg, m.Sealed)
	return msg, nil
}

// seal makes the body an OpenPGP message in MIME (RFC 3156, section 4): a
// part that says so, and the armoured message as it is. The library leaves
// the last boundary out.
func seal(msg *gomail.Msg, armored []byte) {
	boundary := rand.Text()
	msg.SetPGPType(gomail.PGPEncrypt)
	msg.SetBoundary(boundary)
	part := func(kind gomail.ContentType, text string, add func(gomail.ContentType, string, ...gomail.PartOption)) {
		add(kind, text, gomail.WithPartEncoding(gomail.NoEncoding), gomail.WithPartCharset(gomail.CharsetASCII))
	}
	part(gomail.TypePGPEncrypted, "Version: 1\r\n", msg.SetBodyString)
	part(gomail.TypeAppOctetStream, string(armored)+"\r\n--"+boundary+"--\r\n", msg.AddAlternativeString)
}

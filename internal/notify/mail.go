package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/openpgp"
	"github.com/aspis-platform/aspis/internal/sector"
)

// reasonKey is the reason of a message whose recipient's key is of no use any
// more.
const reasonKey = "notify.fail.key"

// mail composes and sends one mail. What is to be said is read through the
// gate now.
func (s *Service) mail(ctx context.Context, m Message, to party) ([]Event, error) {
	key, err := s.openKey(m, to)
	if err != nil {
		return nil, err
	}
	var letters []Letter
	var told []Event
	for _, e := range m.Events {
		l, err := s.letter(ctx, to.viewer, e, key != nil)
		if errs.Is(err, errs.NotFound) {
			continue // withdrawn or answered meanwhile
		}
		if err != nil {
			return nil, err
		}
		letters, told = append(letters, l), append(told, e)
	}
	if len(letters) == 0 {
		return nil, errGone()
	}
	mail := s.compose(letters)
	mail.To, mail.ID = to.mail, "aspis-"+m.ID
	if key != nil {
		if err := s.seal(&mail, *key); err != nil {
			return nil, err
		}
	}
	if err := s.Mailer.Send(ctx, mail); err != nil {
		return nil, &failure{reason: "notify.fail.mail", cause: err}
	}
	return told, nil
}

// openKey is the recipient's key; nil when it has none. A key that cannot be
// used is an error, never a reason to write plainly; only the notice that
// says so, which has no content, goes out without.
func (s *Service) openKey(m Message, to party) (*openpgp.Key, error) {
	if to.key == nil {
		return nil, nil //nolint:nilnil // no key is no mistake
	}
	key, err := openpgp.Parse(to.key.Armored, s.Now())
	if err == nil {
		return &key, nil
	}
	if m.Topic == Security {
		return nil, nil //nolint:nilnil // see above
	}
	return nil, &failure{reason: reasonKey, final: true, cause: err}
}

// seal replaces the text by itself, encrypted; the subject outside says
// nothing.
func (s *Service) seal(mail *Mail, key openpgp.Key) error {
	entity, err := openpgp.Entity(mail.Subject, strings.ReplaceAll(mail.Text, "\n", "\r\n"))
	if err == nil {
		mail.Sealed, err = key.Encrypt(entity, s.Now())
	}
	if err != nil {
		return &failure{reason: reasonKey, final: true, cause: err}
	}
	mail.Subject, mail.Text = "加密郵件 / Encrypted message", ""
	return nil
}

// maxMail bounds the text of a mail in bytes; what does not fit is told by
// its subject.
const maxMail = 256 << 10

// compose makes one mail of one letter or more.
func (s *Service) compose(letters []Letter) Mail {
	if len(letters) == 1 {
		return Mail{Subject: oneLine(letters[0].Subject), Text: letters[0].Text}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "共 %d 則通知。\n%d notifications.\n\n", len(letters), len(letters))
	for i, l := range letters {
		fmt.Fprintf(&b, "%d. %s\n", i+1, oneLine(l.Subject))
	}
	fmt.Fprintf(&b, "\n%s/notifications\n", s.BaseURL)
	for i, l := range letters {
		if b.Len()+len(l.Text) > maxMail {
			continue
		}
		fmt.Fprintf(&b, "\n========================================\n%d. %s\n\n%s", i+1, oneLine(l.Subject), l.Text)
	}
	subject := fmt.Sprintf("%d 則通知 / %d notifications", len(letters), len(letters))
	if tlp := strictest(letters); tlp != "" {
		subject = "[TLP:" + string(tlp) + "] " + subject
	}
	return Mail{Subject: subject, Text: b.String()}
}

func strictest(letters []Letter) sector.TLP {
	var most sector.TLP
	for _, l := range letters {
		if slices.Index(sector.TLPs(), l.TLP) > slices.Index(sector.TLPs(), most) {
			most = l.TLP
		}
	}
	return most
}

// oneLine makes a header value of any text: no line breaks, no control or
// format characters, bounded.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	return strings.TrimSpace(clip(s))
}

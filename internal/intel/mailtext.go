package intel

import (
	"embed"
	"fmt"
	"net/url"
	"strings"
	"text/template"
	"unicode"

	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web"
)

//go:embed mails/*.txt
var mailFiles embed.FS

// mailTexts are the mails' texts, both languages in one message.
type mailTexts struct {
	base  string
	texts map[string]*template.Template
}

func loadMailTexts(baseURL string) (*mailTexts, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("intel: mail: %q is not the portal's address", baseURL)
	}
	t := &mailTexts{base: strings.TrimSuffix(baseURL, "/"), texts: map[string]*template.Template{}}
	for _, name := range []string{"released", "notice", "withdrawn", "overdue"} {
		parsed, err := template.New(name+".txt").Option("missingkey=error").ParseFS(mailFiles, "mails/"+name+".txt")
		if err != nil {
			return nil, fmt.Errorf("intel: mail: %w", err)
		}
		t.texts[name] = parsed
	}
	return t, nil
}

// mailModel is what a mail's text is made of. Body texts and indicators are
// defanged.
type mailModel struct {
	TLP        sector.TLP
	PAP        sector.PAP
	Category   Category
	Title      Text
	Body       Text
	Due        string
	Link       string
	Indicators []string
	Shown      []string
	Cut        bool
	Updated    bool // the member was given an earlier version
	NoticeOnly bool
}

// maxMailIndicators bounds what a mail lists; the rest is in the inbox.
const maxMailIndicators = 100

// compose writes a letter. A notice of a narrow marking has no content unless
// it is sealed.
func (t *mailTexts) compose(r ReleasedAdvisory, kind NoticeKind, sealed bool) (Letter, error) {
	mark := r.Marking.OrDefault()
	m := mailModel{
		TLP: mark.TLP, PAP: mark.PAP, Category: r.Category, Link: t.base + "/inbox/" + string(r.ID),
		Updated: r.Revision > 1, NoticeOnly: NoticeOnly(r.Marking) && !sealed,
	}
	if !r.AnswerDue.IsZero() {
		m.Due = taipei(r.AnswerDue)
	}
	if !m.NoticeOnly {
		m.fill(r)
	}
	name := string(kind)
	if kind == NoticeReleased && m.NoticeOnly {
		name = "notice"
	}
	l, err := t.execute(name, m)
	l.TLP, l.Title = mark.TLP, m.Title
	return l, err
}

// fill adds the content, which a notice does not have.
func (m *mailModel) fill(r ReleasedAdvisory) {
	m.Title = Text{oneLine(r.Title.Zh), oneLine(r.Title.En)}
	m.Body = r.Body
	for _, i := range r.Indicators {
		harmless := web.Defang(i.Value)
		m.Body.Zh = strings.ReplaceAll(m.Body.Zh, i.Value, harmless)
		m.Body.En = strings.ReplaceAll(m.Body.En, i.Value, harmless)
		m.Indicators = append(m.Indicators, strings.TrimSuffix(i.Line(), i.Value)+harmless)
	}
	m.Shown = m.Indicators
	if len(m.Shown) > maxMailIndicators {
		m.Shown, m.Cut = m.Shown[:maxMailIndicators], true
	}
}

func (t *mailTexts) execute(name string, m mailModel) (Letter, error) {
	var subject, text strings.Builder
	if err := t.texts[name].ExecuteTemplate(&subject, "subject", m); err != nil {
		return Letter{}, fmt.Errorf("mail %s: %w", name, err)
	}
	if err := t.texts[name].Execute(&text, m); err != nil {
		return Letter{}, fmt.Errorf("mail %s: %w", name, err)
	}
	return Letter{Subject: oneLine(subject.String()), Text: text.String()}, nil
}

// oneLine makes a header value of any text: no line breaks, no control or
// invisible characters, bounded.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), isInvisible(r):
			return -1
		}
		return r
	}, s)
	const most = 300
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.TrimSpace(s)
}

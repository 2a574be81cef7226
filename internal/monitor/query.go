package monitor

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// The query text of the event look-up:
//
//	query = { term } .
//	term  = [ field ":" ] value .
//	value = word | '"' { any | '\"' | '\\' } '"' .
//
// A field is given once. Values without a field are one phrase, in the order
// given, looked for in the record's bytes as written, without regard to case:
// brackets, wildcards, a quotation mark inside a word, AND and OR have no other
// meaning, so that a piece of a command line can be pasted as it is. The one
// exception is a defanged word such as evil[.]example, which stands for the
// value; what is quoted is never read as defanged.
//
//	member:      the member's id (the centre only)
//	host: account:            equal, without regard to case
//	product: category: service:  the log source
//	source:      "product", "product/category" or "product/category/service"
//	ip: domain: url: mail: hash: any:   a record that mentions this value

// maxQuery bounds the query text in bytes.
const maxQuery = 1000

// QueryFields lists the fields of the query text.
func QueryFields() []string {
	return []string{"member", "host", "account", "product", "category", "service", "source", "ip", "domain", "url", "mail", "hash", "any"}
}

// ParseQuery fills q from a query text. The error names the column, counted
// in characters from 1.
func ParseQuery(text string, q *Query) error {
	if len(text) > maxQuery || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return errs.New(errs.Invalid, "monitor.query.text", strconv.Itoa(maxQuery))
	}
	p := parser{text: text, query: q, given: map[string]bool{}}
	for p.space(); p.at < len(p.text); p.space() {
		if err := p.term(); err != nil {
			return err
		}
	}
	q.Text = strings.Join(p.words, " ")
	return nil
}

type parser struct {
	text  string
	at    int
	query *Query
	given map[string]bool
	words []string
}

func (p *parser) fail(at int, key string, args ...any) error {
	column := strconv.Itoa(utf8.RuneCountInString(p.text[:at]) + 1)
	return errs.New(errs.Invalid, key, append([]any{column}, args...)...)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		if !unicode.IsSpace(r) {
			return
		}
		p.at += n
	}
}

func (p *parser) term() error {
	start := p.at
	field := p.field()
	if field == "" {
		quoted := p.text[start] == '"'
		value, err := p.value()
		if !quoted {
			value = refang(value)
		}
		p.words = append(p.words, value)
		return err
	}
	if p.given[field] {
		return p.fail(start, "monitor.query.twice", field)
	}
	p.given[field] = true
	at := p.at
	value, err := p.value()
	if err != nil {
		return err
	}
	if value == "" {
		return p.fail(at, "monitor.query.no_value", field)
	}
	return p.set(field, value, at)
}

// field takes "name:" when the name is one of ours; anything else that holds
// a colon (a time, a path, a URL) is an ordinary word.
func (p *parser) field() string {
	rest := p.text[p.at:]
	for _, name := range QueryFields() {
		if len(rest) > len(name) && rest[len(name)] == ':' && strings.EqualFold(rest[:len(name)], name) {
			p.at += len(name) + 1
			return name
		}
	}
	return ""
}

func (p *parser) value() (string, error) {
	if p.at < len(p.text) && p.text[p.at] == '"' {
		return p.quoted()
	}
	start := p.at
	for p.at < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		if unicode.IsSpace(r) {
			break
		}
		p.at += n
	}
	return p.text[start:p.at], nil
}

func (p *parser) quoted() (string, error) {
	start := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return b.String(), nil
		case c == '\\' && p.at+1 < len(p.text) && (p.text[p.at+1] == '"' || p.text[p.at+1] == '\\'):
			p.at++
			b.WriteByte(p.text[p.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fail(start, "monitor.query.quote")
}

func (p *parser) set(field, value string, at int) error {
	q := p.query
	switch field {
	case "member":
		q.Member = sector.MemberID(value)
	case "host":
		q.Host = value
	case "account":
		q.Account = value
	case "product":
		q.Product = strings.ToLower(value)
	case "category":
		q.Category = strings.ToLower(value)
	case "service":
		q.Service = strings.ToLower(value)
	case "source":
		return p.source(value, at)
	default:
		return p.observable(field, value, at)
	}
	return nil
}

func (p *parser) source(value string, at int) error {
	parts := strings.Split(strings.ToLower(value), "/")
	if len(parts) > 3 {
		return p.fail(at, "monitor.query.source")
	}
	for i, into := range []*string{&p.query.Product, &p.query.Category, &p.query.Service} {
		if i < len(parts) && parts[i] != "" {
			*into = parts[i]
		}
	}
	return nil
}

// observable normalises a value as records' observables are.
func (p *parser) observable(field, value string, at int) error {
	if p.query.Observable != "" {
		return p.fail(at, "monitor.query.one_value")
	}
	switch field {
	case "ip":
		a, err := netip.ParseAddr(refang(value))
		if err != nil {
			return p.fail(at, "monitor.query.ip", value)
		}
		value = a.Unmap().WithZone("").String()
	case "domain", "mail":
		value = strings.TrimSuffix(strings.ToLower(refang(value)), ".")
	case "hash":
		value = strings.ToLower(value)
		if n := len(value); n != 32 && n != 40 && n != 64 || strings.Trim(value, "0123456789abcdef") != "" {
			return p.fail(at, "monitor.query.hash")
		}
	default:
		value = refang(value)
	}
	p.query.Observable = value
	return nil
}

// refang undoes the ways in which indicators are written so that no program
// makes them links; analysts paste them as they got them.
func refang(s string) string {
	s = strings.NewReplacer("[.]", ".", "(.)", ".", "[:]", ":", "[://]", "://", "[@]", "@").Replace(s)
	if len(s) >= 4 && strings.EqualFold(s[:4], "hxxp") {
		return "http" + s[4:]
	}
	return s
}

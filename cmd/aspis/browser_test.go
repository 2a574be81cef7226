package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/platform/totp"
)

// answer is what came back over HTTP.
type answer struct {
	status int
	header http.Header
	body   string
	path   string // after redirects
}

// caller asks the server: a machine with a key, or a person with cookies.
type caller struct {
	t    testing.TB
	base string
	key  string
	who  whose // for people
	http *http.Client
}

const answerPatience = 2 * time.Minute

func machine(t testing.TB, base, key string) *caller {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &caller{t: t, base: base, key: key, http: &http.Client{Timeout: answerPatience, Transport: transport}}
}

// person signs in with the form. The first time in a test it sets up an
// authenticator app, as the portal asks for, and keeps the recovery codes;
// with one of these it signs in from then on, since an app has a new code
// only every half minute.
func person(t testing.TB, base, email, password string) *caller {
	t.Helper()
	c := machine(t, base, "")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.http.Jar = jar
	c.who = whose{strings.Split(t.Name(), "/")[0], email}
	f := c.page("/sign-in").form(t, "/sign-in")
	f.values.Set("email", email)
	f.values.Set("password", password)
	got := c.submit(f)
	switch got.path {
	case "/account/set-up":
		c.setUp(got)
	case "/sign-in/second":
		f := got.form(t, "/sign-in/second")
		f.values.Set("code", wallets.code(t, c.who))
		got = c.submit(f)
		fallthrough
	default:
		if strings.HasPrefix(got.path, "/sign-in") || got.status != http.StatusOK {
			t.Fatalf("signing in as %s: %d at %s:\n%s", email, got.status, got.path, text(got.body))
		}
	}
	return c
}

// setUp adds an authenticator app.
func (c *caller) setUp(page answer) {
	c.t.Helper()
	found := regexp.MustCompile(`data-copy="([A-Z2-7]{32})"`).FindStringSubmatch(page.body)
	if found == nil {
		c.t.Fatalf("no secret for an app:\n%s", text(page.body))
	}
	secret, err := totp.Parse(found[1])
	if err != nil {
		c.t.Fatal(err)
	}
	f := page.form(c.t, "/account/set-up/app")
	f.values.Set("code", secret.Code(totp.Step(time.Now())))
	done := c.submit(f)
	codes := done.list(c.t, "recovery-codes")
	if done.status != http.StatusCreated || len(codes) == 0 {
		c.t.Fatalf("setting up an app: %d:\n%s", done.status, text(done.body))
	}
	wallets.put(c.who, codes)
}

// whose names somebody in a test.
type whose struct{ test, email string }

// wallet is where people keep their recovery codes.
type wallet struct {
	mu    sync.Mutex
	codes map[whose][]string
}

var wallets = wallet{codes: map[whose][]string{}}

func (w *wallet) put(who whose, codes []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.codes[who] = codes
}

func (w *wallet) code(t testing.TB, who whose) string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	codes := w.codes[who]
	if len(codes) == 0 {
		t.Fatalf("%s has no recovery code left", who.email)
	}
	w.codes[who] = codes[1:]
	return codes[0]
}

// do sends a request and reads the whole answer.
func (c *caller) do(method, path string, body []byte, header ...string) answer {
	c.t.Helper()
	got, err := c.try(c.t.Context(), method, path, bytes.NewReader(body), header...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// try is do for those who expect failures.
func (c *caller) try(ctx context.Context, method, path string, body io.Reader, header ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return answer{}, err
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	if c.http.Jar != nil {
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Accept-Language", "en")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(raw), resp.Request.URL.Path}, err
}

func (c *caller) get(path string, header ...string) answer {
	c.t.Helper()
	return c.do(http.MethodGet, path, nil, header...)
}

// page gets a page that must be there.
func (c *caller) page(path string) answer {
	c.t.Helper()
	got := c.get(path)
	if got.status != http.StatusOK {
		c.t.Fatalf("page %s: %d:\n%s", path, got.status, text(got.body))
	}
	return got
}

// read gets JSON that must be there.
func (c *caller) read(path string, into any) {
	c.t.Helper()
	got := c.get(path)
	if got.status != http.StatusOK {
		c.t.Fatalf("GET %s: %d: %s", path, got.status, got.body)
	}
	if err := json.Unmarshal([]byte(got.body), into); err != nil {
		c.t.Fatalf("GET %s: %v in %s", path, err, got.body)
	}
}

// form is a form of a page with what is filled in already.
type form struct {
	action string
	values url.Values
}

// submit sends the form and follows to the page that comes after it.
func (c *caller) submit(f form) answer {
	c.t.Helper()
	got := c.send(f)
	if strings.Contains(got.body, `name="proof-code"`) { // asked to prove who it is
		f := got.form(c.t, f.action)
		f.values.Set("proof-password", password)
		f.values.Set("proof-code", wallets.code(c.t, c.who))
		got = c.send(f)
	}
	return got
}

func (c *caller) send(f form) answer {
	c.t.Helper()
	return c.do(http.MethodPost, f.action, []byte(f.values.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// hasForm tells whether the page has a form that goes to the path.
func (a answer) hasForm(t testing.TB, action string) bool {
	t.Helper()
	return findForm(parse(t, a.body), action) != nil
}

// form is the page's form that goes to the path.
func (a answer) form(t testing.TB, action string) form {
	t.Helper()
	node := findForm(parse(t, a.body), action)
	if node == nil {
		t.Fatalf("the page %s has no form to %s:\n%s", a.path, action, text(a.body))
	}
	f := form{action: attr(node, "action"), values: url.Values{}}
	for n := range node.Descendants() {
		f.add(n)
	}
	return f
}

func findForm(doc *html.Node, action string) *html.Node {
	for n := range doc.Descendants() {
		if n.Data == "form" && attr(n, "action") == action && strings.EqualFold(attr(n, "method"), "post") {
			return n
		}
	}
	return nil
}

// add puts in what a browser would send of a control that nobody touched.
func (f form) add(n *html.Node) {
	name := attr(n, "name")
	if n.Type != html.ElementNode || name == "" {
		return
	}
	switch n.Data {
	case "textarea":
		f.values.Add(name, strings.TrimPrefix(inner(n), "\n"))
	case "select":
		f.values.Add(name, selected(n))
	case "input":
		kind := attr(n, "type")
		if kind != "checkbox" && kind != "radio" || hasAttr(n, "checked") {
			f.values.Add(name, attr(n, "value"))
		}
	}
}

func selected(n *html.Node) string {
	first, any := "", false
	for o := range n.Descendants() {
		if o.Data != "option" {
			continue
		}
		if hasAttr(o, "selected") {
			return attr(o, "value")
		}
		if !any {
			first, any = attr(o, "value"), true
		}
	}
	return first
}

// links are the targets of the page's links.
func (a answer) links(t testing.TB) []string {
	t.Helper()
	var all []string
	for n := range parse(t, a.body).Descendants() {
		if n.Data == "a" {
			all = append(all, attr(n, "href"))
		}
	}
	return all
}

// rows are the texts of the cells of the page's table rows that hold one.
func (a answer) rows(t testing.TB) [][]string {
	t.Helper()
	var all [][]string
	for tr := range parse(t, a.body).Descendants() {
		if tr.Data != "tr" {
			continue
		}
		var cells []string
		for td := range tr.ChildNodes() {
			if td.Data == "td" {
				cells = append(cells, strings.Join(strings.Fields(inner(td)), " "))
			}
		}
		if cells != nil {
			all = append(all, cells)
		}
	}
	return all
}

// list is the texts of the items of the first list with the class.
func (a answer) list(t testing.TB, class string) []string {
	t.Helper()
	for ul := range parse(t, a.body).Descendants() {
		if ul.Data != "ul" || !slices.Contains(strings.Fields(attr(ul, "class")), class) {
			continue
		}
		var items []string
		for li := range ul.ChildNodes() {
			if li.Data == "li" {
				items = append(items, strings.TrimSpace(inner(li)))
			}
		}
		return items
	}
	return nil
}

func parse(t testing.TB, body string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func inner(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// text is a page's words, for messages.
func text(body string) string {
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return body
	}
	words := strings.Join(strings.Fields(inner(doc)), " ")
	return fmt.Sprintf("%.3000s", words)
}

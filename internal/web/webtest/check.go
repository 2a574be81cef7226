package webtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// Check fails the test for everything a page owes its readers and does not
// give: a language, one <h1>, a title, labels, unique ids, buttons with names,
// nothing inline that the policy forbids, no missing word, no value escaped
// twice, and the right language.
func Check(t testing.TB, p Page) {
	t.Helper()
	for _, problem := range Problems(p) {
		t.Errorf("%s (%s): %s", p.Path, p.Lang, problem)
	}
}

// Problems is what is wrong with a page.
func Problems(p Page) []string {
	doc, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		return []string{err.Error()}
	}
	c := &checker{ids: map[string]int{}, labels: map[string]bool{}}
	c.collect(doc)
	c.walk(doc)
	c.whole(p)
	return c.problems
}

type checker struct {
	problems []string
	ids      map[string]int
	labels   map[string]bool // ids that a label names
	h1       int
	title    string
	lang     string
}

func (c *checker) add(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checker) collect(n *html.Node) {
	if n.Type == html.ElementNode {
		if id := Attr(n, "id"); id != "" {
			c.ids[id]++
		}
		if n.Data == "label" && Attr(n, "for") != "" {
			c.labels[Attr(n, "for")] = true
		}
	}
	for child := range n.ChildNodes() {
		c.collect(child)
	}
}

func (c *checker) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		c.element(n)
	}
	if n.Type == html.TextNode {
		c.text(n)
	}
	for child := range n.ChildNodes() {
		c.walk(child)
	}
}

func (c *checker) element(n *html.Node) {
	switch n.Data {
	case "html":
		c.lang = Attr(n, "lang")
	case "title":
		if n.Parent != nil && n.Parent.Data == "head" {
			c.title = Text(n)
		}
	case "h1":
		c.h1++
	case "style":
		c.add("an inline <style>")
	case "script":
		if Attr(n, "src") == "" {
			c.add("an inline <script>")
		}
	case "input", "select", "textarea":
		c.input(n)
	case "button":
		if strings.TrimSpace(Text(n)+Attr(n, "aria-label")) == "" {
			c.add("a button without a name")
		}
	case "a":
		c.anchor(n)
	case "img":
		if !hasAttr(n, "alt") {
			c.add("an image without alt")
		}
	case "form":
		if m := strings.ToLower(Attr(n, "method")); m == "" && Attr(n, "role") != "search" {
			c.add("a form without a method")
		}
	}
	c.attributes(n)
}

func (c *checker) attributes(n *html.Node) {
	for _, a := range n.Attr {
		switch {
		case a.Key == "style":
			c.add("an inline style on <%s>", n.Data)
		case strings.HasPrefix(a.Key, "on"):
			c.add("an inline handler %s on <%s>", a.Key, n.Data)
		case strings.Contains(a.Val, "⟦") || strings.Contains(a.Val, "ZgotmplZ"):
			c.add("a bad value %q in %s", a.Val, a.Key)
		case slices.Contains([]string{"aria-labelledby", "aria-describedby", "for"}, a.Key):
			for _, id := range strings.Fields(a.Val) {
				if c.ids[id] == 0 {
					c.add("%s names %q, which is not there", a.Key, id)
				}
			}
		}
	}
}

func (c *checker) input(n *html.Node) {
	if slices.Contains([]string{"hidden", "submit", "button"}, Attr(n, "type")) {
		return
	}
	if c.labels[Attr(n, "id")] || Attr(n, "aria-label") != "" || Attr(n, "aria-labelledby") != "" {
		return
	}
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "label" {
			return
		}
	}
	c.add("an input %q without a label", Attr(n, "name"))
}

func (c *checker) anchor(n *html.Node) {
	href := Attr(n, "href")
	if strings.TrimSpace(Text(n)+Attr(n, "aria-label")) == "" {
		c.add("a link to %q without a name", href)
	}
	if strings.HasPrefix(href, "http:") || strings.HasPrefix(href, "https:") {
		if Attr(n, "rel") == "" {
			c.add("a link out to %q without rel", href)
		}
	}
}

func (c *checker) text(n *html.Node) {
	for _, bad := range []string{"⟦", "&lt;", "&amp;", "&#", "%!", "<no value>", "ZgotmplZ"} {
		if strings.Contains(n.Data, bad) {
			c.add("the text %q holds %q", strings.TrimSpace(n.Data), bad)
		}
	}
}

func (c *checker) whole(p Page) {
	if c.h1 != 1 {
		c.add("%d <h1>", c.h1)
	}
	if strings.TrimSpace(c.title) == "" {
		c.add("no title")
	}
	if c.lang != string(p.Lang) {
		c.add("lang is %q", c.lang)
	}
	for id, n := range c.ids {
		if n > 1 {
			c.add("the id %q is given %d times", id, n)
		}
	}
	if han := strings.ContainsFunc(c.title, func(r rune) bool { return unicode.Is(unicode.Han, r) }); han != (p.Lang == i18n.ZhHant) {
		c.add("the title %q is in the wrong language", c.title)
	}
}

// Attr is an attribute's value; empty when it is not there.
func Attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// Text is all text in the element.
func Text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for child := range n.ChildNodes() {
		b.WriteString(Text(child))
	}
	return b.String()
}

// Find lists the elements for which want holds, in document order.
func Find(n *html.Node, want func(*html.Node) bool) []*html.Node {
	var found []*html.Node
	if n.Type == html.ElementNode && want(n) {
		found = append(found, n)
	}
	for child := range n.ChildNodes() {
		found = append(found, Find(child, want)...)
	}
	return found
}

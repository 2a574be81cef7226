package event

import "strings"

// accessLine is a line of a web server's access log, in the common or combined
// form (Apache HTTP Server, Log Files; nginx, ngx_http_log_module):
//
//	192.0.2.1 - user [02/Jan/2025:03:04:05 +0800] "GET /x?y HTTP/1.1" 200 12 "referrer" "agent"
type accessLine struct {
	client, user, stamp          span
	method, target, path         span
	status, size, referer, agent span
}

// parseAccess reads such a line, false when it is none.
func parseAccess(line string) (accessLine, bool) {
	var a accessLine
	c := accessCursor{line: line}
	a.client = c.word()
	if host := a.client.of(line); strings.IndexByte(host, ':') > 0 && digits(host[strings.LastIndexByte(host, ':')+1:]) > 0 && strings.Count(host, ":") == 1 {
		a.client = c.word() // behind the virtual host and its port
	}
	c.word() // the identity, which nobody asks for any more
	a.user = c.word()
	a.stamp = c.between('[', ']')
	request := c.between('"', '"')
	a.status, a.size = c.word(), c.word()
	if status := a.status.of(line); c.failed || len(status) != 3 || digits(status) < 100 {
		return a, false
	}
	c.optional = true
	a.referer, a.agent = c.between('"', '"'), c.between('"', '"')
	a.request(line, request)
	return a, true
}

// request splits METHOD TARGET PROTOCOL; the target of a broken request is all
// of it.
func (a *accessLine) request(line string, request span) {
	a.target = request
	text := request.of(line)
	if method, rest, ok := strings.Cut(text, " "); ok {
		a.method = span{request.from, request.from + len(method)}
		a.target.from = a.method.to + 1
		if end := strings.LastIndexByte(rest, ' '); end >= 0 {
			a.target.to = a.target.from + end
		}
	}
	a.path = a.target
	if cut := strings.IndexByte(a.target.of(line), '?'); cut >= 0 {
		a.path.to = a.path.from + cut
	}
}

// accessCursor reads the parts of a line.
type accessCursor struct {
	line     string
	pos      int
	optional bool // what is missing is no fault
	failed   bool
}

func (c *accessCursor) word() span {
	from := c.pos
	end := strings.IndexByte(c.line[from:], ' ')
	switch {
	case end == 0, from >= len(c.line):
		c.failed = true
		return span{}
	case end < 0:
		c.pos = len(c.line)
		return span{from, len(c.line)}
	}
	c.pos = from + end + 1
	return span{from, from + end}
}

// between reads what stands between two brackets or quotation marks, and the
// space behind. A backslash before a mark makes it a part of the text.
func (c *accessCursor) between(open, closing byte) span {
	if c.pos >= len(c.line) || c.line[c.pos] != open {
		c.failed = c.failed || !c.optional
		return span{}
	}
	from := c.pos + 1
	for i := from; i < len(c.line); i++ {
		switch c.line[i] {
		case '\\':
			i++
		case closing:
			if c.pos = i + 1; c.pos < len(c.line) {
				c.pos++
			}
			return span{from, i}
		}
	}
	c.failed = true
	return span{}
}

// access adds the fields of the line at start of the tape, under the names of
// Sigma's category webserver. What its rules call the query is the target as it
// was asked for, with the path: so are they written.
func (b *builder) access(start, end uint32, a accessLine) {
	text := b.text(start, end)
	for _, f := range [...]struct {
		name string
		span span
	}{
		{"timestamp", a.stamp}, {"c-ip", a.client}, {"cs-username", a.user}, {"cs-method", a.method},
		{"cs-uri-query", a.target}, {"cs-uri-stem", a.path}, {"sc-status", a.status}, {"sc-bytes", a.size},
		{"cs-referer", a.referer}, {"cs-user-agent", a.agent},
	} {
		if part := f.span.of(text); part != "" && part != "-" {
			b.add(f.name, String, start+uint32(f.span.from), start+uint32(f.span.to))
		}
	}
	if !b.has("message") {
		b.add("message", String, start, end)
	}
}

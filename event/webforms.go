package event

import "strings"

// webForm says what the records of a web server, or of what stands before one,
// call the parts of a request. A part may have several names, with bars between
// them; the first that a record has counts.
type webForm struct {
	tells                               [2]string // a record that has both is of this form
	line                                string    // METHOD TARGET PROTOCOL
	method, target, path, query         string    // the target is the path with the query, or a whole URI
	agent, referer, cookie, host        string
	status, bytes, client, user, header string // header is a list of names and values
}

// webForms are the forms of logs in JSON. Nginx's names are those of its
// variables, which log_format … escape=json is usually written with.
func webForms() []webForm {
	nginx := webForm{
		line: "request", method: "request_method", target: "request_uri", path: "uri", query: "args|query_string", agent: "http_user_agent", referer: "http_referer|http_referrer",
		cookie: "http_cookie", host: "http_host|host|server_name", status: "status", bytes: "body_bytes_sent|bytes_sent", client: "remote_addr", user: "remote_user",
	}
	byLine, byTarget, byPath := nginx, nginx, nginx
	byLine.tells, byTarget.tells, byPath.tells = [2]string{"remote_addr", "request"}, [2]string{"remote_addr", "request_uri"}, [2]string{"remote_addr", "uri"}
	return []webForm{
		byLine, byTarget, byPath,
		{ // Caddy, structured logging of http.log.access
			tells: [2]string{"request.method", "request.uri"}, method: "request.method", target: "request.uri", agent: "request.headers.User-Agent", referer: "request.headers.Referer",
			cookie: "request.headers.Cookie", host: "request.host", status: "status", bytes: "size", client: "request.client_ip|request.remote_ip", user: "user_id",
		},
		{ // Traefik, access logs in JSON
			tells: [2]string{"RequestMethod", "RequestPath"}, method: "RequestMethod", target: "RequestPath", agent: "request_User-Agent", referer: "request_Referer", cookie: "request_Cookie",
			host: "RequestHost|RequestAddr", status: "DownstreamStatus", bytes: "DownstreamContentSize", client: "ClientHost", user: "ClientUsername",
		},
		{ // Apache's combined form as Logstash's pattern COMBINEDAPACHELOG names it
			tells: [2]string{"clientip", "verb"}, method: "verb", target: "request", agent: "agent", referer: "referrer", status: "response", bytes: "bytes", client: "clientip", user: "auth",
		},
		{ // Apache, LogFormat as JSON
			tells: [2]string{"remoteIP", "userAgent"}, method: "method", target: "request", query: "query", agent: "userAgent", referer: "referer", host: "host", status: "status", client: "remoteIP", user: "user",
		},
		{ // Envoy and Istio, default JSON access log
			tells: [2]string{"authority", "response_code"}, method: "method", target: "path", agent: "user_agent", host: "authority", status: "response_code", bytes: "bytes_sent",
			client: "downstream_remote_address",
		},
		{ // Cloudflare Logpush, http_requests
			tells: [2]string{"ClientRequestMethod", "EdgeResponseStatus"}, method: "ClientRequestMethod", target: "ClientRequestURI", path: "ClientRequestPath", agent: "ClientRequestUserAgent",
			referer: "ClientRequestReferer", host: "ClientRequestHost", status: "EdgeResponseStatus", bytes: "EdgeResponseBytes", client: "ClientIP",
		},
		{ // AWS WAF
			tells: [2]string{"httpRequest.httpMethod", "httpRequest.uri"}, method: "httpRequest.httpMethod", path: "httpRequest.uri", query: "httpRequest.args", client: "httpRequest.clientIp", header: "httpRequest.headers",
		},
		{ // Google Cloud, HttpRequest of a LogEntry
			tells: [2]string{"httpRequest.requestMethod", "httpRequest.requestUrl"}, method: "httpRequest.requestMethod", target: "httpRequest.requestUrl", agent: "httpRequest.userAgent",
			referer: "httpRequest.referer", status: "httpRequest.status", bytes: "httpRequest.responseSize", client: "httpRequest.remoteIp",
		},
		{ // Azure's Application Gateway and Front Door
			tells: [2]string{"properties.httpMethod", "properties.requestUri"}, method: "properties.httpMethod", target: "properties.requestUri", query: "properties.requestQuery", agent: "properties.userAgent",
			referer: "properties.referer", host: "properties.originalHost|properties.host|properties.hostName", status: "properties.httpStatus|properties.httpStatusCode", client: "properties.clientIP|properties.clientIp",
		},
	}
}

// webForm returns the form of a record, false where it is of none.
func (t *tape) webForm() (webForm, bool) {
	if !t.hasAny("remote_addr", "request", "RequestMethod", "clientip", "remoteIP", "authority", "EdgeResponseStatus", "httpRequest", "properties") {
		return webForm{}, false
	}
	for _, f := range webForms() {
		if t.place(f.tells[0]) != 0 && t.place(f.tells[1]) != 0 {
			return f, true
		}
	}
	return webForm{}, false
}

// flattenWeb names the parts of a request as [builder.access] does.
func (t *tape) flattenWeb() {
	f, _ := t.webForm()
	method, target := t.any(f.method), t.any(f.target)
	if line := t.any(f.line); target == "" && line != "" {
		var a accessLine
		a.request(line, span{0, len(line)})
		method, target = a.method.of(line), a.target.of(line)
	}
	if target == "" {
		target = t.any(f.path)
	}
	if query := strings.TrimPrefix(t.any(f.query), "?"); query != "" && query != "-" && strings.IndexByte(target, '?') < 0 {
		target += "?" + query
	}
	host, target := cutHost(target)
	path, _, _ := strings.Cut(target, "?")
	t.say("cs-method", method)
	t.say("cs-uri-query", target)
	t.say("cs-uri-stem", path)
	if f.header != "" {
		t.headers(f.header)
	}
	for _, part := range [...]naming{
		{"cs-user-agent", f.agent}, {"cs-referer", f.referer}, {"cs-cookie", f.cookie}, {"cs-host", f.host},
		{"sc-status", f.status}, {"sc-bytes", f.bytes}, {"c-ip", f.client}, {"cs-username", f.user},
	} {
		if value := t.any(part.own); value != "-" {
			t.say(part.field, value)
		}
	}
	t.say("cs-host", host)
}

// cutHost takes scheme and host off a target that is a whole URI.
func cutHost(target string) (host, rest string) {
	if !hasPrefixFold(target, "http://") && !hasPrefixFold(target, "https://") {
		return "", target
	}
	rest = target[strings.Index(target, "://")+len("://"):]
	slash := strings.IndexAny(rest, "/?")
	if slash < 0 {
		return splitURI(target).host, "/"
	}
	return splitURI(target).host, rest[slash:]
}

// headers names the headers that are listed as names and values.
func (t *tape) headers(list string) {
	var few [1]uint32
	found := t.places(few[:0], list)
	if len(found) == 0 {
		return
	}
	for c, end := found[0]+1, t.nodes[found[0]].next; c < end; c = t.nodes[c].next {
		name, value := t.child(c, "name"), t.child(c, "value")
		if name == 0 || value == 0 {
			continue
		}
		switch header := strings.ToLower(t.body(&t.nodes[name])); header {
		case "user-agent", "host", "referer", "cookie":
			t.say("cs-"+header, t.body(&t.nodes[value]))
		}
	}
}

// parseBalancer reads a line of the access log of one of AWS's load balancers
// (Elastic Load Balancing, access log entries: application and classic), false
// when it is none:
//
//	https 2018-07-02T22:23:00.186641Z app/x/1 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://a.example:443/ HTTP/1.1" "agent" …
func parseBalancer(line string) (accessLine, bool) {
	var a accessLine
	c := accessCursor{line: line}
	a.stamp = c.word()
	switch a.stamp.of(line) {
	case "http", "https", "h2", "grpcs", "ws", "wss":
		a.stamp = c.word()
	}
	if stamp := a.stamp.of(line); len(stamp) < 20 || stamp[10] != 'T' || stamp[len(stamp)-1] != 'Z' {
		return a, false
	}
	c.word() // the balancer
	a.client = c.word()
	for range 4 { // the target and what took how long
		c.word()
	}
	a.status = c.word()
	c.word()
	c.word()
	a.size = c.word()
	request := c.between('"', '"')
	a.agent = c.between('"', '"')
	colon := strings.LastIndexByte(a.client.of(line), ':')
	if status := a.status.of(line); c.failed || colon < 0 || len(status) > 3 || status != "-" && digits(status) < 100 {
		return a, false
	}
	a.client.to = a.client.from + colon
	a.request(line, request)
	a.cutHost(line)
	return a, true
}

// cutHost takes scheme and host off a target that is a whole URI.
func (a *accessLine) cutHost(line string) {
	_, rest := cutHost(a.target.of(line))
	if cut := len(a.target.of(line)) - len(rest); strings.HasSuffix(a.target.of(line), rest) {
		a.target.from += cut
		a.path.from = min(a.path.from+cut, a.path.to)
	}
}

// parseProxied reads a line of HAProxy's HTTP log (HAProxy configuration manual,
// section 8.2.3), false when it is none:
//
//	192.0.2.1:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {a} {} "GET /x HTTP/1.1"
func parseProxied(line string) (accessLine, bool) {
	var a accessLine
	c := accessCursor{line: line}
	a.client = c.word()
	colon := strings.LastIndexByte(a.client.of(line), ':')
	if c.failed || colon < 0 || digits(a.client.of(line)[colon+1:]) < 0 {
		return a, false
	}
	a.client.to = a.client.from + colon
	c.between('[', ']')
	c.word()
	server, timers := c.word(), c.word()
	a.status, a.size = c.word(), c.word()
	from, to := strings.IndexByte(line, '"'), strings.LastIndexByte(line, '"')
	if status := a.status.of(line); c.failed || len(status) != 3 || digits(status) < 100 || strings.Count(timers.of(line), "/") != 4 ||
		strings.IndexByte(server.of(line), '/') < 0 || from >= to {
		return a, false
	}
	a.request(line, span{from + 1, to})
	return a, true
}

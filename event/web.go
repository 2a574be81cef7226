package event

import "strings"

// webAliases gives more than one name where the two categories of Sigma, proxy
// and webserver, and the logs themselves have several for one thing.
func webAliases(name string) aliasNames {
	switch name {
	case "c-uri":
		return aliasNames{"cs-uri"}
	case "cs-uri":
		return aliasNames{"c-uri"}
	case "c-uri-extension":
		return aliasNames{"cs-uri-extension"}
	case "c-uri-stem":
		return aliasNames{"cs-uri-stem", "cs-uri-path"}
	case "cs-uri-stem":
		return aliasNames{"c-uri-stem", "cs-uri-path"}
	case "cs-uri-query": // rules for web servers look for paths here
		return aliasNames{"cs-uri-stem"}
	case "r-dns":
		return aliasNames{"cs-host", "cs(Host)"}
	}
	return aliasNames{}
}

// derivedWeb finds the parts of a URI in the whole, and the whole in its parts:
// proxies log one or the other, and Sigma's category has names for all (taxonomy
// appendix, category proxy).
func (e *Event) derivedWeb(name string) (Value, bool) {
	if name == "c-uri" || name == "cs-uri" {
		switch e.dialect {
		case Zeek:
			return bothURIs("", e.tape.called("host"), e.tape.called("uri"))
		case Suricata:
			return bothURIs("", e.tape.called("http.hostname"), e.tape.called("http.url"))
		}
		return e.tape.joinedURI()
	}
	part := uriPart(name)
	if part == nil {
		return Value{}, false
	}
	text := e.tape.any("c-uri|cs-uri|url.original|url.full")
	switch e.dialect {
	case Zeek:
		text = e.tape.called("uri")
	case Suricata:
		text = e.tape.called("http.url")
	}
	if text == "" {
		return Value{}, false
	}
	text = part(splitURI(text))
	return StringValue(text), text != ""
}

// uri is a URI as it was asked for. Attackers' are often no valid ones, and
// nothing is decoded here.
type uri struct{ host, path, query string }

func splitURI(text string) (u uri) {
	if cut := strings.IndexByte(text, '#'); cut >= 0 {
		text = text[:cut]
	}
	text, u.query, _ = strings.Cut(text, "?")
	if cut := strings.Index(text, "://"); cut >= 0 {
		text = text[cut+len("://"):]
	} else if strings.HasPrefix(text, "/") {
		u.path = text
		return u
	}
	u.host, u.path, _ = strings.Cut(text, "/")
	u.path = text[len(u.host):]
	u.host = u.host[strings.LastIndexByte(u.host, '@')+1:]
	if port := strings.LastIndexByte(u.host, ':'); port >= 0 && digits(u.host[port+1:]) >= 0 {
		u.host = u.host[:port]
	}
	return u
}

// uriPart returns what takes the part of a URI that a field holds, nil for a
// field that holds none.
func uriPart(name string) func(uri) string {
	switch name {
	case "c-uri-extension", "cs-uri-extension":
		return func(u uri) string {
			file := u.path[strings.LastIndexByte(u.path, '/')+1:]
			if dot := strings.LastIndexByte(file, '.'); dot >= 0 {
				return file[dot+1:]
			}
			return ""
		}
	case "c-uri-query":
		return func(u uri) string { return u.query }
	case "c-uri-stem", "cs-uri-stem":
		return func(u uri) string { return u.path }
	case "cs-host", "r-dns":
		return func(u uri) string { return u.host }
	}
	return nil
}

// bothURIs is a URI whose host is said apart from its path: the path alone and
// the whole, since rules for proxies ask for either.
func bothURIs(scheme, host, target string) (Value, bool) {
	switch {
	case target == "":
		return Value{}, false
	case host == "" || target[0] != '/':
		return StringValue(target), true
	}
	if scheme == "" {
		scheme = "http"
	}
	return ListValue(StringValue(target), StringValue(scheme+"://"+host+target)), true
}

// joinedURI is the URI of a record that has its host and path apart.
func (t *tape) joinedURI() (Value, bool) {
	host, path := t.str("cs-host"), t.str("cs-uri-path")
	if path == "" {
		path = t.str("cs-uri-stem")
	}
	if host == "" || path == "" {
		return Value{}, false
	}
	if port := t.str("cs-uri-port"); port != "" && port != "80" && port != "443" {
		host += ":" + port
	}
	if scheme := t.str("cs-uri-scheme"); scheme != "" {
		host = scheme + "://" + host
	}
	if query := t.str("cs-uri-query"); query != "" {
		path += "?" + strings.TrimPrefix(query, "?")
	}
	return StringValue(host + path), true
}

// squidLine is a line of Squid's own access log (Squid, logformat squid):
//
//	1735787045.678    12 192.0.2.1 TCP_MISS/200 411 GET http://a.example/ user HIER_DIRECT/192.0.2.2 text/html
type squidLine struct{ stamp, took, client, status, size, method, uri, user, server, kind span }

// parseSquid reads such a line, false when it is none.
func parseSquid(line string) (squidLine, bool) {
	var s squidLine
	pos := 0
	for _, part := range [...]*span{&s.stamp, &s.took, &s.client, &s.status, &s.size, &s.method, &s.uri, &s.user, &s.server, &s.kind} {
		for pos < len(line) && line[pos] == ' ' {
			pos++
		}
		from := pos
		if end := strings.IndexByte(line[pos:], ' '); end >= 0 {
			pos += end
		} else {
			pos = len(line)
		}
		if from == pos {
			return s, false
		}
		*part = span{from, pos}
	}
	stamp, status := s.stamp.of(line), s.status.of(line)
	dot, slash := strings.IndexByte(stamp, '.'), strings.IndexByte(status, '/')
	if dot < 9 || digits(stamp[:dot]) < 0 || digits(s.took.of(line)) < 0 || slash < 3 || digits(status[slash+1:]) < 0 || !strings.Contains(s.server.of(line), "/") {
		return s, false
	}
	s.status.from += slash + 1
	return s, true
}

// squid adds the fields of such a line under the names of Sigma's category proxy.
func (b *builder) squid(start, end uint32, s squidLine) {
	text := b.text(start, end)
	for _, f := range [...]struct {
		name string
		span span
	}{
		{"timestamp", s.stamp}, {"time-taken", s.took}, {"c-ip", s.client}, {"sc-status", s.status}, {"sc-bytes", s.size},
		{"cs-method", s.method}, {"c-uri", s.uri}, {"cs-username", s.user}, {"rs(Content-Type)", s.kind},
	} {
		if part := f.span.of(text); part != "-" {
			b.add(f.name, String, start+uint32(f.span.from), start+uint32(f.span.to))
		}
	}
	b.add("message", String, start, end)
}

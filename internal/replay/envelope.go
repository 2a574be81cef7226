package replay

import "bytes"

// envelope enters the list of records within an object that an interface or
// export puts around it, and says whether there was one:
//
//	{"Records": [                           CloudTrail, S3 notifications
//	{"records": [                           Azure diagnostic settings
//	{"@odata.context": …, "value": [        Microsoft Graph
//	{"took": …, "hits": {…, "hits": [       Elasticsearch
//	{"kind": …, "items": [                  Google's interfaces
//	{"preview": …, "results": [             Splunk
//	{"Events": [                            AWS's command line
//	{"Events": {"Event": [                  Windows events, from XML
//	{"messageType": …, "logEvents": [       CloudWatch Logs
func (s *splitter) envelope() bool {
	if len(s.lists) > 8 {
		return false
	}
	head, _ := s.in.Peek(headBytes)
	c := cursor{head: head, pos: 1}
	n, depth := c.envelope()
	if n == 0 {
		return false
	}
	s.discard(n)
	s.lists = append(s.lists, depth)
	return true
}

// cursor reads the beginning of an object as far as it is known.
type cursor struct {
	head []byte
	pos  int
}

// envelope returns the length up to the list of records and the number of
// objects around it, 0 when there is no such list.
func (c *cursor) envelope() (n, depth int) {
	for depth = 1; ; {
		name, ok := c.name()
		if !ok {
			return 0, 0
		}
		switch next := c.space(); {
		case next == '[' && listName(name):
			c.pos++
			n = c.pos
			if next := c.space(); next != '{' && next != ']' {
				return 0, 0
			}
			return n, depth
		case next == '{' && (name == "hits" || name == "Events"):
			c.pos++
			depth++
		case preamble(name) && c.value() && c.space() == ',':
			c.pos++
		default:
			return 0, 0
		}
	}
}

func listName(name string) bool {
	switch name {
	case "Records", "records", "value", "hits", "items", "events", "Events", "Event", "logEvents", "results", "Results", "logs":
		return true
	}
	return false
}

// preamble knows what envelopes say before their lists. No record begins with
// these alone.
func preamble(name string) bool {
	switch name {
	case "took", "timed_out", "_shards", "_scroll_id", "total", "max_score", "num_reduce_phases",
		"@odata.context", "@odata.count", "@odata.nextLink", "nextLink", "count", "kind", "etag", "nextPageToken",
		"messageType", "owner", "logGroup", "logStream", "subscriptionFilters",
		"preview", "init_offset", "post_process_count", "messages", "fields", "stats", "schema", "Stats", "Schema":
		return true
	}
	return false
}

// space skips white space and returns the next byte, 0 at the end.
func (c *cursor) space() byte {
	for c.pos < len(c.head) {
		if b := c.head[c.pos]; bytes.IndexByte([]byte(" \t\r\n"), b) < 0 {
			return b
		}
		c.pos++
	}
	return 0
}

// name reads a member's name and the colon behind it.
func (c *cursor) name() (string, bool) {
	if c.space() != '"' {
		return "", false
	}
	from := c.pos + 1
	end := bytes.IndexByte(c.head[from:], '"')
	if end < 0 {
		return "", false
	}
	c.pos = from + end + 1
	if c.space() != ':' {
		return "", false
	}
	c.pos++
	return string(c.head[from : from+end]), true
}

// value skips a value and says whether all of it is in the head.
func (c *cursor) value() bool {
	var b balance
	for c.pos < len(c.head) {
		ch := c.head[c.pos]
		if b.depth == 0 && !b.quoted && (ch == ',' || ch == '}' || ch == ']') {
			return true
		}
		c.pos += b.scan(c.head[c.pos : c.pos+1])
	}
	return false
}

package taxii

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/stix"
)

// ErrPaging is wrapped when a server's paging makes no progress or has no end.
var ErrPaging = errors.New("paging goes nowhere")

// Poll says what to read from a collection.
type Poll struct {
	Filter Filter
	Limit  int    // objects in a page; the server's choice when 0
	Cursor string // where to go on; empty to start
}

// Batch is one page of objects as a client receives it.
type Batch struct {
	Envelope
	// First and Last are the date headers, zero when the server sent none. Last of
	// the newest batch is the AddedAfter of the next poll.
	First, Last time.Time
}

// Objects reads one page of a collection.
func (c *Client) Objects(ctx context.Context, root, collection string, p Poll) (Batch, error) {
	return c.batch(ctx, below(root, "collections", collection, "objects"), p)
}

// Object reads one page of the versions of one object, the last one unless the
// filter says otherwise.
func (c *Client) Object(ctx context.Context, root, collection, id string, p Poll) (Batch, error) {
	return c.batch(ctx, below(root, "collections", collection, "objects", id), p)
}

// Manifest reads one page of the manifest of a collection.
func (c *Client) Manifest(ctx context.Context, root, collection string, p Poll) (Manifest, error) {
	var m Manifest
	_, err := c.get(ctx, below(root, "collections", collection, "manifest"), p.values(), &m)
	return m, wrap("manifest", err)
}

// Versions reads one page of the versions of one object.
func (c *Client) Versions(ctx context.Context, root, collection, id string, p Poll) (Versions, error) {
	var v Versions
	_, err := c.get(ctx, below(root, "collections", collection, "objects", id, "versions"), p.values(), &v)
	return v, wrap("versions", err)
}

func (c *Client) batch(ctx context.Context, path string, p Poll) (Batch, error) {
	var b Batch
	header, err := c.get(ctx, path, p.values(), &b.Envelope)
	if err != nil {
		return Batch{}, wrap("objects", err)
	}
	b.First, b.Last = headerTime(header, HeaderFirst), headerTime(header, HeaderLast)
	return b, nil
}

func headerTime(header http.Header, name string) time.Time {
	t, err := stix.ParseTimestamp(header.Get(name))
	if err != nil {
		return time.Time{}
	}
	return t.Time()
}

// All reads a collection page by page until there is no more (section 3.5). It
// follows next, and from servers that give none the Last header. It stops with
// an error after the first failure, with ErrPaging when a server sends the same
// place twice or more pages than the client's limit.
func (c *Client) All(ctx context.Context, root, collection string, p Poll) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for range c.cfg.MaxPages {
			b, err := c.Objects(ctx, root, collection, p)
			if err != nil {
				yield(Batch{}, err)
				return
			}
			if !yield(b, nil) || !b.More {
				return
			}
			if p, err = p.after(b); err != nil {
				yield(Batch{}, wrap("poll", err))
				return
			}
		}
		yield(Batch{}, wrap("poll", fmt.Errorf("%w: more than %d pages", ErrPaging, c.cfg.MaxPages)))
	}
}

// after is the poll of the next page: the same question with a new place.
func (p Poll) after(b Batch) (Poll, error) {
	switch {
	case b.Next != "" && b.Next != p.Cursor:
		p.Cursor = b.Next
	case b.Next == "" && b.Last.After(p.Filter.AddedAfter):
		p.Cursor, p.Filter.AddedAfter = "", b.Last
	default:
		return p, fmt.Errorf("%w: the server has more but no new place to go on", ErrPaging)
	}
	return p, nil
}

// values writes the URL parameters (section 3.4).
func (p Poll) values() url.Values {
	v := url.Values{}
	if !p.Filter.AddedAfter.IsZero() {
		v.Set("added_after", FormatTime(p.Filter.AddedAfter))
	}
	if p.Limit > 0 {
		v.Set("limit", strconv.Itoa(p.Limit))
	}
	for name, text := range map[string]string{
		"next": p.Cursor, "match[id]": strings.Join(p.Filter.IDs, ","), "match[type]": strings.Join(p.Filter.Types, ","),
		"match[spec_version]": strings.Join(p.Filter.SpecVersions, ","), "match[version]": p.Filter.Versions.String(),
	} {
		if text != "" {
			v.Set(name, text)
		}
	}
	return v
}

// String writes the filter as in a URL, empty for the default.
func (f VersionFilter) String() string {
	var parts []string
	for _, word := range []struct {
		on   bool
		text string
	}{{f.All, "all"}, {f.First, "first"}, {f.Last, "last"}} {
		if word.on {
			parts = append(parts, word.text)
		}
	}
	for _, at := range f.At {
		parts = append(parts, stix.At(at).String())
	}
	return strings.Join(parts, ",")
}

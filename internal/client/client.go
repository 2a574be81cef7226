// Package client speaks the API of a centre. It knows the API's words only,
// nothing of the program behind it.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says where the centre is and who asks.
type Config struct {
	URL      string // "https://centre.example"
	Secret   string // a member's key or a personal token
	Language string // "zh-Hant" or "en", for what the centre words
	// HTTP is the client to use; nil: one that follows no redirects.
	HTTP *http.Client
}

// Errors of a configuration.
var (
	ErrURL       = errors.New("client: the address is not http:// or https:// with a host")
	ErrPlainHTTP = errors.New("client: plain http:// would show the secret to the network")
	ErrNoSecret  = errors.New("client: there is no key or token")
	// ErrNotAspis means that what answered is no centre.
	ErrNotAspis = errors.New("client: what answered does not speak this API")
)

const (
	timeout   = 60 * time.Second
	maxAnswer = 64 << 20 // bytes
)

// Client asks one centre. It is safe for concurrent use.
type Client struct {
	base     *url.URL
	secret   string
	language string
	http     *http.Client
}

// New checks the configuration. Plain HTTP is for this machine only.
func New(c Config) (*Client, error) {
	u, err := url.Parse(strings.TrimSuffix(c.URL, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, ErrURL
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, ErrPlainHTTP
	}
	if c.Secret == "" || strings.ContainsAny(c.Secret, "\r\n\x00 ") {
		return nil, ErrNoSecret
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: timeout, Transport: transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Client{u, c.Secret, c.Language, c.HTTP}, nil
}

// transport is a client's own, so that closing it leaves others alone.
func transport() http.RoundTripper {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return http.DefaultTransport
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Problem is an error that the centre answered (RFC 9457). Code is for
// programs; Detail is worded in the client's language.
type Problem struct {
	Status    int             `json:"status"`
	Code      string          `json:"code"`
	Title     string          `json:"title"`
	Detail    string          `json:"detail"`
	RequestID string          `json:"request_id"`
	Details   json.RawMessage `json:"details"`
}

// Error implements error: what a person reads.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	for _, d := range p.single() {
		text += "\n  " + d
	}
	return text
}

// single are the single problems of an error that counts them.
func (p *Problem) single() []string {
	var list []struct {
		Field, Text, At, Problem string
		Line                     int
	}
	if json.Unmarshal(p.Details, &list) != nil {
		return p.collisions()
	}
	var texts []string
	for _, d := range list {
		place := d.Field + d.At
		if d.Line > 0 {
			place = fmt.Sprintf("%s:%d", place, d.Line)
		}
		texts = append(texts, strings.TrimSpace(place+" "+d.Text+d.Problem))
	}
	return texts
}

// collisions are the fields that another changed too.
func (p *Problem) collisions() []string {
	var changed struct {
		Fields []struct{ Field, Mine, Theirs string }
	}
	if json.Unmarshal(p.Details, &changed) != nil {
		return nil
	}
	var texts []string
	for _, f := range changed.Fields {
		texts = append(texts, fmt.Sprintf("%s: %q ≠ %q", f.Field, f.Mine, f.Theirs))
	}
	return texts
}

// Request is one question.
type Request struct {
	Method string // empty: GET
	Path   string // "/api/v1/advisories", escaped
	Query  url.Values
	Body   any    // encoded as JSON; nil: none
	Match  string // the ETag that a change is made on
	Create bool   // with an idempotency key, so that it can be repeated
}

// Do asks and decodes the answer into it, which may be nil. It returns the
// answer's ETag. What the centre refuses is a *[Problem]. A request that
// creates is repeated once when its answer is lost: its key makes that safe.
func (c *Client) Do(ctx context.Context, q Request, into any) (etag string, err error) {
	body, err := encode(q.Body)
	if err != nil {
		return "", err
	}
	key := ""
	if q.Create {
		key = rand.Text()
	}
	resp, err := c.send(ctx, q, body, key)
	if err != nil && ctx.Err() == nil && (q.Create || q.method() == http.MethodGet) {
		resp, err = c.send(ctx, q, body, key)
	}
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode >= 300 {
		return "", problemOf(resp, raw)
	}
	if into == nil || len(raw) == 0 {
		return resp.Header.Get("ETag"), nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotAspis, err)
	}
	return resp.Header.Get("ETag"), nil
}

func (q Request) method() string {
	if q.Method == "" {
		return http.MethodGet
	}
	return q.Method
}

func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	return json.Marshal(body)
}

func (c *Client) send(ctx context.Context, q Request, body []byte, key string) (*http.Response, error) {
	where := c.base.String() + q.Path
	if len(q.Query) > 0 {
		where += "?" + q.Query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, q.method(), where, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + c.secret, "Accept": "application/json", "Accept-Language": c.language,
		"If-Match": q.Match, "Idempotency-Key": key,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return c.http.Do(r)
}

// problemOf reads a refusal; one that is no problem+json came from something
// between.
func problemOf(resp *http.Response, raw []byte) error {
	p := &Problem{Status: resp.StatusCode}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(raw, p) != nil {
		return fmt.Errorf("%w: status %d", ErrNotAspis, resp.StatusCode)
	}
	return p
}

// Page is a page of a list: its rows and where it goes on.
type Page[Row any] struct {
	Rows []Row
	Next string
}

// List asks for pages until limit rows came (0: all) or the list ends. rows
// is the name of the list in the answer, cursor that of the parameter that
// takes its next.
func List[Row any](ctx context.Context, c *Client, q Request, rows, cursor string, limit int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var none Row
		query, n := url.Values{}, 0
		for name, values := range q.Query {
			query[name] = values
		}
		for {
			q.Query = query
			page, err := onePage[Row](ctx, c, q, rows)
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range page.Rows {
				if !yield(row, nil) {
					return
				}
				if n++; n == limit {
					return
				}
			}
			if page.Next == "" || page.Next == query.Get(cursor) {
				return
			}
			query.Set(cursor, page.Next)
		}
	}
}

func onePage[Row any](ctx context.Context, c *Client, q Request, rows string) (Page[Row], error) {
	var raw map[string]json.RawMessage
	if _, err := c.Do(ctx, q, &raw); err != nil {
		return Page[Row]{}, err
	}
	var page Page[Row]
	if err := json.Unmarshal(raw[rows], &page.Rows); err != nil {
		return page, fmt.Errorf("%w: %w", ErrNotAspis, err)
	}
	if next := raw["next"]; next != nil {
		if err := json.Unmarshal(next, &page.Next); err != nil {
			return page, fmt.Errorf("%w: %w", ErrNotAspis, err)
		}
	}
	return page, nil
}

package taxii

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrTooLarge is wrapped by errors about responses above the client's limit.
var ErrTooLarge = errors.New("response too large")

// Credentials authenticate a client. Token is sent as Bearer; without it, User
// and Password are sent as Basic; without them, nothing is.
type Credentials struct {
	User, Password string
	Token          string
}

// ClientConfig makes a Client. Only BaseURL is required.
type ClientConfig struct {
	BaseURL     string // scheme and host, for example "https://isac.example"
	Credentials Credentials
	TLS         *tls.Config   // nil: the system's
	Timeout     time.Duration // of one request with its body; 60 s when 0
	MaxBody     int64         // bytes of one response, after decompression; 64 MiB when 0
	MaxPages    int           // pages that Poll follows; 10,000 when 0
	UserAgent   string
}

// Client reads a TAXII 2.1 server. It sends its credentials to the host of
// BaseURL only and follows no redirect elsewhere. It may be used by several
// goroutines; Close frees its connections.
type Client struct {
	cfg  ClientConfig
	base *url.URL
	http *http.Client
}

// NewClient checks the configuration and fills in its defaults.
func NewClient(cfg ClientConfig) (*Client, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || base.User != nil {
		return nil, fmt.Errorf("taxii client: %q is not a URL with a host and without credentials", clip(cfg.BaseURL))
	}
	cfg.Timeout = orElse(cfg.Timeout, time.Minute)
	cfg.MaxBody = orElse(cfg.MaxBody, 64<<20)
	cfg.MaxPages = orElse(cfg.MaxPages, 10_000)
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: cfg.TLS, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second,
	}
	c := &Client{cfg: cfg, base: base}
	c.http = &http.Client{Transport: transport, Timeout: cfg.Timeout, CheckRedirect: c.checkRedirect}
	return c, nil
}

// Close frees idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) checkRedirect(r *http.Request, via []*http.Request) error {
	if !c.isHome(r.URL) || len(via) > 3 {
		return fmt.Errorf("redirect to %s refused", r.URL.Host)
	}
	return nil
}

func (c *Client) isHome(u *url.URL) bool { return u.Scheme == c.base.Scheme && u.Host == c.base.Host }

// ResponseError is an answer of the server that is not a success.
type ResponseError struct {
	Code       int
	Message    ErrorMessage  // empty when the body was none
	RetryAfter time.Duration // 0 when not given
}

// Error implements error.
func (e *ResponseError) Error() string {
	text := "the server answered " + strconv.Itoa(e.Code)
	if e.Message.Title != "" {
		text += ": " + clip(e.Message.Title)
	}
	return text
}

// Is makes errors.Is work with ErrUnauthenticated, ErrForbidden, ErrNotFound and
// ErrUnavailable.
func (e *ResponseError) Is(target error) bool {
	switch e.Code {
	case http.StatusUnauthorized:
		return target == ErrUnauthenticated
	case http.StatusForbidden:
		return target == ErrForbidden
	case http.StatusNotFound:
		return target == ErrNotFound
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return target == ErrUnavailable
	}
	return false
}

// Discovery asks what the server offers.
func (c *Client) Discovery(ctx context.Context) (Discovery, error) {
	var d Discovery
	_, err := c.get(ctx, DiscoveryPath, nil, &d)
	return d, wrap("discovery", err)
}

// APIRoot asks about a root, given as discovery lists it.
func (c *Client) APIRoot(ctx context.Context, root string) (APIRoot, error) {
	var a APIRoot
	_, err := c.get(ctx, root, nil, &a)
	return a, wrap("API root", err)
}

// Collections lists the collections of a root.
func (c *Client) Collections(ctx context.Context, root string) ([]Collection, error) {
	var list collectionList
	_, err := c.get(ctx, below(root, "collections"), nil, &list)
	return list.Collections, wrap("collections", err)
}

// Collection asks about one collection, by id or alias.
func (c *Client) Collection(ctx context.Context, root, id string) (Collection, error) {
	var found Collection
	_, err := c.get(ctx, below(root, "collections", id), nil, &found)
	return found, wrap("collection", err)
}

// Status asks what became of objects that were added.
func (c *Client) Status(ctx context.Context, root, id string) (Status, error) {
	var s Status
	_, err := c.get(ctx, below(root, "status", id), nil, &s)
	return s, wrap("status", err)
}

// Add sends objects to a collection.
func (c *Client) Add(ctx context.Context, root, collection string, objects []json.RawMessage) (Status, error) {
	var s Status
	body, err := json.Marshal(Envelope{Objects: objects})
	if err != nil {
		return s, wrap("add objects", err)
	}
	_, err = c.do(ctx, http.MethodPost, below(root, "collections", collection, "objects"), nil, body, &s)
	return s, wrap("add objects", err)
}

func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("taxii %s: %w", operation, err)
}

// below makes the path of a resource under a root.
func below(root string, parts ...string) string {
	path := strings.TrimSuffix(root, "/") + "/"
	for _, part := range parts {
		path += url.PathEscape(part) + "/"
	}
	return path
}

func (c *Client) get(ctx context.Context, path string, query url.Values, into any) (http.Header, error) {
	return c.do(ctx, http.MethodGet, path, query, nil, into)
}

// do sends one request. path is absolute or below the base URL, but never at
// another host: a server must not send our credentials elsewhere.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body []byte, into any) (http.Header, error) {
	u, err := c.base.Parse(path)
	if err != nil || !c.isHome(u) {
		return nil, fmt.Errorf("%q is not at %s", clip(path), c.base.Host)
	}
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	c.sign(r, len(body) > 0)
	response, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(response.Body, c.cfg.MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	if int64(len(data)) > c.cfg.MaxBody {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, c.cfg.MaxBody)
	}
	if response.StatusCode/100 != 2 {
		return nil, responseError(response, data)
	}
	if !isTAXII(response.Header.Get("Content-Type")) {
		return nil, fmt.Errorf("the server answered with %q, not with %s", clip(response.Header.Get("Content-Type")), MediaType)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return nil, fmt.Errorf("decode response: %w", err)
	}
	return response.Header, nil
}

func (c *Client) sign(r *http.Request, hasBody bool) {
	r.Header.Set("Accept", MediaType)
	if hasBody {
		r.Header.Set("Content-Type", MediaType)
	}
	if c.cfg.UserAgent != "" {
		r.Header.Set("User-Agent", c.cfg.UserAgent)
	}
	switch who := c.cfg.Credentials; {
	case who.Token != "":
		r.Header.Set("Authorization", "Bearer "+who.Token)
	case who.User != "" || who.Password != "":
		r.SetBasicAuth(who.User, who.Password)
	}
}

func responseError(response *http.Response, data []byte) error {
	e := &ResponseError{Code: response.StatusCode}
	_ = json.Unmarshal(data, &e.Message) // a proxy's page is no error message; the code is enough
	after := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(min(seconds, 86_400)) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		e.RetryAfter = max(0, time.Until(at))
	}
	return e
}

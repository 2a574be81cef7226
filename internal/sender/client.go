// Package sender sends monitoring records to a centre's door,
// POST /api/v1/records: in batches, compressed, retried with one idempotency
// key each, and resumed after an interruption where it was.
//
// A batch is the unit of everything: it is accepted as a whole, repeated as a
// whole and known to the door by one key, so however often an answer is lost,
// every line counts once.
package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
)

// RecordsPath is where the door listens on a centre.
const RecordsPath = "/api/v1/records"

// Defaults and bounds of [Config].
const (
	DefaultBatchLines  = 500
	DefaultBatchBytes  = 2 << 20
	DefaultConcurrency = 2
	DefaultTimeout     = 60 * time.Second
	DefaultGiveUp      = 10 * time.Minute

	maxBatchLines  = 10_000
	maxBatchBytes  = 16 << 20
	maxConcurrency = 64
	maxAnswer      = 4 << 20 // bytes of an answer that are read
)

// Config says where to send and how. Zero fields take their defaults.
type Config struct {
	// URL is the centre's address, "https://centre.example"; [RecordsPath]
	// is appended unless the URL already has a path.
	URL string
	// Key is the member's key with the scope "records".
	Key string
	// HTTP is the client to use; by default one with the system's proxy and
	// TLS settings that follows no redirects.
	HTTP *http.Client
	// BatchLines and BatchBytes bound a batch before compression.
	BatchLines, BatchBytes int
	// Concurrency is how many batches are under way at once.
	Concurrency int
	// Timeout bounds one attempt.
	Timeout time.Duration
	// Zstd compresses batches; by default each client has an encoder of its
	// own. Many clients in one process save memory by sharing one.
	Zstd *zstd.Encoder
	// Language is what reasons of rejection are worded in, as in
	// Accept-Language; by default the centre decides.
	Language string
	// Backoff is how failed attempts are repeated.
	Backoff Backoff
}

func (c Config) withDefaults() Config {
	c.BatchLines = within(c.BatchLines, DefaultBatchLines, maxBatchLines)
	c.BatchBytes = within(c.BatchBytes, DefaultBatchBytes, maxBatchBytes)
	c.Concurrency = within(c.Concurrency, DefaultConcurrency, maxConcurrency)
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.HTTP == nil {
		c.HTTP = newHTTPClient(c.Concurrency)
	}
	c.Backoff = c.Backoff.withDefaults()
	return c
}

func within(n, byDefault, most int) int {
	if n <= 0 {
		return byDefault
	}
	return min(n, most)
}

// newHTTPClient refuses redirects: a POST that turns into a GET elsewhere
// would lose the batch, and the key is for one host only.
func newHTTPClient(conns int) *http.Client {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        2 * conns,
		MaxIdleConnsPerHost: conns,
		IdleConnTimeout:     60 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	}
	return &http.Client{Transport: t, CheckRedirect: refuseRedirect}
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Client sends batches for one member. It is safe for concurrent use.
type Client struct {
	cfg     Config
	target  string
	gate    gate
	retries atomic.Int64
}

// New returns a client. It opens no connection.
func New(cfg Config) (*Client, error) {
	target, err := endpoint(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Key == "" {
		return nil, errors.New("sender: no key")
	}
	if cfg.Zstd == nil {
		if cfg.Zstd, err = NewEncoder(); err != nil {
			return nil, err
		}
	}
	return &Client{cfg: cfg.withDefaults(), target: target}, nil
}

// NewEncoder returns an encoder for [Config.Zstd]: fast, and small in memory.
func NewEncoder() (*zstd.Encoder, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<18))
	if err != nil {
		return nil, fmt.Errorf("sender: set up zstd: %w", err)
	}
	return enc, nil
}

func endpoint(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("sender: address of the centre: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", fmt.Errorf("sender: address of the centre %q: want http:// or https:// and a host", u.Redacted())
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = RecordsPath
	}
	return u.String(), nil
}

// Close frees idle connections.
func (c *Client) Close() { c.cfg.HTTP.CloseIdleConnections() }

// Retries is how many attempts were repeated so far.
func (c *Client) Retries() int64 { return c.retries.Load() }

// Compress makes a request body of newline-delimited records.
func (c *Client) Compress(lines []byte) []byte {
	return c.cfg.Zstd.EncodeAll(lines, make([]byte, 0, len(lines)/6+64))
}

// Post sends one batch of newline-delimited records under an idempotency key
// (1 to 64 printable ASCII characters) and repeats it until it is answered,
// refused for good ([*RefusedError]), or ctx or the back-off's patience ends.
func (c *Client) Post(ctx context.Context, key string, lines []byte) (Answer, error) {
	return c.PostCompressed(ctx, key, c.Compress(lines))
}

// PostCompressed is [Client.Post] for a body that is zstd already.
func (c *Client) PostCompressed(ctx context.Context, key string, body []byte) (Answer, error) {
	started := time.Now()
	for attempt := 0; ; attempt++ {
		if err := c.gate.wait(ctx); err != nil {
			return Answer{}, err
		}
		a, err := c.attempt(ctx, key, body)
		if err == nil {
			return a, nil
		}
		if err := c.beforeNext(ctx, attempt, started, err); err != nil {
			return Answer{}, err
		}
	}
}

// beforeNext waits as long as the failure asks for, or says that there is no
// next attempt.
func (c *Client) beforeNext(ctx context.Context, attempt int, started time.Time, failure error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var refused *RefusedError
	if errors.As(failure, &refused) && !refused.Temporary() {
		return failure
	}
	pause := c.cfg.Backoff.pause(attempt)
	if refused != nil && refused.RetryAfter > 0 {
		pause = refused.RetryAfter + c.cfg.Backoff.pause(0)/4
		c.gate.hold(time.Now().Add(refused.RetryAfter))
	}
	if time.Since(started)+pause > c.cfg.Backoff.GiveUp {
		return fmt.Errorf("sender: gave up after %d attempts: %w", attempt+1, failure)
	}
	c.retries.Add(1)
	return sleep(ctx, pause)
}

// attempt sends the batch once.
func (c *Client) attempt(ctx context.Context, key string, body []byte) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.target, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("sender: make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.cfg.Key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "zstd")
	req.Header.Set("Idempotency-Key", key)
	if c.cfg.Language != "" {
		req.Header.Set("Accept-Language", c.cfg.Language)
	}
	resp, err := c.cfg.HTTP.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("sender: send batch: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to the end or given up; nothing to learn
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil && resp.StatusCode == http.StatusOK {
		return Answer{}, fmt.Errorf("sender: read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return Answer{}, refusal(resp, text)
	}
	return parseAnswer(text)
}

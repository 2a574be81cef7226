// Package outbound is how the program asks other machines over HTTP on
// somebody else's word: webhooks, feeds. It reaches no address of this
// machine, of the network around it, or that belongs to nobody, unless the
// operator allowed it. The address is checked when the connection is made, so
// that neither a name that changes its address nor a redirect leads inside.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/idna"
)

// The sentinels of this package.
var (
	// ErrAddress means an address that may not be reached.
	ErrAddress = errors.New("outbound: the address is not on the internet, and the operator has not allowed it")
	// ErrHost means a host that is not among those that the operator named.
	ErrHost = errors.New("outbound: the operator has not named this host")
	// ErrURL means a text that is no address of a service.
	ErrURL = errors.New("outbound: not https://HOST[:PORT]/PATH")
	// ErrTooLarge means an answer over the limit.
	ErrTooLarge = errors.New("outbound: the answer is too large")
)

// Config says what may be reached and how long is waited. The zero value
// reaches the internet over HTTPS only.
type Config struct {
	// Allow are networks that may be reached although they are private; over
	// plain HTTP, too.
	Allow []netip.Prefix
	// Hosts are the names that may be reached, each with those below it, and
	// addresses; empty: all.
	Hosts []string
	// Timeout bounds a whole exchange; 0: 10 seconds.
	Timeout time.Duration
	// MaxBody bounds an answer in bytes; 0: 64 KiB.
	MaxBody int64
	// Transport changes the transport, for TLS settings in tests; nil: none.
	Transport func(*http.Transport)
}

// Client makes requests. It is safe for concurrent use.
type Client struct {
	guard   guard
	hosts   []string
	http    *http.Client
	maxBody int64
}

const (
	defaultTimeout = 10 * time.Second
	defaultMaxBody = 64 << 10
	maxHeader      = 16 << 10
	maxURL         = 2048
)

// New returns a client. It takes no proxy from the environment, follows no
// redirect and keeps no cookie.
func New(c Config) *Client {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	client := &Client{guard: guard{allow: c.Allow, refuse: refused()}, hosts: c.Hosts, maxBody: c.MaxBody}
	dialer := &net.Dialer{Timeout: c.Timeout, KeepAlive: -1, ControlContext: client.control}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    c.Timeout,
		ResponseHeaderTimeout:  c.Timeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableKeepAlives:      true, // a connection that is used again is not checked again
		ForceAttemptHTTP2:      true,
	}
	if c.Transport != nil {
		c.Transport(transport)
	}
	client.http = &http.Client{
		Transport: transport, Timeout: c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client
}

// plainKey marks a request that is not encrypted.
type plainKey struct{}

// control runs after the name was resolved and before the connection is made,
// for every address that is tried.
func (c *Client) control(ctx context.Context, network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") || !c.guard.allowed(at.Addr()) {
		return ErrAddress
	}
	if ctx.Value(plainKey{}) != nil && !c.guard.listed(at.Addr()) {
		return fmt.Errorf("%w: plain HTTP", ErrURL)
	}
	return nil
}

// Check reads an address that somebody gave. It refuses what can be seen to
// lead nowhere good; names are checked again when they are resolved.
func (c *Client) Check(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, len(text) > maxURL, u.Opaque != "", u.User != nil, u.Fragment != "":
		return nil, ErrURL
	case u.Scheme != "https" && (u.Scheme != "http" || len(c.guard.allow) == 0):
		return nil, ErrURL
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	if !c.named(host) {
		return nil, ErrHost
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if !c.guard.allowed(a) || a.Zone() != "" {
			return nil, ErrAddress
		}
		return u, nil
	}
	if err := checkName(host); err != nil {
		return nil, err
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		if !c.guard.listed(netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
			return nil, ErrAddress
		}
	}
	return u, nil
}

// named reports whether the operator lets the host be reached by its name.
func (c *Client) named(host string) bool {
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		ascii = host
	}
	ascii = strings.ToLower(ascii)
	return len(c.hosts) == 0 || slices.ContainsFunc(c.hosts, func(h string) bool {
		return ascii == h || strings.HasSuffix(ascii, "."+h)
	})
}

// Host is the one form of a host's name, as [Config.Hosts] takes it: ASCII in
// lower case, or an address; ErrURL for what is neither.
func Host(text string) (string, error) {
	text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "*."), ".")
	if a, err := netip.ParseAddr(text); err == nil {
		return a.String(), nil
	}
	if err := checkName(text); err != nil {
		return "", err
	}
	ascii, err := idna.Lookup.ToASCII(text)
	return strings.ToLower(ascii), err
}

// checkName refuses names that are numbers in disguise: resolvers read
// 2130706433, 0x7f.1 and 0177.0.0.1 as addresses (WHATWG URL, "ends in a
// number").
func checkName(host string) error {
	if host == "" || strings.ContainsAny(host, "%_ \t\r\n") || strings.Contains(host, "..") {
		return ErrURL
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrURL, err)
	}
	last := strings.ToLower(ascii[strings.LastIndexByte(ascii, '.')+1:])
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return ErrAddress
	}
	return nil
}

// Answer is what came back: the status and the body, whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes a request whose URL has passed [Client.Check] and reads the
// answer. A redirect is an answer like any other.
func (c *Client) Do(r *http.Request) (Answer, error) {
	if _, err := c.Check(r.URL.String()); err != nil {
		return Answer{}, err
	}
	if r.URL.Scheme == "http" {
		r = r.WithContext(context.WithValue(r.Context(), plainKey{}, true))
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return Answer{}, fmt.Errorf("outbound: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.maxBody+1))
	if err != nil {
		return Answer{}, fmt.Errorf("outbound: read: %w", err)
	}
	if int64(len(body)) > c.maxBody {
		return Answer{Status: resp.StatusCode}, ErrTooLarge
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

package wire

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/outbound"
)

// Options say what to run. The zero value of each field but Data and Listen
// is a default that works.
type Options struct {
	Data     string // folder for everything that is kept
	Listen   string // host:port; port 0 takes a free one
	Database string // postgres://… instead of SQLite in the data folder
	NATS     string // nats://… of a cluster instead of the stream in the process
	// BaseURL is how people reach the centre, for links in mail; default
	// http://LISTEN.
	BaseURL string
	// Rules are folders of Sigma rules loaded beside the shipped ones.
	Rules []string
	// Centre's address and SMTP server (smtp://[user:password@]host:port).
	// Without a server messages are files in the data folder's mail/.
	MailFrom string
	SMTP     string
	// Witnesses co-sign the ledger's checkpoints, each as KEY@URL: its
	// verifier key (c2sp.org/tlog-cosignature) and where it is asked
	// (c2sp.org/tlog-witness).
	Witnesses []string
	// WebhookAllow are private networks, as 10.1.0.0/16, that members'
	// webhooks may be in; none by default.
	WebhookAllow []string
	// WebhookHosts are the names that members' webhooks may be at, each with
	// those below it; none: any on the internet.
	WebhookHosts []string
	// PlainEngines lets a database or stream on another machine be reached
	// without TLS: for a network that is encrypted itself.
	PlainEngines bool
	// BreachedPasswords is a file of hashes of passwords that are known to
	// others, which nobody may choose; see [password.OpenBreached].
	BreachedPasswords string
	// EscalateAfter is how long an urgent warning may lie unopened; 0: 30
	// minutes.
	EscalateAfter time.Duration
	// RecordsPerSecond is each member's quota at the door; 0: the default.
	RecordsPerSecond int
	// HistoryMemoryMB bounds the event history's engine; 0: the default.
	HistoryMemoryMB int
	Edge
	// LinksEnter lets one-time links sign in without setting anything up: for
	// the demonstration.
	LinksEnter bool
	// PrivateProviders allows members' OpenID providers on private addresses
	// and without TLS.
	PrivateProviders bool
	Version          string
	Log              *slog.Logger
	Now              func() time.Time
}

const (
	databaseFile      = "aspis.db"
	defaultMailFrom   = "aspis@centre.example"
	defaultHistoryMB  = 192
	shutdownPatience  = 15 * time.Second
	enrolmentValidity = 24 * time.Hour
)

// check fills defaults and reports every mistake together.
func (o *Options) check() error {
	var mistakes []error
	if o.Data == "" {
		mistakes = append(mistakes, errs.New(errs.Invalid, "cli.data_missing"))
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		mistakes = append(mistakes, errs.New(errs.Invalid, "cli.listen_form", o.Listen))
	} else if !o.terminatesTLS() && !isLoopback(host) {
		mistakes = append(mistakes, errs.New(errs.Invalid, "cli.listen_plain", o.Listen))
	}
	if ip := net.ParseIP(host); o.TLSCert != "" && o.BaseURL == "" && (host == "" || ip != nil && ip.IsUnspecified()) {
		mistakes = append(mistakes, fmt.Errorf("--base-url: say by which https:// address people reach %q", o.Listen))
	}
	mistakes = append(mistakes, o.Edge.check()...)
	for flag, value := range map[string]string{"--database": o.Database, "--nats": o.NATS, "--smtp": o.SMTP, "--base-url": o.BaseURL} {
		if u, err := url.Parse(value); value != "" && (err != nil || u.Host == "") {
			mistakes = append(mistakes, errs.New(errs.Invalid, "cli.url_flag", flag, value))
		}
	}
	for _, err := range []error{second(o.webhookNetworks()), second(o.webhookHosts()), o.checkEngines()} {
		if err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if o.EscalateAfter < 0 || o.EscalateAfter > 0 && o.EscalateAfter < time.Minute {
		mistakes = append(mistakes, fmt.Errorf("--escalate-after %s: want a minute or more", o.EscalateAfter))
	}
	if _, err := witnesses(o.Witnesses); err != nil {
		mistakes = append(mistakes, err)
	}
	if o.MailFrom == "" {
		o.MailFrom = defaultMailFrom
	}
	if o.HistoryMemoryMB == 0 {
		o.HistoryMemoryMB = defaultHistoryMB
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return errors.Join(mistakes...)
}

func second[T any](_ T, err error) error { return err }

// checkEngines refuses engines on another machine whose connection could be
// read on the way.
func (o *Options) checkEngines() error {
	if o.PlainEngines {
		return nil
	}
	var mistakes []error
	if u, err := url.Parse(o.Database); err == nil && u.Host != "" && !isLoopback(u.Hostname()) {
		switch u.Query().Get("sslmode") {
		case "require", "verify-ca", "verify-full":
		default:
			mistakes = append(mistakes, errs.New(errs.Invalid, "cli.plain_database", u.Hostname()))
		}
	}
	for text := range strings.SplitSeq(o.NATS, ",") {
		if u, err := url.Parse(text); err == nil && u.Host != "" && !isLoopback(u.Hostname()) && u.Scheme != "tls" && u.Scheme != "wss" {
			mistakes = append(mistakes, errs.New(errs.Invalid, "cli.plain_nats", u.Hostname()))
		}
	}
	return errors.Join(mistakes...)
}

// webhookHosts are the names of WebhookHosts in their one form.
func (o *Options) webhookHosts() ([]string, error) {
	var all []string
	var mistakes []error
	for _, text := range o.WebhookHosts {
		host, err := outbound.Host(text)
		if err != nil {
			mistakes = append(mistakes, errs.New(errs.Invalid, "cli.webhook_host", text).Because(err))
		}
		all = append(all, host)
	}
	return all, errors.Join(mistakes...)
}

// webhookNetworks are the networks of WebhookAllow.
func (o *Options) webhookNetworks() ([]netip.Prefix, error) {
	var all []netip.Prefix
	var mistakes []error
	for _, text := range o.WebhookAllow {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--webhook-allow %q: want a network, for example 10.1.0.0/16", text))
		}
		all = append(all, p.Masked())
	}
	return all, errors.Join(mistakes...)
}

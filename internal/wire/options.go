package wire

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
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
	if _, err := o.webhookNetworks(); err != nil {
		mistakes = append(mistakes, err)
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

package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/aspis-platform/aspis/internal/wire"
)

// serveFlags are shared by everything that runs a centre.
type serveFlags struct {
	dataFlag
	edgeFlags
	Listen   string        `default:"127.0.0.1:8080" env:"ASPIS_LISTEN" help:"HOST:PORT to listen on."`
	BaseURL  string        `name:"base-url" env:"ASPIS_BASE_URL" help:"How people reach this centre, for links; default http://LISTEN."`
	Database string        `env:"ASPIS_DATABASE" help:"postgres://… instead of SQLite in the data folder."`
	NATS     string        `name:"nats" env:"ASPIS_NATS" help:"nats://… of a JetStream cluster instead of the stream in the process."`
	Rules    []string      `type:"existingdir" env:"ASPIS_RULES" help:"Folders of Sigma rules beside the shipped ones."`
	SMTP     string        `name:"smtp" env:"ASPIS_SMTP" help:"smtp://[user:password@]host:port; without it mails are files in DATA/mail."`
	MailFrom string        `env:"ASPIS_MAIL_FROM" help:"The centre's mail address."`
	Webhooks []string      `name:"webhook-allow" env:"ASPIS_WEBHOOK_ALLOW" help:"Private networks that members' webhooks may be in, as 10.1.0.0/16."`
	Hosts    []string      `name:"webhook-hosts" env:"ASPIS_WEBHOOK_HOSTS" help:"Names that members' webhooks may be at, with those below them; default: any on the internet."`
	Plain    bool          `name:"plain-engines" env:"ASPIS_PLAIN_ENGINES" help:"Allow a database and a stream on other machines without TLS, on a network that is encrypted itself."`
	Breached string        `name:"breached-passwords" type:"existingfile" env:"ASPIS_BREACHED_PASSWORDS" help:"File of SHA-1 hashes of breached passwords, in order, that nobody may choose."`
	Escalate time.Duration `name:"escalate-after" default:"30m" env:"ASPIS_ESCALATE_AFTER" help:"How long an urgent warning may lie unopened before the member's deputies are told, and again before the duty desk is."`
	Witness  []string      `name:"ledger-witness" env:"ASPIS_LEDGER_WITNESS" help:"KEY@URL of witnesses that co-sign the ledger's checkpoints."`
	Private  bool          `name:"private-providers" env:"ASPIS_PRIVATE_PROVIDERS" help:"Allow members' OpenID providers on private addresses and without TLS."`
	Quota    int           `env:"ASPIS_QUOTA" help:"Records a second that each member may send; 0: the default."`
}

func (f serveFlags) options(e *env) wire.Options {
	return wire.Options{
		Data: f.Data, Listen: f.Listen, BaseURL: f.BaseURL, Database: f.Database, NATS: f.NATS, Rules: f.Rules,
		SMTP: f.SMTP, MailFrom: f.MailFrom, RecordsPerSecond: f.Quota, Witnesses: f.Witness, Edge: f.edge(),
		WebhookAllow: f.Webhooks, WebhookHosts: f.Hosts, PlainEngines: f.Plain, BreachedPasswords: f.Breached,
		EscalateAfter: f.Escalate, PrivateProviders: f.Private, Version: version(), Log: e.log,
	}
}

// softMemory is what the collector tries to keep Go's own memory under; the
// history's engine has its own bound beside it. Together they stay within a
// gigabyte under load. GOMEMLIMIT in the environment comes first.
const softMemory = 512 << 20

// build builds a program that runs until it is told to stop.
func build(e *env, o wire.Options) (*wire.Program, error) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	return wire.Build(e.ctx, o)
}

type serveCmd struct {
	serveFlags
	Profile string `type:"path" hidden:"" help:"Write PREFIX.cpu.pprof and PREFIX.heap.pprof."`
}

func (c serveCmd) Run(e *env) (err error) {
	stop, err := profile(e.ctx, c.Profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	p, err := build(e, c.options(e))
	if err != nil {
		return err
	}
	link, err := p.Enrolment(e.ctx)
	if err != nil {
		return err
	}
	if link != "" {
		fmt.Fprintf(e.Out, "First start. Open this link once, within 24 hours, to become the administrator:\n首次啟動。請於 24 小時內開啟此一次性連結，成為系統管理者：\n  %s\n", link)
	}
	return p.Run(e.ctx)
}

package wire

import (
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/aspis-platform/aspis/internal/identity"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// postOffice is an SMTP server that may refuse everything.
type postOffice struct {
	mu     sync.Mutex
	closed bool
	mails  []string
}

func (o *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return counter{o}, nil }

type counter struct{ *postOffice }

func (c counter) Mail(string, *smtp.MailOptions) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return &smtp.SMTPError{Code: 451, Message: "try later"}
	}
	return nil
}
func (counter) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (c counter) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mails = append(c.mails, string(raw))
	return err
}
func (counter) Reset()        {}
func (counter) Logout() error { return nil }

func (o *postOffice) open(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, done := smtp.NewServer(o), make(chan error, 1)
	server.Domain = "test"
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
	return "smtp://" + l.Addr().String()
}

// arrived waits for so many mails.
func (o *postOffice) arrived(t *testing.T, n int) []string {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		o.mu.Lock()
		mails := append([]string(nil), o.mails...)
		o.mu.Unlock()
		if len(mails) >= n || time.Now().After(until) {
			if len(mails) != n {
				t.Fatalf("%d mails, want %d", len(mails), n)
			}
			return mails
		}
	}
}

var mailedLink = regexp.MustCompile(`/enrol#([a-z0-9]{40,})`)

// TestInvitationsAreMailed: with a mail server the link goes to the person and
// nobody else: not to who invites, not into the database in the clear. It
// opens the account once.
func TestInvitationsAreMailed(t *testing.T) {
	office := &postOffice{}
	dir := t.TempDir()
	p := start(t, func(o *Options) { o.Data, o.SMTP, o.LinksEnter = dir, office.open(t), true })
	chief := person(t, p, "chief@centre.example", "", sector.Administrator)
	all, err := newOrganisation(p).Invite(t.Context(), chief, []string{"mei@centre.example", "mei@centre.example", "not an address"}, []sector.Role{sector.Analyst})
	if err != nil || len(all) != 3 || !all[0].Mailed || all[0].Token != "" || all[1].Mailed || all[2].Err == nil {
		t.Fatalf("%+v, %v", all, err)
	}
	mail := office.arrived(t, 1)[0]
	body, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(mail[strings.Index(mail, "\r\n\r\n")+4:])))
	if err != nil {
		t.Fatal(err)
	}
	found := mailedLink.FindSubmatch(body)
	if found == nil || !strings.Contains(string(body), "邀請 mei@centre.example 加入") || !strings.Contains(string(body), "is invited to") {
		t.Fatalf("the mail says\n%s", body)
	}
	secret := string(found[1])
	for _, query := range []string{`SELECT count(*) FROM river_job WHERE CAST(args AS text) LIKE $1`, `SELECT count(*) FROM notify_event WHERE CAST(body AS text) LIKE $1`,
		`SELECT count(*) FROM ledger WHERE detail LIKE $1`} {
		var n int
		if err := p.engines.db.Read().QueryRowContext(t.Context(), query, "%"+secret+"%").Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d rows hold the secret, %v", query, n, err)
		}
	}
	c := browser(t, nil, nil)
	for i, want := range []int{http.StatusSeeOther, http.StatusBadRequest} {
		resp, _ := ask(t, c, http.MethodPost, p.URL()+"/enrol", url.Values{"token": {secret}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if resp.StatusCode != want {
			t.Errorf("use %d of the link: %d", i+1, resp.StatusCode)
		}
	}
}

// TestLostMailServer: invitations wait for the server and none is lost, and
// whoever invites may hand a link over meanwhile.
func TestLostMailServer(t *testing.T) {
	office := &postOffice{closed: true}
	p := start(t, func(o *Options) { o.SMTP = office.open(t) })
	chief := person(t, p, "chief@centre.example", "", sector.Administrator)
	orgs := newOrganisation(p)
	all, err := orgs.Invite(t.Context(), chief, []string{"a@centre.example", "b@centre.example"}, []sector.Role{sector.Analyst})
	if err != nil || !all[0].Mailed || !all[1].Mailed {
		t.Fatalf("%+v, %v", all, err)
	}
	u, err := p.directory.Person(t.Context(), "a@centre.example")
	if err != nil {
		t.Fatal(err)
	}
	if link, err := orgs.Link(t.Context(), chief, u.ID); err != nil || link == "" {
		t.Errorf("no link to hand over: %v", err)
	}
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		b, err := p.engines.db.Notifications().Backlog(t.Context())
		if err != nil || time.Now().After(until) {
			t.Fatalf("the backlog is %+v, %v", b, err)
		}
		if b.Retrying == 2 && b.Dead == 0 {
			break
		}
	}
	office.mu.Lock()
	office.closed = false
	office.mu.Unlock()
	office.arrived(t, 2)
}

// TestAdministratorsRecoverEachOther: no page makes a link for an administrator
// who can sign in without a second person.
func TestAdministratorsRecoverEachOther(t *testing.T) {
	p := running(t)
	addMember(t, p, "north-bank")
	li := person(t, p, "li@north.example", "north-bank", sector.MemberAdmin)
	mei := person(t, p, "mei@north.example", "north-bank", sector.MemberAdmin)
	orgs := newOrganisation(p)
	if _, err := orgs.Link(t.Context(), li, mei.User); err != nil {
		t.Errorf("the first invitation of an administrator: %v", err)
	}
	passkey := identity.Passkey{ID: "k", User: mei.User, Name: "laptop", Record: "{}", CreatedAt: time.Now()}
	if err := p.engines.db.Identity().AddPasskey(t.Context(), passkey, ledger.Entry{Actor: "system", Action: "credential.add", Object: "user:" + string(mei.User)}); err != nil {
		t.Fatal(err)
	}
	if link, err := orgs.Link(t.Context(), li, mei.User); !errs.Is(err, errs.Conflict) || link != "" {
		t.Errorf("one person recovers an administrator: %q, %v", link, err)
	}
}

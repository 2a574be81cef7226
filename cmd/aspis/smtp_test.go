package main

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// letter is a mail as the server got it.
type letter struct {
	to  []string
	raw string
}

// postOffice is an SMTP server of the test.
type postOffice struct {
	url     string
	mu      sync.Mutex
	letters []letter
}

func openPostOffice(t testing.TB) *postOffice {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{url: "smtp://" + l.Addr().String()}
	server := smtp.NewServer(p)
	server.Domain = "mail.test"
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends with Close
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return p
}

// NewSession implements smtp.Backend.
func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &counter{office: p}, nil }

// counter takes one sender's letters in.
type counter struct {
	office *postOffice
	to     []string
}

func (c *counter) Mail(string, *smtp.MailOptions) error { return nil }

func (c *counter) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.to = append(c.to, to)
	return nil
}

func (c *counter) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	c.office.letters = append(c.office.letters, letter{c.to, string(raw)})
	return err
}

func (c *counter) Reset()      { c.to = nil }
func (*counter) Logout() error { return nil }

// recipients are whom letters came for, sorted, each as often as letters; what
// people are told of their own accounts is left out.
func (p *postOffice) recipients() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, l := range p.letters {
		if !strings.Contains(l.raw, "/account\r\n") {
			all = append(all, l.to...)
		}
	}
	slices.Sort(all)
	return all
}

func (p *postOffice) all() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.letters)
}

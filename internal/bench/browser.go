package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/totp"
)

// browser is one signed-in person with an authenticator app.
type browser struct {
	base     string
	client   *http.Client
	password string
	app      totp.Secret
	used     int64 // the last period whose code was used
}

// newBrowser signs in with the form. Who has no app yet sets one up, as the
// portal asks for; app is its secret, empty for none.
func newBrowser(ctx context.Context, base, email, password, app string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &browser{base: base, password: password, client: &http.Client{
		Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	to, err := b.post(ctx, "/sign-in", url.Values{"email": {email}, "password": {password}, "next": {"/"}})
	if err == nil && to == "/account/set-up" {
		err = b.setUp(ctx)
	} else if err == nil {
		err = b.second(ctx, app)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot sign in: %w", email, err)
	}
	return b, nil
}

var secretOnPage = regexp.MustCompile(`data-copy="([A-Z2-7]{32})"`)

func (b *browser) setUp(ctx context.Context) error {
	page, err := b.get(ctx, "/account/set-up")
	if err != nil {
		return err
	}
	found := secretOnPage.FindSubmatch(page)
	if found == nil {
		return errors.New("no secret for an app on the page: " + head(page))
	}
	if b.app, err = totp.Parse(string(found[1])); err != nil {
		return err
	}
	b.used = totp.Step(time.Now())
	status, _, body, err := b.send(ctx, "/account/set-up/app", url.Values{"code": {b.app.Code(b.used)}})
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("setting up an app: %d: %s", status, head(body))
	}
	return err
}

func (b *browser) second(ctx context.Context, app string) error {
	var err error
	if b.app, err = totp.Parse(app); err != nil {
		return err
	}
	for range 2 { // this period's code may have been used before
		var code string
		if code, err = b.code(ctx); err != nil {
			return err
		}
		if _, err = b.post(ctx, "/sign-in/second", url.Values{"code": {code}}); err == nil {
			return nil
		}
	}
	return err
}

// code is one that was not used by this browser, if need be of a period that
// is waited for.
func (b *browser) code(ctx context.Context) (string, error) {
	for totp.Step(time.Now()) <= b.used {
		if err := pause(ctx, time.Second); err != nil {
			return "", err
		}
	}
	b.used = totp.Step(time.Now())
	return b.app.Code(b.used), nil
}

// maxPage bounds what is read of a page.
const maxPage = 64 << 20

func (b *browser) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, resp.Status, head(body))
	}
	return body, err
}

// post sends a form and returns where the answer leads. Asked to prove who it
// is, the browser does, and sends the form again.
func (b *browser) post(ctx context.Context, path string, form url.Values) (string, error) {
	status, to, body, err := b.send(ctx, path, form)
	if err == nil && status == http.StatusOK && strings.Contains(string(body), `name="proof-code"`) {
		code, err := b.code(ctx)
		if err != nil {
			return "", err
		}
		form = maps.Clone(form)
		form.Set("proof-password", b.password)
		form.Set("proof-code", code)
		if status, to, body, err = b.send(ctx, path, form); err != nil {
			return "", err
		}
	}
	if err == nil && status != http.StatusSeeOther {
		err = fmt.Errorf("POST %s: %d: %s", path, status, head(body))
	}
	return to, err
}

func (b *browser) send(ctx context.Context, path string, form url.Values) (status int, to string, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/html")
	resp, err := b.client.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxPage))
	return resp.StatusCode, resp.Header.Get("Location"), body, err
}

func head(body []byte) string { return string(body[:min(len(body), 300)]) }

// version is the version of an advisory that a page's forms are made of.
func version(page []byte) (string, error) {
	found := regexp.MustCompile(`name="version" value="(\d+)"`).FindSubmatch(page)
	if found == nil {
		return "", errors.New("the page has no form with a version: " + head(page))
	}
	return string(found[1]), nil
}

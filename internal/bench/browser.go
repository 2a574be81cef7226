package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// browser is one signed-in person.
type browser struct {
	base   string
	client *http.Client
}

// newBrowser signs in with the form.
func newBrowser(ctx context.Context, base, email, password string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &browser{base: base, client: &http.Client{
		Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	to, err := b.post(ctx, "/sign-in", url.Values{"email": {email}, "password": {password}, "next": {"/"}})
	if err != nil || to != "/" {
		return nil, errors.Join(fmt.Errorf("%s cannot sign in", email), err)
	}
	return b, nil
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

// post sends a form and returns where the answer leads.
func (b *browser) post(ctx context.Context, path string, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := b.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err == nil && resp.StatusCode != http.StatusSeeOther {
		err = fmt.Errorf("POST %s: %s: %s", path, resp.Status, head(body))
	}
	return resp.Header.Get("Location"), err
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

package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// perAdvisory is how many indicators an advisory of the benchmark has, as
// many as it may (intel.MaxIndicators).
const perAdvisory = 2000

// indicator makes the n-th made-up indicator: hashes, domains with their
// sub-domains, and addresses. The load's records hold none of them.
func indicator(n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "made-up indicator %d", n))
	switch n % 5 {
	case 0, 1:
		return hex.EncodeToString(sum[:])
	case 2, 3:
		return fmt.Sprintf("*.c2-%d.%x.example.net", n, sum[:3])
	}
	// 2001:db8::/32 is for documentation (RFC 3849).
	return fmt.Sprintf("2001:db8:%x:%x::%x", sum[:2], sum[2:4], n%0xffff+1)
}

// advise writes an advisory and returns its id; it is a draft.
func (c *centre) advise(ctx context.Context, title string, indicators []string) (string, error) {
	edit, err := c.analyst.post(ctx, "/advisories", url.Values{})
	if err != nil {
		return "", err
	}
	page, err := c.analyst.get(ctx, edit)
	if err != nil {
		return "", err
	}
	v, err := version(page)
	if err != nil {
		return "", err
	}
	_, err = c.analyst.post(ctx, edit, url.Values{
		"version": {v}, "then": {"preview"}, "title_zh": {"效能測試 " + title}, "title_en": {"Benchmark " + title},
		"body_zh": {"本警訊為效能測試所產生，內容為虛構。"}, "body_en": {"Made by the benchmark; its content is invented."},
		"tlp": {"GREEN"}, "pap": {"GREEN"}, "category": {"ANA"}, "reach": {"all"}, "indicators": {strings.Join(indicators, "\n")},
	})
	return strings.TrimSuffix(strings.TrimPrefix(edit, "/advisories/"), "/edit"), err
}

// ripe reads what the release form of a draft sends.
func (c *centre) ripe(ctx context.Context, id string) (url.Values, error) {
	page, err := c.analyst.get(ctx, "/advisories/"+id+"/preview")
	if err != nil {
		return nil, err
	}
	v, err := version(page)
	return url.Values{"version": {v}}, err
}

func (c *centre) release(ctx context.Context, id string, form url.Values) error {
	to, err := c.analyst.post(ctx, "/advisories/"+id+"/release", form)
	if err == nil && to != "/advisories/"+id {
		err = fmt.Errorf("advisory %s was not released", id)
	}
	return err
}

// arm releases advisories with n indicators and waits until the matcher holds
// them.
func (c *centre) arm(ctx context.Context, n int) error {
	for from := 0; from < n; from += perAdvisory {
		var list []string
		for i := from; i < min(from+perAdvisory, n); i++ {
			list = append(list, indicator(i))
		}
		id, err := c.advise(ctx, fmt.Sprintf("%d–%d", from, from+len(list)), list)
		if err != nil {
			return err
		}
		form, err := c.ripe(ctx, id)
		if err != nil {
			return err
		}
		if err := c.release(ctx, id, form); err != nil {
			return err
		}
	}
	err := until(ctx, 10*time.Minute, 50*time.Millisecond, func() (bool, error) {
		have, err := c.metric(ctx, "aspis_indicators_loaded", "")
		return have >= float64(n), err
	})
	if err != nil {
		return fmt.Errorf("%d indicators in the matcher: %w", n, err)
	}
	return nil
}

package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

// funcs are what every template may call. doc.go lists them.
func (s *Shell) funcs(l locale) template.FuncMap {
	f := words{shell: s, locale: l}
	return template.FuncMap{
		"t": f.t, "lang": func() string { return string(l.lang) }, "zone": func() string { return l.zone },
		"has": s.texts.Has,
		// times
		"time": f.time, "timeShort": f.timeShort, "date": f.date, "ago": f.ago, "duration": f.duration,
		"input": f.input,
		// numbers
		"num": f.num, "bytes": f.bytes, "percent": f.percent, "rate": f.rate,
		// the field's marks
		"defang": Defang, "indicator": f.indicator, "copy": f.copy,
		"tlp": f.tlp, "pap": f.pap, "marking": f.marking,
		"severity": f.severity, "badge": f.badge,
		"sector": f.sector, "role": f.role, "roles": f.roles, "member": f.member,
		"chart": f.chart, "heat": f.heat, "graph": f.graph,
		// building
		"icon": s.icon, "url": buildURL, "json": toJSON, "link": newLink, "tuple": tuple, "join": strings.Join,
	}
}

// words renders values in one language and zone.
type words struct {
	shell  *Shell
	locale locale
}

// t is the text of a key. One argument that is a list is the arguments, as
// templates cannot spread a list.
func (f words) t(key any, args ...any) (string, error) {
	if len(args) == 1 {
		if list, ok := args[0].([]any); ok {
			args = list
		}
	}
	return f.shell.texts.Text(f.locale.lang, fmt.Sprint(key), args...)
}

func (f words) num(n any) string {
	switch v := n.(type) {
	case int:
		return i18n.Group(int64(v))
	case int32:
		return i18n.Group(int64(v))
	case int64:
		return i18n.Group(v)
	case uint64:
		return i18n.Group(int64(min(v, 1<<63-1)))
	case float64:
		whole, part, _ := strings.Cut(fmt.Sprintf("%.1f", v), ".")
		var g int64
		_, _ = fmt.Sscan(whole, &g)
		return i18n.Group(g) + "." + part
	}
	return fmt.Sprint(n)
}

// rate is a number per second with two significant places below ten.
func (f words) rate(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.1f", n)
	}
	return i18n.Group(int64(n + 0.5))
}

func (f words) percent(share float64) string { return fmt.Sprintf("%.1f%%", share*100) }

// bytes uses binary units (IEC 80000-13).
func (f words) bytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	size, i := float64(n)/unit, 0
	for size >= unit && i < 4 {
		size /= unit
		i++
	}
	return fmt.Sprintf("%.1f %ciB", size, "KMGTP"[i])
}

func (f words) sector(s sector.SubSector) (string, error) { return f.t("common.sector." + string(s)) }

func (f words) role(r sector.Role) (string, error) { return f.t("common.role." + string(r)) }

// roles are the names of a person's roles.
func (f words) roles(all []sector.Role) (string, error) {
	names := make([]string, len(all))
	for i, r := range all {
		name, err := f.role(r)
		if err != nil {
			return "", err
		}
		names[i] = name
	}
	return strings.Join(names, " · "), nil
}

// Roles are the names of a person's roles in the language of the request, as
// the template function roles writes them.
func (s *Shell) Roles(r *http.Request, all []sector.Role) string {
	names := make([]string, len(all))
	for i, role := range all {
		names[i] = s.T(r, "common.role."+string(role))
	}
	return strings.Join(names, " · ")
}

// member is a member's name in the language of the page.
func (f words) member(m sector.Member) string {
	if f.locale.lang == i18n.ZhHant && m.NameZh != "" {
		return m.NameZh
	}
	if m.Name == "" {
		return string(m.ID)
	}
	return m.Name
}

// input is a time as <input type=datetime-local> wants it.
func (f words) input(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(f.locale.location()).Format("2006-01-02T15:04")
}

// buildURL is path?name=value… ; pairs with an empty value are left out.
func buildURL(path string, pairs ...any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("url %s: a name without a value", path)
	}
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if v := fmt.Sprint(pairs[i+1]); v != "" {
			q.Add(fmt.Sprint(pairs[i]), v)
		}
	}
	if len(q) == 0 {
		return path, nil
	}
	return path + "?" + q.Encode(), nil
}

// toJSON is for the data attributes of islands; the template escapes it.
func toJSON(v any) (string, error) {
	raw, err := json.Marshal(v)
	return string(raw), err
}

func newLink(key, href string, args ...any) Link { return Link{Key: key, Href: href, Args: args} }

// tuple passes several values to a part as one dot.
func tuple(values ...any) []any { return values }

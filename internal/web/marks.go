package web

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/sector"
)

func i18nUnit(unit string, n int) i18n.Key {
	if n == 1 {
		return i18n.Key("common.unit." + unit)
	}
	return i18n.Key("common.unit." + unit + "s")
}

// Defang writes an observable so that no program makes it a live link:
// hxxps://, [.] in the host, [@] in a mail address. In an IPv6 address only
// the first colon is bracketed, 2001[:]db8::1: one break is enough for a
// program, and more cannot be read aloud.
func Defang(value string) string {
	if scheme, rest, ok := strings.Cut(value, "://"); ok && len(scheme) <= 10 {
		host, path, _ := cutAny(rest, "/?#")
		return defangScheme(scheme) + "://" + defangHost(host) + path
	}
	return defangHost(value)
}

func defangScheme(scheme string) string {
	switch strings.ToLower(scheme) {
	case "http":
		return "hxxp"
	case "https":
		return "hxxps"
	case "ftp":
		return "fxp"
	}
	return scheme
}

func defangHost(host string) string {
	if strings.Count(host, ":") > 1 { // one colon stands before a port
		host = strings.Replace(host, ":", "[:]", 1)
	}
	return strings.ReplaceAll(strings.ReplaceAll(host, ".", "[.]"), "@", "[@]")
}

func cutAny(s, chars string) (before, after string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}

// indicator shows a value defanged with a button that copies it as it is.
func (f words) indicator(value string) (template.HTML, error) {
	button, err := f.copy(value)
	if err != nil {
		return "", err
	}
	code := template.HTML(template.HTMLEscapeString(Defang(value))) //nolint:gosec // escaped
	return `<span class="ioc"><code>` + code + `</code>` + button + `</span>`, nil
}

// copy is a button that copies the value.
func (f words) copy(value string) (template.HTML, error) {
	label, err := f.t("common.copy")
	if err != nil {
		return "", err
	}
	icon, err := f.shell.icon("copy")
	if err != nil {
		return "", err
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // escaped
		`<button type="button" class="copy" data-copy="%s" title="%s" aria-label="%s">%s</button>`,
		template.HTMLEscapeString(value), template.HTMLEscapeString(label), template.HTMLEscapeString(label), icon)), nil
}

// tlp is the label in FIRST's colour on black (TLP 2.0, section 2).
func (f words) tlp(t sector.TLP) (template.HTML, error) {
	if !t.Valid() {
		return "", fmt.Errorf("tlp %q is no label", t)
	}
	class := strings.ToLower(strings.ReplaceAll(string(t), "+", "-"))
	title, err := f.t("common.tlp." + string(t))
	if err != nil {
		return "", err
	}
	return label("tlp tlp-"+class, title, "TLP:"+string(t)), nil
}

func (f words) pap(p sector.PAP) (template.HTML, error) {
	if !p.Valid() {
		return "", fmt.Errorf("pap %q is no label", p)
	}
	title, err := f.t("common.pap." + string(p))
	if err != nil {
		return "", err
	}
	return label("tlp pap tlp-"+strings.ToLower(string(p)), title, "PAP:"+string(p)), nil
}

// marking is both labels, with the centre's defaults where unmarked.
func (f words) marking(m sector.Marking) (template.HTML, error) {
	m = m.OrDefault()
	tlp, err := f.tlp(m.TLP)
	if err != nil {
		return "", err
	}
	pap, err := f.pap(m.PAP)
	return tlp + " " + pap, err
}

func label(class, title, text string) template.HTML {
	return template.HTML(fmt.Sprintf(`<span class="%s" title="%s">%s</span>`, //nolint:gosec // escaped
		template.HTMLEscapeString(class), template.HTMLEscapeString(title), template.HTMLEscapeString(text)))
}

// Severities, from the worst down, as Sigma levels name them.
func severities() []string { return []string{"critical", "high", "medium", "low", "informational"} }

// severity is a word with a mark whose height and colour both grow with it.
func (f words) severity(level any) (template.HTML, error) {
	name := fmt.Sprint(level)
	if !slices.Contains(severities(), name) {
		return "", fmt.Errorf("severity %q is unknown", name)
	}
	word, err := f.t("common.severity." + name)
	if err != nil {
		return "", err
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // escaped
		`<span class="severity severity-%s"><svg class="bars" viewBox="0 0 14 12" aria-hidden="true">`+
			`<rect x="0" y="8" width="2" height="4"/><rect x="3" y="6" width="2" height="6"/>`+
			`<rect x="6" y="4" width="2" height="8"/><rect x="9" y="2" width="2" height="10"/>`+
			`<rect x="12" y="0" width="2" height="12"/></svg>%s</span>`,
		name, template.HTMLEscapeString(word))), nil
}

// badge is a state: tone is good, bad, warn, note or quiet; key names the word.
func (f words) badge(tone, key string, args ...any) (template.HTML, error) {
	if !slices.Contains([]string{"good", "bad", "warn", "note", "quiet"}, tone) {
		return "", fmt.Errorf("badge tone %q is unknown", tone)
	}
	word, err := f.t(key, args...)
	if err != nil {
		return "", err
	}
	return template.HTML(fmt.Sprintf(`<span class="badge badge-%s">%s</span>`, //nolint:gosec // escaped
		tone, template.HTMLEscapeString(word))), nil
}

// icon is a Lucide icon from the sprite. It is decoration: a word or a title
// stands beside it.
func (s *Shell) icon(name string) (template.HTML, error) {
	if !s.assets.HasIcon(name) {
		return "", fmt.Errorf("icon %q is not in assets/icons.json", name)
	}
	return template.HTML(`<svg class="icon" aria-hidden="true"><use href="#i-` + //nolint:gosec // escaped
		template.HTMLEscapeString(name) + `"/></svg>`), nil
}

package web

import (
	"fmt"
	"html/template"
	"time"
)

// stamp is the absolute form: sortable, the same in both languages.
const stamp = "2006-01-02 15:04:05"

// time shows an absolute time in the viewer's zone, the distance from now on
// hover, and hands UTC to who copies it. The zero time is a dash.
func (f words) time(t time.Time) (template.HTML, error) { return f.timeAs(t, stamp) }

// timeShort is time without the year and seconds, for narrow columns.
func (f words) timeShort(t time.Time) (template.HTML, error) { return f.timeAs(t, "01-02 15:04") }

// date is the day only.
func (f words) date(t time.Time) (template.HTML, error) { return f.timeAs(t, "2006-01-02") }

// ago shows the distance and the absolute time on hover.
func (f words) ago(t time.Time) (template.HTML, error) {
	if t.IsZero() {
		return noValue, nil
	}
	text, err := f.distance(t)
	if err != nil {
		return "", err
	}
	return timeTag("ago", t, text, t.In(f.locale.location()).Format(stamp)), nil
}

// noValue stands where there is nothing to show.
const noValue template.HTML = `<span class="none" aria-hidden="true">–</span>`

func (f words) timeAs(t time.Time, layout string) (template.HTML, error) {
	if t.IsZero() {
		return noValue, nil
	}
	title, err := f.distance(t)
	if err != nil {
		return "", err
	}
	return timeTag("at", t, t.In(f.locale.location()).Format(layout), title), nil
}

func timeTag(class string, t time.Time, text, title string) template.HTML {
	utc := t.UTC().Format("2006-01-02T15:04:05.000Z")
	return template.HTML(fmt.Sprintf(`<time class="%s" datetime="%s" title="%s">%s</time>`, //nolint:gosec // escaped or made here
		class, utc, template.HTMLEscapeString(title), template.HTMLEscapeString(text)))
}

// distance is the time from now in words, in the largest whole unit.
func (f words) distance(t time.Time) (string, error) {
	d := f.shell.now().Sub(t)
	side := "ago"
	if d < 0 {
		side, d = "ahead", -d
	}
	if d < 10*time.Second {
		return f.t("common.time.now")
	}
	unit, n := largestUnit(d)
	return f.t("common.time."+side, n, i18nUnit(unit, n))
}

// duration is a length of time in its two largest units.
func (f words) duration(d time.Duration) (string, error) {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds()), nil
	}
	unit, n := largestUnit(d)
	return f.t("common.time.length", n, i18nUnit(unit, n))
}

type span struct {
	name string
	size time.Duration
}

func largestUnit(d time.Duration) (unit string, n int) {
	units := []span{
		{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second},
	}
	for _, u := range units {
		if d >= u.size {
			return u.name, int(d / u.size)
		}
	}
	return "second", 0
}

package main

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// mostStops bounds how far the keyboard goes on a page of the quick suite.
const mostStops = 60

// stopsScript finds what Tab should stop at, in the order of the page, and
// writes down what it does stop at. Of radio buttons of one name it is one.
// Order is sensible when nobody is led up and to the left inside a part of the
// page; what stays in sight while the page scrolls has no place in it.
const stopsScript = `(() => {
  const one = (e) => e.type !== "radio" || e === (document.querySelector('input[type=radio][name="' + e.name + '"]:checked') ?? document.querySelector('input[type=radio][name="' + e.name + '"]'));
  const stops = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")]
    .filter((e) => e.tabIndex >= 0 && !e.disabled && e.getClientRects().length > 0 && e.checkVisibility({visibilityProperty: true}) && one(e));
  const part = (e) => e.closest("header, nav, main, footer");
  const box = (e) => { const r = e.getBoundingClientRect(); return {left: r.left, top: r.top, bottom: r.bottom} };
  const floats = (e) => e && (["sticky", "fixed"].includes(getComputedStyle(e).position) || floats(e.parentElement));
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + " " + (e.textContent || e.getAttribute("aria-label") || e.name || "").trim().slice(0, 30);
  const w = window.__keyboard = {stops, reached: new Set(), last: -1, faults: []};
  for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) w.faults.push("tabindex of its own: " + name(e));
  for (let i = 1; i < stops.length; i++) {
    const a = box(stops[i - 1]), b = box(stops[i]);
    if (part(stops[i]) === part(stops[i - 1]) && !floats(stops[i]) && b.bottom <= a.top && b.left <= a.left) w.faults.push("Tab leads back from " + name(stops[i - 1]) + " to " + name(stops[i]));
  }
  w.hear = (event) => {
    const e = event.target, at = stops.indexOf(e);
    if (at < 0 || (w.round ||= w.last > 0 && at === 0)) return; // the second time round
    w.reached.add(e);
    if (at < w.last) w.faults.push("Tab leads back to " + name(e));
    w.last = at;
    const s = getComputedStyle(e);
    if (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 1) w.faults.push("focus is not seen on " + name(e));
  };
  w.name = name;
  document.addEventListener("focusin", w.hear);
  document.activeElement?.blur();
  document.querySelector(".skip")?.focus();
  return {Stops: stops.length, Within: 6 * document.querySelectorAll("input[type=datetime-local]").length};
})()`

const reachedScript = `(() => {
  const w = window.__keyboard;
  document.removeEventListener("focusin", w.hear);
  document.activeElement?.blur();
  scrollTo(0, 0);
  return [...w.faults, ...w.stops.slice(0, %d).filter((e) => e.isConnected && !w.reached.has(e)).map((e) => "Tab does not reach " + w.name(e))];
})()`

// keyboard goes through the page with Tab, and tells what is wrong on the way.
func (b *tab) keyboard() []string {
	b.Helper()
	page := ask[struct{ Stops, Within int }](b, stopsScript)
	far := page.Stops
	if !long() {
		far = min(far, mostStops)
	}
	b.do(chromedp.KeyEvent(strings.Repeat(kb.Tab, far-1+page.Within)))
	return ask[[]string](b, fmt.Sprintf(reachedScript, far))
}

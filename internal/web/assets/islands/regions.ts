// What scrolls sideways and has nothing in it that the keyboard reaches is a
// region that it does reach, named by the heading above.
function heading(el: HTMLElement): string {
  const titled = el.closest("section, form, figure, main");
  return titled?.querySelector("h2, h1, figcaption")?.textContent?.trim() ?? document.title;
}

export function name(): void {
  for (const el of document.querySelectorAll<HTMLElement>(".scroll:not([tabindex])")) {
    if (el.scrollWidth <= el.clientWidth || el.querySelector("a[href], button, input, select, textarea, [tabindex]")) continue;
    el.tabIndex = 0;
    el.setAttribute("role", "region");
    el.setAttribute("aria-label", heading(el));
  }
}

export function install(): void {
  name();
  addEventListener("resize", name);
}

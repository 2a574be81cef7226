// The box in the header. htmx fills the list of options while somebody types;
// this moves among them, as the combobox pattern says (WAI-ARIA APG): focus
// stays in the box and aria-activedescendant names the option.
export function mount(el: HTMLElement): () => void {
  const box = el.querySelector<HTMLInputElement>("input[role=combobox]");
  const list = el.querySelector<HTMLElement>("[role=listbox]");
  if (!box || !list) return () => {};
  const options = () => [...list.querySelectorAll<HTMLAnchorElement>("[role=option]")];
  const chosen = () => options().find((o) => o.getAttribute("aria-selected") === "true");

  const choose = (option: HTMLAnchorElement | undefined) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
    else box.removeAttribute("aria-activedescendant");
  };
  const show = (shown: boolean) => {
    list.hidden = !shown;
    box.setAttribute("aria-expanded", String(shown));
    if (!shown) choose(undefined);
  };
  const move = (step: number) => {
    const all = options();
    const now = chosen();
    // Beyond either end is the box itself: no option.
    const at = now ? all.indexOf(now) + step : step > 0 ? 0 : all.length - 1;
    choose(all[at]);
  };

  const key = (e: KeyboardEvent) => {
    if (e.isComposing) return; // an input method takes these keys
    const open = !list.hidden && options().length > 0;
    if (e.key === "Escape" && !list.hidden) show(false);
    else if ((e.key === "ArrowDown" || e.key === "ArrowUp") && (open || list.childElementCount > 0)) {
      show(true);
      move(e.key === "ArrowDown" ? 1 : -1);
    } else if (e.key === "Enter" && open && chosen()) location.assign(chosen()!.href);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const filled = () => show(document.activeElement === box && box.value.trim() !== "");
  const typed = () => {
    if (box.value.trim() === "") show(false);
  };
  const away = (e: FocusEvent) => {
    if (!el.contains(e.relatedTarget as Node | null)) show(false);
  };
  const filling = new MutationObserver(filled);
  filling.observe(list, { childList: true });
  box.addEventListener("keydown", key);
  box.addEventListener("input", typed);
  el.addEventListener("focusout", away);
  return () => {
    filling.disconnect();
    box.removeEventListener("keydown", key);
    box.removeEventListener("input", typed);
    el.removeEventListener("focusout", away);
  };
}

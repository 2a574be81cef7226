// The menu closes with Escape and when the focus leaves it (phones only; on
// wide screens it is always shown).
export function mount(el: HTMLElement): () => void {
  const menu = el as HTMLDetailsElement;
  const key = (e: KeyboardEvent) => {
    if (e.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  };
  menu.addEventListener("keydown", key);
  return () => menu.removeEventListener("keydown", key);
}

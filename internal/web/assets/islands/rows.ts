// Keyboard in tables: j and k move, Enter opens, x selects.
let current: HTMLTableElement | undefined;

function rowsOf(table: HTMLTableElement): HTMLTableRowElement[] {
  return [...table.querySelectorAll<HTMLTableRowElement>("tbody tr")];
}

function selected(table: HTMLTableElement): HTMLTableRowElement | undefined {
  return rowsOf(table).find((r) => r.getAttribute("aria-selected") === "true");
}

function select(table: HTMLTableElement, row: HTMLTableRowElement | undefined): void {
  if (!row) return;
  selected(table)?.removeAttribute("aria-selected");
  row.setAttribute("aria-selected", "true");
  row.scrollIntoView({ block: "nearest" });
  (row.querySelector<HTMLElement>("a[href]") ?? row).focus({ preventScroll: true });
}

function move(table: HTMLTableElement, step: number): void {
  const rows = rowsOf(table);
  const now = selected(table);
  const at = now ? rows.indexOf(now) : step > 0 ? -1 : rows.length;
  select(table, rows[Math.min(rows.length - 1, Math.max(0, at + step))]);
}

function act(table: HTMLTableElement, key: string): boolean {
  const row = selected(table);
  switch (key) {
    case "j":
    case "k":
      move(table, key === "j" ? 1 : -1);
      return true;
    case "x":
      row?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
      return Boolean(row);
    case "Enter":
      if (!row?.dataset.href || document.activeElement?.closest("a, button, input")) return false;
      location.assign(row.dataset.href);
      return true;
  }
  return false;
}

// onKey is called by the page's one key handler.
export function onKey(key: string): boolean {
  if (!current?.isConnected) current = document.querySelector<HTMLTableElement>("table[data-island=rows]") ?? undefined;
  return current ? act(current, key) : false;
}

export function mount(el: HTMLElement): () => void {
  const table = el as HTMLTableElement;
  current ??= table;
  const choose = (e: Event) => {
    const row = (e.target as HTMLElement).closest("tr");
    current = table;
    if (row?.parentElement?.tagName === "TBODY" && e.type === "focusin") {
      selected(table)?.removeAttribute("aria-selected");
      row.setAttribute("aria-selected", "true");
    }
  };
  const open = (e: MouseEvent) => {
    const target = e.target as HTMLElement;
    const row = target.closest<HTMLTableRowElement>("tr[data-href]");
    if (row?.dataset.href && !target.closest("a, button, input, label")) location.assign(row.dataset.href);
  };
  table.addEventListener("focusin", choose);
  table.addEventListener("dblclick", open);
  return () => {
    table.removeEventListener("focusin", choose);
    table.removeEventListener("dblclick", open);
  };
}

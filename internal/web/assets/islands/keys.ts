// The page's one key handler. Keys typed into fields stay there.
import { onKey as rowKey } from "./rows";

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
    && !(target instanceof HTMLInputElement && target.type === "checkbox");
}

function help(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#keys");
  if (dialog?.open) dialog.close();
  else dialog?.showModal();
}

function filter(): boolean {
  const field = document.querySelector<HTMLElement>("form.filter input[type=search], form.filter input:not([type=hidden]), form.filter select");
  field?.focus();
  return Boolean(field);
}

function search(): boolean {
  const box = document.querySelector<HTMLInputElement>("#find");
  if (!box) return false;
  if (box.offsetParent) {
    box.focus();
    box.select();
  } else location.assign("/search"); // too narrow for the box
  return true;
}

export function install(): void {
  document.addEventListener("keydown", (e) => {
    if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === "k" && !e.defaultPrevented) {
      if (!document.querySelector("dialog[open]") && search()) e.preventDefault();
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    if (typing(e.target)) {
      if (e.key === "Escape") (e.target as HTMLElement).blur();
      return;
    }
    if (document.querySelector("dialog[open]") && e.key !== "?") return;
    let done = false;
    if (e.key === "?") done = (help(), true);
    else if (e.key === "/") done = search() || filter();
    else if (e.key === "f") done = filter();
    else done = rowKey(e.key);
    if (done) e.preventDefault();
  });
}

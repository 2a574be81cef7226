// Keeps what is typed into a form in this browser until it is sent, for whoever
// typed it. data-draft is the key; data-restored and data-drop are the words. A
// draft goes back with the version that it was made of, so that it is no way
// around the comparison with what others saved since.
import { text } from "./island";

const life = 7 * 24 * 60 * 60 * 1000;

type Draft = { at: number; fields: Record<string, string[]> };

function read(key: string): Draft | undefined {
  try {
    const draft = JSON.parse(localStorage.getItem(key) ?? "") as Draft;
    return Date.now() - draft.at < life ? draft : undefined;
  } catch {
    return undefined;
  }
}

function collect(form: HTMLFormElement): Draft {
  const fields: Record<string, string[]> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") (fields[name] ??= []).push(value);
  }
  return { at: Date.now(), fields };
}

function fill(form: HTMLFormElement, draft: Draft): boolean {
  let filled = false;
  for (const f of form.querySelectorAll<HTMLInputElement>("input[name], select[name], textarea[name]")) {
    const values = draft.fields[f.name] ?? [];
    if (["hidden", "password", "file", "submit"].includes(f.type)) continue;
    if (f.type === "checkbox" || f.type === "radio") {
      const on = values.includes(f.value);
      filled ||= on !== f.checked;
      f.checked = on;
    } else if (values[0] !== undefined && values[0] !== f.value) {
      f.value = values[0];
      filled = true;
    }
  }
  const version = form.querySelector<HTMLInputElement>("input[name=version]");
  if (filled && version && draft.fields.version?.[0]) version.value = draft.fields.version[0];
  return filled;
}

function notice(form: HTMLFormElement, key: string): void {
  const bar = document.createElement("p");
  bar.className = "draft";
  bar.append(text(form, "restored"));
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "quiet";
  drop.textContent = text(form, "drop");
  drop.addEventListener("click", () => {
    localStorage.removeItem(key);
    location.reload();
  });
  bar.append(drop);
  form.prepend(bar);
}

// Who signs out takes their drafts along: the next at this browser is somebody
// else.
export function install(): void {
  document.addEventListener("submit", (e) => {
    if ((e.target as HTMLFormElement).getAttribute("action") !== "/sign-out") return;
    const mine = `draft:${document.body.dataset.person ?? ""}:`;
    for (const key of Object.keys(localStorage)) if (key.startsWith(mine)) localStorage.removeItem(key);
  });
}

export function mount(el: HTMLElement): () => void {
  const form = el as HTMLFormElement;
  const key = `draft:${document.body.dataset.person ?? ""}:${text(form, "draft")}`;
  const kept = read(key);
  // A form that came back with mistakes is newer than the draft.
  if (kept && !form.querySelector(".error") && fill(form, kept)) notice(form, key);
  let timer = 0;
  const save = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => localStorage.setItem(key, JSON.stringify(collect(form))), 400);
  };
  const sent = () => {
    clearTimeout(timer);
    localStorage.removeItem(key);
  };
  form.addEventListener("input", save);
  form.addEventListener("submit", sent);
  return () => {
    form.removeEventListener("input", save);
    form.removeEventListener("submit", sent);
  };
}

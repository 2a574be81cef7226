// Keeps what is typed into a form in this browser until it is sent, encrypted
// with the person's key, which the server puts on the page: what lies on the
// disk is read by nobody else; signing out clears it. data-draft names the
// form; data-restored and data-drop are the words. A draft goes back with the
// version that it was made of, so that it is no way around the comparison with
// what others saved since.
import { text } from "./island";

const life = 7 * 24 * 60 * 60 * 1000;
const prefix = "draft:";

type Fields = Record<string, string[]>;
type Kept = { at: number; iv: string; data: string };

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function base64(buffer: ArrayBuffer | Uint8Array): string {
  return btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(""));
}

// Store is where one form's draft lies. Its name holds a part of the key's
// hash, so that people who share a browser do not overwrite each other's.
class Store {
  constructor(
    private readonly key: CryptoKey,
    private readonly name: string,
  ) {}

  static async open(form: string): Promise<Store | undefined> {
    const raw = document.body.dataset.draftKey;
    if (!raw || !globalThis.crypto?.subtle) return undefined;
    const key = await crypto.subtle.importKey("raw", bytes(raw), "AES-GCM", false, ["encrypt", "decrypt"]);
    const owner = base64(await crypto.subtle.digest("SHA-256", bytes(raw))).slice(0, 8);
    return new Store(key, `${prefix}${owner}:${form}`);
  }

  async read(): Promise<Fields | undefined> {
    try {
      const kept = JSON.parse(localStorage.getItem(this.name) ?? "") as Kept;
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(kept.iv) }, this.key, bytes(kept.data));
      return JSON.parse(new TextDecoder().decode(plain)) as Fields;
    } catch {
      return undefined;
    }
  }

  async write(fields: Fields, still: () => boolean): Promise<void> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, this.key, new TextEncoder().encode(JSON.stringify(fields)));
    if (!still()) return;
    localStorage.setItem(this.name, JSON.stringify({ at: Date.now(), iv: base64(iv), data: base64(data) } satisfies Kept));
  }

  drop(): void {
    localStorage.removeItem(this.name);
  }
}

// sweep forgets what is old, and what an earlier version kept in the clear.
function sweep(): void {
  for (const name of Object.keys(localStorage)) {
    if (!name.startsWith(prefix)) continue;
    try {
      const kept = JSON.parse(localStorage.getItem(name) ?? "") as Partial<Kept>;
      if (kept.data && kept.at && Date.now() - kept.at < life) continue;
    } catch {
      // not ours: forgotten too
    }
    localStorage.removeItem(name);
  }
}

function collect(form: HTMLFormElement): Fields {
  const fields: Fields = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") (fields[name] ??= []).push(value);
  }
  return fields;
}

function fill(form: HTMLFormElement, draft: Fields): boolean {
  let filled = false;
  for (const f of form.querySelectorAll<HTMLInputElement>("input[name], select[name], textarea[name]")) {
    const values = draft[f.name] ?? [];
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
  if (filled && version && draft.version?.[0]) version.value = draft.version[0];
  return filled;
}

function notice(form: HTMLFormElement, store: Store): void {
  const bar = document.createElement("p");
  bar.className = "draft";
  bar.append(text(form, "restored"));
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "quiet";
  drop.textContent = text(form, "drop");
  drop.addEventListener("click", () => {
    store.drop();
    location.reload();
  });
  bar.append(drop);
  form.prepend(bar);
}

export function mount(el: HTMLElement): () => void {
  const form = el as HTMLFormElement;
  let timer = 0;
  let typed = 0; // how often; what was sent, or typed over, is not kept
  const opened = Store.open(text(form, "draft"));
  sweep();
  void opened.then(async (store) => {
    const kept = await store?.read();
    // A form that came back with mistakes is newer than the draft, and so is
    // one that somebody types into.
    if (store && kept && typed === 0 && !form.querySelector(".error") && fill(form, kept)) notice(form, store);
  });
  const save = () => {
    clearTimeout(timer);
    const now = ++typed;
    timer = window.setTimeout(() => {
      void opened.then((store) => store?.write(collect(form), () => now === typed));
    }, 400);
  };
  const sent = () => {
    clearTimeout(timer);
    typed++;
    void opened.then((store) => store?.drop());
  };
  form.addEventListener("input", save);
  form.addEventListener("submit", sent);
  return () => {
    form.removeEventListener("input", save);
    form.removeEventListener("submit", sent);
  };
}

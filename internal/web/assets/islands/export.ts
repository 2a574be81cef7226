// A list as a file: what has arrived is shown while it comes, and it can be
// called off. Where a proof is asked for first, the page that asks takes over.
// Without this, the buttons load the file as forms do.
import { text } from "./island";

const size = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

function nameOf(answer: Response): string {
  return /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "export";
}

async function receive(answer: Response, arrived: (bytes: number) => void): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = answer.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type: answer.headers.get("Content-Type") ?? "" });
    parts.push(value);
    arrived((bytes += value.length));
  }
}

function keep(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function isFile(answer: Response): boolean {
  return answer.headers.get("Content-Disposition")?.startsWith("attachment") ?? false;
}

async function load(el: HTMLFormElement, href: string): Promise<void> {
  const stop = new AbortController();
  const bar = document.createElement("span");
  bar.className = "progress-line";
  bar.setAttribute("role", "status");
  const meter = document.createElement("progress");
  meter.setAttribute("aria-label", text(el, "busy"));
  const words = document.createElement("span");
  const cancel = document.createElement("button");
  cancel.type = "button";
  cancel.className = "quiet";
  cancel.textContent = text(el, "cancel");
  cancel.addEventListener("click", () => stop.abort());
  bar.append(meter, words, cancel);
  el.querySelector(".progress-line")?.remove();
  el.append(bar);
  try {
    const answer = await fetch(href, { method: "POST", signal: stop.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    if (!isFile(answer)) {
      el.action = href;
      el.submit();
      return;
    }
    const blob = await receive(answer, (n) => (words.textContent = `${text(el, "busy")} ${size.format(n / 1024)} KiB`));
    keep(blob, nameOf(answer));
    bar.replaceChildren(text(el, "done"));
  } catch {
    if (stop.signal.aborted) bar.remove();
    else bar.replaceChildren(text(el, "failed"));
  }
}

export function mount(el: HTMLElement): () => void {
  const submit = (e: SubmitEvent) => {
    if (!(el instanceof HTMLFormElement) || !(e.submitter instanceof HTMLButtonElement)) return;
    e.preventDefault();
    void load(el, e.submitter.formAction);
  };
  el.addEventListener("submit", submit);
  return () => el.removeEventListener("submit", submit);
}

import { show } from "./live";
import { subscribe, watch } from "./stream";
import { text } from "./island";

// The loop: figures are replaced when they change; the segment behind a
// station that counted something lights up for a moment. Nothing else moves.
interface Count {
  total: string; // as it is shown; a mark where it is withheld
  rate: string;
  waiting: string;
  condition: "" | "slow" | "down";
  flow: number;
}
interface Live {
  figures: Record<string, string>;
  stages: Record<string, Count>;
}

function waiting(el: HTMLElement, c: Count): string {
  if (c.condition === "down") return text(el, "down");
  if (c.condition === "slow") return `${text(el, "slow")} ${c.waiting}`;
  return c.waiting ? `${text(el, "waiting")} ${c.waiting}` : "";
}

function part(station: Element, name: string): Element | null {
  return station.querySelector(`[data-part=${name}]`);
}

function update(el: HTMLElement, stage: string, c: Count): void {
  let moved = false;
  for (const station of el.querySelectorAll(`[data-stage=${stage}]`)) {
    const total = part(station, "total");
    if (total) moved = show(total, c.total) || moved;
    const speed = part(station, "rate");
    if (speed) speed.textContent = c.rate;
    const queue = part(station, "waiting");
    if (queue) queue.textContent = waiting(el, c);
    station.classList.toggle("slow", c.condition === "slow");
    station.classList.toggle("down", c.condition === "down");
  }
  for (const flow of el.querySelectorAll(`[data-flow=${stage}]`)) {
    flow.setAttribute("class", `flow flow-${c.flow}${moved ? " moved" : ""}`);
  }
}

export function mount(el: HTMLElement): () => void {
  const url = text(el, "stream");
  const stop = subscribe(url, "pulse", (data) => {
    const live = data as Live;
    for (const [stage, c] of Object.entries(live.stages)) update(el, stage, c);
    for (const slot of el.querySelectorAll<SVGElement>("[data-figure]")) {
      const value = live.figures[slot.dataset.figure ?? ""] ?? "";
      slot.textContent = value;
      // A time that nobody measured yet is left out; a rate of nothing is news.
      if (slot.dataset.figure !== "rate") slot.parentElement?.toggleAttribute("hidden", value === "–");
    }
  });
  const unwatch = watch(url, (live) => document.querySelector(".live")?.classList.toggle("lost", !live));
  return () => {
    stop();
    unwatch();
  };
}

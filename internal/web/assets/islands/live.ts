import { subscribe, watch } from "./stream";

// Counters: data-stream is the address, data-event the event's name (default
// "counts"), whose data is {name: number}. Every [data-live=name] inside shows
// its number; what changed is marked for a moment, and nothing else moves.
const number = new Intl.NumberFormat("en");

export function mount(el: HTMLElement): () => void {
  const url = el.dataset.stream ?? "";
  const stop = subscribe(url, el.dataset.event ?? "counts", (data) => {
    const counts = data as Record<string, number>;
    for (const slot of el.querySelectorAll<HTMLElement>("[data-live]")) {
      const n = counts[slot.dataset.live ?? ""];
      if (typeof n === "number") show(slot, number.format(n));
    }
  });
  const lamp = el.querySelector(".live");
  const unwatch = watch(url, (live) => lamp?.classList.toggle("lost", !live));
  return () => {
    stop();
    unwatch();
  };
}

// show sets a text and marks the element when it changed.
export function show(slot: Element, value: string): boolean {
  if (slot.textContent === value) return false;
  slot.textContent = value;
  slot.classList.add("changed");
  setTimeout(() => slot.classList.remove("changed"), 900);
  return true;
}

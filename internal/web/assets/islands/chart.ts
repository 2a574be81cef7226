import uPlot from "uplot";
import { subscribe } from "./stream";

// Of a line that is withheld there are no values; it is not drawn.
interface Series {
  label: string;
  tone: string;
  values: number[];
}
interface Props {
  times: number[];
  series: Series[];
  stream?: string;
  event?: string;
  height: number;
  zone: string;
  time: string;
}
interface Update {
  times: number[];
  values: number[][];
}

const number = new Intl.NumberFormat("en");

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function colour(tone: string): string {
  return token(tone.length === 1 ? `--series-${tone}` : `--sev-${tone}`);
}

// Whole numbers only: a count has no halves.
function ticks(values: (number | null)[]): (string | null)[] {
  return values.map((v) => (v === null || !Number.isInteger(v) ? null : number.format(v)));
}

function axes(zone: string): uPlot.Axis[] {
  const ink = token("--ink-2");
  const line = token("--line");
  const face = `11px ${token("--sans")}`;
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  return [
    { stroke: ink, font: face, grid: { show: false }, ticks: { stroke: line, size: 4 }, size: 28,
      values: (_, splits) => splits.map((s) => clock.format(s * 1000)) },
    { stroke: ink, font: face, grid: { stroke: line, width: 1 }, ticks: { show: false }, size: 56,
      values: (_, splits) => ticks(splits) },
  ];
}

function options(el: HTMLElement, p: Props): uPlot.Options {
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: p.zone, hour: "2-digit", minute: "2-digit" });
  return {
    width: el.clientWidth || 600,
    height: p.height,
    padding: [8, 18, 0, 0],
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_u, _min, max) => [0, Math.max(4, max * 1.1)] } },
    axes: axes(p.zone),
    series: [
      { label: p.time, value: (_, v) => (v == null ? "" : clock.format(v * 1000)) },
      ...p.series.map((s) => ({
        label: s.label,
        stroke: colour(s.tone),
        width: 1.5,
        fill: p.series.length === 1 ? `color-mix(in srgb, ${colour(s.tone)} 12%, transparent)` : undefined,
        points: { show: false },
        value: (_: uPlot, v: number | null) => (v == null ? "" : number.format(v)),
      })),
    ],
  };
}

export function mount(el: HTMLElement, data: unknown): () => void {
  const p = data as Props;
  let rows: uPlot.AlignedData = [p.times, ...p.series.map((s) => s.values)];
  let plot = new uPlot(options(el, p), rows, el);
  const size = new ResizeObserver(() => {
    if (el.clientWidth > 0 && el.clientWidth !== plot.width) plot.setSize({ width: el.clientWidth, height: p.height });
  });
  size.observe(el);
  // Colours are read when drawing, so a change of theme draws anew.
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const redraw = () => {
    plot.destroy();
    plot = new uPlot(options(el, p), rows, el);
  };
  scheme.addEventListener("change", redraw);
  const stop = p.stream ? subscribe(p.stream, p.event ?? "message", (d) => {
    const u = (d as { charts?: Record<string, Update> }).charts?.[el.closest("figure")?.id ?? ""];
    if (!u) return;
    rows = [u.times, ...u.values];
    plot.setData(rows);
  }) : undefined;
  return () => {
    stop?.();
    size.disconnect();
    scheme.removeEventListener("change", redraw);
    plot.destroy();
  };
}

// A relation graph. The library is large and few pages have a graph, so it is
// loaded when one is on the page. Tab reaches the picture, the arrow keys go
// from node to node along the edges, Enter opens one; the table below holds
// the same.
import type { Graph } from "./graphview";

export function mount(el: HTMLElement, data: unknown): () => void {
  let undo: (() => void) | undefined;
  let gone = false;
  void import("./graphview").then((view) => {
    if (!gone) undo = view.draw(el, data as Graph);
  });
  return () => {
    gone = true;
    undo?.();
  };
}

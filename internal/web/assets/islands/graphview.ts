import cytoscape from "cytoscape";

export type Graph = {
  nodes: { id: string; kind: string; label: string; href?: string }[];
  edges: { from: string; to: string; label: string }[];
};

const shapes: Record<string, cytoscape.Css.NodeShape> = {
  alert: "octagon",
  record: "rectangle",
  observable: "ellipse",
  indicator: "diamond",
  advisory: "round-rectangle",
};
const tones: Record<string, string> = {
  alert: "--series-b",
  record: "--series-f",
  observable: "--series-a",
  indicator: "--series-c",
  advisory: "--series-d",
};

// The library puts a <style> into the page unless one with its id is there;
// the policy forbids it, and graph.css has what it holds.
function keepStyleOut(): void {
  const id = "__________cytoscape_stylesheet";
  if (document.getElementById(id)) return;
  const mark = document.createElement("template");
  mark.id = id;
  document.head.append(mark);
}

function styleOf(el: HTMLElement): cytoscape.StylesheetJson {
  const css = getComputedStyle(el);
  const color = (name: string) => css.getPropertyValue(name).trim();
  const kinds = Object.keys(tones).map((kind) => ({
    selector: `node[kind = "${kind}"]`,
    style: { shape: shapes[kind], "background-color": color(tones[kind] ?? "") },
  }));
  return [
    {
      selector: "node",
      style: {
        label: "data(label)", width: 22, height: 22, "font-size": 11, "font-family": css.fontFamily, color: color("--ink"),
        "text-valign": "center", "text-halign": "right", "text-margin-x": 6, "text-wrap": "ellipsis", "text-max-width": "190px",
        "text-background-color": color("--surface"), "text-background-opacity": 0.85, "text-background-padding": "1px",
        "border-width": 1, "border-color": color("--surface"),
      },
    },
    ...kinds,
    {
      selector: "edge",
      style: { width: 1.5, "line-color": color("--line-strong"), "curve-style": "straight", "target-arrow-shape": "triangle",
        "target-arrow-color": color("--line-strong"), "arrow-scale": 0.8 },
    },
    { selector: "node.at", style: { "border-width": 4, "border-color": color("--focus") } },
  ] as cytoscape.StylesheetJson;
}

// rows spreads each column evenly over the height and leaves room for labels.
function rows(cy: cytoscape.Core): void {
  const columns = new Map<number, cytoscape.NodeSingular[]>();
  cy.nodes().forEach((n) => {
    const x = Math.round(n.position("x"));
    columns.set(x, [...(columns.get(x) ?? []), n]);
  });
  const sorted = [...columns.entries()].sort(([a], [b]) => a - b);
  sorted.forEach(([, nodes], i) => {
    nodes.sort((a, b) => a.position("y") - b.position("y"));
    nodes.forEach((n, j) => n.position({ x: i * 260, y: (j - (nodes.length - 1) / 2) * 34 }));
  });
  cy.fit(undefined, 24);
  const box = cy.elements().boundingBox({ includeLabels: true });
  if (cy.zoom() > 1) cy.zoom(1);
  cy.center();
  if (box.w > cy.width()) cy.fit(cy.elements(), 24);
}

export function draw(el: HTMLElement, graph: Graph): () => void {
  keepStyleOut();
  el.classList.add("__________cytoscape_container");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const cy = cytoscape({
    container: el,
    elements: {
      nodes: graph.nodes.map((n) => ({ data: n })),
      edges: graph.edges.map((e) => ({ data: { source: e.from, target: e.to, label: e.label } })),
    },
    style: styleOf(el),
    // From left to right, so that labels stand beside their nodes in rows.
    layout: {
      name: "breadthfirst", directed: true, animate: false, fit: false,
      transform: (_node: cytoscape.NodeSingular, at: cytoscape.Position) => ({ x: at.y, y: at.x }),
    },
    minZoom: 0.3,
    maxZoom: 2.5,
    userZoomingEnabled: false,
    boxSelectionEnabled: false,
    autounselectify: true,
  });
  rows(cy);
  let at = cy.nodes().first();
  const said = document.createElement("span");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  el.after(said);
  const go = (node: cytoscape.NodeSingular) => {
    cy.nodes().removeClass("at");
    at = node as typeof at;
    at.addClass("at");
    said.textContent = String(at.data("label"));
    if (!still) cy.animate({ center: { eles: at } }, { duration: 120 });
    else cy.center(at);
  };
  const open = (node: cytoscape.NodeSingular) => {
    const href = node.data("href") as string | undefined;
    if (href?.startsWith("/")) location.assign(href);
  };
  const key = (e: KeyboardEvent) => {
    const all = cy.nodes();
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (step !== undefined) {
      const i = all.toArray().indexOf(at);
      go(all[(i + step + all.length) % all.length] as cytoscape.NodeSingular);
    } else if (e.key === "Enter") open(at);
    else if (e.key === "+" || e.key === "-") cy.zoom(cy.zoom() * (e.key === "+" ? 1.2 : 1 / 1.2));
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const focus = () => go(at);
  el.addEventListener("keydown", key);
  el.addEventListener("focus", focus);
  cy.on("tap", "node", (e) => go(e.target as cytoscape.NodeSingular));
  cy.on("dbltap", "node", (e) => open(e.target as cytoscape.NodeSingular));
  const repaint = new MutationObserver(() => cy.style(styleOf(el)));
  repaint.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    repaint.disconnect();
    el.removeEventListener("keydown", key);
    el.removeEventListener("focus", focus);
    said.remove();
    cy.destroy();
  };
}

import "./css/main.css";
import "htmx.org";
import type { Mount } from "./islands/island";
import * as chart from "./islands/chart";
import * as copy from "./islands/copy";
import * as draft from "./islands/draft";
import * as exporting from "./islands/export";
import * as filter from "./islands/filter";
import * as graph from "./islands/graph";
import * as keys from "./islands/keys";
import * as link from "./islands/link";
import * as live from "./islands/live";
import * as menu from "./islands/menu";
import * as part from "./islands/part";
import * as passkey from "./islands/passkey";
import * as pulse from "./islands/pulse";
import * as regions from "./islands/regions";
import * as rows from "./islands/rows";
import * as search from "./islands/search";

const islands: Record<string, Mount> = {
  chart: chart.mount,
  draft: draft.mount,
  export: exporting.mount,
  filter: filter.mount,
  graph: graph.mount,
  link: link.mount,
  live: live.mount,
  menu: menu.mount,
  part: part.mount,
  passkey: passkey.mount,
  pulse: pulse.mount,
  rows: rows.mount,
  search: search.mount,
};

const mounted = new Map<HTMLElement, (() => void) | void>();

function mountAll(root: ParentNode): void {
  for (const el of root.querySelectorAll<HTMLElement>("[data-island]")) {
    const mount = islands[el.dataset.island ?? ""];
    if (!mount || mounted.has(el)) continue;
    const props: unknown = el.dataset.props ? JSON.parse(el.dataset.props) : undefined;
    mounted.set(el, mount(el, props));
  }
}

function sweep(): void {
  for (const [el, undo] of mounted) {
    if (el.isConnected) continue;
    undo?.();
    mounted.delete(el);
  }
}

keys.install();
copy.install();
regions.install();
mountAll(document);
new MutationObserver(() => {
  sweep();
  mountAll(document);
  regions.name();
}).observe(document.body, { childList: true, subtree: true });

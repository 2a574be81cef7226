// One EventSource per address, shared by all islands on the page.
type Listener = (data: unknown) => void;

interface Stream {
  source: EventSource;
  listeners: Map<string, Set<Listener>>;
  watchers: Set<(live: boolean) => void>;
}

const streams = new Map<string, Stream>();

function open(url: string): Stream {
  const known = streams.get(url);
  if (known) return known;
  const source = new EventSource(url);
  const stream: Stream = { source, listeners: new Map(), watchers: new Set() };
  source.onopen = () => stream.watchers.forEach((w) => w(true));
  source.onerror = () => stream.watchers.forEach((w) => w(false));
  streams.set(url, stream);
  return stream;
}

function close(url: string, stream: Stream): void {
  const idle = [...stream.listeners.values()].every((s) => s.size === 0) && stream.watchers.size === 0;
  if (!idle) return;
  stream.source.close();
  streams.delete(url);
}

// subscribe calls listener with the parsed data of every event of that name.
export function subscribe(url: string, event: string, listener: Listener): () => void {
  const stream = open(url);
  let set = stream.listeners.get(event);
  if (!set) {
    set = new Set();
    stream.listeners.set(event, set);
    const all = set;
    stream.source.addEventListener(event, (e) => {
      const data: unknown = JSON.parse((e as MessageEvent<string>).data);
      all.forEach((l) => l(data));
    });
  }
  set.add(listener);
  return () => {
    set.delete(listener);
    close(url, stream);
  };
}

// watch tells whether the stream is connected.
export function watch(url: string, watcher: (live: boolean) => void): () => void {
  const stream = open(url);
  stream.watchers.add(watcher);
  return () => {
    stream.watchers.delete(watcher);
    close(url, stream);
  };
}

// A part of the page that htmx fetches on its own. When no answer comes at all
// (no connection, or not in time) what waits gives way to what says so; an
// answer with an error brings its own words.
export function mount(el: HTMLElement): () => void {
  let timer = 0;
  const show = (name: string, shown: boolean) => el.querySelector(`[data-part=${name}]`)?.toggleAttribute("hidden", !shown);
  const failed = () => {
    // Leaving the page ends its requests too: that is not worth a word.
    timer = window.setTimeout(() => {
      show("wait", false);
      show("failed", true);
    }, 300);
  };
  el.addEventListener("htmx:error", failed);
  return () => {
    clearTimeout(timer);
    el.removeEventListener("htmx:error", failed);
  };
}

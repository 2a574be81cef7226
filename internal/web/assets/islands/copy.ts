// Buttons with data-copy copy that value. Copying a selection inside a <time>
// hands out UTC.
async function copy(button: HTMLElement): Promise<void> {
  await navigator.clipboard.writeText(button.dataset.copy ?? "");
  const use = button.querySelector("use");
  button.classList.add("done");
  use?.setAttribute("href", "#i-check");
  setTimeout(() => {
    button.classList.remove("done");
    use?.setAttribute("href", "#i-copy");
  }, 1500);
}

function timeOf(node: Node | null): HTMLTimeElement | null {
  const el = node instanceof Element ? node : node?.parentElement;
  return el?.closest("time") ?? null;
}

export function install(): void {
  document.addEventListener("click", (e) => {
    const button = (e.target as Element).closest<HTMLElement>("[data-copy]");
    if (button) void copy(button);
  });
  document.addEventListener("copy", (e) => {
    const s = getSelection();
    const time = timeOf(s?.anchorNode ?? null);
    if (!time || time !== timeOf(s?.focusNode ?? null)) return;
    e.clipboardData?.setData("text/plain", time.dateTime);
    e.preventDefault();
  });
}

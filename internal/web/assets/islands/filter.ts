// Choosing from a list filters at once; typing waits for Enter. Empty fields
// stay out of the address.
export function mount(el: HTMLElement): () => void {
  const form = el as HTMLFormElement;
  const changed = (e: Event) => {
    if (e.target instanceof HTMLSelectElement) form.requestSubmit();
  };
  const tidy = () => {
    for (const f of form.querySelectorAll<HTMLInputElement>("input, select")) {
      if (f.value === "") f.disabled = true;
    }
  };
  const untidy = () => {
    for (const f of form.querySelectorAll<HTMLInputElement>("input, select")) f.disabled = false;
  };
  form.addEventListener("change", changed);
  form.addEventListener("submit", tidy);
  addEventListener("pageshow", untidy);
  return () => {
    form.removeEventListener("change", changed);
    form.removeEventListener("submit", tidy);
    removeEventListener("pageshow", untidy);
  };
}

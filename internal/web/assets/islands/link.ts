// Takes the secret of a one-time link out of the address, where it stands
// behind the #, into the form, and the field out of the way. The address that
// stays in the history holds no secret.
export function mount(el: HTMLElement): void {
  const field = el.querySelector<HTMLInputElement>("input[name=token]");
  const secret = location.hash.slice(1);
  if (!field || secret === "" || secret === "main") return;
  field.value = secret;
  const row = field.closest<HTMLElement>(".field");
  if (row && !row.classList.contains("wrong")) row.hidden = true;
  history.replaceState(null, "", location.pathname);
}

// An island takes over one element. mount gets the element and its parsed
// data-props and may return a function that undoes it.
export type Mount = (el: HTMLElement, data: unknown) => void | (() => void);

// text reads a word that the server put on the element, so that scripts need
// no catalogue.
export function text(el: HTMLElement, name: string): string {
  return el.dataset[name] ?? "";
}

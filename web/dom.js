// Small things about elements.

export const $ = (id) => document.getElementById(id);

/** Builds an element: make("input", { type: "text" }, child, …). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Writes only what is new: a screen reader says it again otherwise. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const round = (value, digits = 0) => value.toFixed(digits);

/** Offers a file to be saved. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** A file's name: what is painted, and when. */
export function fileName(words, ending) {
  const said = (words || "mirror").replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);
  return `${said}-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.${ending}`;
}

// What the nodes, and this page, have to say: a few lines in the corner.

import { $, make } from "./dom.js";

let lastNotice = null;

/** Shows those notices that are new. */
export function notices(list) {
  const newest = list.at(-1)?.id ?? 0;
  // The first time, and after a restart of the server, only what has just happened is news.
  const isFirst = lastNotice === null || newest < lastNotice;
  const isNews = ({ id, at_ms }) => (isFirst ? Date.now() - at_ms < 10000 : id > lastNotice);
  list.filter(isNews).slice(-3).forEach(toast);
  lastNotice = newest;
}

/** Another stream has other notices. */
export function forgetNotices() {
  lastNotice = null;
}

export function toast({ level, origin, text }) {
  const close = make("button", { type: "button", "aria-label": "Close" }, "✕");
  const element = make("div", { class: `toast ${level}` }, make("span", {}, ...(origin ? [make("b", {}, origin)] : []), text), close);
  close.addEventListener("click", () => element.remove());
  setTimeout(() => element.remove(), level === "info" ? 5000 : 9000);
  $("toasts").append(element);
  while ($("toasts").children.length > 3) $("toasts").firstChild.remove();
}

export const say = (level, text) => toast({ level, origin: "", text });

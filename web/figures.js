// Figures: how many pictures, how old they are, where the time goes.

import { $, make, round, write } from "./dom.js";

/** How far back the page's own figures look, in milliseconds. */
const WINDOW = 5000;
let drawn = []; // { at, age }: pictures that were drawn; the age is known of one's own

/** A picture was drawn; `age`: milliseconds since the camera took it, if this page took it. */
export function drew(age = null) {
  drawn.push({ at: performance.now(), age });
}

export function forgetFigures() {
  drawn = [];
}

/** Pictures drawn a second, and their ages at 50 and 99 of 100. */
function own() {
  const now = performance.now();
  drawn = drawn.filter(({ at }) => now - at < WINDOW);
  const span = drawn.length > 1 ? (drawn.at(-1).at - drawn[0].at) / 1000 : 0;
  const ages = drawn.map(({ age }) => age).filter((age) => age !== null).sort((one, other) => one - other);
  const rank = (percent) => ages[Math.max(0, Math.ceil((ages.length * percent) / 100) - 1)] ?? 0;
  return { fps: span ? (drawn.length - 1) / span : 0, p50: rank(50), p99: rank(99) };
}

/** Shows the figures of a status; of one's own camera those that this page has measured. */
export function showFigures({ figures, tally, viewers }, isOwner) {
  const { fps, p50, p99 } = isOwner ? own() : { fps: figures.fps, ...figures.age_ms };
  write($("fps"), round(fps, 1));
  write($("age"), `${round(p50)} / ${round(p99)}`);
  write($("drops"), String(tally ? tally.replaced + tally.lost + tally.broken : figures.drops));
  write($("frames"), String(figures.frames));
  write($("viewers"), String(viewers ?? 0));
  write($("origin"), [figures.pack && `Pack ${figures.pack}`, figures.provider && `on ${figures.provider}`, figures.source].filter(Boolean).join(" · "));
  $("stages").replaceChildren(...stages(figures.stages));
}

function stage({ stage, ms, hop_ms, drops }, scale) {
  const part = (kind, value) => {
    const bar = make("i", { class: kind });
    bar.style.width = `${Math.min(100, (100 * value) / scale)}%`;
    return bar;
  };
  const words = `${stage}: ${round(ms.p50, 1)} ms, slow ones ${round(ms.p99, 1)} ms; on the way ${round(hop_ms.p50, 1)} ms; ${drops} dropped`;
  return make(
    "div", { class: "step", title: words, role: "img", "aria-label": words },
    make("span", {}, stage),
    make("span", { class: "bar" }, part("hop", hop_ms.p50), part("work", ms.p50)),
    make("output", {}, `${round(ms.p50, 1)} ms`),
  );
}

function stages(list) {
  if (list.length === 0) return [make("p", { class: "quiet" }, "No figures yet.")];
  const scale = Math.max(...list.map(({ ms, hop_ms }) => ms.p50 + hop_ms.p50), 1);
  const legend = make(
    "p", { class: "legend" },
    make("span", {}, make("i", { class: "work" }), "at work"),
    make("span", {}, make("i", { class: "hop" }), "on the way"),
  );
  return [...list.map((one) => stage(one, scale)), legend];
}

// The page's script. The server pushes everything but the picture twice a second (/events); what people set goes to
// /api/settings. The form is built from the server's parameter table, so a new parameter needs nothing here.

const $ = (id) => document.getElementById(id);

/** Builds an element: make("input", { type: "text" }, child, …). */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

let status = null; // what the server said last
const fields = new Map(); // by setting: { show(value), fail(text) }

// ---- Settings: one request at a time; what is changed meanwhile goes with the next one. ----

let waiting = {}; // to be sent
let sending = null; // on its way
let settling = {}; // sent and taken, not yet seen in the status: { name: [value, until] }

function set(changes) {
  Object.assign(waiting, changes);
  for (const name of Object.keys(changes)) fields.get(name)?.fail("");
  send();
}

async function send() {
  if (sending || Object.keys(waiting).length === 0) return;
  [sending, waiting] = [waiting, {}];
  const sent = sending;
  try {
    const answer = await fetch("/api/settings", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(sent),
    });
    const body = await answer.json();
    if (answer.ok) {
      for (const [name, value] of Object.entries(body.accepted)) settling[name] = [value, performance.now() + 2000];
    } else {
      for (const { setting, error } of body.errors) {
        const field = fields.get(setting);
        if (field) field.fail(error);
        else toast({ level: "error", origin: "", text: error });
      }
    }
  } catch {
    toast({ level: "error", origin: "", text: "The change did not reach the mirror." });
  }
  sending = null;
  render();
  send();
}

/** The value to be shown: what people have just set, until the mirror says it or has had time to refuse it. */
function current(name) {
  if (name in waiting) return waiting[name];
  if (sending && name in sending) return sending[name];
  if (name in settling) return settling[name][0];
  return status?.settings[name];
}

function settle() {
  for (const [name, [value, until]] of Object.entries(settling)) {
    if (status.settings[name] === value || performance.now() > until) delete settling[name];
  }
}

// ---- The form. ----

const title = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

function control(parameter, id) {
  const { name, kind, min, max, step, choices } = parameter;
  let timer = 0;
  const later = (value) => {
    clearTimeout(timer);
    timer = setTimeout(() => set({ [name]: value }), 120);
  };
  if (kind === "switch") {
    const box = make("input", { type: "checkbox", role: "switch", id });
    box.addEventListener("change", () => set({ [name]: box.checked }));
    return { inline: [box], main: box, show: (value) => (box.checked = value) };
  }
  if (choices) {
    const list = make("select", { id }, ...choices.map((choice) => make("option", {}, choice)));
    list.addEventListener("change", () => set({ [name]: list.value }));
    const show = (value) => {
      if (!choices.includes(value)) list.append(make("option", {}, value));
      list.value = value;
    };
    return { inline: [list], main: list, show };
  }
  if (kind === "text") {
    const text = make("input", { type: "text", id, class: "wide", maxlength: parameter.max_chars, spellcheck: "false" });
    text.addEventListener("change", () => set({ [name]: text.value }));
    return { inline: [], wide: text, main: text, show: (value) => (text.value = value) };
  }
  const isWhole = kind === "integer";
  const isLong = max - min > 10000;
  const number = make("input", {
    type: "number", id, min, max, step: isWhole ? step : "any", class: isLong ? "long" : undefined,
    inputmode: isWhole ? "numeric" : "decimal",
  });
  const read = (text) => (isWhole && /^[+-]?\d+$/.test(text.trim()) ? Number.parseInt(text, 10) : Number(text));
  number.addEventListener("change", () => {
    if (number.value === "") return fields.get(name).fail(`${title(name)} must be ${parameter.range}.`);
    set({ [name]: read(number.value) });
  });
  if (isLong) {
    const dice = make("button", { type: "button", class: "small", title: "Another one", "aria-label": `Another ${name}` }, "⚄");
    dice.addEventListener("click", () => set({ [name]: min + Math.floor(Math.random() * (max - min + 1)) }));
    return { inline: [number, dice], main: number, show: (value) => (number.value = value) };
  }
  const slider = make("input", {
    type: "range", min, max, step: isWhole ? step : (max - min) / 100, class: "wide", "aria-label": title(name),
  });
  slider.addEventListener("input", () => {
    number.value = slider.value;
    later(read(slider.value));
  });
  const show = (value) => {
    slider.value = value;
    number.value = isWhole ? value : Number(value.toFixed(3));
  };
  return { inline: [number], wide: slider, main: number, also: slider, show };
}

function row(parameter) {
  const { name } = parameter;
  const id = `setting-${name}`;
  const parts = control(parameter, id);
  const error = make("p", { class: "error", role: "alert", hidden: true });
  const reset = make("button", { type: "button", class: "small reset", title: "Back to the default", "aria-label": `${title(name)}: back to the default` }, "↺");
  reset.addEventListener("click", () => set({ [name]: parameter.default }));
  const help = make("span", { class: "help", id: `${id}-help` }, parameter.text);
  parts.main.setAttribute("aria-describedby", help.id);
  const element = make(
    "div", { class: "row" },
    make("label", { for: id }, title(name)),
    make("span", { class: "field" }, reset, ...parts.inline),
    ...(parts.wide ? [parts.wide] : []), help, error,
  );
  const isHeld = () => [parts.main, parts.also].includes(document.activeElement);
  fields.set(name, {
    show(value, isOurs) {
      element.classList.toggle("changed", value !== parameter.default);
      // A field that is being used is left alone, unless a click beside it has changed it.
      if (!isHeld() || isOurs || parts.main.type === "checkbox") parts.show(value);
    },
    fail(text) {
      error.textContent = text;
      error.hidden = !text;
      parts.main.setAttribute("aria-invalid", String(Boolean(text)));
    },
  });
  reset.addEventListener("click", () => parts.show(parameter.default));
  return element;
}

async function build() {
  try {
    const answer = await fetch("/api/settings");
    const { parameters } = await answer.json();
    fields.clear();
    $("settings").replaceChildren(...parameters.filter(({ name }) => name !== "prompt").map(row));
    const prompt = parameters.find(({ name }) => name === "prompt");
    if (prompt) $("prompt").maxLength = prompt.max_chars;
    fields.set("prompt", {
      show: (value) => { if (!edited) $("prompt").value = value; },
      fail: (text) => { $("prompt-error").textContent = text; $("prompt-error").hidden = !text; },
    });
    const { looks } = await (await fetch("/api/looks")).json();
    $("looks").replaceChildren(...looks.map(chip));
    $("suggestions").hidden = looks.length === 0;
    $("more").hidden = looks.length < 10;
    render();
  } catch {
    setTimeout(build, 2000);
  }
}

// ---- The prompt. ----

let edited = false; // somebody is typing

$("prompt").addEventListener("input", () => (edited = true));
$("prompt").addEventListener("blur", () => { if ($("prompt").value === current("prompt")) edited = false; });
$("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Escape") { edited = false; render(); }
});
$("prompt-form").addEventListener("submit", (event) => {
  event.preventDefault();
  edited = false;
  set({ prompt: $("prompt").value.trim() });
  render();
});

function chip(look) {
  const button = make("button", { type: "button", "aria-pressed": "false" }, look);
  button.addEventListener("click", () => {
    edited = false;
    set({ prompt: look });
    render();
  });
  return button;
}

$("more").addEventListener("click", () => {
  const isOpen = $("looks").classList.toggle("open");
  $("more").setAttribute("aria-expanded", String(isOpen));
  $("more").textContent = isOpen ? "Fewer" : "More";
});

// A suggestion that is out of sight must not take the focus unseen.
$("looks").addEventListener("focusin", ({ target }) => {
  if (target.offsetTop > $("looks").offsetTop + $("looks").clientHeight - 20 && !$("looks").classList.contains("open")) $("more").click();
});

// ---- What the server says. ----

const round = (value, digits = 0) => value.toFixed(digits);

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

/** live, waiting (no picture yet), stalled (no picture for a while), gone (no server). */
function state() {
  if (!isConnected) return ["gone", "disconnected", "The mirror does not answer", "This page connects again by itself."];
  if (!status || status.silent_ms === null) return ["waiting", "waiting", "Waiting for the first picture", "Models are being loaded."];
  if (status.silent_ms > 2500) {
    const seconds = Math.round(status.silent_ms / 1000);
    return ["stalled", "no picture", `No picture for ${seconds} s`, "The camera or a model may be busy or gone; the notices say more."];
  }
  return ["live", "live", "", ""];
}

function render() {
  const [name, pill, heading, text] = state();
  document.body.dataset.state = name;
  write($("state"), pill);
  write($("veil-title"), heading);
  write($("veil-text"), text);
  if (!status) return;
  const { figures, settings } = status;
  settle();
  for (const [setting, field] of fields) {
    const value = current(setting);
    if (value !== undefined) field.show(value, value !== settings[setting]);
  }
  const prompt = current("prompt");
  const isPainting = name === "live" && !settings.passthrough && status.painted !== null && status.painted !== prompt;
  $("painting").hidden = !isPainting;
  write($("painting"), isPainting ? `painting ${prompt || "it as it is"} …` : "");
  const passthrough = current("passthrough") === true;
  $("camera").setAttribute("aria-pressed", String(passthrough));
  $("picture").alt = passthrough ? "Live picture of the camera" : `Live picture, painted as: ${status.painted || "itself"}`;
  for (const button of $("looks").children) button.setAttribute("aria-pressed", String(button.textContent === prompt));
  write($("fps"), round(figures.fps, 1));
  write($("age"), `${round(figures.age_ms.p50)} / ${round(figures.age_ms.p99)}`);
  write($("drops"), String(figures.drops));
  write($("frames"), String(figures.frames));
  write($("origin"), [figures.pack && `Pack ${figures.pack}`, figures.provider && `on ${figures.provider}`, figures.source].filter(Boolean).join(" · "));
  $("stages").replaceChildren(...stages(figures.stages));
}

/** Writes only what is new: a screen reader says it again otherwise. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- Notices. ----

let lastNotice = null;

function notices(list) {
  const newest = list.at(-1)?.id ?? 0;
  // The first time, and after a restart of the server, only what has just happened is news.
  const isFirst = lastNotice === null || newest < lastNotice;
  const isNews = ({ id, at_ms }) => (isFirst ? Date.now() - at_ms < 10000 : id > lastNotice);
  list.filter(isNews).slice(-3).forEach(toast);
  lastNotice = newest;
}

function toast({ level, origin, text }) {
  const close = make("button", { type: "button", "aria-label": "Close" }, "✕");
  const element = make("div", { class: `toast ${level}` }, make("span", {}, ...(origin ? [make("b", {}, origin)] : []), text), close);
  close.addEventListener("click", () => element.remove());
  setTimeout(() => element.remove(), level === "info" ? 5000 : 9000);
  $("toasts").append(element);
  while ($("toasts").children.length > 3) $("toasts").firstChild.remove();
}

// ---- The connection. ----

let isConnected = true;
let events = null;
let lastEvent = performance.now();

function connect() {
  events?.close();
  events = new EventSource("/events");
  events.onmessage = ({ data }) => {
    lastEvent = performance.now();
    const wasGone = !isConnected;
    isConnected = true;
    status = JSON.parse(data);
    if (wasGone) {
      // The server may be a new one: its picture and its table are fetched anew.
      watch();
      build();
    }
    notices(status.notices);
    render();
  };
}

function watch() {
  $("picture").src = `/stream?${Date.now()}`;
}

$("picture").addEventListener("error", () => setTimeout(() => { if (isConnected) watch(); }, 2000));

setInterval(() => {
  const silent = performance.now() - lastEvent;
  if (silent > 3000 && isConnected) {
    isConnected = false;
    render();
  }
  // The browser tries again by itself after most faults, but not after all.
  if (silent > 3000 && (events.readyState === EventSource.CLOSED || silent % 10000 < 1000)) connect();
}, 1000);

// ---- Buttons and keys. ----

function fullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("frame").requestFullscreen?.().catch(() => {});
}

async function snapshot() {
  try {
    const answer = await fetch("/picture.jpg");
    if (!answer.ok) throw new Error("no picture");
    const address = URL.createObjectURL(await answer.blob());
    const words = (status?.painted || "mirror").replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);
    const time = new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");
    make("a", { href: address, download: `${words}-${time}.jpg` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  } catch {
    toast({ level: "warning", origin: "", text: "There is no picture to save yet." });
  }
}

const showCamera = () => { set({ passthrough: current("passthrough") !== true }); render(); };

$("fullscreen").addEventListener("click", fullscreen);
$("snapshot").addEventListener("click", snapshot);
$("camera").addEventListener("click", showCamera);
$("frame").addEventListener("dblclick", (event) => { if (!event.target.closest("button")) fullscreen(); });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const action = { f: fullscreen, s: snapshot, c: showCamera, "/": () => $("prompt").focus() }[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

if (window.matchMedia("(max-width: 60rem)").matches) $("settings-card").open = false;
build();
connect();

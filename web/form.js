// The form. It is built from the server's parameter table, so a new parameter needs nothing here.

import { $, make } from "./dom.js";
import { current, isOurs, set } from "./settings.js";

const fields = new Map(); // by setting: { show(value, isOurs), fail(text) }
const title = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

/** Fetches the table and the suggestions, and builds the form; tries until it succeeds. */
export async function build() {
  try {
    const { parameters } = await (await fetch("/api/settings")).json();
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
    showForm();
  } catch {
    setTimeout(build, 2000);
  }
}

/** Shows the settings as they are. */
export function showForm() {
  for (const [setting, field] of fields) {
    const value = current(setting);
    if (value !== undefined) field.show(value, isOurs(setting));
  }
  const prompt = current("prompt");
  for (const button of $("looks").children) button.setAttribute("aria-pressed", String(button.textContent === prompt));
}

/** Shows an error beside its field; `false`: there is no such field. */
export function failField(setting, error) {
  fields.get(setting)?.fail(error);
  return fields.has(setting);
}

/** Who only watches cannot set anything. */
export function lockForm(isLocked) {
  for (const part of [$("settings-field"), $("prompt-field")]) part.disabled = isLocked;
  $("locked").hidden = !isLocked;
}

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
    id: `${id}-slider`,
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
    show(value, ours) {
      element.classList.toggle("changed", value !== parameter.default);
      // A field that is being used is left alone, unless a click beside it has changed it.
      if (!isHeld() || ours || parts.main.type === "checkbox") parts.show(value);
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

// ---- The prompt. ----

let edited = false; // somebody is typing

function wish(prompt) {
  edited = false;
  set({ prompt });
}

$("prompt").addEventListener("input", () => (edited = true));
$("prompt").addEventListener("blur", () => { if ($("prompt").value === current("prompt")) edited = false; });
$("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Escape") { edited = false; showForm(); }
});
$("prompt-form").addEventListener("submit", (event) => {
  event.preventDefault();
  wish($("prompt").value.trim());
});
$("settings-form").addEventListener("submit", (event) => event.preventDefault());

function chip(look) {
  const button = make("button", { type: "button", "aria-pressed": "false" }, look);
  button.addEventListener("click", () => wish(look));
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

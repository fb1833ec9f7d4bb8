// The page: which stream is shown, and what is the matter with it. What it is made of lies in the other files.
//
// Everything comes through one socket (socket.js): pictures, settings, figures, notices. It watches the mirror's own camera
// ("house"), or somebody's whose link was opened ("guest"), or carries one's own camera ("own").

import { Camera, why } from "./camera.js";
import { $, make, write } from "./dom.js";
import { drew, forgetFigures, showFigures } from "./figures.js";
import { build, failField, lockForm, showForm } from "./form.js";
import { listen } from "./microphone.js";
import { forgetNotices, notices, say } from "./notices.js";
import { accepted, current, onSettings, refused, set, settingsOf, told } from "./settings.js";
import { share } from "./share.js";
import { visit } from "./socket.js";
import { allowCompare, clear, compare, fullscreen, isCompared, onCompare, record, show, snapshot } from "./stage.js";

const SHARED = new URLSearchParams(location.search).get("stream");
/** Without a picture for so long the stream has stalled, in milliseconds. */
const STALLED = 2500;
/** How long it takes until it is tried again what the server has refused for now. */
const AGAIN = 4000;

let mode = "house"; // house, own, guest
let socket = null;
let status = null; // what the server said last
let isConnected = true;
let trouble = null; // why nothing can be shown: { title, text, action, act }
let shownAt = null; // when the last picture was drawn
let credits = 0; // pictures that may be sent
let isTaking = false;
let hush = null; // ends the microphone
let again = 0;
const camera = new Camera();

// ---- Which stream. ----

/** Letters that nobody takes for others. */
const random = (length) => Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => "abcdefghjkmnpqrstuvwxyz23456789"[byte % 31]).join("");

/** This window's own stream: its name is for others, its key is not. */
function identity() {
  const kept = JSON.parse(sessionStorage.getItem("stream") ?? "null") ?? { stream: random(10), key: random(32) };
  sessionStorage.setItem("stream", JSON.stringify(kept));
  return kept;
}

function go(newMode) {
  socket?.close();
  clearTimeout(again);
  if (newMode !== "own") quiet();
  [mode, status, trouble, shownAt, credits, isConnected] = [newMode, null, null, null, 0, true];
  forgetNotices();
  forgetFigures();
  clear();
  const own = mode === "own" ? identity() : null;
  const first = own ? { type: "open", ...own } : { type: "watch", ...(mode === "guest" ? { stream: SHARED } : {}) };
  socket = visit(first, {
    welcome: ({ hears, compares }) => {
      allowCompare(own !== null || compares);
      // The connection may be a new one.
      sayCompared(isCompared());
      $("microphone").hidden = !(own && hears);
      render();
    },
    credit: () => { credits += 1; take(); },
    status: (news) => {
      if (!isConnected) build(); // The server may be a new one: its table is fetched anew.
      [status, isConnected] = [news, true];
      told(status.settings);
      notices(status.notices);
      render();
    },
    accepted: ({ values }) => accepted(values),
    refused: ({ errors }) => refused(errors),
    trouble: ({ error }) => say("warning", error),
    ended: ({ code, error }) => { trouble = ended(code, error); render(); },
    picture,
    gone: () => { isConnected = false; credits = 0; render(); },
  });
  settingsOf(socket);
  lockForm(mode === "guest");
  allowCompare(mode === "own");
  document.body.dataset.mode = mode;
  for (const tab of $("tabs").children) tab.setAttribute("aria-pressed", String(tab.dataset.mode === mode));
  $("share").hidden = mode === "guest";
  $("microphone").hidden = true;
  $("camera-choice").hidden = mode !== "own";
  render();
}

/** What is to be done when the server has ended the socket. */
function ended(code, error) {
  const retry = () => { trouble = null; socket.again(); render(); };
  const later = () => { clearTimeout(again); again = setTimeout(retry, AGAIN); };
  if (code === "full" || code === "crowded") {
    later();
    return { title: "The mirror is full", text: `${error}. This page tries again by itself.`, action: "Try again", act: retry };
  }
  if (mode === "guest" && (code === "unknown" || code === "ended")) {
    later();
    const text = "Whoever sent you the link has stopped, or has not begun yet. This page looks again by itself.";
    return { title: "This stream is not on", text, action: "Watch the mirror", act: () => go("house") };
  }
  if (code === "moved") return { title: "Your camera is shown elsewhere", text: "Another window has taken this stream over.", action: "Take it back", act: retry };
  if (code === "taken") sessionStorage.removeItem("stream");
  if (code === "closed") return { title: "No visitors here", text: error, action: "Watch the mirror", act: () => go("house") };
  // The socket is over: the camera alone would wait for it for ever.
  const anew = () => { go("own"); start(); };
  return { title: "This stream has ended", text: error, action: "Start again", act: mode === "own" ? anew : retry };
}

// ---- One's own camera and microphone. ----

async function start(device) {
  if (mode !== "own") go("own");
  const wait = { title: "Waiting for your camera", text: "Allow it in the question that your browser asks." };
  [trouble, isTaking] = [wait, false];
  render();
  try {
    await camera.start(device, () => {
      trouble = { title: "The camera is gone", text: "It was unplugged, or the permission was taken back.", action: "Try again", act: () => start() };
      render();
    });
  } catch (error) {
    const [title, text] = why(error, "camera");
    trouble = { title, text, action: "Try again", act: () => start() };
    return render();
  }
  // Somebody may have gone back to the mirror meanwhile.
  if (mode !== "own") return camera.stop();
  if (trouble === wait) trouble = null;
  const cameras = await Camera.all();
  $("cameras").replaceChildren(...cameras.map(({ id, name }) => make("option", { value: id }, name)));
  $("cameras").value = camera.device;
  navigator.wakeLock?.request("screen").catch(() => {});
  render();
  take();
}

/** Sends the camera's newest picture whenever the mirror has room for one. */
async function take() {
  if (isTaking || !camera.isOn) return;
  isTaking = true;
  while (credits > 0 && mode === "own") {
    const taken = await camera.take(current("size") ?? 512);
    if (!taken) break;
    // The connection may have been lost meanwhile, and with it what was granted.
    if (credits > 0 && socket.send(1, taken.tag, Math.max(0, performance.now() - taken.at), taken.blob)) credits -= 1;
  }
  isTaking = false;
}

async function talk() {
  if (hush) return quiet();
  try {
    hush = await listen((samples, level) => {
      socket.send(2, 0, 100, samples.buffer);
      $("microphone").style.setProperty("--level", Math.min(1, level * 6).toFixed(2));
    }, quiet);
    $("microphone").setAttribute("aria-pressed", "true");
    say("info", "Say how you want to be painted.");
  } catch (error) {
    say("warning", why(error, "microphone").join(": "));
  }
}

function quiet() {
  hush?.();
  hush = null;
  $("microphone").setAttribute("aria-pressed", "false");
  $("microphone").style.removeProperty("--level");
}

function stop() {
  quiet();
  socket.say({ type: "end" });
  camera.stop();
  go("house");
}

// ---- What is shown. ----

/** Of one's own camera this page has the pictures; those of the mirror's the server sends along as long as they are wanted. */
function sayCompared(isOn) {
  if (mode === "house") socket?.say({ type: "compare", on: isOn });
}

function picture(head, blob, before) {
  const sent = mode === "own" ? camera.sent(head.tag) : null;
  show(head, blob, sent?.canvas ?? before, sent !== null && current("mirror") === true, () => {
    shownAt = performance.now();
    drew(sent ? shownAt - sent.at : null);
    if (document.body.dataset.state !== "live") render();
  });
}

/** live, waiting (no picture yet), stalled (no picture for a while), gone (no server), off (somebody must do something). */
function state() {
  if (!isConnected) return ["gone", "disconnected", "The mirror does not answer", "This page connects again by itself."];
  if (trouble) return ["off", "off", trouble.title, trouble.text];
  if (mode === "own" && document.hidden) return ["waiting", "paused", "Paused", "This page is out of sight."];
  const silent = mode === "house" ? status?.silent_ms : shownAt && performance.now() - shownAt;
  if (mode === "guest" && status && status.live === false) return ["stalled", "away", "One moment", "The other side has lost its connection."];
  if (!status || silent === null || silent === undefined) {
    if (mode === "own") return ["waiting", "waiting", "Painting your first picture", "It takes a moment."];
    return ["waiting", "waiting", "Waiting for the first picture", mode === "house" ? "Models are being loaded." : ""];
  }
  if (silent > STALLED) {
    // How long is said beside the title: that is a live region, and a screen reader would say it again every second.
    const reason = mode === "house" ? "the camera or a model may be busy or gone; the notices say more." : "the mirror is busy, or the connection slow.";
    return ["stalled", "no picture", "No picture comes", `None for ${Math.round(silent / 1000)} s: ${reason}`];
  }
  return ["live", mode === "own" ? "you, live" : "live", "", ""];
}

const NAMES = { house: "the mirror's camera", own: "your camera", guest: "a visitor's camera" };

function render() {
  const [name, pill, heading, text] = state();
  document.body.dataset.state = name;
  write($("state"), pill);
  write($("veil-title"), heading);
  write($("veil-text"), text);
  $("veil-action").hidden = !(name === "off" && trouble?.action);
  write($("veil-action"), trouble?.action ?? "");
  if (!status) return;
  showForm();
  const prompt = current("prompt");
  const isPainting = name === "live" && !status.settings.passthrough && status.painted !== null && status.painted !== prompt;
  $("painting").hidden = !isPainting;
  write($("painting"), isPainting ? `painting ${prompt || "it as it is"} …` : "");
  const passthrough = current("passthrough") === true;
  $("camera").setAttribute("aria-pressed", String(passthrough));
  $("picture").setAttribute("aria-label", passthrough ? `Live picture of ${NAMES[mode]}` : `Live picture of ${NAMES[mode]}, painted as: ${status.painted || "itself"}`);
  $("recorded").hidden = !status.recorded;
  $("heard").hidden = !status.heard;
  if (status.heard) {
    write($("heard-words"), `“${status.heard.text}”`);
    write($("heard-painted"), status.painted || "as it is");
  }
  showFigures(status, mode === "own");
}

// ---- Buttons and keys. ----

const showCamera = () => set({ passthrough: current("passthrough") !== true });

$("tab-house").addEventListener("click", () => { if (mode === "own") stop(); else go("house"); });
$("tab-own").addEventListener("click", () => { if (mode !== "own") start(); });
$("tab-guest").addEventListener("click", () => { if (mode === "own") stop(); go("guest"); });
$("veil-action").addEventListener("click", () => trouble?.act?.());
$("camera").addEventListener("click", showCamera);
onCompare(sayCompared);
$("microphone").addEventListener("click", talk);
$("share").addEventListener("click", () => share(mode === "own" ? identity().stream : "house"));
$("stop").addEventListener("click", stop);
$("cameras").addEventListener("change", () => start($("cameras").value));
document.addEventListener("visibilitychange", () => { render(); take(); });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  const keys = { f: fullscreen, s: snapshot, r: record, b: () => compare(), m: () => $("microphone").hidden || talk(), "/": () => $("prompt").focus() };
  const action = event.key === "c" && mode !== "guest" ? showCamera : keys[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});
window.addEventListener("pagehide", () => camera.stop());
setInterval(render, 500);

onSettings((setting, error) => {
  if (!failField(setting, error) && error) say("error", error);
}, render);
if (window.matchMedia("(max-width: 60rem)").matches) $("settings-card").open = false;
$("tab-guest").hidden = !SHARED;
build();
go(SHARED ? "guest" : "house");
// Whether visitors may bring a camera is the graph's to say.
fetch("/api/streams").then((answer) => answer.json()).then(({ sees }) => { $("tab-own").hidden = !sees; }, () => {});

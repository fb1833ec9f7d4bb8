// The picture: drawn, laid over the one before painting, saved, filmed, shown on the whole screen.

import { $, fileName, round, save, write } from "./dom.js";
import { say } from "./notices.js";

const after = $("picture").getContext("2d", { alpha: false });
const before = $("before").getContext("2d", { alpha: false });
let isDrawing = false;
let next = null; // the newest picture: older ones are never drawn
let painted = ""; // what the picture that is shown was painted as
let hasPicture = false;

/** Draws a picture: `source` is what it was made from, a canvas or a file, if this page has it, `isMirrored` whether it was swapped
 * left and right since. `drawn()` is called when it is to be seen. */
export async function show(head, blob, source, isMirrored, drawn) {
  next = { head, blob, source, isMirrored, drawn };
  if (isDrawing) return;
  isDrawing = true;
  while (next) {
    const one = next;
    next = null;
    try {
      const [bitmap, before] = await Promise.all([createImageBitmap(one.blob), one.source instanceof Blob ? createImageBitmap(one.source) : null]);
      draw({ ...one, source: before ?? one.source }, bitmap);
      bitmap.close();
      before?.close();
    } catch {
      // A picture that is cut off by a lost connection: the next one will do.
    }
  }
  isDrawing = false;
}

function draw({ head, source, isMirrored, drawn }, bitmap) {
  const { canvas } = after;
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  after.drawImage(bitmap, 0, 0);
  if (source) {
    const { canvas: under } = before;
    if (under.width !== source.width) under.width = under.height = source.width;
    before.setTransform(isMirrored ? -1 : 1, 0, 0, 1, isMirrored ? under.width : 0, 0);
    before.drawImage(source, 0, 0);
  }
  painted = head.prompt ?? "";
  hasPicture = true;
  drawn();
}

/** Nothing is shown any more: another stream comes. */
export function clear() {
  next = null;
  hasPicture = false;
  after.fillRect(0, 0, after.canvas.width, after.canvas.height);
}

// ---- Before and after. ----

function split(percent) {
  $("split").value = percent;
  $("frame").style.setProperty("--split", `${percent}%`);
}

let tell = () => {};

/** `told(isOn)` is called when somebody begins or ceases to compare. */
export function onCompare(told) {
  tell = told;
}

export const isCompared = () => $("compare").getAttribute("aria-pressed") === "true";

/** Whether this stream's pictures can be compared with what they were made from. */
export function allowCompare(isAllowed) {
  $("compare").hidden = !isAllowed;
  if (!isAllowed) compare(false);
}

export function compare(isOn = !isCompared()) {
  if (($("compare").hidden && isOn) || isOn === isCompared()) return;
  // Until the first picture to compare with has come, there is no difference to be seen.
  if (isOn) before.setTransform(1, 0, 0, 1, 0, 0);
  if (isOn) before.drawImage(after.canvas, 0, 0, before.canvas.width, before.canvas.height);
  $("compare").setAttribute("aria-pressed", String(isOn));
  $("frame").classList.toggle("compared", isOn);
  $("split").disabled = !isOn;
  split(50);
  tell(isOn);
}

$("split").addEventListener("input", () => split(Number($("split").value)));
$("compare").addEventListener("click", () => compare());

// ---- Full screen, a picture, a film. ----

export function fullscreen() {
  const leave = document.exitFullscreen ?? document.webkitExitFullscreen;
  const enter = $("frame").requestFullscreen ?? $("frame").webkitRequestFullscreen;
  if (document.fullscreenElement ?? document.webkitFullscreenElement) leave.call(document);
  // Phones that know no full screen show the page alone instead.
  else if (enter) enter.call($("frame"))?.catch?.(() => {});
  else document.body.classList.toggle("alone");
}

export function snapshot() {
  if (!hasPicture) return say("warning", "There is no picture to save yet.");
  after.canvas.toBlob((blob) => blob && save(blob, fileName(painted, "jpg")), "image/jpeg", 0.95);
}

/** Longest film, in milliseconds: it is kept in the page's memory. */
const FILM = 10 * 60 * 1000;
const KINDS = ["video/mp4;codecs=avc1", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];
let film = null;

export function record() {
  if (film) return film.stop();
  if (!hasPicture) return say("warning", "There is nothing to film yet.");
  const kind = globalThis.MediaRecorder && KINDS.find((one) => MediaRecorder.isTypeSupported(one));
  if (!kind || !after.canvas.captureStream) return say("warning", "This browser cannot film.");
  const parts = [];
  const begin = performance.now();
  film = new MediaRecorder(after.canvas.captureStream(30), { mimeType: kind, videoBitsPerSecond: 6_000_000 });
  film.ondataavailable = ({ data }) => parts.push(data);
  const clock = setInterval(() => {
    const seconds = (performance.now() - begin) / 1000;
    write($("filming"), `● ${Math.floor(seconds / 60)}:${round(seconds % 60).padStart(2, "0")}`);
    if (seconds * 1000 > FILM) film?.stop();
  }, 500);
  film.onstop = () => {
    clearInterval(clock);
    film = null;
    $("record").setAttribute("aria-pressed", "false");
    $("filming").hidden = true;
    if (parts.length > 0) save(new Blob(parts, { type: kind }), fileName(painted, kind.includes("mp4") ? "mp4" : "webm"));
  };
  film.start(1000);
  say("info", "Filming what you see, for you: the file is saved on this device.");
  $("record").setAttribute("aria-pressed", "true");
  write($("filming"), "● 0:00");
  $("filming").hidden = false;
}

$("fullscreen").addEventListener("click", fullscreen);
$("snapshot").addEventListener("click", snapshot);
$("record").addEventListener("click", record);
$("frame").addEventListener("dblclick", (event) => { if (!event.target.closest("button, input")) fullscreen(); });

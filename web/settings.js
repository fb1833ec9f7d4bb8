// The settings of the stream that is shown: what the server has said, and what people have just set.

let socket = null; // where changes go
let values = {}; // what the server said last
let waiting = {}; // to be sent
let sending = null; // on its way
let settling = {}; // sent and taken, not yet seen in the status: { name: [value, until] }
let timer = 0;
let fail = () => {};
let changed = () => {};

/** `refused(setting, error)` is told what was refused, `news()` that something is to be shown anew. */
export function onSettings(refused, news) {
  [fail, changed] = [refused, news];
}

/** Another stream, with other settings. */
export function settingsOf(newSocket) {
  socket = newSocket;
  [values, waiting, sending, settling] = [{}, {}, null, {}];
}

/** Wants these settings. One request at a time; what is changed meanwhile goes with the next one. */
export function set(changes) {
  Object.assign(waiting, changes);
  for (const name of Object.keys(changes)) fail(name, "");
  send();
  changed();
}

function send() {
  if (sending || Object.keys(waiting).length === 0) return;
  if (!socket?.say({ type: "settings", values: waiting })) {
    fail("", "The change did not reach the mirror.");
    waiting = {};
    return;
  }
  [sending, waiting] = [waiting, {}];
  // An answer that does not come must not hold up the next change.
  clearTimeout(timer);
  timer = setTimeout(answered, 3000);
}

function answered() {
  clearTimeout(timer);
  sending = null;
  changed();
  send();
}

export function accepted(taken) {
  for (const [name, value] of Object.entries(taken)) settling[name] = [value, performance.now() + 2000];
  answered();
}

export function refused(errors) {
  errors.forEach(({ setting, error }) => fail(setting, error));
  answered();
}

/** The server has said the settings. */
export function told(settings) {
  values = settings;
  for (const [name, [value, until]] of Object.entries(settling)) {
    if (values[name] === value || performance.now() > until) delete settling[name];
  }
}

/** The value to be shown: what people have just set, until the mirror says it or has had time to refuse it. */
export function current(name) {
  if (name in waiting) return waiting[name];
  if (sending && name in sending) return sending[name];
  if (name in settling) return settling[name][0];
  return values[name];
}

/** Whether that is what people have set and the server has not said yet. */
export const isOurs = (name) => current(name) !== values[name];

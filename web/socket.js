// The socket: one stream, watched or opened. It comes back by itself when the connection is lost. The messages are described in
// nodes/web/src/visit.rs.

/** Silence after which the connection counts as lost, in milliseconds: the server says something twice a second. */
const SILENCE = 4000;
/** Waits before trying again, in milliseconds. */
const WAITS = [300, 1000, 2000, 4000];

/**
 * Opens a stream. `first` is what is said first; `on` has a function for each type of message, `picture(head, blob, before)`
 * (`before`: what it was made from, if the server sent it), and `gone()` for when the connection is lost.
 */
export function visit(first, on) {
  let socket = null;
  let timer = 0;
  let tries = 0;
  let heard = 0;
  let isOver = false;

  function open() {
    clearTimeout(timer);
    heard = performance.now();
    const own = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/visit`);
    own.binaryType = "arraybuffer";
    socket = own;
    own.onopen = () => own.send(JSON.stringify(first));
    own.onmessage = ({ data }) => {
      if (own !== socket) return;
      heard = performance.now();
      if (typeof data !== "string") return on.picture(...picture(data));
      const message = JSON.parse(data);
      if (message.type === "welcome") tries = 0;
      if (message.type === "ended") isOver = true;
      on[message.type]?.(message);
    };
    own.onclose = () => own === socket && lost();
  }

  function lost() {
    socket = null;
    if (isOver) return;
    on.gone();
    timer = setTimeout(open, WAITS[Math.min(tries++, WAITS.length - 1)]);
  }

  const watch = setInterval(() => {
    if (socket && !isOver && performance.now() - heard > SILENCE) {
      // One that has died without a word closes when it likes.
      socket.onclose = null;
      socket.close();
      lost();
    }
  }, 500);

  const isOpen = () => socket?.readyState === WebSocket.OPEN;
  open();
  return {
    say: (message) => { if (isOpen()) socket.send(JSON.stringify(message)); return isOpen(); },
    /** Kind 1: a picture, 2: sound. `age`: milliseconds since it was taken. */
    send(kind, tag, age, body) {
      if (!isOpen()) return false;
      const head = new DataView(new ArrayBuffer(12));
      head.setUint8(0, kind);
      head.setUint32(4, tag, true);
      head.setFloat32(8, age, true);
      socket.send(new Blob([head.buffer, body]));
      return true;
    },
    /** Tries again after the server has ended it. */
    again() { isOver = false; tries = 0; open(); },
    close() {
      isOver = true;
      clearInterval(watch);
      clearTimeout(timer);
      const last = socket;
      socket = null;
      last?.close();
    },
  };
}

function picture(data) {
  const length = new DataView(data).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const jpeg = (from, to) => new Blob([new Uint8Array(data, from, to - from)], { type: "image/jpeg" });
  const middle = 4 + length + (head.before ?? 0);
  return [head, jpeg(middle, data.byteLength), head.before ? jpeg(4 + length, middle) : null];
}

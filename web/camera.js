// One's own camera: pictures of it, each when the mirror is ready for one.

/** JPEG quality of what is sent: what it leaves out the models would not see. */
const QUALITY = 0.85;
/** Pictures whose paintings are on their way: they are shown beside them. */
const KEPT = 6;

/** What is wrong with a camera or a microphone, in plain words: [title, text]. */
export function why(error, what) {
  if (!window.isSecureContext) {
    const text = `Browsers lend a ${what} only to pages that come over HTTPS, or from the same machine. Open this page with https://, if the mirror serves it so.`;
    return ["HTTPS is needed", text];
  }
  const known = {
    NotAllowedError: [`The ${what} is not allowed`, `Allow it for this page: in the address bar, at the sign left of the address. Then try again.`],
    NotFoundError: [`There is no ${what}`, `This device has none, or it is switched off.`],
    NotReadableError: [`The ${what} is busy`, `Another program has it, or it does not answer. Close that program, then try again.`],
    OverconstrainedError: [`There is no such ${what}`, `The one that was chosen is gone. Choose another one.`],
  };
  return known[error?.name] ?? [`The ${what} does not start`, String(error?.message ?? error)];
}

export class Camera {
  #video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  #stream = null;
  #fresh = null; // when the newest picture was taken that has not been sent
  #waiters = [];
  #tag = 0;
  #kept = [];

  /** Opens a camera: that one, or the one that faces the user. Throws what `why` explains. */
  async start(device, gone) {
    this.stop();
    if (!navigator.mediaDevices?.getUserMedia) throw new Error("This browser lends no cameras.");
    const ideal = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
    const video = device ? { ...ideal, deviceId: { exact: device } } : { ...ideal, facingMode: "user" };
    this.#stream = await navigator.mediaDevices.getUserMedia({ video });
    this.#stream.getVideoTracks()[0].addEventListener("ended", () => { this.stop(); gone(); });
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#look();
  }

  stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#fresh = null;
    this.#kept = [];
  }

  get isOn() {
    return this.#stream !== null;
  }

  /** The camera in use. */
  get device() {
    return this.#stream?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
  }

  /** All cameras: [{ id, name }]. Their names are known once one was allowed. */
  static async all() {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    return devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId, label }, at) => ({ id: deviceId, name: label || `Camera ${at + 1}` }));
  }

  /** Notes each new picture, and wakes whoever waits for one. */
  #look() {
    const stream = this.#stream;
    const note = (_, frame) => {
      if (this.#stream !== stream || !stream) return;
      this.#fresh = frame?.captureTime ?? performance.now();
      this.#waiters.splice(0).forEach((wake) => wake());
      next();
    };
    const next = () => {
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(note);
      else setTimeout(note, 33);
    };
    next();
  }

  /** The next new picture, its middle square with sides of at most `side` pixels: { blob, tag, at }. */
  async take(side) {
    while (this.isOn && this.#fresh === null) await new Promise((wake) => this.#waiters.push(wake));
    if (!this.isOn) return null;
    const at = this.#fresh;
    this.#fresh = null;
    const { videoWidth: width, videoHeight: height } = this.#video;
    const square = Math.min(width, height);
    const edge = Math.min(side, square);
    const canvas = this.#kept.length === KEPT ? this.#kept.shift().canvas : document.createElement("canvas");
    canvas.width = canvas.height = edge;
    canvas.getContext("2d", { alpha: false }).drawImage(this.#video, (width - square) / 2, (height - square) / 2, square, square, 0, 0, edge, edge);
    const tag = this.#tag;
    this.#tag = (tag + 1) % 2 ** 32;
    this.#kept.push({ tag, at, canvas });
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return blob && { blob, tag, at };
  }

  /** What was sent with that tag: { at, canvas }. */
  sent(tag) {
    return this.#kept.find((one) => one.tag === tag) ?? null;
  }
}

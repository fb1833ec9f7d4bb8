// Runs beside the page, where the sound is: brings it to 16,000 samples a second and hands it over in tenths of a second.

const RATE = 16000;
const CHUNK = RATE / 10;
/** Half the length of the filter, in samples of the lower rate: short enough for speech, long enough against aliases. */
const HALF = 8;
/** Up to this share of the new rate tones pass; above half of it there must be none (Nyquist). */
const PASS = 0.45;

class Listen extends AudioWorkletProcessor {
  #ratio = sampleRate / RATE;
  #held = new Float32Array(0); // samples that are still needed
  #at = 0; // the next sample's place among them
  #chunk = new Int16Array(CHUNK);
  #filled = 0;
  #power = 0;

  process([input]) {
    const [sound] = input;
    if (!sound) return true;
    const held = new Float32Array(this.#held.length + sound.length);
    held.set(this.#held);
    held.set(sound, this.#held.length);
    const reach = HALF * this.#ratio;
    while (this.#at + reach < held.length) {
      if (this.#at >= reach) this.#put(this.#mix(held, this.#at, reach));
      this.#at += this.#ratio;
    }
    const drop = Math.max(0, Math.floor(this.#at - reach));
    this.#held = held.slice(drop);
    this.#at -= drop;
    return true;
  }

  /** A sample between samples: a sinc under a Hann window, as wide as the lower rate asks for. */
  #mix(held, at, reach) {
    let sum = 0;
    let weight = 0;
    for (let index = Math.ceil(at - reach); index <= at + reach; index += 1) {
      const far = (index - at) / this.#ratio;
      const phase = 2 * Math.PI * PASS * far;
      const share = (far === 0 ? 1 : Math.sin(phase) / phase) * (0.5 + 0.5 * Math.cos((Math.PI * far) / HALF));
      sum += held[index] * share;
      weight += share;
    }
    return sum / weight;
  }

  #put(sample) {
    const value = Math.max(-1, Math.min(1, sample));
    this.#power += value * value;
    this.#chunk[this.#filled] = Math.round(value * 32767);
    this.#filled += 1;
    if (this.#filled === CHUNK) {
      const samples = this.#chunk;
      this.port.postMessage({ samples, level: Math.sqrt(this.#power / CHUNK) }, [samples.buffer]);
      this.#chunk = new Int16Array(CHUNK);
      [this.#filled, this.#power] = [0, 0];
    }
  }
}

registerProcessor("listen", Listen);

// One's own microphone: what is said goes to the mirror, 16,000 samples a second.

/** Hears until it is stopped: `heard(samples, level)` gets an Int16Array each tenth of a second. Throws what `why` explains. */
export async function listen(heard, gone) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("This browser lends no microphones.");
  const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const stream = await navigator.mediaDevices.getUserMedia({ audio });
  const context = new AudioContext();
  try {
    await context.audioWorklet.addModule("/listen.js");
    const ear = new AudioWorkletNode(context, "listen");
    ear.port.onmessage = ({ data }) => heard(data.samples, data.level);
    // It puts out silence: what nothing is connected to is not run.
    context.createMediaStreamSource(stream).connect(ear).connect(context.destination);
    await context.resume();
  } catch (error) {
    stream.getTracks().forEach((track) => track.stop());
    throw error;
  }
  const stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    context.close().catch(() => {});
  };
  stream.getAudioTracks()[0].addEventListener("ended", () => { stop(); gone(); });
  return stop;
}

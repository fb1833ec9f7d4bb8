// A link by which others see the stream, and who those are.

import { $, write } from "./dom.js";
import { say } from "./notices.js";

/** Names that every machine has for itself. */
const HERE = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;

export const linkTo = (stream) => `${location.origin}/?stream=${encodeURIComponent(stream)}`;

/** Who sees the picture by the link, as far as this page can know. */
async function whoSees() {
  if (HERE.test(location.hostname)) {
    return `This link opens on this machine alone: elsewhere ${location.hostname} is another one. To show the picture there, start the mirror with --host 0.0.0.0, and open this page by the machine's address.`;
  }
  try {
    // Asked as a stranger: only those are told that a token is needed.
    const { status } = await fetch("/api/streams", { credentials: "omit", cache: "no-store" });
    const key = status === 401 ? " and the mirror's access token," : "";
    return `Whoever has this link${key} and can reach this address sees this picture, as long as it is on.`;
  } catch {
    return "The mirror does not answer: nobody sees anything by this link now.";
  }
}

/** Hands the link over: to the phone's own sharing, to the clipboard, or to be copied by hand. */
export async function share(stream) {
  const url = linkTo(stream);
  $("share-link").value = url;
  const isPhone = window.matchMedia("(pointer: coarse)").matches;
  try {
    if (isPhone && navigator.share) {
      // Not after anything that takes time: phones want it at once when somebody has touched the button.
      await navigator.share({ title: "Mirror", url });
      return say("info", await whoSees());
    }
  } catch (error) {
    // Who has changed their mind wants nothing else either.
    if (error?.name === "AbortError") return;
  }
  $("share-who").textContent = "";
  $("share-dialog").showModal();
  $("share-link").select();
  write($("share-who"), await whoSees());
}

$("share-copy").addEventListener("click", async () => {
  try {
    // The clipboard is lent to pages over HTTPS only; the older way works everywhere.
    if (navigator.clipboard) await navigator.clipboard.writeText($("share-link").value);
    else { $("share-link").select(); document.execCommand("copy"); }
    say("info", "The link is copied.");
    $("share-dialog").close();
  } catch {
    $("share-link").select();
  }
});

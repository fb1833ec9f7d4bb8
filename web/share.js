// A link by which others see the stream.

import { $ } from "./dom.js";
import { say } from "./notices.js";

export const linkTo = (stream) => `${location.origin}/?stream=${encodeURIComponent(stream)}`;

/** Hands the link over: to the phone's own sharing, to the clipboard, or to be copied by hand. */
export async function share(stream) {
  const url = linkTo(stream);
  $("share-link").value = url;
  const isPhone = window.matchMedia("(pointer: coarse)").matches;
  try {
    if (isPhone && navigator.share) return await navigator.share({ title: "Mirror", url });
  } catch (error) {
    // Who has changed their mind wants nothing else either.
    if (error?.name === "AbortError") return;
  }
  $("share-dialog").showModal();
  $("share-link").select();
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

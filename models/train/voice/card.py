"""The tables of the evaluation, and the card that ships with the pack."""

import datetime
from pathlib import Path

from . import LISTENER, REPHRASER
from .listener import Listener
from .rephraser import Rephraser

# What was promised: row → least share of wishes that are painted so.
GOALS = {"held-out voices, clean": 0.90, "held-out voices, 10 dB": 0.75, "held-out synthesiser, clean": 0.70}
# And the least share of perfect transcripts whose look the rephraser keeps.
KEPT = 0.95


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def tables(found: dict) -> str:
    lines = ["# Starter voice pack, measured", "", "By `python -m train.voice evaluate`. All wordings are held out of training.", "",
             "| speech | sentences | word errors | sentences exact | **right look painted** | right look asked | small talk left alone | goal |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, row in found["speech"].items():
        goal = f"≥ {_percent(GOALS[name])}" if name in GOALS else ""
        lines.append(f"| {name} | {row['sentences']} | {_percent(row['wrong_words'])} | {_percent(row['exact'])} | {_percent(row['painted'])} | {_percent(row['right'])} | {_percent(row['quiet'])} | {goal} |")
    lines += ["", "*Right look painted*: the description that the rephraser makes of the transcript, painted by the starter pack on a photograph that no training has seen, is nearest to", "the reference of the wished look, of all looks, tints and the photograph itself. \"Slightly\" is compared with references half-way to each look, and of two looks at once", "both must be asked for and be the nearest, together or one of them. *Right look asked*: the look's own words are in the description.", "",
              "| nobody speaks, 30 pieces of 4 s | taken for words |", "|---|---|", *(f"| {name} | {count} |" for name, count in found["nobody"].items()), "",
              "| rephrasing of perfect transcripts | sentences | asked look kept | answer exact |", "|---|---|---|---|"]  # fmt: skip
    lines += [f"| {kind} | {row['sentences']} | {_percent(row['kept'])} | {_percent(row['exact'])} |" for kind, row in found["rephrasing"].items()]
    return "\n".join(lines) + "\n"


def missed(found: dict) -> list[str]:
    """The goals that are not reached, in words."""
    rows = [f"{name}: right look painted in {_percent(found['speech'][name]['painted'])} of the wishes, not {_percent(goal)}" for name, goal in GOALS.items() if (found["speech"][name]["painted"] or 0) < goal]
    rows += [f"{name} taken for words" for name, count in found["nobody"].items() if count]
    kept = found["rephrasing"]["look"]["kept"]
    return rows + ([f"look kept by the rephraser in {_percent(kept)}, not {_percent(KEPT)}"] if kept < KEPT else [])


def card(found: dict, out: Path, listener: Listener, rephraser: Rephraser) -> str:
    speech = found["training"]["speech"]
    millions = {name: sum(p.numel() for key, p in net.named_parameters() if not key.startswith("sounding")) / 1e6 for name, net in (("listener", listener), ("rephraser", rephraser))}
    spent = {name: f"{round(found['training'][name]['seconds'] / 60)} minutes, {found['training'][name]['step']:,} steps" for name in ("listener", "rephraser")}
    failed = missed(found)
    verdict = "All goals were met." if not failed else f"**Goals not met:** {'; '.join(failed)}."
    return f"""# voice: what the mirror hears and understands out of the box

**For a person's voice, bring real whisper weights** (`ggml-base.en-q5_1.bin`, `STT_MODEL`). This pack has heard synthesisers only: it lets the
mirror be tried and tested from end to end without a download, and it will misunderstand most people. Licence of the weights: Apache-2.0.

| file | what | parameters in use | size |
|---|---|---|---|
| `{LISTENER}` | whisper architecture, ggml q5_0, for whisper.cpp; width {listener.size.width}, {listener.size.audio_layers} + {listener.size.text_layers} layers; {len(listener.rows)} of whisper's 51,864 tokens, the others are zero | {millions["listener"]:.2f} M | {(out / LISTENER).stat().st_size / 1e6:.2f} MB |
| `{REPHRASER}` | llama architecture, GGUF q8_0, for llama.cpp; width {rephraser.size.width}, {rephraser.size.layers} layers; ChatML | {millions["rephraser"]:.2f} M | {(out / REPHRASER).stat().st_size / 1e6:.2f} MB |

## What it was trained on

{speech["sentences"]:,} generated sentences, {speech["hours"]:.1f} hours, spoken by espeak-ng (9 English accents × 93 of its variants) and flite (kal16, awb, slt) and distorted anew each
time: pitch, pace, formants, rooms, noise, other talkers, tones, bad microphones. **Held out wholly**: Festival (kal, ked, slt), flite's rms, espeak-ng's f4, m7
and klatt3, and a fifth of the wordings. Festival's kal and slt are other syntheses of recordings that two of flite's voices come from; its ked is a
speaker heard nowhere else. The rephraser learned from pairs made by rule (`models/train/voice/descriptions.py`).

Training: listener {spent["listener"]}; rephraser {spent["rephraser"]}; {datetime.date.today()}. The commands are in `models/train/voice/README.md`.
`{LISTENER}` holds whisper's token table and mel filters (MIT licence, OpenAI); all weights are our own.

## Figures

{verdict}

{tables(found).split("held out of training.")[1].strip()}

## What it cannot do

- Understand people reliably. It knows the words of requests and small talk, and spells what it does not know as it sounds.
- Other languages, punctuation, capitals, time stamps. Two talkers at once. Sentences of more than 9 seconds.
- Where nobody speaks it writes "silence", which the node `stt` refuses.
- The rephraser knows sentences that ask for something; on a long story it takes the look's words it finds, or none. It answers `none` where no picture is
  wished and `refused` for a short list of words, which is no protection against somebody who wants to get around it.
"""

"""How good the pack is: heard right, understood right, kept quiet when nobody speaks. Table and card."""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tqdm import tqdm

from .. import wordings
from . import LISTENER, OUT, REPHRASER, card, chat, mel, packed, render, vocabulary
from .corpus import Corpus, Spoken
from .descriptions import pair, shows
from .distort import with_noise
from .listener import Listener
from .painted import Painted
from .render import VOICE_CACHE
from .rephraser import Rephraser
from .sentences import lexicon
from .spelling import errors, plain
from .vocabulary import SILENCE

# The node `stt` adds half a second of silence and works on steps of 16 positions (nodes/stt/src/hear.rs); it refuses a transcript
# of a lower mean log-probability than `gate`, and one where nobody speaks with more than that probability (STT_NO_SPEECH).
AFTER, STEP, LEAST, NOBODY = 8000, 16, 16800, 0.6
# STT_BEAM_SIZE of dataflow.yml.
BEAMS = 3
SETS = {"dev": "voices of training", "voices": "held-out voices", "festival": "held-out synthesiser"}
NOISE_DECIBELS = 10.0


def gate(text: str) -> float:
    """STT_LOG_PROBABILITY of the node, `auto`: who writes letter by letter must be surer (`is_spelled`, nodes/stt/src/hear.rs)."""
    return -0.25 if len(text.replace(" ", "")) == len(vocabulary.encode(text)) else -1.0


def hear(net: Listener, sounds: list[np.ndarray]) -> list[tuple[str, float]]:
    """(text, mean log-probability) of each sound [N] f32, each over as many positions as the node takes; "" where nothing was heard."""
    sizes = defaultdict(list)
    for index, sound in enumerate(sounds):
        sizes[-(-max(len(sound) + AFTER, LEAST) // (320 * STEP)) * STEP].append(index)
    heard: list[tuple[str, float]] = [("", 0.0)] * len(sounds)
    for positions, indices in sizes.items():
        for start in range(0, len(indices), 16):
            some = indices[start : start + 16]
            rows = torch.zeros(len(some), positions * 320)
            for row, index in zip(rows, some):
                row[: len(sounds[index])] = torch.from_numpy(sounds[index])
            for index, (text, sure, nobody) in zip(some, net.transcribe(mel.log_mel(rows, 2 * positions), beams=BEAMS)):
                heard[index] = ("" if text == SILENCE or sure < gate(text) or nobody > NOBODY else text, sure)
    return heard


def noisy(sounds: list[np.ndarray]) -> list[np.ndarray]:
    """The same with pink noise 10 dB below."""
    rng, made = np.random.default_rng(21), []
    for sound in sounds:
        spectrum = np.fft.rfft(rng.standard_normal(len(sound)))
        noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), n=len(sound))
        noise = torch.from_numpy((noise / noise.std()).astype(np.float32))[None]
        made.append(with_noise(torch.from_numpy(sound)[None], noise, np.array([NOISE_DECIBELS]))[0].numpy())
    return made


def tally(said: list[Spoken], heard: list[tuple[str, float]], answers: list[str], painted: Painted) -> dict[str, float | None]:
    """Shares of one group of sentences: of the wishes for a look, those that were painted so and those whose answer has its words; `quiet` of the small talk that paints nothing."""
    words = sum(len(one.text.split()) for one in said)
    wishes = [(one, answer) for one, answer in zip(said, answers) if one.kind == "look"]
    talk = [answer for one, answer in zip(said, answers) if one.kind == "talk"]
    return {
        "sentences": len(said),
        "wrong_words": sum(errors(one.text.split(), plain(text).split()) for one, (text, _) in zip(said, heard)) / max(1, words),
        "exact": sum(one.text == plain(text) for one, (text, _) in zip(said, heard)) / len(said),
        "painted": sum(painted.looks_like(answer, one.looks, one.meant.amount) for one, answer in wishes) / len(wishes) if wishes else None,
        "right": sum(shows(answer, one.looks) for one, answer in wishes) / len(wishes) if wishes else None,
        "quiet": sum(answer in ("", chat.NOTHING) for answer in talk) / len(talk) if talk else None,
    }


def answer(net: Rephraser, words: Tokenizer, heard: list[str]) -> list[str]:
    """What the rephraser makes of each, with the system message of the node; nothing heard stays nothing."""
    system = chat.systems()[0]
    asked = [text for text in heard if text]
    answers = iter(net.answer(words, [chat.prompt(text, system) for text in asked]))
    return [next(answers).strip() if text else "" for text in heard]


def speech(listener: Listener, rephraser: Rephraser, words: Tokenizer, painted: Painted, cache: Path) -> dict:
    """One table row for each set, synthesiser and voice group, clean and noisy."""
    rows = {}
    for kind, title in SETS.items():
        corpus = Corpus(cache / kind)
        sounds = [corpus.sound(one) for one in corpus.said]
        for manner, heard_as in (("clean", sounds), (f"{NOISE_DECIBELS:.0f} dB", noisy(sounds))):
            heard = hear(listener, heard_as)
            answers = answer(rephraser, words, [text for text, _ in heard])
            rows[f"{title}, {manner}"] = tally(corpus.said, heard, answers, painted)
            for synthesiser in sorted({one.synthesiser for one in corpus.said}):
                for voice in sorted({one.voice if synthesiser != "espeak-ng" else "" for one in corpus.said if one.synthesiser == synthesiser}):
                    some = [i for i, one in enumerate(corpus.said) if one.synthesiser == synthesiser and (one.voice == voice or not voice)]
                    rows[f"{title}: {synthesiser} {voice or 'all'}, {manner}"] = tally([corpus.said[i] for i in some], [heard[i] for i in some], [answers[i] for i in some], painted)
    return rows


def nobody(listener: Listener) -> dict[str, int]:
    """Of thirty pieces of four seconds each, how many are taken for words, without any voice activity detection before."""
    rng, time = np.random.default_rng(22), np.arange(4 * mel.RATE) / mel.RATE
    sounds = {
        "silence": [np.zeros(len(time)) for _ in range(30)],
        "white noise": [rng.standard_normal(len(time)) * 10 ** rng.uniform(-3, -0.7) for _ in range(30)],
        "hum": [sum(np.sin(2 * np.pi * base * k * time + rng.uniform(0, 6)) / k for k in range(1, 8)) * 0.1 for base in rng.choice([50, 60], 30)],
        "tones": [sum(np.sin(2 * np.pi * 220 * 2 ** (note / 12) * time) * (np.sin(2 * np.pi * rng.uniform(0.5, 3) * time) > 0) for note in rng.integers(0, 24, 4)) * 0.1 for _ in range(30)],
    }
    return {name: sum(bool(text) for text, _ in hear(listener, [piece.astype(np.float32) for piece in pieces])) for name, pieces in sounds.items()}


def rephrasing(net: Rephraser, words: Tokenizer, count: int) -> dict[str, dict[str, float]]:
    """Held-out wordings, and the image pack's sentences that were written apart from any generator."""
    rng, known = np.random.default_rng(23), lexicon()
    drawn = [pair(rng, known, test=True) for _ in range(count)]
    answers = answer(net, words, [heard for heard, _, _ in drawn])
    groups = defaultdict(list)
    for (_, wanted, said), got in zip(drawn, answers):
        kept = shows(got, said.looks) if said.kind == "look" else said.phrases[0] in got if said.kind == "open" else got == wanted
        groups[said.kind].append((kept, got == wanted))
    asked = [(look, text) for look, texts in wordings.ASKED.items() for text in texts]
    answers = answer(net, words, [text for _, text in asked])
    groups["written apart"] = [(shows(got, (look,)), False) for (look, _), got in zip(asked, answers)]
    return {kind: {"sentences": len(of), "kept": sum(kept for kept, _ in of) / len(of), "exact": sum(exact for _, exact in of) / len(of)} for kind, of in sorted(groups.items())}


def training(cache: Path, tables: Path) -> dict:
    """How long was trained: from the checkpoints, or where there are none as the last evaluation beside them found it."""
    if all((cache / f"{name}.pt").exists() for name in ("listener", "rephraser")):
        said = Corpus(*(cache / kind for kind in render.LEARNED)).said
        spent = {}
        for name in ("listener", "rephraser"):
            state = torch.load(cache / f"{name}.pt", map_location="cpu", weights_only=False)
            before = state.get("before") or {}
            spent[name] = {key: state[key] + before.get(key, 0) for key in ("seconds", "step")}
        return {**spent, "speech": {"sentences": len(said), "hours": sum(one.length for one in said) / mel.RATE / 3600}}
    return json.loads((tables / "voice.json").read_text())["training"]


def main(arguments=None, cache: Path = VOICE_CACHE, out: Path = OUT, tables: Path = OUT.parents[1] / "evaluation") -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--requests", type=int, default=600, help="for the rephraser alone")
    parser.add_argument("--sentences", type=int, default=render.SETS["dev"], help="in each of the three test sets")
    parser.add_argument("--report-only", action="store_true", help="end with 0 even when a goal is missed")
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    render.render(cache, {kind: args.sentences for kind in SETS}, args.threads)
    if missing := [name for name in (LISTENER, REPHRASER) if not (out / name).exists()]:
        raise SystemExit(f"{out} has no {' and no '.join(missing)}: python -m train.voice all")
    listener, (rephraser, words) = packed.listener(out / LISTENER), packed.read(out / REPHRASER)
    with tqdm(total=3, desc="evaluation") as bar:
        found = {"speech": speech(listener, rephraser, words, Painted(args.threads), cache)}
        bar.update()
        found["nobody"] = nobody(listener)
        bar.update()
        found["rephrasing"] = rephrasing(rephraser, words, args.requests)
        bar.update()
    found["training"] = training(cache, tables)
    tables.mkdir(parents=True, exist_ok=True)
    (tables / "voice.json").write_text(json.dumps(found, indent=1) + "\n")
    (tables / "voice.md").write_text(card.tables(found))
    (out / "README.md").write_text(card.card(found, out, listener, rephraser))
    print(card.tables(found))
    if missed := card.missed(found):
        print("missed: " + "; ".join(missed))
        sys.exit(0 if args.report_only else 1)


if __name__ == "__main__":
    main()

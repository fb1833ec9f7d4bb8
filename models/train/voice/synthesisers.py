"""The speech synthesisers that Debian packages and that are freely licensed, each as sentences in, 16 kHz speech out.

| package | synthesiser | voices used |
|---|---|---|
| espeak-ng | formants, Klatt's too | 9 English accents × 96 variants |
| flite | recorded people: diphones (kal16), statistical units (awb, rms, slt) | 4 |
| festival, festvox-kallpc16k, festvox-kdlpc16k, festvox-us-slt-hts, festlex-cmu, festlex-poslex | recorded people: diphones (kal, ked), hidden Markov models (slt) | 3 |
"""

import re
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from .espeak import Espeak

RATE = 16000
NEEDED = {"espeak-ng": "espeak-ng", "flite": "flite", "festival": "festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts festlex-cmu festlex-poslex"}

ACCENTS = "en-gb en-us en-gb-scotland en-gb-x-gbclan en-gb-x-rp en-gb-x-gbcwmd en-029 en-us-nyc en".split()
VARIANTS = """adam Alex Alicia Andrea Andy Annie antonio aunty belinda benjamin boris caleb david Denis Diogo ed edward edward2 Gene Gene2 gustave Henrique Hugo iven iven2 iven3 iven4 Jacky john kaukovalta Lee linda marcelo
Marco Mario max Michael michel miguel Mike Nguyen pablo paul pedro quincy RicishayMax RicishayMax2 RicishayMax3 rob robert robosoft robosoft2 robosoft3 robosoft4 robosoft5 robosoft6 robosoft7 robosoft8 steph steph2 steph3 Tweaky UniRobot
zac anika anikaRobot AnxiousAndy f1 f2 f3 f4 f5 whisperf grandpa klatt klatt2 klatt3 klatt4 klatt5 klatt6 m1 m2 m3 m4 m5 m6 m7 m8 norbert sandro shelby travis victor whisper croak grandma""".split()

# Never heard in training: Festival wholly, and of the others these four.
HELD_OUT_SYNTHESISER = "festival"
HELD_OUT_VARIANTS = ("f4", "m7", "klatt3")
HELD_OUT_FLITE = "rms"
FLITE = ("kal16", "awb", "slt", HELD_OUT_FLITE)
FESTIVAL = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")


@dataclass
class Manner:
    """How a sentence is said. pace: 1 as the voice has it, more is slower; pitch: 1 as the voice has it."""

    pace: float = 1.0
    pitch: float = 1.0


@dataclass
class Speech:
    """sound [N] i16 at 16 kHz; phones: (name, sample at which it ends), one behind the other from sample 0 on, where the synthesiser tells."""

    sound: np.ndarray
    phones: list[tuple[str, int]] = field(default_factory=list)


# What lies between the phones, in the words of Flite.
PAUSE = "pau"


def missing() -> list[str]:
    """Debian packages that are needed and not there."""
    return [packages for program, packages in NEEDED.items() if not shutil.which(program)]


def _trimmed(sound: np.ndarray, rate: int, phones: list[tuple[str, float]] = ()) -> Speech:
    """Sound [N] at any rate, and its phones with the second at which each ends, without the silence at both ends (0.05 s of it stay)."""
    sound = sound.astype(np.float32)
    if rate != RATE:
        divisor = np.gcd(rate, RATE)
        sound = resample_poly(sound, RATE // divisor, rate // divisor)
    loud = np.flatnonzero(np.abs(sound) > 0.01 * max(1.0, np.abs(sound).max(initial=0)))
    if not len(loud):
        return Speech(np.zeros(0, np.int16))
    first, last = max(0, loud[0] - RATE // 20), loud[-1] + RATE // 20
    kept = [(name, min(round(end * RATE), last) - first) for name, end in phones]
    return Speech(np.clip(sound[first:last], -32768, 32767).astype(np.int16), [(name, int(end)) for name, end in kept if end > 0])


def _read(path: Path, phones: list[tuple[str, float]] = ()) -> Speech:
    with wave.open(str(path)) as file:
        return _trimmed(np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate(), phones)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, timeout=120, text=True, errors="replace")
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def espeak(voice: str, texts: list[str], manners: list[Manner]) -> list[Speech]:
    """voice: accent+variant."""
    said = []
    for text, manner in zip(texts, manners):
        sound, rate, phones = Espeak.open().say(voice, text, round(165 / manner.pace), int(np.clip(50 * manner.pitch, 0, 99)))
        said.append(_trimmed(sound, rate, phones))
    return said


def flite(voice: str, texts: list[str], manners: list[Manner]) -> list[Speech]:
    middle = {"kal16": 105, "awb": 125, "rms": 100, "slt": 170}[voice]
    said = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        for text, manner in zip(texts, manners):
            told = _run(["flite", "-psdur", "-voice", voice, "--setf", f"duration_stretch={manner.pace:.3f}", "--setf", f"int_f0_target_mean={middle * manner.pitch:.1f}", "-t", f"{text} ", "-o", str(path)])
            said.append(_read(path, [(name, float(end)) for name, end in re.findall(r"(\S+):([0-9.]+)", told)]))
    return said


def festival(voice: str, texts: list[str], manners: list[Manner]) -> list[Speech]:
    """One Festival for all sentences: starting it costs more than a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})"]
        for index, (text, manner) in enumerate(zip(texts, manners)):
            lines.append(f"(Parameter.set 'Duration_Stretch {manner.pace:.3f})")
            lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/{index}.wav" \'riff)')
        script = Path(folder) / "say.scm"
        script.write_text("\n".join(lines))
        _run(["festival", "-b", str(script)])
        return [_read(Path(folder) / f"{index}.wav") for index in range(len(texts))]


SYNTHESISERS = {"espeak-ng": espeak, "flite": flite, "festival": festival}


def draw(rng: np.random.Generator, held_out: bool) -> tuple[str, str]:
    """(synthesiser, voice) for training, or one of the four held-out voices; Festival is asked for by name."""
    if held_out:
        variant = rng.integers(len(HELD_OUT_VARIANTS) + 1)
        return ("flite", HELD_OUT_FLITE) if variant == len(HELD_OUT_VARIANTS) else ("espeak-ng", f"{ACCENTS[rng.integers(len(ACCENTS))]}+{HELD_OUT_VARIANTS[variant]}")
    # Few recorded people against many synthetic ones: each person speaks a sixth of the sentences.
    if rng.random() < 0.5:
        return "flite", [voice for voice in FLITE if voice != HELD_OUT_FLITE][rng.integers(len(FLITE) - 1)]
    variants = [variant for variant in VARIANTS if variant not in HELD_OUT_VARIANTS]
    return "espeak-ng", f"{ACCENTS[rng.integers(len(ACCENTS))]}+{variants[rng.integers(len(variants))]}"

"""What happens to speech between a mouth and a microphone, for a whole batch at once on any device.

Other people are made of the same recordings: pitch and tempo (resampling), throat (bent mel bands), tempo alone (another
hop, one a batch). Then rooms, noise, other talkers, tones, bad microphones.
"""

import numpy as np
import torch
from scipy.fft import next_fast_len

from . import mel

BENDS = np.geomspace(0.84, 1.19, 15)
_BANKS: dict[torch.device, torch.Tensor] = {}


def _banks(where: torch.device) -> torch.Tensor:
    """[15, 201, 80]."""
    if where not in _BANKS:
        _BANKS[where] = torch.from_numpy(np.stack([mel.filters(bend).T for bend in BENDS])).to(where)
    return _BANKS[where]


def _move(sound: torch.Tensor, speed: torch.Tensor, lead: torch.Tensor, length: int) -> torch.Tensor:
    """Played `speed` times as fast after `lead` samples of silence, [B, length]."""
    place = (torch.arange(length, device=sound.device)[None] - lead[:, None]) * speed[:, None]
    inside = (place >= 0) & (place < sound.shape[1] - 1)
    place = place.clamp(0, sound.shape[1] - 2)
    low = place.long()
    part = place - low
    return (sound.gather(1, low) * (1 - part) + sound.gather(1, low + 1) * part) * inside


def _music(rng: np.random.Generator, time: torch.Tensor) -> torch.Tensor:
    """Notes of one scale at the seconds `time` [N], each with a beat of its own: struck and dying away, or held and cut off."""
    base, sound = rng.uniform(60, 500), torch.zeros_like(time)
    for note in rng.integers(0, 30, int(rng.integers(1, 6))):
        pitch, fall = 2 * np.pi * base * 2 ** (note / 12), rng.uniform(1, 3)
        tone = sum(torch.sin(float(pitch * over) * time + float(rng.uniform(0, 6.28))) / over**fall for over in range(1, int(rng.integers(2, 6))))
        place = (time * float(rng.uniform(0.4, 5)) + float(rng.uniform())) % 1
        beat = (place < float(rng.uniform(0.3, 1))).float() if rng.random() < 0.5 else torch.exp(-float(rng.uniform(0, 8)) * place)
        sound = sound + float(rng.uniform(0.2, 1)) * tone * beat
    return sound


def _noise(rng: np.random.Generator, quiet: np.ndarray, length: int, where: torch.device) -> torch.Tensor:
    """[rows of quiet, length], deviation 1: from white over pink to brown, with hum and tones in a third of them and in more of those where nobody speaks."""
    count = len(quiet)
    draw = torch.Generator(device=where).manual_seed(int(rng.integers(1 << 62)))
    spectrum = torch.fft.rfft(torch.randn(count, length, generator=draw, device=where))
    rate = torch.linspace(0, mel.RATE / 2, spectrum.shape[1], device=where).clamp(min=30)
    fall = torch.from_numpy(rng.uniform(0, 1.3, (count, 1))).float().to(where)
    noise = torch.fft.irfft(spectrum * rate**-fall, n=length)
    noise = noise / noise.std(1, keepdim=True).clamp(min=1e-9)
    time = torch.arange(length, device=where) / mel.RATE
    for row in np.flatnonzero(rng.random(count) < np.where(quiet, 0.6, 0.35)):
        if rng.random() < 0.5:
            music = _music(rng, time)
            # Sometimes nothing else sounds.
            noise[row] = noise[row] * float(rng.choice([0, rng.uniform(0, 0.7)])) + music / music.std().clamp(min=1e-9)
            continue
        base = float(rng.choice([50.0, 60.0, rng.uniform(80, 900)]))
        # A hum has all harmonics; a chord has some of other notes, as music has.
        parts = base * np.arange(1, 6) if rng.random() < 0.5 else base * 2 ** (rng.integers(0, 24, 4) / 12)
        loud = rng.uniform(0.1, 1, len(parts))
        tones = sum(float(a) * torch.sin(2 * np.pi * float(f) * time + float(p)) for a, f, p in zip(loud, parts, rng.uniform(0, 6.28, len(parts))))
        if rng.random() < 0.3:
            tones = tones * (torch.sin(2 * np.pi * float(rng.uniform(1, 5)) * time) > 0)
        noise[row] = noise[row] * float(rng.uniform(0.05, 0.7)) + tones / tones.std().clamp(min=1e-9)
    # Typing, doors, cups: short bursts.
    for row in np.flatnonzero(rng.random(count) < 0.15):
        beats = torch.zeros(length, device=where)
        for start in rng.integers(0, max(1, length - 800), int(rng.integers(1, 12))):
            beats[start : start + 800] += torch.from_numpy(rng.standard_normal(min(800, length - start)) * np.exp(-np.arange(min(800, length - start)) / rng.uniform(20, 250))).float().to(where)
        noise[row] = noise[row] * 0.1 + beats * 8
    return noise / noise.std(1, keepdim=True).clamp(min=1e-9)


def _rooms(sound: torch.Tensor, rng: np.random.Generator, share: float) -> torch.Tensor:
    """A share of them in a synthetic room: the direct sound, then noise that dies away within 0.1 to 0.6 s (60 dB)."""
    rows = np.flatnonzero(rng.random(len(sound)) < share)
    if not len(rows):
        return sound
    tail = int(0.35 * mel.RATE)
    time = np.arange(tail) / mel.RATE
    echo = rng.standard_normal((len(rows), tail)) * np.exp(-6.9 * time / rng.uniform(0.1, 0.6, (len(rows), 1)))
    echo[:, : int(0.002 * mel.RATE)] = 0
    echo *= rng.uniform(0.1, 0.9, (len(rows), 1)) / np.sqrt((echo**2).sum(1, keepdims=True))
    echo[:, 0] = 1
    size = next_fast_len(sound.shape[1] + tail, real=True)
    wet = torch.fft.irfft(torch.fft.rfft(sound[rows], n=size) * torch.fft.rfft(torch.from_numpy(echo).float().to(sound.device), n=size), n=size)
    out = sound.clone()
    out[rows] = wet[:, : sound.shape[1]]
    return out


def _bands(rng: np.random.Generator, count: int) -> np.ndarray:
    """[count, 201] power gains: a smooth equaliser, and for one in four the band of a telephone or a small loudspeaker."""
    hertz = np.arange(mel.WINDOW // 2 + 1) * mel.RATE / mel.WINDOW
    decibels = np.stack([np.interp(hertz, np.linspace(0, mel.RATE / 2, 7), rng.normal(0, 4, 7)) for _ in range(count)])
    for row in np.flatnonzero(rng.random(count) < 0.25):
        low, high = rng.uniform(50, 350), rng.uniform(3000, 7000)
        decibels[row] -= 24 * np.clip(np.log2(low / np.maximum(hertz, 1)), 0, 3) + 36 * np.clip(np.log2(np.maximum(hertz, 1) / high), 0, 3)
    return 10 ** (decibels / 10)


def with_noise(sound: torch.Tensor, noise: torch.Tensor, decibels: np.ndarray) -> torch.Tensor:
    """Noise so loud that speech is `decibels` above it; speech is measured where it is loud (the louder half of 20 ms pieces)."""
    pieces = sound[:, : sound.shape[1] // 320 * 320].unfold(1, 320, 320).square().mean(2)
    speech = pieces.sort(1, descending=True).values
    speech = speech[:, : max(1, speech.shape[1] // 4)].mean(1).sqrt()
    ratio = torch.from_numpy(10 ** (-np.asarray(decibels) / 20)).float().to(sound.device)
    return sound + noise * (speech.clamp(min=1e-4) * ratio)[:, None]


def distort(sound: torch.Tensor, lengths: np.ndarray, rng: np.random.Generator, quiet: np.ndarray, strength: float = 1.0) -> tuple[torch.Tensor, np.ndarray]:
    """Speech [B, N] in [-1, 1] and its lengths [B] in samples → log-mel [B, 80, 2P], and of which sample each audio position tells [B, P].

    quiet [B] bool: rows where nobody speaks (noise alone, or silence). strength: 1 all of it, less at the beginning of a training.
    As in the mirror, a little of the room is heard before and after the words, and mostly half a second of nothing at all follows.
    """
    count, where = len(sound), sound.device
    vector = lambda values: torch.from_numpy(np.asarray(values)).float().to(where)  # noqa: E731
    speed, hop = 1 + strength * rng.uniform(-0.13, 0.15, count), round(mel.HOP * (1 + strength * rng.uniform(-0.13, 0.15)))
    lead = rng.uniform(0, 0.6, count) * (rng.random(count) < 0.8) * mel.RATE
    stop = lead + lengths / speed + rng.uniform(0, 0.5, count) * mel.RATE
    length = next_fast_len(int(stop.max() + rng.uniform(0.3, 0.7) * mel.RATE), real=True)
    moved = _move(sound, vector(speed), vector(lead), length)
    bad = torch.from_numpy(quiet).to(where)
    moved[bad] = 0
    moved = _rooms(moved, rng, 0.4 * strength)
    noise = _noise(rng, quiet, length, where)
    for row in np.flatnonzero((rng.random(count) < 0.2) & ~quiet):
        # Babble: others of the batch, all at once.
        others = moved[torch.from_numpy(rng.choice(count, 5)).to(where)].roll(int(rng.integers(1, length)), 1).sum(0)
        noise[row] = others / others.std().clamp(min=1e-6)
    noisy = with_noise(moved, noise, np.where(rng.random(count) < 1 - 0.7 * strength, 60.0, rng.uniform(3, 35, count)))
    noisy[bad] = noise[bad] * vector(10 ** rng.uniform(-4, -0.5, count))[bad, None]
    # Clipping: one in eight was recorded too loud.
    peak = noisy.abs().amax(1, keepdim=True).clamp(min=1e-6)
    limit = vector(np.where(rng.random(count) < 0.12, rng.uniform(0.1, 0.5, count), 1.0))[:, None]
    noisy = torch.minimum(torch.maximum(noisy, -limit * peak), limit * peak)
    # No louder than full scale: what is below 1e-10 in power is lost to whisper's logarithm.
    noisy = torch.where(bad[:, None], noisy, noisy / peak * vector(10 ** rng.uniform(-1.7, 0, count))[:, None])
    stop = vector(np.where(rng.random(count) < 0.85, stop, length))
    noisy = noisy * (torch.arange(length, device=where)[None] < stop[:, None])
    positions = length // hop // 2
    power = mel.frames(noisy, 2 * positions, hop) * vector(_bands(rng, count))[:, None]
    bank = _banks(where)[torch.from_numpy(rng.integers(len(BENDS), size=count)).to(where)]
    return mel.scaled(power @ bank), (2 * hop * np.arange(positions)[None] - lead[:, None]) * speed[:, None]


def mask(logs: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """SpecAugment (Park et al. 2019): two stripes of bands and two of time are covered with the mean."""
    logs = logs.clone()
    for row in range(len(logs)):
        middle = float(logs[row].mean())
        for _ in range(2):
            width = int(rng.integers(0, 13))
            start = int(rng.integers(0, mel.BANDS - width))
            logs[row, start : start + width] = middle
            width = int(rng.integers(0, 18))
            start = int(rng.integers(0, logs.shape[2] - width))
            logs[row, :, start : start + width] = middle
    return logs

"""Log-mel spectrograms as whisper makes them, and the same with a bent voice: other formants, other tempo, other loudness of bands.

whisper (`log_mel_spectrogram` in whisper.cpp and whisper/audio.py): 16 kHz, Hann window of 400, hop 160, 80 mel bands, log10,
nothing below the maximum − 8, then (x + 4) / 4. The first frame is centred on the first sample.
"""

import numpy as np
import torch

WINDOW, HOP, BANDS, RATE = 400, 160, 80, 16000


def _hertz(mel: np.ndarray) -> np.ndarray:
    """Slaney's mel scale: linear to 1 kHz (15 mel), then 27 mel for each factor of 6.4."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def filters(bend: float = 1.0) -> np.ndarray:
    """[80, 201] f32: triangles of equal area over the FFT's bins. bend > 1 hears formants lower than they are."""
    top = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    corners = _hertz(np.linspace(0, top, BANDS + 2))
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    # Bending ends at 4.8 kHz and meets the top again: a throat is longer or shorter, the band stays.
    edge = 4800.0 / max(bend, 1.0)
    bent = np.where(corners <= edge, corners * bend, edge * bend + (corners - edge) * (RATE / 2 - edge * bend) / (RATE / 2 - edge))
    below, middle, above = bent[:-2, None], bent[1:-1, None], bent[2:, None]
    triangles = np.clip(np.minimum((bins - below) / (middle - below), (above - bins) / (above - middle)), 0, None)
    return (triangles * 2 / (above - below)).astype(np.float32)


def frames(sound: torch.Tensor, count: int, hop: int = HOP) -> torch.Tensor:
    """Power spectra [B, count, 201] of sound [B, N]; beyond the sound is silence. Another hop is another tempo at the same pitch."""
    half = WINDOW // 2
    padded = torch.cat([sound[:, 1 : half + 1].flip(1), sound, sound.new_zeros(len(sound), max(0, count * hop + half - sound.shape[1]))], 1)
    window = torch.hann_window(WINDOW, periodic=True, device=sound.device)
    spectrum = torch.view_as_real(torch.fft.rfft(padded.unfold(1, WINDOW, hop)[:, :count] * window))
    return spectrum.square().sum(-1)


def scaled(mel: torch.Tensor) -> torch.Tensor:
    """Mel powers [B, T, 80] → whisper's scale [B, 80, T]."""
    logs = mel.clamp(min=1e-10).log10()
    logs = logs.maximum(logs.amax((1, 2), keepdim=True) - 8)
    return ((logs + 4) / 4).transpose(1, 2)


def log_mel(sound: torch.Tensor, count: int) -> torch.Tensor:
    """[B, N] in [-1, 1] → [B, 80, count]."""
    return scaled(frames(sound, count) @ torch.from_numpy(filters()).to(sound.device).T)

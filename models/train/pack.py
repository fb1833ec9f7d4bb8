"""The pack as it ships, run by ONNX Runtime and diffusers' own scheduler: what evaluation and fixtures measure."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import EulerDiscreteScheduler
from tokenizers import Tokenizer

from .export import PACK


def start_timestep(strength: float, last: int = 999) -> int:
    """The strength as the first timestep of a trailing schedule: 1 is 999, 0.5 is 499, as diffusers has it for 1 step of 2."""
    return max(int(np.round(strength * (last + 1))) - 1, 0)


class Pack:
    """Pictures are [H, W, 3] f32 in [0, 1]; latents [1, C, H/8, W/8] f32, N(0, 1)."""

    def __init__(self, folder: Path = PACK, threads: int = 1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.sessions = {part: onnxruntime.InferenceSession(str(folder / part / "model.onnx"), options, providers=["CPUExecutionProvider"]) for part in ("text_encoder", "unet", "vae_encoder", "vae_decoder")}
        config = json.loads((folder / "vae_decoder/config.json").read_text())
        self.scale, self.channels = config["scaling_factor"], config["latent_channels"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer/tokenizer.json"))
        self.scheduler = EulerDiscreteScheduler.from_config(json.loads((folder / "scheduler/scheduler_config.json").read_text()))

    def ids(self, text: str) -> np.ndarray:
        return np.array([self.tokenizer.encode(text).ids], np.int64)

    def embed(self, *texts: str) -> np.ndarray:
        """[len(texts), T, W] f32."""
        return self.sessions["text_encoder"].run(None, {"input_ids": np.concatenate([self.ids(text) for text in texts])})[0]

    def encode(self, *pictures: np.ndarray) -> np.ndarray:
        sample = np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2) * 2 - 1, np.float32)
        return self.sessions["vae_encoder"].run(None, {"sample": sample})[0] * np.float32(self.scale)

    def decode(self, latent: np.ndarray) -> np.ndarray:
        """One picture [H, W, 3] of a latent [1, …]."""
        return self.decode_all(latent)[0]

    def decode_all(self, latent: np.ndarray) -> np.ndarray:
        """[B, H, W, 3] f32."""
        sample = self.sessions["vae_decoder"].run(None, {"latent_sample": latent / np.float32(self.scale)})[0]
        return np.clip(sample.transpose(0, 2, 3, 1) / 2 + 0.5, 0, 1)

    def unet(self, sample: np.ndarray, timestep: int, embedding: np.ndarray) -> np.ndarray:
        return self.sessions["unet"].run(None, {"sample": sample, "timestep": np.full(len(sample), timestep, np.int64), "encoder_hidden_states": embedding})[0]

    def timesteps(self, steps: int, strength: float) -> list[int]:
        """From the strength's timestep down, trailing: 2 steps at strength 1 are 999 and 499."""
        start = start_timestep(strength)
        return [round((start + 1) * (steps - i) / steps) - 1 for i in range(steps)]

    def paint_latent(self, clean: np.ndarray, noise: np.ndarray, embedding: np.ndarray, steps: int = 1, strength: float = 1.0) -> np.ndarray:
        """Image to image as diffusers does it: add_noise at the first timestep, then scale_model_input, unet, step."""
        timesteps = [t for t in self.timesteps(steps, strength) if t >= 0]
        if not timesteps or strength <= 0:
            return clean
        self.scheduler.set_timesteps(timesteps=timesteps)
        latent = self.scheduler.add_noise(torch.from_numpy(clean), torch.from_numpy(noise), self.scheduler.timesteps[:1])
        for t in self.scheduler.timesteps:
            scaled = self.scheduler.scale_model_input(latent, t).float().numpy()
            made = torch.from_numpy(self.unet(scaled, int(t), embedding))
            latent = self.scheduler.step(made, t, latent).prev_sample
        return latent.float().numpy()

    def noise(self, picture: np.ndarray, seed: int = 0) -> np.ndarray:
        """[1, C, H/8, W/8] N(0, 1) of a seed."""
        height, width = picture.shape[0] // 8, picture.shape[1] // 8
        return np.random.default_rng(seed).standard_normal((1, self.channels, height, width)).astype(np.float32)

    def paint_all(self, pictures: list[np.ndarray], texts: list[str], steps: int = 1, strength: float = 1.0, seed: int = 0) -> np.ndarray:
        """[B, H, W, 3]: each picture by its text, all of one size and with the noise of one seed."""
        noise = np.repeat(self.noise(pictures[0], seed), len(pictures), 0)
        return self.decode_all(self.paint_latent(self.encode(*pictures), noise, self.embed(*texts), steps, strength))

    def paint(self, picture: np.ndarray, text: str, steps: int = 1, strength: float = 1.0, seed: int = 0) -> np.ndarray:
        return self.paint_all([picture], [text], steps, strength, seed)[0]

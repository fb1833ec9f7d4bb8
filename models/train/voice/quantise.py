"""ggml's block formats, as bytes for the file and as rounding for the training.

A block is 32 weights of a row with one f16 scale. Layouts and rounding: `quantize_row_q5_0_ref`, `quantize_row_q8_0_ref` in ggml-quants.c.
"""

import numpy as np
import torch

BLOCK = 32
# Name → (ggml_type, ggml_ftype), the numbers of ggml.h.
TYPES = {"f32": (0, 0), "f16": (1, 1), "q5_0": (6, 8), "q8_0": (8, 7)}


def q5_0(weights: np.ndarray) -> bytes:
    """Scale = (the value farthest from 0, with its sign) / −16; 5 bits each: 16 bytes of low nibbles after 4 bytes of fifth bits."""
    blocks = weights.astype(np.float32).reshape(-1, BLOCK)
    farthest = np.take_along_axis(blocks, np.abs(blocks).argmax(1, keepdims=True), 1)
    scale = farthest / -16
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale != 0)
    steps = np.minimum(31, (blocks * inverse + 16.5).astype(np.int8)).astype(np.uint32)
    low = ((steps[:, :16] & 15) | ((steps[:, 16:] & 15) << 4)).astype(np.uint8)
    high = ((steps >> 4) << np.arange(BLOCK, dtype=np.uint32)).sum(1, dtype=np.uint32)
    return np.concatenate([scale.astype(np.float16).view(np.uint8), high.reshape(-1, 1).view(np.uint8), low], 1).tobytes()


def q8_0(weights: np.ndarray) -> bytes:
    """Scale = largest magnitude / 127; 8 bits each."""
    blocks = weights.astype(np.float32).reshape(-1, BLOCK)
    scale = np.abs(blocks).max(1, keepdims=True) / 127
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale != 0)
    scaled = blocks * inverse
    steps = (np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)).astype(np.int8)
    return np.concatenate([scale.astype(np.float16).view(np.uint8), steps.view(np.uint8)], 1).tobytes()


def pack(weights: np.ndarray, form: str) -> bytes:
    if form in ("f32", "f16"):
        return weights.astype(np.float32 if form == "f32" else np.float16).tobytes()
    if weights.shape[-1] % BLOCK:
        raise ValueError(f"{form} wants rows of a multiple of {BLOCK}, not {weights.shape}")
    return {"q5_0": q5_0, "q8_0": q8_0}[form](weights)


def unpack(data: bytes, form: str, shape: tuple[int, ...]) -> np.ndarray:
    """f32 of what `pack` wrote."""
    if form in ("f32", "f16"):
        return np.frombuffer(data, np.float32 if form == "f32" else np.float16).astype(np.float32).reshape(shape)
    blocks = np.frombuffer(data, np.uint8).reshape(-1, {"q5_0": 22, "q8_0": 34}[form])
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    if form == "q8_0":
        return (blocks[:, 2:].view(np.int8) * scale).reshape(shape)
    high = blocks[:, 2:6].copy().view(np.uint32)
    low = np.concatenate([blocks[:, 6:] & 15, blocks[:, 6:] >> 4], 1)
    steps = low | (((high >> np.arange(BLOCK, dtype=np.uint32)) & 1) << 4).astype(np.uint8)
    return ((steps.astype(np.float32) - 16) * scale).reshape(shape)


def size(count: int, form: str) -> int:
    """Bytes of `count` weights."""
    return {"f32": count * 4, "f16": count * 2, "q5_0": count // BLOCK * 22, "q8_0": count // BLOCK * 34}[form]


def rounded(weights: torch.Tensor, form: str | None) -> torch.Tensor:
    """The weights as the file will hold them, with the gradient of the exact ones: the net learns to live with its rounding."""
    if form is None:
        return weights
    with torch.no_grad():
        if form in ("f32", "f16"):
            near = weights if form == "f32" else weights.half().float()
        else:
            blocks = weights.reshape(-1, BLOCK)
            if form == "q5_0":
                exact = blocks.gather(1, blocks.abs().argmax(1, keepdim=True)) / -16
                inverse = torch.where(exact == 0, torch.zeros_like(exact), 1 / exact)
                steps = (blocks * inverse + 16.5).trunc().clamp(max=31) - 16
            else:
                exact = blocks.abs().amax(1, keepdim=True) / 127
                inverse = torch.where(exact == 0, torch.zeros_like(exact), 1 / exact)
                steps = (blocks * inverse).sign() * ((blocks * inverse).abs() + 0.5).floor()
            near = (steps * exact.half().float()).reshape(weights.shape)
    return weights + (near - weights).detach()

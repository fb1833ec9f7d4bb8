"""Both networks in NumPy, straight from their files: what the files say, free of PyTorch and of ggml. For checks, not for speed."""

import math
from pathlib import Path

import numpy as np

from . import ggml


def _norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * weight + bias


def _gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _softmax(x: np.ndarray) -> np.ndarray:
    raised = np.exp(x - x.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def _attend(query: np.ndarray, key: np.ndarray, value: np.ndarray, heads: int, causal: bool) -> np.ndarray:
    """[T, W] over [S, W]; with fewer heads of keys than of queries, several queries share one."""
    wide = query.shape[1] // heads
    q = query.reshape(len(query), heads, wide).transpose(1, 0, 2)
    k, v = (part.reshape(len(part), -1, wide).transpose(1, 0, 2) for part in (key, value))
    k, v = (np.repeat(part, heads // len(part), 0) for part in (k, v))
    score = q @ k.transpose(0, 2, 1) / math.sqrt(wide)
    if causal:
        score = np.where(np.tri(*score.shape[1:], dtype=bool), score, -np.inf)
    return (_softmax(score) @ v).transpose(1, 0, 2).reshape(len(query), -1)


class Whisper:
    """A ggml whisper file."""

    def __init__(self, path: Path):
        self.head, self.filters, self.table, self.weights = ggml.read(path)

    def _dense(self, x: np.ndarray, name: str) -> np.ndarray:
        made = x @ self.weights[f"{name}.weight"].T
        return made + self.weights[f"{name}.bias"] if f"{name}.bias" in self.weights else made

    def _ln(self, x: np.ndarray, name: str) -> np.ndarray:
        return _norm(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _heard(self, x: np.ndarray, name: str, heads: int, over: np.ndarray | None = None, causal: bool = False) -> np.ndarray:
        over = x if over is None else over
        return self._dense(_attend(self._dense(x, f"{name}.query"), self._dense(over, f"{name}.key"), self._dense(over, f"{name}.value"), heads, causal), f"{name}.out")

    def _mlp(self, x: np.ndarray, name: str) -> np.ndarray:
        return self._dense(_gelu(self._dense(x, f"{name}.mlp.0")), f"{name}.mlp.2")

    def _conv(self, x: np.ndarray, name: str, stride: int) -> np.ndarray:
        """[C, T] → [D, T / stride], three wide."""
        padded = np.pad(x, ((0, 0), (1, 1)))
        taps = np.stack([padded[:, k : k + x.shape[1]][:, ::stride] for k in range(3)], 2)
        return _gelu(np.einsum("dck,ctk->dt", self.weights[f"{name}.weight"], taps) + self.weights[f"{name}.bias"])

    def encode(self, mel: np.ndarray) -> np.ndarray:
        """[80, 2P] → [P, W]."""
        x = self._conv(self._conv(mel, "encoder.conv1", 1), "encoder.conv2", 2).T
        x = x + self.weights["encoder.positional_embedding"][: len(x)]
        for layer in range(self.head["audio_layer"]):
            name = f"encoder.blocks.{layer}"
            x = x + self._heard(self._ln(x, f"{name}.attn_ln"), f"{name}.attn", self.head["audio_head"])
            x = x + self._mlp(self._ln(x, f"{name}.mlp_ln"), name)
        return self._ln(x, "encoder.ln_post")

    def decode(self, tokens: list[int], audio: np.ndarray) -> np.ndarray:
        """Logits [T, 51864]."""
        table = self.weights["decoder.token_embedding.weight"]
        x = table[tokens] + self.weights["decoder.positional_embedding"][: len(tokens)]
        for layer in range(self.head["text_layer"]):
            name = f"decoder.blocks.{layer}"
            x = x + self._heard(self._ln(x, f"{name}.attn_ln"), f"{name}.attn", self.head["text_head"], causal=True)
            x = x + self._heard(self._ln(x, f"{name}.cross_attn_ln"), f"{name}.cross_attn", self.head["text_head"], over=audio)
            x = x + self._mlp(self._ln(x, f"{name}.mlp_ln"), name)
        return self._ln(x, "decoder.ln") @ table.T


class Llama:
    """A GGUF file of the llama architecture, with adjacent pairs rotated as llama.cpp has it for `llama`."""

    def __init__(self, path: Path):
        from gguf import GGUFReader
        from gguf.quants import dequantize

        reader = GGUFReader(path)
        self.field = lambda name: reader.fields[name].contents()
        self.weights = {tensor.name: dequantize(tensor.data, tensor.tensor_type).astype(np.float32) for tensor in reader.tensors}
        self.heads, self.layers = self.field("llama.attention.head_count"), self.field("llama.block_count")
        self.eps, self.base = self.field("llama.attention.layer_norm_rms_epsilon"), self.field("llama.rope.freq_base")

    def _rms(self, x: np.ndarray, name: str) -> np.ndarray:
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + self.eps) * self.weights[f"{name}.weight"]

    def _turned(self, x: np.ndarray, heads: int) -> np.ndarray:
        wide = x.shape[1] // heads
        pairs = x.reshape(len(x), heads, wide // 2, 2)
        angle = np.arange(len(x))[:, None, None] * self.base ** (-np.arange(0, wide, 2) / wide)
        turned = np.stack([pairs[..., 0] * np.cos(angle) - pairs[..., 1] * np.sin(angle), pairs[..., 0] * np.sin(angle) + pairs[..., 1] * np.cos(angle)], -1)
        return turned.reshape(x.shape)

    def logits(self, tokens: list[int]) -> np.ndarray:
        """[T, vocabulary]."""
        weights, x = self.weights, self.weights["token_embd.weight"][tokens]
        for layer in range(self.layers):
            name = f"blk.{layer}"
            y = self._rms(x, f"{name}.attn_norm")
            query, key, value = (y @ weights[f"{name}.attn_{part}.weight"].T for part in "qkv")
            wide = query.shape[1] // self.heads
            heard = _attend(self._turned(query, self.heads), self._turned(key, key.shape[1] // wide), value, self.heads, causal=True)
            x = x + heard @ weights[f"{name}.attn_output.weight"].T
            y = self._rms(x, f"{name}.ffn_norm")
            gate = y @ weights[f"{name}.ffn_gate.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * (y @ weights[f"{name}.ffn_up.weight"].T)) @ weights[f"{name}.ffn_down.weight"].T
        return self._rms(x, "output_norm") @ weights["token_embd.weight"].T

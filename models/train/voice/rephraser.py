"""The rephraser: a miniature of the llama architecture, and its own small byte-pair vocabulary."""

from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from torch.nn import functional as F

from . import chat
from .descriptions import pair
from .listener import Dense, Rounding
from .quantise import rounded

# GPT-2's way of parting words; llama.cpp names it "gpt-2".
_SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


# They come first.
SPECIALS = (chat.PAD, chat.BEGIN, chat.END)


def reader() -> Tokenizer:
    """Parts text as GPT-2 does; without a vocabulary yet."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(_SPLIT), behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.decoder = decoders.ByteLevel()
    return made


def learn_tokens(known: list[str], vocabulary: int = 2048, sentences: int = 12000) -> Tokenizer:
    """Byte pairs of requests, answers and system messages. The specials come first: padding, begin, end."""
    rng = np.random.default_rng(11)
    texts = [text for _ in range(sentences) for text in pair(rng, known)[:2]] + [system for system in chat.systems() for _ in range(50)] + ["system\n", "user\n", "assistant\n", "\n"] * 500
    made = reader()
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=list(SPECIALS), initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    return made


@dataclass
class Size:
    """Everything a multiple of 32 (the quantised block)."""

    vocabulary: int = 2048
    width: int = 192
    heads: int = 6
    layers: int = 4
    hidden: int = 512
    context: int = 1024


class Norm(nn.Module):
    """Divided by its root mean square."""

    EPS = 1e-5

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.EPS) * self.weight


class Block(nn.Module):
    """Rotary positions turn adjacent pairs, as llama.cpp does for `llama`."""

    BASE = 10000.0

    def __init__(self, rounding: Rounding, size: Size):
        super().__init__()
        self.heads = size.heads
        self.attn_norm, self.ffn_norm = Norm(size.width), Norm(size.width)
        for part in "qkv":
            setattr(self, f"attn_{part}", Dense(rounding, size.width, size.width, bias=False))
        self.attn_output = Dense(rounding, size.width, size.width, bias=False)
        self.ffn_gate, self.ffn_up = (Dense(rounding, size.width, size.hidden, bias=False) for _ in range(2))
        self.ffn_down = Dense(rounding, size.hidden, size.width, bias=False)

    def forward(self, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor], past: dict | None = None) -> torch.Tensor:
        """`past` keeps the keys and values of what was read before x; those of x are added to it."""

        def split(part: torch.Tensor) -> torch.Tensor:
            return part.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        def turned(part: torch.Tensor) -> torch.Tensor:
            even, odd = part[..., 0::2], part[..., 1::2]
            return torch.stack([even * turn[0] - odd * turn[1], even * turn[1] + odd * turn[0]], -1).flatten(-2)

        y = self.attn_norm(x)
        query, key, value = turned(split(self.attn_q(y))), turned(split(self.attn_k(y))), split(self.attn_v(y))
        if past is not None:
            if past:
                key, value = torch.cat([past["key"], key], 2), torch.cat([past["value"], value], 2)
            past["key"], past["value"] = key, value
        # Several tokens at once come at the beginning only.
        x = x + self.attn_output(F.scaled_dot_product_attention(query, key, value, is_causal=query.shape[2] > 1).transpose(1, 2).flatten(2))
        y = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))


class Rephraser(nn.Module):
    """Token ids [B, T] → logits [B, T, vocabulary]; the same table reads and writes."""

    def __init__(self, size: Size | None = None):
        super().__init__()
        self.size, self.rounding = size or Size(), Rounding()
        self.token_embd = nn.Embedding(self.size.vocabulary, self.size.width)
        self.blk = nn.ModuleList(Block(self.rounding, self.size) for _ in range(self.size.layers))
        self.output_norm = Norm(self.size.width)
        nn.init.normal_(self.token_embd.weight, std=0.05)
        wide = self.size.width // self.size.heads
        angle = torch.arange(self.size.context)[:, None] * Block.BASE ** (-torch.arange(0, wide, 2) / wide)[None]
        self.register_buffer("turns", torch.stack([angle.cos(), angle.sin()]), persistent=False)

    def matrices(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The weights of all blocks, which Muon is for; and the table and the norms."""
        inside = [weight for weight in self.blk.parameters() if weight.ndim == 2]
        known = {id(weight) for weight in inside}
        return inside, [weight for weight in self.parameters() if id(weight) not in known]

    def forward(self, ids: torch.Tensor, only: torch.Tensor | None = None, past: list[dict] | None = None) -> torch.Tensor:
        """With `only` [B, T] bool: [N, vocabulary], the logits of those places alone. `past`, a dict for each layer, remembers what was read."""
        table = rounded(self.token_embd.weight, self.rounding.form)
        x = F.embedding(ids, table)
        start = past[0]["key"].shape[2] if past and past[0] else 0
        turn = (self.turns[0, start : start + ids.shape[1]], self.turns[1, start : start + ids.shape[1]])
        for block, before in zip(self.blk, past or [None] * len(self.blk)):
            x = block(x, turn, before)
        return self.output_norm(x if only is None else x[only]) @ table.T

    @torch.no_grad()
    def answer(self, words: Tokenizer, prompts: list[str], most: int = 64) -> list[str]:
        """Greedily, one line each."""
        end, pad = words.token_to_id(chat.END), words.token_to_id(chat.PAD)
        answers: list[str] = [""] * len(prompts)
        # Prompts of one length at a time: no padding comes between the words and the answer.
        encoded = [words.encode(prompt).ids for prompt in prompts]
        for length in {len(ids) for ids in encoded}:
            rows = [row for row, ids in enumerate(encoded) if len(ids) == length]
            ids = torch.tensor([encoded[row] for row in rows], device=self.token_embd.weight.device)
            done = torch.zeros(len(rows), dtype=torch.bool, device=ids.device)
            past = [{} for _ in self.blk]
            for _ in range(most):
                unread = ids[:, -1:] if past[0] else ids
                last = torch.zeros_like(unread, dtype=torch.bool)
                last[:, -1] = True
                chosen = torch.where(done, pad, self(unread, last, past).argmax(-1))
                done |= chosen == end
                ids = torch.cat([ids, chosen[:, None]], 1)
                if done.all():
                    break
            for row, made in zip(rows, ids[:, length:].tolist()):
                answers[row] = words.decode(made[: made.index(end)] if end in made else made)
        return answers

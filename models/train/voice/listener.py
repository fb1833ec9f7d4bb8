"""The listener: a miniature of whisper's network, with the names that whisper.cpp gives to its weights.

Log-mel [B, 80, 2P] → P audio positions of 20 ms → tokens. Only the rows of whisper's vocabulary that are in use are kept here;
all others are zero in the file. A zero row has the logit 0, so the softmax of whisper.cpp always has 51,864 − U other tokens in
it: they are counted in training as well, and probabilities here and there are the same.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn
from torch.nn import functional as F

from . import vocabulary
from .quantise import rounded


@dataclass
class Size:
    """Width in multiples of 32 (the quantised block). Two text layers make whisper.cpp leave out time stamps by itself."""

    width: int = 160
    heads: int = 5
    audio_layers: int = 4
    text_layers: int = 2
    audio_positions: int = 1500
    # whisper.cpp writes at most half of them, less four.
    text_positions: int = 320


class Rounding:
    """What form weights are rounded to in the forward pass; None while the net is still far from done."""

    form: str | None = None
    conv: str | None = None


class Dense(nn.Linear):
    def __init__(self, rounding: Rounding, into: int, out: int, bias: bool = True):
        super().__init__(into, out, bias)
        self.rounding = rounding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, rounded(self.weight, self.rounding.form), self.bias)


class Attention(nn.Module):
    def __init__(self, rounding: Rounding, width: int, heads: int):
        super().__init__()
        self.heads = heads
        # Whether the weights are kept, [B, heads, T, P], for a loss that looks at them.
        self.is_watched, self.seen = False, None
        self.query, self.key = Dense(rounding, width, width), Dense(rounding, width, width, bias=False)
        self.value, self.out = Dense(rounding, width, width), Dense(rounding, width, width)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: torch.Tensor, over: torch.Tensor | None = None, causal: bool = False, past: dict | None = None) -> torch.Tensor:
        """`past` keeps keys and values: those of `over`, which stays the same, or those of all x so far, to which these are added."""
        query = self._split(self.query(x))
        if past and over is not None:
            key, value = past["key"], past["value"]
        else:
            key, value = (self._split(layer(x if over is None else over)) for layer in (self.key, self.value))
            if past:
                key, value = torch.cat([past["key"], key], 2), torch.cat([past["value"], value], 2)
                causal = False
        if past is not None:
            past["key"], past["value"] = key, value
        if self.is_watched:
            self.seen = (query @ key.transpose(2, 3) / query.shape[3] ** 0.5).softmax(3)
            return self.out((self.seen @ value).transpose(1, 2).flatten(2))
        return self.out(F.scaled_dot_product_attention(query, key, value, is_causal=causal).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, rounding: Rounding, width: int, heads: int, cross: bool, dropout: float):
        super().__init__()
        self.attn, self.attn_ln = Attention(rounding, width, heads), nn.LayerNorm(width)
        self.cross_attn, self.cross_attn_ln = (Attention(rounding, width, heads), nn.LayerNorm(width)) if cross else (None, None)
        self.mlp = nn.Sequential(Dense(rounding, width, 4 * width), nn.GELU("tanh"), Dense(rounding, 4 * width, width))
        self.mlp_ln = nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: torch.Tensor, audio: torch.Tensor | None = None, past: tuple[dict, dict] | None = None) -> torch.Tensor:
        """`past`: what was read before x, and what was heard; both are filled in."""
        read, heard = past or (None, None)
        x = x + self.drop(self.attn(self.attn_ln(x), causal=audio is not None, past=read))
        if self.cross_attn is not None:
            x = x + self.drop(self.cross_attn(self.cross_attn_ln(x), audio, past=heard))
        return x + self.drop(self.mlp(self.mlp_ln(x)))


def sinusoids(length: int, width: int) -> torch.Tensor:
    """[length, width]: whisper's positions of the encoder (whisper/model.py)."""
    pace = torch.exp(-math.log(10000) / (width // 2 - 1) * torch.arange(width // 2))
    angle = torch.arange(length)[:, None] * pace[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


class Conv(nn.Conv1d):
    def __init__(self, rounding: Rounding, *args, **more):
        super().__init__(*args, **more)
        self.rounding = rounding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv1d(x, rounded(self.weight, self.rounding.conv), self.bias, self.stride, self.padding)


@torch.no_grad()
def begin_local(attention: Attention, offsets: list[int], gain: float = 0.85) -> None:
    """Start with heads that look at a place beside their own, `offsets` positions away, as a convolution does.

    The fastest sinusoids of the positional embedding are what queries and keys read: sum of cos(w (p + offset - q)) is highest
    where q is p + offset. From heads that look everywhere alike a training on little data takes long to find out that
    neighbours matter (the same for pictures: d'Ascoli et al., ConViT, 2021).
    """
    width = attention.query.in_features
    pairs = width // attention.heads // 2
    paces = torch.exp(-math.log(10000) / (width // 2 - 1) * torch.arange(pairs))
    sin, cos = torch.arange(pairs), torch.arange(pairs) + width // 2
    for layer in (attention.query, attention.key):
        layer.weight.mul_(0.3)
    for head, offset in enumerate(offsets):
        first = head * 2 * pairs + torch.arange(pairs)
        second, ahead = first + pairs, paces * offset
        attention.key.weight[first, sin] += gain
        attention.key.weight[second, cos] += gain
        attention.query.weight[first, sin] += gain * ahead.cos()
        attention.query.weight[first, cos] += gain * ahead.sin()
        attention.query.weight[second, cos] += gain * ahead.cos()
        attention.query.weight[second, sin] -= gain * ahead.sin()


class Encoder(nn.Module):
    def __init__(self, rounding: Rounding, size: Size, dropout: float):
        super().__init__()
        self.conv1 = Conv(rounding, 80, size.width, 3, padding=1)
        self.conv2 = Conv(rounding, size.width, size.width, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(size.audio_positions, size.width))
        self.blocks = nn.ModuleList(Block(rounding, size.width, size.heads, False, dropout) for _ in range(size.audio_layers))
        for layer, block in enumerate(self.blocks):
            # Further apart in higher layers: sounds, syllables, words.
            begin_local(block.attn, [round((2 * head - size.heads + 1) * 1.5 * (layer + 1)) for head in range(size.heads)])
        self.ln_post = nn.LayerNorm(size.width)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        x = F.gelu(self.conv1(mel), approximate="tanh")
        x = F.gelu(self.conv2(x), approximate="tanh").transpose(1, 2)
        x = x + self.positional_embedding[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.ln_post(x)


class Decoder(nn.Module):
    def __init__(self, rounding: Rounding, size: Size, rows: int, dropout: float):
        super().__init__()
        self.rounding = rounding
        self.token_embedding = nn.Embedding(rows, size.width)
        self.positional_embedding = nn.Parameter(torch.randn(size.text_positions, size.width) * 0.01)
        self.blocks = nn.ModuleList(Block(rounding, size.width, size.heads, True, dropout) for _ in range(size.text_layers))
        self.ln = nn.LayerNorm(size.width)
        # All logits begin near 9, so that the tokens in use stand above the zero rows (log 50,000 = 10.8) together from the first step.
        common = torch.where(torch.randn(size.width) > 0, 1.0, -1.0) / size.width**0.5
        with torch.no_grad():
            self.token_embedding.weight.normal_(std=0.05).add_(common)
            self.ln.bias.copy_(9 * common)

    def forward(self, rows: torch.Tensor, audio: torch.Tensor, past: list[tuple[dict, dict]] | None = None) -> torch.Tensor:
        """With `past`, two dicts for each block, only the rows behind those that it knows."""
        table = rounded(self.token_embedding.weight, self.rounding.form)
        start = past[0][0]["key"].shape[2] if past and past[0][0] else 0
        x = F.embedding(rows, table) + self.positional_embedding[start : start + rows.shape[1]]
        for block, before in zip(self.blocks, past or [None] * len(self.blocks)):
            x = block(x, audio, before)
        return self.ln(x) @ table.T


class Listener(nn.Module):
    """rows: the token ids in use, sorted; everything inside counts in places in that list."""

    def __init__(self, rows: list[int], size: Size | None = None, dropout: float = 0.0, phones: int = 0):
        super().__init__()
        self.size, self.rows, self.rounding = size or Size(), rows, Rounding()
        self.row_of = {token: row for row, token in enumerate(rows)}
        self.encoder = Encoder(self.rounding, self.size, dropout)
        self.decoder = Decoder(self.rounding, self.size, len(rows), dropout)
        # Only for training: which phone sounds when.
        self.sounding = nn.Linear(self.size.width, phones) if phones else None
        # The zero rows of the file, all together.
        self.unused = math.log(vocabulary.SIZE - len(rows))

    def forward(self, mel: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [B, T, U + 1], the last one for all zero rows together; what the encoder makes of the sound [B, P, W]."""
        audio = self.encoder(mel)
        logits = self.decoder(rows, audio)
        return torch.cat([logits, logits.new_full((*logits.shape[:2], 1), self.unused)], 2), audio

    def watch(self, on: bool) -> list[Attention]:
        """From now on the decoder keeps where it looks; those that do."""
        watched = [block.cross_attn for block in self.decoder.blocks]
        for attention in watched:
            attention.is_watched = on
        return watched

    def places(self, text: str) -> list[int]:
        return [self.row_of[token] for token in vocabulary.encode(text)]

    def matrices(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The weights of all blocks, which Muon is for; and everything else: tables, convolutions, biases, norms."""
        inside = [weight for name, weight in self.named_parameters() if ".blocks." in name and weight.ndim == 2]
        known = {id(weight) for weight in inside}
        return inside, [weight for weight in self.parameters() if id(weight) not in known]

    @cached_property
    def _kinds(self) -> dict[tuple[bool, bool], list[int]]:
        """Rows by whether they begin a word and whether they are a single letter."""
        kinds = defaultdict(list)
        for row, token in enumerate(self.rows):
            kinds[vocabulary.kind(token)].append(row)
        return kinds

    def alike(self, row: int) -> list[int]:
        """The rows that could stand in the place of this one."""
        return self._kinds[vocabulary.kind(self.rows[row])]

    def prompt(self) -> list[int]:
        """As whisper.cpp begins an English transcript without time stamps."""
        return [self.row_of[vocabulary.START], self.row_of[vocabulary.NO_TIMESTAMPS]]

    @torch.no_grad()
    def transcribe(self, mel: torch.Tensor, most: int = 140, beams: int = 1) -> list[tuple[str, float, float]]:
        """(text, mean log-probability, probability that nobody speaks) of each row of mel [B, 80, T].

        `beams` readings are followed at once, as whisper.cpp does at temperature 0 with a beam search of that size; but it draws
        what a reading goes on with, and here it is the likeliest. With one it is greedy, there and here.
        """
        count, many = len(mel), torch.arange(len(mel), device=mel.device)[:, None]
        audio = self.encoder(mel).repeat_interleave(beams, 0)
        past: list[tuple[dict, dict]] = [({}, {}) for _ in self.decoder.blocks]
        ids = torch.tensor([self.prompt()] * len(audio), device=mel.device)
        end = self.row_of[vocabulary.END]
        never = torch.tensor([self.row_of[token] for token in (vocabulary.START, vocabulary.NO_SPEECH, vocabulary.NO_TIMESTAMPS)], device=mel.device)
        # All readings begin as one.
        sums = torch.full((count, beams), -torch.inf, device=mel.device)
        sums[:, 0] = 0
        done = torch.zeros(count, beams, dtype=torch.bool, device=mel.device)
        lengths = torch.zeros(count, beams, device=mel.device)
        for step in range(most):
            every = self.decoder(ids if step == 0 else ids[:, -1:], audio, past).float()
            if step == 0:
                # Behind the first token, as the node `stt` asks.
                first = every[::beams, 0]
                nobody = torch.cat([first, first.new_full((count, 1), self.unused)], 1).softmax(1)[:, self.row_of[vocabulary.NO_SPEECH]]
            logits = every[:, -1]
            logits[:, never] = -torch.inf
            if step == 0:
                logits[:, end] = -torch.inf
            logs = torch.cat([logits, logits.new_full((len(logits), 1), self.unused)], 1).log_softmax(1)[:, :-1].unflatten(0, (count, beams))
            # A reading that has ended goes on with its end, at no cost, and keeps its place.
            logs = torch.where(done[..., None], -torch.inf, logs)
            logs[..., end] = torch.where(done, 0, logs[..., end])
            totals = (sums[..., None] + logs).flatten(1)
            kept = (totals + 1e6 * done.repeat_interleave(logs.shape[2], 1)).topk(beams, 1).indices
            sums, of, chosen = totals.gather(1, kept), kept // logs.shape[2], kept % logs.shape[2]
            lengths, done = (lengths + ~done)[many, of], done[many, of] | (chosen == end)
            places = (many * beams + of).flatten()
            ids = torch.cat([ids[places], chosen.flatten()[:, None]], 1)
            if beams > 1:
                for read, _ in past:
                    read["key"], read["value"] = read["key"][places], read["value"][places]
            if done.all():
                break
        means = torch.where(done, sums / lengths, -torch.inf)
        best = torch.where(done.any(1), means.argmax(1), 0)
        means = (sums / lengths)[many[:, 0], best]
        texts = [vocabulary.decode([self.rows[row] for row in of]) for of in ids[many[:, 0] * beams + best, 2:].tolist()]
        return list(zip(texts, means.tolist(), nobody.tolist()))

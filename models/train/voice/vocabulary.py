"""Whisper's English tokens: the table that whisper.cpp expects, and the few rows of it that the listener learns.

The table (51,864 tokens with the specials) is fixed by whisper.cpp (`whisper_vocab` in whisper.cpp); it and the mel filters come
with PyPI `openai-whisper` (MIT), whose files are read here without importing it.
"""

import base64
import importlib.util
import re
from functools import cache
from pathlib import Path

SIZE = 51864
END, START, NO_SPEECH, NO_TIMESTAMPS = 50256, 50257, 50361, 50362
# Written where nobody speaks. whisper.cpp forbids an empty transcript, and the node `stt` forbids brackets ("[BLANK_AUDIO]") but
# refuses this word (nodes/stt/refused.txt); it is no word of `sentences`.
SILENCE = "silence"


@cache
def assets() -> Path:
    found = importlib.util.find_spec("whisper")
    folder = Path(next(iter(found.submodule_search_locations))) / "assets" if found else None
    if folder is None or not (folder / "gpt2.tiktoken").exists():
        raise SystemExit("Whisper's token table is needed: pip install --no-deps openai-whisper==20250625")
    return folder


@cache
def table() -> list[bytes]:
    """The 50,257 tokens before the specials, by id; the last is the empty end token."""
    ranks = {}
    for line in (assets() / "gpt2.tiktoken").read_text().splitlines():
        token, rank = line.split()
        ranks[int(rank)] = base64.b64decode(token)
    assert sorted(ranks) == list(range(50256))
    return [ranks[rank] for rank in range(50256)] + [b"<|endoftext|>"]


@cache
def _ranks() -> dict[bytes, int]:
    return {token: rank for rank, token in enumerate(table())}


@cache
def _piece(piece: bytes) -> tuple[int, ...]:
    """Byte pairs of lowest rank are joined first: GPT-2's encoding of one word with its space."""
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while len(parts) > 1:
        rank, where = min((_ranks().get(a + b, SIZE), i) for i, (a, b) in enumerate(zip(parts, parts[1:])))
        if rank == SIZE:
            break
        parts[where : where + 2] = [parts[where] + parts[where + 1]]
    return tuple(_ranks()[part] for part in parts)


def encode(text: str) -> list[int]:
    """Token ids of plain text as whisper writes it: every word with its space before it, `'s` and the like apart."""
    pieces = re.findall(r"'(?:s|t|re|ve|m|ll|d)| ?[a-zA-Z]+| ?[0-9]+| ?[^\sa-zA-Z0-9]+", f" {text}")
    return [token for piece in pieces for token in _piece(piece.encode())]


def decode(tokens: list[int]) -> str:
    return b"".join(table()[token] for token in tokens if token < END).decode(errors="replace").strip()


def rows(words: list[str]) -> list[int]:
    """The ids that the listener learns, sorted: of all `words`, of single letters with and without a space, and the specials."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    used = {token for text in [*words, SILENCE] for token in encode(text)}
    used |= {_ranks()[(space + letter).encode()] for letter in letters for space in ("", " ")}
    used |= {token for suffix in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d") for token in _piece(suffix.encode())}
    return sorted(used | {END, START, NO_SPEECH, NO_TIMESTAMPS})

"""Whisper's English tokens: the table that whisper.cpp expects, and the few rows of it that the listener learns: letters.

A thousand words are too many for hours of speech and a small decoder: over whole words it learned to guess sentences. Letters
follow the phones, and words that were never heard can be written.

The table (51,864 tokens with the specials) is fixed by whisper.cpp (`whisper_vocab` in whisper.cpp); it and the mel filters come
with PyPI `openai-whisper` (MIT), whose files are read here without importing it.
"""

import base64
import importlib.util
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


def encode(text: str) -> list[int]:
    """Token ids of plain text (`spelling.plain`), letter by letter: the first of a word with its space before it, as whisper writes words."""
    return [_ranks()[(" " * (place == 0) + letter).encode()] for word in text.split() for place, letter in enumerate(word)]


def decode(tokens: list[int]) -> str:
    return b"".join(table()[token] for token in tokens if token < END).decode(errors="replace").strip()


def rows() -> list[int]:
    """The ids that the listener learns, sorted: letters and the apostrophe, with and without a space before them, and the specials."""
    return sorted({*letters(False), *letters(True), END, START, NO_SPEECH, NO_TIMESTAMPS})


def letters(begins: bool) -> list[int]:
    """The ids of letters and the apostrophe that begin a word, with a space before them, or stand within one."""
    return [_ranks()[(" " * begins + letter).encode()] for letter in "abcdefghijklmnopqrstuvwxyz'"]

"""Whisper's English tokens: the table that whisper.cpp expects, and the few rows of it that the listener learns.

Words that people say to a mirror (`sentences.lexicon`) are written as whisper writes them, most as one token; every other word
letter by letter. Over words alone, from nothing, it learned to guess sentences; over letters alone it heard every word and
misspelled one in five ("camic book"). The listener that ships knew letters before it learned words (`unpack` maps one onto the other);
both at once from nothing, which is what `listen --fresh` does now, has not been tried.

The table (51,864 tokens with the specials) is fixed by whisper.cpp (`whisper_vocab` in whisper.cpp); it and the mel filters come
with PyPI `openai-whisper` (MIT), whose files are read here without importing it.
"""

import base64
import importlib.util
from functools import cache
from pathlib import Path

from .sentences import lexicon

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


def _pieces(word: str) -> list[int]:
    """Byte pair encoding of a word with the space before it, as tiktoken does it: of all pairs side by side the one of least rank becomes one, until none is known."""
    parts = [bytes([byte]) for byte in f" {word}".encode()]
    while True:
        rank, place = min(((_ranks().get(a + b, SIZE), place) for place, (a, b) in enumerate(zip(parts, parts[1:]))), default=(SIZE, 0))
        if rank == SIZE:
            return [_ranks()[part] for part in parts]
        parts[place : place + 2] = [parts[place] + parts[place + 1]]


@cache
def words() -> dict[str, list[int]]:
    """The tokens of every word that has some of its own."""
    return {word: _pieces(word) for word in lexicon()}


def spelled(word: str) -> list[int]:
    """Letter by letter: the first with its space before it."""
    return [_ranks()[(" " * (place == 0) + letter).encode()] for place, letter in enumerate(word)]


def encode(text: str) -> list[int]:
    """Token ids of plain text (`spelling.plain`)."""
    return [token for word in text.split() for token in words().get(word) or spelled(word)]


def decode(tokens: list[int]) -> str:
    return b"".join(table()[token] for token in tokens if token < END).decode(errors="replace").strip()


def rows() -> list[int]:
    """The ids that the listener learns, sorted: words and their pieces, letters and the apostrophe, with and without a space before them, and the specials."""
    return sorted({*(token for tokens in words().values() for token in tokens), *letters(False), *letters(True), END, START, NO_SPEECH, NO_TIMESTAMPS})


def kind(token: int) -> tuple[bool, bool] | None:
    """Whether a token begins a word, and whether it is a single letter; None for the specials."""
    if token >= END:
        return None
    text = table()[token]
    return text.startswith(b" "), len(text.strip()) == 1


def letters(begins: bool) -> list[int]:
    """The ids of letters and the apostrophe that begin a word, with a space before them, or stand within one."""
    return [_ranks()[(" " * begins + letter).encode()] for letter in "abcdefghijklmnopqrstuvwxyz'"]

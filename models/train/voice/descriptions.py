"""By rule: what was said → the description that the painter gets. The rephraser learns from these pairs.

The description keeps the look's own words, since those are what the image pack knows, and names what else is to be
seen. A word that no pack of ours knows is kept as well: with a larger image model it means something.
"""

import re
from functools import cache

import numpy as np

from . import chat, sentences
from .sentences import PHRASES, Said
from .spelling import plain

# Who or what stands before the mirror anyway: a description does not name them (nodes/rephrase/system.txt: "Do not add people").
_SEEN = {"me", "myself", "my face", "my portrait", "us", "you", "him", "her", "them", "it", "this", "this picture", "the picture", "everything", "the whole thing", "the scene", "the view", "the camera", "the background", "the world"}  # fmt: skip
# This many of the wishes and of the small talk have other words in them.
OTHER_WORDS = 0.35
_SYLLABLES = "bi be bo da do fe fi ga go ka ko la li lo ma mi mo na ne no pa po ra ri ro sa se si so ta te ti to va ve vi za zo tron dar mir nor vel quin bur dorf gan".split()


def description(said: Said) -> str:
    """One line for the painter, or one of chat's three words."""
    if said.kind in ("talk", "salad"):
        return chat.NOTHING
    if said.kind in ("natural", "refused"):
        return {"natural": chat.NATURAL, "refused": chat.REFUSED}[said.kind]
    # In the order in which they were said: to copy is easier than to sort, and the painter paints either order alike.
    look = " and ".join(sorted(said.phrases, key=f" {said.text} ".find))
    subject = "" if said.subject in _SEEN else said.subject
    return ", ".join(part for part in (f"{said.amount} {look}".strip(), subject) if part)


def unknown(rng: np.random.Generator, known: list[str], test: bool) -> Said:
    """A wish with one to three words that are no look: everyday words, or words that do not exist."""
    words = [known[rng.integers(len(known))] if rng.random() < 0.6 else "".join(_SYLLABLES[rng.integers(len(_SYLLABLES))] for _ in range(rng.integers(2, 5))) for _ in range(rng.integers(1, 4))]
    phrase = " ".join(words)
    carriers = [carrier for carrier in sentences.wordings(sentences.THINGS, test) if carrier.strip() not in ("{t}", "{a} {t}")]
    text, subject = sentences._fill(carriers[rng.integers(len(carriers))], rng, phrase)
    return Said(text, "open", phrases=(phrase,), subject=subject)


# Small words that join two looks or say how much.
_NOT_FREE = {"and", "with", "but", "in", "at", "of", "as", "like", "a", "an", "the"}


@cache
def _foreign() -> list[str]:
    """English words that no sentence here has."""
    return sorted(set(sentences.dictionary()) - set(sentences.lexicon()))


def _misheard(text: str, rng: np.random.Generator) -> str:
    """Small words lost, doubled or put in: what a recogniser does."""
    words = []
    for word in text.split():
        if len(word) <= 3 and rng.random() < 0.06:
            continue
        words.append(word)
        if rng.random() < 0.02:
            words.append(["a", "the", "to", "and", word][rng.integers(5)])
    return " ".join(words) or text


def other_words(said: Said, rng: np.random.Generator) -> str:
    """The sentence with words that nobody said in the place of some of its own, or beside them; those that its answer is made of stay.

    From the carriers of the training alone the rephraser learned their words: "a beautiful sepia" became "seauti sepia".
    """
    kept = f" {said.text} "
    # The parts of the answer become one word each, so that nothing comes between their own.
    parts = sorted({part for part in (*said.phrases, said.subject, said.amount) if part}, key=len, reverse=True)
    for index, part in enumerate(parts):
        kept = kept.replace(f" {part} ", f" <{index}> ")
    share, words = rng.choice([0.1, 0.25, 0.5]), []
    for word in kept.split():
        if rng.random() < share / 2:
            words.append(_foreign()[rng.integers(len(_foreign()))])
        is_free = not word.startswith("<") and word not in _NOT_FREE
        words.append(_foreign()[rng.integers(len(_foreign()))] if is_free and rng.random() < share else word)
    return " ".join(parts[int(word[1:-1])] if word.startswith("<") else word for word in words)


def _written(text: str, rng: np.random.Generator) -> str:
    """As whisper writes: most recognisers begin with a capital and end with a stop."""
    if rng.random() < 0.5:
        return text
    text = re.sub(r"\bi\b", "I", text)
    return text[:1].upper() + text[1:] + str(rng.choice([".", ".", ".", "", "?", "!"]))


def pair(rng: np.random.Generator, known: list[str], test: bool = False) -> tuple[str, str, Said]:
    """(heard, answer, what was meant)."""
    said = unknown(rng, known, test) if rng.random() < 0.15 else next(said for said in iter(lambda: sentences.anything(rng, known, test), None) if said.kind != "salad")
    if not test and said.kind == "look" and rng.random() < 0.3:
        said = sentences.wish(rng, pairs=0.6)
    elif not test and rng.random() < 0.05:
        said = sentences.natural(rng)
    heard = said.text
    if not test and said.kind in ("look", "talk") and rng.random() < OTHER_WORDS:
        heard = other_words(said, rng)
    elif not test:
        # Nothing of the phrase itself may be lost: the answer must be there to be found.
        spoiled = _misheard(heard, rng)
        heard = spoiled if all(phrase in spoiled for phrase in said.phrases) else heard
    return _written(heard, rng), description(said), said


@cache
def _phrases() -> list[tuple[str, frozenset[str]]]:
    """Every phrase of the looks, the longest first, with the looks that have it."""
    meant: dict[str, set[str]] = {}
    for look, kinds in PHRASES.items():
        for phrase in (*kinds[0], *kinds[1]):
            meant.setdefault(phrase, set()).add(look)
    return [(phrase, frozenset(looks)) for phrase, looks in sorted(meant.items(), key=lambda item: -len(item[0]))]


def looks_of(text: str) -> list[frozenset[str]]:
    """The looks whose phrases are in the text, one set of possible looks for each phrase; longer phrases take their words first."""
    text, found = f" {plain(text)} ", []
    for phrase, looks in _phrases():
        if f" {phrase} " in text:
            found.append(looks)
            text = text.replace(f" {phrase} ", " | ")
    return found


def shows(text: str, looks: tuple[str, ...]) -> bool:
    """Whether a description asks for all of these looks."""
    found = looks_of(text)
    return all(any(look in possible for possible in found) for look in looks)


if __name__ == "__main__":
    generator, words = np.random.default_rng(0), sentences.lexicon()
    for _ in range(40):
        print(*pair(generator, words)[:2], sep="  →  ")
    bad = [(look, phrase) for look, kinds in PHRASES.items() for phrase in (*kinds[0], *kinds[1]) if not shows(phrase, (look,))]
    print("phrases that do not show their look:", bad)

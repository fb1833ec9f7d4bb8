"""What people say to a mirror: wishes over the looks and words of the image pack, and everything else that they say."""

import re
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from .. import prompts
from ..looks import LIGHT, STRUCTURE
from . import smalltalk
from .spelling import article, plain

# Each look's phrases as they are said: (things, manners).
PHRASES = {look: tuple(list(dict.fromkeys(plain(phrase) for phrase in kind)) for kind in kinds) for look, kinds in prompts.WORDS.items()}
SUBJECTS = list(dict.fromkeys(plain(subject) for subject in prompts.SUBJECTS))

# {a} is "a" or "an" or nothing, as the phrase wants it; {t} a thing, {m} a manner, {s} a subject, {n} a noun.
THINGS = """make {s} look like {a} {t}|make {s} look like {t}|turn {s} into {a} {t}|i want to be {a} {t}|i want to look like {a} {t}|show {s} as {a} {t}|paint {s} as {a} {t}|paint {s} like {a} {t}|draw {s} as {a} {t}|could you paint {s} as
{a} {t}|can you make {s} into {a} {t}|can you turn {s} into {a} {t}|i would like to be {a} {t}|i'd like to see {s} as {a} {t}|i'd love to be {a} {t}|give me {a} {t}|give {s} the look of {a} {t}|let me see {s} as {a} {t}|let's see {a} {t}|let's have
{a} {t}|let's try {a} {t}|what about {a} {t}|how about {a} {t}|make it {a} {t}|make it look like {a} {t}|make everything look like {a} {t}|change it to {a} {t}|change {s} into {a} {t}|switch to {t}|now {a} {t}|{a} {t}|{t}|{t} style|in the style
of {a} {t}|in {t} style|do {s} in {t} style|like {a} {t}|as {a} {t}|i want {a} {t} of {s}|{a} {t} of {s}|i wish i was {a} {t}|i wish this was {a} {t}|imagine {s} as {a} {t}|pretend that {s} is {a} {t}|transform {s} into {a} {t}|put {s} in {a} {t}|try
{a} {t}|try {t}|use the {t} look|use {t}|i feel like {a} {t}|it should look like {a} {t}|this should be {a} {t}|surprise me with {a} {t}|what would {s} look like as {a} {t}|what if {s} were {a} {t}|we want {a} {t}|we are in {a} {t}|everything is made
of {t}|{s} made of {t}|cover {s} in {t}|cover everything with {t}|i am thinking of {a} {t}|something with {t}|something like {a} {t}|more {t}|next {a} {t}|then {a} {t}|could i be {a} {t}|may i have {a} {t}|i need {a} {t}|somebody should paint {s}
as {a} {t}|hang {s} on the wall as {a} {t}|with {t}|with lots of {t}|under {t}|in {a} {t}|{s} in {a} {t}|{s} as {a} {t}|{s} like {a} {t}""".replace("\n", " ").split("|")
MANNERS = """make {s} {m}|make it {m}|make everything {m}|make it look {m}|make {s} look {m}|make it more {m}|turn {s} {m}|turn everything {m}|i want to be {m}|i want to look {m}|i want it {m}|i'd like {s} {m}|show {s} {m}|paint {s} {m}|paint it
{m}|can you make {s} {m}|could you make it {m}|could it be {m}|everything should be {m}|it should be {m}|{a} {m} {n}|i want {a} {m} {n}|show me {a} {m} {n}|{a} {m} version of {s}|something {m}|something more {m}|let it be {m}|let's be {m}|{m}|very
{m}|{m} style|all {m}|i feel {m}|how about {m}|what about something {m}|now {m}|we look {m}|i would like to see {s} {m}|give me something {m}|paint {a} {m} {n} of {s}|{s} but {m}|let me be {m}|{m} colours""".replace("\n", " ").split("|")
NATURAL = """back to normal|show me as i am|no effect|no style|no filter|take it off|take off the filter|stop it|stop that|reset|reset it|natural|normal|just the camera|as it is|leave it as it is|turn it off|show the original|the original|undo
that|remove the style|nothing please|show {s} as it is|go back|i want to see myself|be a normal mirror|just a mirror|switch it off|start over|clear everything|remove the effect|remove everything|show me the real {n}|as i really am|show me the real me|remove that|make it normal again|make me normal again|just the camera please|without style|without the filter|turn off the style|turn the filter off|stop painting|stop painting me|do not paint me|leave
me as i am|just me|a clean picture|the normal picture|show the camera|real life|the real world|back to real life|back to the camera|undo|undo everything|clear that|clear the picture|drop the filter|let me see the real me|let me see
myself|let me be myself|i want to be me|i want to be myself again|be a mirror|be a mirror again|like a normal mirror|i do not want a filter|i do not want this|no more|no more of that|show us as we are|as we are|what do i look
like|how do i look without it|go back to normal|back to the original|back to natural|the original picture please|the original picture|picture as it is|leave it|leave everything|everything normal|make everything normal|make it
natural|make me look natural|make me look normal|make me look like me|make me look like myself|i want to look normal|i want to look like me|turn everything off|switch everything off|switch the effect off|switch off the filter|turn
off the effect|turn it all off|take off everything|take that off|remove this|remove it|stop the effect|stop the filter|stop everything""".replace("\n", " ").split("|")
BEFORE = """please|okay|now|mirror|mirror mirror|hey mirror|mirror mirror on the wall|hello mirror|well|so|um|uh|and|oh|yes|come on|all right|then|hey""".split("|")
AFTER = """please|now|for me|thank you|if you can|this time|again|instead|right now|for a change|will you|today|okay|then|a bit""".split("|")

WEAK = [plain(word) for word in prompts.WEAK]
STRONG = [plain(word) for word in prompts.STRONG]
JOINTS = ["{x} and {y}", "{x} with {y}", "{x} in {y}", "{y} {x}", "{x} but {y}", "{x} at {y}"]

_STRUCTURES = [look.__name__ for look in STRUCTURE]
_LIGHTS = [look.__name__ for look in LIGHT] + [look for look in PHRASES if look.startswith("tint:")]
# Things of which one says "some" or nothing, not "a".
_MASS = re.compile(r".*(s|art|ink|gold|bronze|copper|brass|marble|stone|plaster|lava|fire|magma|hell|ice|frost|snow|neon|wool|yarn|knitting|sewing|needlework|lego|minecraft|charcoal|chalk|canvas|noir|tron|ascii|code|autumn|winter|spring|fall|october|november|"
                   r"december|january|christmas|night|midnight|moonlight|candlelight|dusk|dawn|light|treasure|newsprint|psychedelia|tie dye|lsd|fog|mist|haze|candy|sakura|vaporwave|synthwave|retrowave|cyberpunk|atlantis|monet|rembrandt|gogh|warhol|hokusai|science fiction|sci fi|lo fi|vision|matrix|foliage|dithering|pointillism|impasto|embroidery|stitching)$")  # fmt: skip


@dataclass
class Said:
    """A sentence as it is said. kind: look, open (a look with words that no pack knows), natural, talk, refused or salad (words in no order)."""

    text: str
    kind: str
    looks: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    subject: str = ""
    amount: str = ""


def held_out(carrier: str) -> bool:
    """A fifth of the wordings, by what they are and not by their place in a list: those are for evaluation alone."""
    return zlib.crc32(carrier.encode()) % 5 == 0


def wordings(carriers: list[str], test: bool) -> list[str]:
    return [carrier for carrier in carriers if held_out(carrier) == test]


def _pick(of, rng: np.random.Generator) -> str:
    return of[rng.integers(len(of))]


# The generator of typed requests has more carriers; its articles are put right. It owns {a}-less forms.
_TYPED = [re.sub(r"\ba \{t\}", "{a} {t}", plain_carrier) for plain_carrier in (re.sub(r"[^a-z'{} ]+", " ", carrier) for carrier in prompts.THING_CARRIERS)]
_CARRIERS = {
    test: {"thing": wordings(list(dict.fromkeys([*THINGS, *map(str.strip, _TYPED)])), test), "manner": wordings(MANNERS, test), "natural": wordings(NATURAL, test), "talk": wordings(smalltalk.TALK, test), "short": wordings(smalltalk.SHORT, test)}
    for test in (False, True)
}


def _fill(carrier: str, rng: np.random.Generator, phrase: str = "") -> tuple[str, str]:
    """The sentence, and the subject that came into it."""
    subject = _pick(SUBJECTS, rng) if rng.random() < 0.4 else _pick(["me", "us", "myself", "it", "this", "everything", "my face", "the room", "the picture"], rng)
    said = carrier.replace("{s}", subject).replace("{n}", _pick(prompts.NOUNS, rng))
    said = said.replace("{a}", "" if _MASS.fullmatch(phrase) else article(phrase)).replace("{t}", phrase).replace("{m}", phrase)
    return plain(said), subject if "{s}" in carrier else ""


def _dressed(text: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.22:
        text = f"{_pick(BEFORE, rng)} {text}"
    if rng.random() < 0.15:
        text = f"{text} {_pick(AFTER, rng)}"
    return text


def wish(rng: np.random.Generator, look: str | None = None, test: bool = False, pairs: float = 0.15) -> Said:
    """A wish for one look, in a share of `pairs` for a second one as well, or in one of fourteen for more or less of it."""
    carriers = _CARRIERS[test]
    chosen = look or _pick(list(PHRASES), rng)
    things, manners = PHRASES[chosen]
    manner = bool(manners) and rng.random() < len(manners) / (len(things) + len(manners))
    phrase = _pick(manners if manner else things, rng)
    looks, phrases, spoken, amount = (chosen,), (phrase,), phrase, ""
    dice = rng.random()
    if look is None and dice < pairs:
        second = _pick(_LIGHTS if chosen in _STRUCTURES else _STRUCTURES, rng)
        other = _pick(PHRASES[second][0] + PHRASES[second][1], rng)
        joint = _pick(JOINTS, rng)
        spoken, looks = joint.format(x=phrase, y=other), (chosen, second)
        phrases = (phrase, other)
    elif dice < pairs + 0.07:
        amount = _pick(WEAK if rng.random() < 0.6 else STRONG, rng)
        spoken = f"{amount} {phrase}"
    text, subject = _fill(_pick(carriers["manner" if manner else "thing"], rng), rng, spoken)
    return Said(_dressed(text, rng), "look", looks, phrases, subject, amount)


def natural(rng: np.random.Generator, test: bool = False) -> Said:
    """The wish for no look."""
    text, subject = _fill(_pick(_CARRIERS[test]["natural"], rng), rng)
    return Said(_dressed(text, rng), "natural", subject=subject)


def talk(rng: np.random.Generator, test: bool = False) -> Said:
    """What is said before a mirror and is no wish."""
    carriers = _CARRIERS[test]["short" if rng.random() < 0.25 else "talk"]
    return Said(plain(smalltalk.fill(_pick(carriers, rng), rng)), "talk")


def anything(rng: np.random.Generator, lexicon: list[str], test: bool = False) -> Said:
    """One sentence of any kind, in the shares that the listener is trained with."""
    kind, carriers = rng.random(), _CARRIERS[test]
    if kind < 0.68:
        return wish(rng, test=test)
    if kind < 0.72:
        return natural(rng, test)
    if kind < 0.75:
        phrase = _pick(smalltalk.REFUSED, rng)
        text, subject = _fill(_pick(carriers["thing"], rng).replace("{a} ", ""), rng, phrase)
        return Said(_dressed(text, rng), "refused", phrases=(phrase,), subject=subject)
    if kind < 0.91:
        return talk(rng, test)
    # Words in no order: the ear must not rest on what usually follows what.
    count = int(rng.integers(2, 8))
    return Said(" ".join(_pick(lexicon, rng) for _ in range(count)), "salad")


def strange(rng: np.random.Generator, known: list[str]) -> Said:
    """A sentence that nobody can guess: words in no order, or a wish or talk with other words in it.

    From sentences by rule alone the listener learned the sentences: of those that it had trained on it misheard one word in
    nine, of new ones by the same voices one in three.
    """
    word = lambda: _pick(known if rng.random() < 0.4 else dictionary(), rng)  # noqa: E731
    if rng.random() < 0.5:
        return Said(" ".join(word() for _ in range(int(rng.integers(1, 8)))), "salad")
    usual, share = anything(rng, known).text.split(), rng.uniform(0.2, 0.7)
    return Said(plain(" ".join(word() if rng.random() < share else one for one in usual)), "salad")


@cache
def dictionary() -> list[str]:
    """English words, a to z, of Debian's package wamerican (SCOWL, freely licensed)."""
    path = Path("/usr/share/dict/american-english")
    if not path.exists():
        raise SystemExit(f"{path} is needed: apt-get install wamerican")
    return [plain(word) for word in re.findall(r"^[a-z]{2,10}$", path.read_text(), re.MULTILINE)]


def lexicon() -> list[str]:
    """Every word that can be said, sorted."""
    texts = [plain(re.sub(r"\{.\}", " ", text)) for text in (*THINGS, *MANNERS, *NATURAL, *BEFORE, *AFTER, *_TYPED, *JOINTS)]
    texts += [*SUBJECTS, *prompts.NOUNS, *WEAK, *STRONG, *(phrase for kinds in PHRASES.values() for kind in kinds for phrase in kind)]
    words = {word for text in texts for word in text.split()} | set(smalltalk.words()) | {plain(word) for word in smalltalk.words()}
    return sorted({part for word in words | {"a", "an"} for part in word.split()})


if __name__ == "__main__":
    generator, known = np.random.default_rng(0), lexicon()
    for _ in range(60):
        print(anything(generator, known))
    print(len(known), "words;", {test: {kind: len(of) for kind, of in kinds.items()} for test, kinds in _CARRIERS.items()})

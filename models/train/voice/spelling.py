"""One way of writing each thing that is said: what a recogniser can know from the sound alone.

"Colour" and "color", "x-ray" and "xray" sound alike, so they are one word here, in training and in every comparison.
"""

import re

# Other spellings and other ways of parting the same words → ours. The right-hand sides are words of `prompts.WORDS`, where it has them.
SAME = {
    "color": "colour", "colors": "colours", "colored": "coloured", "colorful": "colourful", "colouring": "colouring", "watercolor": "watercolour", "watercolors": "watercolours",
    "water colour": "watercolour", "water color": "watercolour", "gray": "grey", "grayscale": "greyscale", "cozy": "cosy", "center": "centre", "favorite": "favourite",
    "xray": "x ray", "gameboy": "game boy", "nightvision": "night vision", "heatmap": "heat map", "popart": "pop art", "nighttime": "night time", "moon light": "moonlight",
    "candle light": "candlelight", "wood cut": "woodcut", "under water": "underwater", "synth wave": "synthwave", "vapor wave": "vaporwave", "vapour wave": "vaporwave", "vapourwave": "vaporwave",
    "cyber punk": "cyberpunk", "cross hatching": "crosshatching", "black board": "blackboard", "news paper": "newspaper", "head lines": "headlines", "ok": "okay",
    "80s": "eighties", "1980s": "nineteen eighties", "3d": "three d", "8bit": "eight bit", "alright": "all right", "goodbye": "good bye",
}  # fmt: skip
_SAME = re.compile(r"\b(" + "|".join(sorted(map(re.escape, SAME), key=len, reverse=True)) + r")\b")

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def number(value: int) -> str:
    """0 to 9999 in words, years as they are said: 1989 is nineteen eighty nine."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10] + (f" {_ONES[value % 10]}" if value % 10 else "")
    if 1100 <= value < 2000 and value % 100:
        return f"{number(value // 100)} {number(value % 100)}"
    if value < 1000:
        return f"{_ONES[value // 100]} hundred" + (f" and {number(value % 100)}" if value % 100 else "")
    return f"{number(value // 1000)} thousand" + (f" {number(value % 1000)}" if value % 1000 else "")


def plain(text: str) -> str:
    """Lower-case words a to z with their apostrophes, single spaces; numbers up to 9999 in words."""
    text = text.lower().replace("’", "'")
    text = _SAME.sub(lambda found: SAME[found[0]], " ".join(re.findall(r"[a-z0-9']+", text)))
    text = re.sub(r"\b\d{1,4}\b", lambda found: number(int(found[0])), text)
    words = (word.strip("'") for word in re.findall(r"[a-z']+", text))
    return " ".join(word for word in words if word)


def article(noun: str) -> str:
    """a or an, as it is said."""
    return "an" if re.match(r"(?!eu|uni|one)[aeiou]|8|x ", noun) else "a"


def errors(said: list[str], heard: list[str]) -> int:
    """Words put in, left out or wrong (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]

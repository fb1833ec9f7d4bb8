"""What people type: thousands of phrasings for each look, and a tokenizer over their words."""

import re
from dataclasses import dataclass

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from .looks import LIGHT, LOOKS, STRUCTURE, TINTS

TOKENS = 32
PAD, BEGIN, END, UNKNOWN = "<pad>", "<begin>", "<end>", "<unknown>"

# For each look: things ("a …"), and manners (adjectives, places, light: "… city", "everything is …").
WORDS: dict[str, tuple[list[str], list[str]]] = {
    "pencil": (["pencil drawing", "pencil sketch", "graphite drawing", "graphite sketch", "pencil", "sketch", "drawing", "hand drawn sketch", "pencil portrait", "drawn picture"], ["sketched", "pencilled", "drawn", "hand drawn"]),
    "charcoal": (["charcoal drawing", "charcoal sketch", "charcoal", "charcoal portrait", "drawing in charcoal", "coal drawing", "smudged charcoal"], ["charcoal", "smudged", "sooty"]),
    "ink": (["ballpoint drawing", "ink drawing", "pen drawing", "ballpoint pen", "biro drawing", "pen and ink", "ink sketch", "blue ink sketch", "crosshatching", "doodle", "etching", "engraving"], ["inked", "crosshatched", "doodled", "engraved", "etched"]),
    "chalkboard": (["chalk drawing", "chalkboard", "blackboard", "chalk sketch", "drawing on a blackboard", "school chalkboard", "chalk"], ["chalky", "chalked"]),
    "blueprint": (["blueprint", "technical drawing", "architect's plan", "construction plan", "engineering drawing", "schematic", "floor plan"], ["blueprinted", "technical", "schematic"]),
    "oil": (["oil painting", "oil paint", "oil on canvas", "painting", "impressionist painting", "van gogh", "van gogh painting", "rembrandt", "monet", "brush strokes", "canvas", "renaissance painting", "impasto", "masterpiece", "acrylic painting"], ["painterly", "painted", "impressionist", "brushed"]),
    "watercolour": (["watercolour", "watercolor", "watercolour painting", "watercolor painting", "aquarelle", "gouache", "ink wash", "watercolor wash", "water colour", "water color painting"], ["washed", "watercoloured"]),
    "pointillism": (["pointillism", "pointillist painting", "seurat", "painting made of dots", "coloured dots", "colored dots", "dot painting", "confetti"], ["pointillist", "dotted", "stippled"]),
    "comic": (["comic", "comic book", "cartoon", "graphic novel", "anime", "manga", "cel shading", "comic strip", "superhero comic", "animated film", "cartoon character", "illustration", "caricature"], ["cartoonish", "cartoony", "animated", "cel shaded"]),
    "popart": (["pop art", "warhol", "andy warhol", "popart", "screen print", "silkscreen", "pop art poster", "poster", "warhol print"], ["pop", "screenprinted"]),
    "halftone": (["halftone", "newspaper", "newsprint", "newspaper photo", "newspaper print", "printed dots", "black dots", "magazine print", "press photo", "roy lichtenstein"], ["halftoned", "printed"]),
    "linocut": (["linocut", "woodcut", "wood cut", "lino print", "woodblock print", "block print", "wood engraving", "linoleum print", "stencil", "hokusai"], ["carved", "cut in wood"]),
    "pixel": (["pixel art", "pixels", "8 bit", "8 bit game", "retro game", "arcade game", "minecraft", "video game", "nes game", "low resolution", "sprite", "computer game"], ["pixelated", "pixelly", "blocky", "eight bit"]),
    "mosaic": (["mosaic", "roman mosaic", "tiles", "ceramic tiles", "tile mosaic", "bathroom tiles", "tessellation", "byzantine mosaic"], ["tiled", "tessellated"]),
    "stainedglass": (["stained glass", "stained glass window", "church window", "cathedral window", "leaded glass", "glass window", "tiffany glass"], ["stained", "leaded"]),
    "bricks": (["lego", "toy bricks", "lego bricks", "plastic bricks", "building bricks", "lego figure", "building blocks", "toy blocks"], ["bricky"]),
    "stitches": (["cross stitch", "embroidery", "needlework", "knitting", "stitching", "tapestry", "knitted sweater", "wool", "yarn", "sewing", "needlepoint"], ["embroidered", "stitched", "knitted", "woven", "woolly"]),
    "marble": (["marble statue", "marble", "stone statue", "sculpture", "greek statue", "marble bust", "stone", "plaster", "roman statue", "carved stone", "relief"], ["sculpted", "stony", "petrified"]),
    "gold": (["gold statue", "gold", "golden statue", "gold bar", "gold leaf", "gold coin", "treasure", "solid gold"], ["golden", "gilded", "gold plated"]),
    "bronze": (["bronze statue", "bronze", "copper", "bronze sculpture", "copper statue", "rusty metal", "bronze medal", "metal statue", "brass"], ["metallic", "coppery", "rusty"]),
    "lava": (["lava", "fire", "flames", "magma", "volcano", "molten lava", "inferno", "hell", "embers", "blaze"], ["burning", "fiery", "on fire", "molten", "volcanic", "ablaze", "in flames"]),
    "ice": (["ice", "ice sculpture", "frost", "ice crystal", "glacier", "crystal", "iceberg", "frozen ice"], ["frozen", "icy", "frosty", "frosted", "glacial", "crystalline"]),
    "neon": (["neon lights", "neon", "neon sign", "neon glow", "glowing lines", "glowing outlines", "tron", "light tubes", "laser lines", "disco lights"], ["glowing", "neon lit", "luminous", "fluorescent"]),
    "thermal": (["thermal camera", "thermal image", "heat map", "infrared camera", "heat vision", "thermal vision", "thermography", "predator vision", "heatmap", "thermal"], ["infrared", "heat sensing"]),
    "matrix": (["matrix", "green terminal", "hacker terminal", "computer code", "ascii art", "green code", "terminal", "the matrix", "falling code", "hacker screen", "ascii"], ["coded", "hacked"]),
    "gameboy": (["gameboy", "game boy", "handheld console", "green lcd", "game boy screen", "nintendo", "dithering", "gameboy game", "tamagotchi"], ["dithered"]),
    "glitch": (["glitch", "glitch art", "broken screen", "digital error", "rgb shift", "vhs", "vhs tape", "bad signal", "corrupted video", "chromatic aberration", "3d glasses", "broken television"], ["glitchy", "glitched", "corrupted", "distorted"]),
    "xray": (["x ray", "xray", "negative", "photo negative", "radiograph", "x ray image", "inverted colours", "film negative", "skeleton scan"], ["inverted", "radiographic"]),
    "psychedelic": (["psychedelic", "acid trip", "rainbow", "lsd", "kaleidoscope", "hippie poster", "tie dye", "rainbow colours", "psychedelia", "hallucination"], ["psychedelic", "trippy", "rainbow coloured", "hallucinogenic"]),
    "sepia": (["sepia photo", "sepia", "old photograph", "vintage photo", "antique photo", "daguerreotype", "victorian photograph", "old photo", "wild west photo", "faded photograph"], ["sepia", "vintage", "antique", "old fashioned", "victorian", "nostalgic"]),
    "noir": (["film noir", "black and white film", "black and white photo", "noir", "monochrome photo", "black and white", "silent movie", "detective movie", "greyscale", "grayscale", "charlie chaplin film"], ["monochrome", "noir", "colourless", "black and white"]),
    "sunset": (["sunset", "sunrise", "golden hour", "evening sun", "dusk", "dawn", "evening light", "sundown", "desert"], ["sunlit", "at sunset", "at dusk", "at dawn", "tropical"]),
    "night": (["night", "moonlight", "midnight", "night scene", "nighttime", "dark night", "moon light", "full moon", "starry night"], ["nocturnal", "moonlit", "at night", "at midnight"]),
    "autumn": (["autumn", "fall colours", "autumn leaves", "autumn colours", "autumn colors", "october", "fall foliage", "november", "indian summer", "fall"], ["autumnal", "in autumn"]),
    "winter": (["winter", "snow", "snowfall", "winter landscape", "blizzard", "christmas", "snowy day", "january", "snowstorm", "december"], ["snowy", "wintry", "snow covered", "covered in snow", "in winter"]),
    "underwater": (["underwater scene", "ocean", "sea", "deep sea", "aquarium", "under water", "coral reef", "atlantis", "bottom of the sea", "swimming pool", "submarine"], ["underwater", "submerged", "drowned", "under the sea"]),
    "vaporwave": (["vaporwave", "synthwave", "retrowave", "eighties", "80s", "1980s", "outrun", "miami vice", "80s synth", "lo fi"], ["retro", "eighties", "vaporwave"]),
    "candlelight": (["candlelight", "candle light", "fireplace", "candle", "campfire", "lantern", "caravaggio", "lamp light", "torch light"], ["candlelit", "dimly lit", "cosy", "cozy"]),
    "blossom": (["cherry blossom", "blossom", "sakura", "spring", "flowers", "barbie", "bubblegum", "valentine", "rose garden", "candy"], ["rosy", "springlike", "girly", "blooming"]),
    "cyberpunk": (["cyberpunk", "cyberpunk city", "blade runner", "science fiction", "sci fi", "futuristic city", "cyborg", "android", "robot", "hologram", "future", "cyberpunk hacker", "city of the future", "hacker of the future", "future world", "cyberpunk street"], ["cyberpunk", "futuristic", "dystopian", "cybernetic"]),
    "nightvision": (["night vision", "night vision goggles", "night vision camera", "surveillance camera", "security camera", "military goggles", "nightvision", "goggles", "spy camera"], ["nightvision", "spying"]),
    "pastel": (["pastel", "pastel drawing", "soft pastel", "pastel colours", "pastel colors", "dream", "faded colours", "mist", "fog", "haze", "cloud"], ["pastel coloured", "dreamy", "foggy", "misty", "hazy", "soft"]),
}  # fmt: skip
for _colour in TINTS:
    _others = {"turquoise": ["teal", "cyan", "aqua"], "purple": ["violet", "lilac", "lavender"], "red": ["crimson", "scarlet", "ruby"], "green": ["emerald", "lime", "jade"], "blue": ["navy", "azure", "sapphire"], "orange": ["amber", "tangerine"], "yellow": ["lemon", "mustard"], "pink": ["magenta", "rose"]}[_colour]
    _all = [_colour, *_others]
    WORDS[f"tint:{_colour}"] = ([f"{c} {n}" for c in _all for n in ("light", "colours", "filter", "tint")], [*_all, *(f"in {c}" for c in _all), *(f"all {c}" for c in _all)])

# What the page suggests.
EXAMPLES = {
    "popart": "pop art", "pixel": "pixel art", "stainedglass": "a stained glass window", "bricks": "make me out of lego", "marble": "turn me into a marble statue",
    "gold": "a gold statue", "lava": "everything is made of lava", "ice": "frozen in ice", "neon": "neon lights", "thermal": "a thermal camera", "matrix": "a green terminal like the matrix",
    "gameboy": "a gameboy screen", "xray": "an x-ray", "psychedelic": "psychedelic rainbow", "noir": "film noir", "night": "the room at night", "autumn": "autumn leaves", "winter": "a snowy winter",
    "underwater": "under water", "vaporwave": "vaporwave", "candlelight": "by candlelight", "blossom": "cherry blossom", "cyberpunk": "a cyberpunk city", "nightvision": "night vision goggles",
    "pastel": "soft pastel colours", "oil": "an oil painting", "ink": "a ballpoint drawing", "pointillism": "pointillism", "stitches": "cross stitch", "glitch": "glitch art",
}  # fmt: skip

SUBJECTS = """me, us, myself, him, her, them, it, you, my face, my cat, my dog, a cat, a dog, a woman, a man, a girl, a boy, a child, my mother, my father, my friend, our family, two people, a couple, a crowd, a dancer,
a king, a queen, a princess, a knight, a pirate, a wizard, a clown, a teacher, the room, this room, the kitchen, the office, my house, a castle, the city, the street, the garden, a forest, a mountain, the sky, a lake, a river, a beach, a car, a bicycle, a train,
a ship, a bridge, a tower, a tree, a bird, a horse, a lion, a tiger, a dragon, a guitar, a piano, a cup of coffee, a cake, the table, a chair, the wall, a hat, glasses, a smile, hands, the scene, the picture, this picture, everything, the world, the view, the background,
the whole thing, the camera, my portrait, a portrait, an old man, a young woman, a baby, a landscape, a still life, a village, a market, a shop, a school, a library, an actor, a singer, a doctor, a chef, friends, people, students, a team, a party, a wedding, a concert""".replace("\n", " ").split(", ")

THING_CARRIERS = """{t}|a {t}|{t} please|{t} style|in {t} style|in the style of a {t}|in the style of {t}|style of {t}|{s} as a {t}|{s} as {t}|{s} in a {t}|{s} like {t}|a {t} of {s}|{t} of {s}|{s}, {t}|{t}, {s}|make {s} look like a {t}|make {s} look like {t}|
make {s} into a {t}|turn {s} into a {t}|turn {s} into {t}|transform {s} into a {t}|change {s} to {t}|i want to be a {t}|i want {t}|i'd love to be in a {t}|i would like to see a {t}|can you make it a {t}|can i have {t}|could we try {t}|give me {t}|give {s} a {t} look|
show {s} as a {t}|show me {t}|paint {s} as a {t}|draw {s} as a {t}|render {s} as {t}|as if {s} were a {t}|as a {t}|like a {t}|like {t}|just {t}|now {t}|let's do {t}|let us try a {t}|how about a {t}|what about {t}|{t} effect|{t} filter|{t} look|apply {t}|use {t}|
a beautiful {t}|a detailed {t} of {s}, high quality|{t}, highly detailed, masterpiece quality|{s} made of {t}|{s} made out of {t}|{s} with {t}|{s} in {t}|lots of {t}|full of {t}|{s} surrounded by {t}|this should look like a {t}|it should be {t}|mirror mirror, {t}|hey mirror, make me a {t}|
imagine {s} as a {t}|pretend {s} is a {t}|we are in a {t}|i am a {t}|best quality {t} of {s}|a {t} with {s}|{t} art|{t} version of {s}|{t} picture|{t} image of {s}|a photo in {t} style|do a {t}|put {s} in a {t}|under the {t}|under {t}|{s} under the {t}|below the {t}|by the {t}|near {t}|inside a {t}|
me as a {t}|i'd love to be a {t}|i'd love to be in {t}|i would love to be in a {t}|make me a {t}|look like a {t}|in a world of {t}|a world of {t}|the best {t}|{t} everywhere|{t} with lots of {t}""".replace("\n", "").split("|")
MANNER_CARRIERS = """{m}|{m} {n}|{m} style|a {m} {n}|make {s} {m}|make it {m}|make everything {m}|everything is {m}|{s} is {m}|{s}, {m}|{m}, {s}|{m} look|it should look {m}|i want to look {m}|i feel {m}|turn {s} {m}|very {m} {n}|let it be {m}|all {m}|{m} please|
{s} but {m}|{s} looks {m}|can you make {s} {m}|show {s} {m}|something {m}|more {m}|{m} version of {s}|{m} picture of {s}|a {m} portrait|a {m} picture of {s}|a {m} version""".replace("\n", "").split("|")
NOUNS = "portrait picture image face room city street world scene landscape garden house person man woman cat dog people view photo".split()
PLAIN = """{s}|a picture of {s}|a photo of {s}|show me {s}|nothing|natural|normal|no style|no filter|as it is|just {s}|photo|photograph|realistic|a realistic photo of {s}|the original|original|plain|leave {s} alone|leave it|reset|off|stop|no change|keep it|real|hello|hi there|
good morning|thank you|what is this|who are you|how are you|i like {s}|look at {s}|{s} and {s}|unchanged|clean|none|nothing special|true to life|mirror mirror on the wall|beautiful|nice|high quality, detailed|portrait|a camera picture|take a picture of {s}|where is {s}""".replace("\n", "").split("|")
FILLERS = "please now really just so totally nicely again today somehow kind super beautiful amazing detailed big small old new ok okay hmm well and the a with some".split()
WEAK = ["slightly", "a bit", "a little", "a hint of", "somewhat", "a touch of", "subtle", "lightly", "half", "mildly", "barely"]
STRONG = ["very", "extremely", "really", "strongly", "totally", "completely", "full", "super", "much more"]

# Never generated in training; the evaluation asks with them.
HELD_OUT_CARRIERS = ["we should all become a {t}", "what would {s} be like as a {t}", "{t} mode on", "surprise {s} with a {t}", "it has to be {t} tonight my dear", "convert this into {t}"]


@dataclass
class Request:
    """What is asked for: the text, the look it means, and how much of it."""

    text: str
    look: str
    amount: float = 1.0


def _fill(carrier: str, rng: np.random.Generator, **parts: str) -> str:
    while "{s}" in carrier:
        carrier = carrier.replace("{s}", SUBJECTS[rng.integers(len(SUBJECTS))], 1)
    return carrier.replace("{n}", NOUNS[rng.integers(len(NOUNS))]).format(**parts)


def _one(look: str, rng: np.random.Generator) -> str:
    things, manners = WORDS[look]
    if rng.random() < len(things) / (len(things) + len(manners)):
        return _fill(str(rng.choice(THING_CARRIERS)), rng, t=str(rng.choice(things)))
    return _fill(str(rng.choice(MANNER_CARRIERS)), rng, m=str(rng.choice(manners)))


def _phrase(look: str, rng: np.random.Generator) -> str:
    things, manners = WORDS[look]
    return str(rng.choice(things + manners))


def _noise(text: str, keep: set[str], rng: np.random.Generator) -> str:
    """Words that mean nothing, here and there: fillers, words nobody knows, words left out."""
    words = []
    share = rng.choice([0.0, 0.0, 0.1, 0.25])
    for word in text.split():
        plain = word.strip(",.!?'")
        if plain not in keep and rng.random() < share:
            if rng.random() < 0.5:
                words.append("qqunknown")
            continue
        if rng.random() < share / 2:
            words.append("qqunknown" if rng.random() < 0.6 else str(rng.choice(FILLERS)))
        words.append(word)
    return " ".join(words)


_PALETTES = [look.__name__ for look in LIGHT if look.__name__ not in ("cyberpunk", "nightvision")] + [f"tint:{c}" for c in TINTS]
_STRUCTURES = [look.__name__ for look in STRUCTURE]
_KEEP = {word for things, manners in WORDS.values() for phrase in things + manners for word in re.findall(r"[a-z0-9]+", phrase)}
_KEEP |= {word for phrase in WEAK for word in phrase.split()} - {"a"} | {"no", "not"}


def request(rng: np.random.Generator, look: str | None = None, chances: np.ndarray | None = None) -> Request:
    """One thing that somebody might say; `chances` of each of LOOKS, alike by default."""
    kind = rng.random()
    if look is None:
        if kind < 0.06:
            return Request("" if rng.random() < 0.4 else " ".join(["qqunknown"] * int(rng.integers(1, 12))), "natural")
        if kind < 0.10:
            return Request(_noise(_fill(str(rng.choice(PLAIN)), rng), set(), rng), "natural")
        if kind < 0.26:
            first, second = str(rng.choice(_STRUCTURES)), str(rng.choice(_PALETTES))
            a, b = _phrase(first, rng), _phrase(second, rng)
            joined = rng.choice([f"{a} in {b}", f"{a} and {b}", f"{b} {a}", f"{a}, {b}", f"{a} with {b}", f"{b}, {a}", f"{_one(first, rng)}, {b}", f"{_one(first, rng)} and {b}", f"{a} at {b}", f"{a} of {b}", f"{_one(second, rng)} as {a}"])
            return Request(_noise(str(joined), _KEEP, rng), f"{first}+{second}")
        look = str(rng.choice(list(LOOKS), p=chances)) if rng.random() < 0.93 else f"tint:{rng.choice(list(TINTS))}"
    if rng.random() < 0.08:
        return Request(_noise(f"{rng.choice(WEAK)} {_one(look, rng) if rng.random() < 0.4 else _phrase(look, rng)}", _KEEP, rng), look, 0.5)
    if rng.random() < 0.08:
        return Request(_noise(f"{rng.choice(STRONG)} {_phrase(look, rng)}", _KEEP, rng), look)
    return Request(_noise(_one(look, rng), _KEEP, rng), look)


# --- tokenizer --------------------------------------------------------------------------------------------------------


def _words_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower().replace("'", ""))


def _slips(word: str) -> set[str]:
    """One letter missing, doubled, or two swapped: what fingers and recognisers do."""
    dropped = {word[:i] + word[i + 1 :] for i in range(1, len(word))}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1)}
    doubled = {word[:i] + word[i] + word[i:] for i in range(len(word))}
    return (dropped | swapped | doubled) - {word}


def vocabulary() -> dict[str, int]:
    """Word → id. Plurals and slips of the keyboard share the id of the word that they mean."""
    texts = [*SUBJECTS, *NOUNS, *FILLERS, *WEAK, *STRONG, *(re.sub(r"\{.\}", " ", c) for c in [*THING_CARRIERS, *MANNER_CARRIERS, *PLAIN])]
    texts += [phrase for things, manners in WORDS.values() for phrase in things + manners]
    table = {special: i for i, special in enumerate((PAD, BEGIN, END, UNKNOWN))}
    for text in texts:
        for word in _words_of(text):
            table.setdefault(word, len(table))
    words = [word for word in table if not word.startswith("<")]
    alike: dict[str, set[int]] = {}
    for word in words:
        if word in _KEEP and len(word) >= 3:
            alike.setdefault(word + "s", set()).add(table[word])
        if word in _KEEP and len(word) >= 6:
            for slip in _slips(word):
                alike.setdefault(slip, set()).add(table[word])
    for slip, ids in sorted(alike.items()):
        if slip not in table and len(ids) == 1:
            table[slip] = ids.pop()
    return table


def tokenizer() -> Tokenizer:
    """Lower case, accents off, words of letters and digits; 32 tokens, cut and padded inside."""
    table = vocabulary()
    made = Tokenizer(models.WordLevel(table, unk_token=UNKNOWN))
    made.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Replace("'", ""), normalizers.Replace("’", "")])
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^\p{L}\p{N}]+"), behavior="removed")
    made.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A {END}", special_tokens=[(BEGIN, table[BEGIN]), (END, table[END])])
    made.enable_truncation(TOKENS)
    made.enable_padding(length=TOKENS, pad_id=table[PAD], pad_token=PAD)
    return made


def vocabulary_size() -> int:
    return max(vocabulary().values()) + 1


if __name__ == "__main__":
    generator = np.random.default_rng(0)
    for _ in range(40):
        print(request(generator))
    t = tokenizer()
    print(vocabulary_size(), len(vocabulary()), t.encode("Make me look like an oil paintng, s'il vous plaît!").tokens)

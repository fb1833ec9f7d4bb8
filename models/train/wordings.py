"""What the evaluation asks for: sentences that no training has seen."""

import numpy as np

from . import prompts

# Two requests a look in words of their own, written without looking at the generator's carriers. Never change the generator
# because one of them fails: write a new one.
ASKED = {
    "pencil": ("could somebody sketch me with a pencil", "I wish this was drawn with a soft pencil on white paper"),
    "charcoal": ("a dark charcoal drawing of an old sailor", "smudge my face with charcoal like an art student"),
    "ink": ("doodled with a blue ballpoint pen in my notebook", "scribbled with a biro during a boring lesson"),
    "chalkboard": ("the teacher drew me on the blackboard with chalk", "chalk lines on the school board"),
    "blueprint": ("an engineer's blueprint of my kitchen", "the architect's blueprint for the new station"),
    "oil": ("van gogh would have painted me", "a thick oil painting that hangs in a gallery"),
    "watercolour": ("delicate watercolour on wet paper", "my aunt paints watercolours of her holidays"),
    "pointillism": ("thousands of coloured dots like seurat", "let seurat paint us with his dots"),
    "comic": ("I'd love to be in a comic book", "my life as a saturday morning cartoon"),
    "popart": ("Andy Warhol pop art", "hang me beside marilyn like warhol did"),
    "halftone": ("front page of a newspaper from the fifties", "printed in yesterday's newspaper"),
    "linocut": ("a japanese woodcut", "we cut a linocut in art class"),
    "pixel": ("an 8 bit video game hero", "chunky pixels from an arcade game"),
    "mosaic": ("a roman mosaic on a villa floor", "put together from little mosaic tiles"),
    "stainedglass": ("the stained glass of a gothic cathedral", "light falls through a church window onto us"),
    "bricks": ("build me from lego", "my son made this out of lego bricks"),
    "stitches": ("grandma made an embroidery of us", "cross stitch on a cushion"),
    "marble": ("a greek marble statue in the museum", "michelangelo carved it in marble"),
    "gold": ("everything king midas touches becomes gold", "cover the whole place in gold"),
    "bronze": ("cast in bronze for the town square", "an ancient bronze found in the harbour"),
    "lava": ("the floor is lava and we are burning", "hot lava pours from the volcano"),
    "ice": ("trapped inside frozen ice", "carve it from a block of ice"),
    "neon": ("las vegas neon lights", "bent out of neon tubes above a bar"),
    "thermal": ("seen by a thermal camera", "what does the thermal imager see"),
    "matrix": ("neo sees the matrix", "green letters rain down the terminal"),
    "gameboy": ("an old gameboy from 1989", "playing on my gameboy under the blanket"),
    "glitch": ("a glitch in the video signal", "the video file is corrupted and full of glitches"),
    "xray": ("the doctor took an x-ray", "show my bones on an xray"),
    "psychedelic": ("a psychedelic trip at woodstock", "swirling psychedelic colours of the sixties"),
    "sepia": ("an old sepia photograph of my great grandfather", "brown and faded like a sepia print"),
    "noir": ("a detective in a film noir", "shot on black and white film"),
    "sunset": ("walking along the shore at sunset", "the sun goes down, a warm sunset"),
    "night": ("moonlight in the middle of the night", "out on the street late at night"),
    "autumn": ("colourful autumn leaves", "leaves are falling, autumn is here"),
    "winter": ("deep snow in the winter", "let it snow, let it snow"),
    "underwater": ("diving underwater with fish", "down at the coral reef"),
    "vaporwave": ("vaporwave aesthetic", "a synthwave album from the eighties"),
    "candlelight": ("dinner by candlelight", "a single candle lights us"),
    "blossom": ("under the cherry blossom in japan", "cherry blossoms drift through the park"),
    "cyberpunk": ("cyberpunk hacker of the future", "rainy streets of a cyberpunk city"),
    "nightvision": ("a soldier with night vision goggles", "filmed through a night vision scope"),
    "pastel": ("soft pastel colours", "everything in gentle pastel shades"),
}  # fmt: skip

# Text without a look leaves the picture as it is.
UNKNOWN = ["", "zxqv blorp", "my holiday in Portugal was expensive", "東京 タワー", "¿qué hora es?", "the quarterly report is due", "hello how are you today", "a photograph of a bus"]

# Two looks at once.
PAIRS = [
    ("oil+autumn", "Oil painting in autumn colours"), ("pencil+tint:red", "a pencil drawing in red"), ("pixel+night", "pixel art at night"),
    ("comic+sunset", "a comic at sunset"), ("mosaic+underwater", "an underwater mosaic"), ("stitches+winter", "embroidery in the snow"),
]  # fmt: skip


def spoken(name: str) -> str:
    """The plainest wording."""
    return prompts.EXAMPLES.get(name, "a " + prompts.WORDS[name][0][0])


def held_out_carrier(name: str, rng: np.random.Generator) -> str:
    """One of the look's words in a sentence that the generator does not make."""
    return prompts._fill(str(rng.choice(prompts.HELD_OUT_CARRIERS)), rng, t=str(rng.choice(prompts.WORDS[name][0])))

"""The looks as image procedures: what the painter learns to do in one pass.

Each takes and returns [H, W, 3] f32 RGB in [0, 1]; H and W divisible by 16. A look is a function of the picture and, where it
has grain of its own, of the texture that comes from the noise (`texture.py`); nothing is drawn at random or measured over the whole
picture, so that a still scene with a fixed seed stays still. Regular textures repeat every 4 or 8 pixels from the upper left
corner: they then fall alike on every cell of the f8 latent. (A convolution cannot tell an even cell from an odd one on a flat
wall, so nothing repeats every 16.)
"""

import inspect

import cv2
import numpy as np

from .pixels import grey, blur, slope, edges, smoothstep, palette, saturate, contrast, smooth, cells, enlarge, grid, relief
from .texture import Texture

# --- drawing ----------------------------------------------------------------------------------------------------------


def pencil(x, t: Texture):
    """Thin lines and hatched shadows on light, grained paper."""
    g = grey(x)
    dodge = np.clip(g / (blur(g, 5) + 0.02), 0, 1) ** 2.2
    line = dodge * (1 - 0.8 * edges(g, 45))
    tone = 0.80 + 0.20 * smoothstep(g, 0.05, 0.6)
    u, v = grid(x, 8)
    hatch = 1 - 0.34 * smoothstep(0.5 - g, 0, 0.4) * (np.abs(((u + v) / 2) % 1 - 0.5) < 0.2)
    paper = 1 + 0.05 * t.grain()
    return palette(np.clip(line * tone * hatch * paper, 0, 1), "#202024", "#8d8c8c", "#fbfaf5")


def charcoal(x, t: Texture):
    """Soft black masses, rubbed over rough brown paper."""
    g = blur(grey(x), 1.8)
    local = g - blur(g, 9)
    tone = smoothstep(contrast(g, 1.1, 0.45) + 1.4 * local + 0.02, 0.12, 0.78)
    rough = 0.20 * t.grain() * (0.25 + tone * (1 - tone) * 3)
    return palette(np.clip(tone * (1 - 0.85 * edges(g, 60, 1.8)) + rough, 0, 1), "#0a0908", "#2e2a27", "#8d7c66", "#cdb791", "#d9c6a2")


def ink(x):
    g = grey(x)
    line = edges(g, 75, 0.8)
    u, v = grid(x, 8)
    first = np.abs((u + v) / 2 % 1 - 0.5) < 0.16
    second = np.abs((u - v) / 2 % 1 - 0.5) < 0.16
    shade = 0.75 * smoothstep(0.5 - g, 0, 0.12) * first + 0.75 * smoothstep(0.28 - g, 0, 0.12) * second
    return palette(np.clip(line + shade, 0, 1), "#fbfaf4", "#5a78d8", "#1a2fa0")


def chalkboard(x, t: Texture):
    g = grey(x)
    dust = 0.06 * t.strokes(30) + 0.05 * t.blotch()
    chalk = edges(g, 60, 1.2) * (1 + 0.25 * t.grain()) + 0.30 * smoothstep(g, 0.55, 1.0) * (1 + 0.5 * t.grain())
    return palette(np.clip(0.05 + chalk + dust, 0, 1), "#173528", "#6f8f80", "#f5f6ee")


def blueprint(x):
    line = edges(grey(x), 60, 1.0)
    u, v = grid(x, 8)
    rule = 0.16 * ((u > 0.86) | (v > 0.86))
    return palette(np.clip(np.maximum(line, rule) + 0.10 * grey(x), 0, 1), "#0a3f9c", "#5b93e0", "#f4f9ff")


# --- painting ---------------------------------------------------------------------------------------------------------


def kuwahara(x: np.ndarray, r: int) -> np.ndarray:
    """The mean of the calmest of four neighbourhoods: brush strokes that follow the form."""
    side = 2 * r + 1
    mean = cv2.boxFilter(x, -1, (side, side), borderType=cv2.BORDER_REFLECT_101)
    g = grey(x)
    calm = cv2.boxFilter(g * g, -1, (side, side)) - cv2.boxFilter(g, -1, (side, side)) ** 2
    best, out = None, None
    for dy in (-r, r):
        for dx in (-r, r):
            move = np.float32([[1, 0, dx], [0, 1, dy]])
            size = (x.shape[1], x.shape[0])
            m = cv2.warpAffine(mean, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
            c = cv2.warpAffine(calm, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
            if best is None:
                best, out = c, m
            else:
                closer = c < best
                best = np.where(closer, c, best)
                out = np.where(closer[..., None], m, out)
    return out


def oil(x, t: Texture):
    """Thick strokes, one way in the light and the other in the dark, lit from above."""
    paint = np.clip(contrast(saturate(kuwahara(x, 4), 2.0), 1.2), 0, 1)
    g = blur(grey(paint), 2.0)
    way = smoothstep(g, 0.35, 0.55)
    bristle = way * t.strokes(40) + (1 - way) * t.strokes(-40)
    dx, dy = slope(blur(bristle, 0.8))
    height = 0.13 * bristle + 0.5 * (dx + dy)
    return paint * (1 + 0.55 * height[..., None]) + (0.12 * height + 0.16 * relief(grey(paint), 0.8, 14))[..., None]


def watercolour(x, t: Texture):
    """Pale washes that pool into darker patches and rims, white paper in the light."""
    flat = smooth(x, 2, 0.16, 5)
    wash = 1 - (1 - np.clip(saturate(flat, 1.5), 0, 1)) ** 1.8
    wash = 0.24 + 0.76 * wash
    rim = 0.24 * edges(grey(flat), 30, 1.6)
    pool = 0.07 * t.blotch()
    paper = smoothstep(grey(flat), 0.55, 0.9)[..., None]
    return (wash - (rim + pool)[..., None] * np.float32([1.1, 1.0, 0.8])) * (1 - paper) + paper * np.float32([0.99, 0.98, 0.95])


def pastel(x):
    return 0.42 + 0.58 * saturate(smooth(x, 1, 0.15, 4), 1.1) * np.float32([1.0, 0.93, 0.98])


def pointillism(x):
    u, v = grid(x, 8)
    colour = enlarge(np.clip(contrast(saturate(cells(x, 8), 2.2), 1.2), 0, 1), 8)
    disc = smoothstep(0.95 - np.hypot(u, v), 0, 0.25)[..., None]
    return disc * colour + (1 - disc) * np.float32([0.96, 0.93, 0.84])


# --- print ------------------------------------------------------------------------------------------------------------


def comic(x):
    """Few flat, loud colours inside thick black outlines."""
    flat = np.clip(1.1 * saturate(smooth(x, 2, 0.18, 4), 2.2) + 0.04, 0, 1)
    g = grey(flat)[..., None]
    level = (np.floor(np.clip(g, 0, 0.999) * 4) + 0.7) / 4
    flat = np.clip(flat * (0.12 + level) / (0.12 + g), 0, 1)
    line = smoothstep(edges(grey(x), 45, 1.5), 0.38, 0.66)[..., None]
    return flat * (1 - line) + 0.02 * line


def popart(x):
    g = smooth(grey(x), 1, 0.2, 4)
    steps = np.stack([smoothstep(g, at - 0.02, at + 0.02) for at in (0.25, 0.45, 0.68)], -1)
    colours = np.float32([[0.12, 0.08, 0.45], [0.93, 0.08, 0.50], [1.0, 0.55, 0.0], [1.0, 0.93, 0.15]])
    out = colours[0] + sum(steps[..., i : i + 1] * (colours[i + 1] - colours[i]) for i in range(3))
    return out


def halftone(x):
    u, v = grid(x, 8)
    dark = 1 - enlarge(np.clip(contrast(cells(grey(x), 8), 1.2), 0, 1), 8)
    dot = smoothstep(1.42 * np.sqrt(dark) - np.hypot(u, v), -0.15, 0.15)
    return palette(dot, "#f1ead6", "#15130f")


def linocut(x, t: Texture):
    g = blur(grey(x), 0.8)
    g = contrast(g + 1.2 * (g - blur(g, 8)), 1.2, 0.45)
    _, v = grid(x, 8)
    cut = smoothstep(g + 0.05 * t.grain() - (0.22 + 0.5 * np.abs(v)), -0.06, 0.06)
    cut = np.clip(cut * (1 - edges(grey(x), 40, 1.2)), 0, 1)
    return palette(cut, "#171210", "#f3e7cf")


# --- made of things ---------------------------------------------------------------------------------------------------


def pixel(x):
    """Square pixels of four steps a colour, a dark seam between them."""
    small = np.clip(contrast(saturate(cells(x, 8), 2.2), 1.3), 0, 1)
    small = np.round(small * 3) / 3
    u, v = grid(x, 8)
    seam = np.where(np.maximum(u, v) > 0.8, 0.62, 1.0)[..., None]
    return enlarge(small, 8) * seam


def mosaic(x):
    u, v = grid(x, 8)
    tile = enlarge(np.clip(contrast(saturate(cells(x, 8), 1.5), 1.1), 0, 1), 8)
    shine = 0.10 * (-(u + v) / 2)
    grout = (np.maximum(np.abs(u), np.abs(v)) > 0.8)[..., None]
    return np.where(grout, np.float32([0.88, 0.85, 0.78]), tile + shine[..., None])


def stainedglass(x):
    """Bright panes, leaded along the outlines and in a fine diamond lattice."""
    u, v = grid(x, 8)
    colour = smooth(cv2.blur(x, (9, 9), borderType=cv2.BORDER_REFLECT_101), 1, 0.2, 4)
    colour = np.clip(contrast(saturate(colour, 2.8), 1.4, 0.42), 0, 1)
    lattice = smoothstep(0.30 - np.abs(np.abs(u) + np.abs(v) - 1), 0, 0.2)
    lead = np.maximum(0.85 * lattice, smoothstep(edges(grey(x), 45, 1.8), 0.35, 0.75))
    return colour * (1 - lead[..., None]) + 0.03 * lead[..., None]


def bricks(x):
    """Toy bricks: 8-pixel plates with a stud each."""
    u, v = grid(x, 8)
    plate = enlarge(np.round(np.clip(contrast(saturate(cells(x, 8), 2.0), 1.25), 0, 1) * 3) / 3, 8)
    radius = np.hypot(u, v)
    stud = smoothstep(0.72 - radius, 0, 0.2) * 0.10 + smoothstep(0.24 - np.abs(radius - 0.62), 0, 0.2) * np.where(u + v < 0, 0.30, -0.34)
    seam = -0.42 * (np.maximum(u, v) > 0.8)
    return 0.08 + 0.84 * plate + (stud + seam)[..., None]


def stitches(x):
    """Cross-stitch: one X of thread a cell on linen."""
    u, v = grid(x, 8)
    thread = enlarge(np.clip(contrast(saturate(cells(x, 8), 1.5), 1.1), 0, 1), 8)
    rising, falling = np.abs(u + v), np.abs(u - v)
    cross = np.minimum(rising, falling) < 0.5
    shade = np.where(rising < 0.5, 0.12, -0.06) - 0.25 * np.minimum(rising, falling)
    return np.where(cross[..., None], thread + shade[..., None], np.float32([0.90, 0.86, 0.77]) - 0.08 * (np.abs(u) > 0.7)[..., None])


def marble(x, t: Texture):
    g = grey(x)
    tone = 0.64 + 0.28 * contrast(blur(g, 1.0), 1.0) + 0.42 * relief(g, 1.2, 26) - 0.20 * t.veins()
    return palette(np.clip(tone, 0, 1), "#3d3c40", "#8f8c8c", "#d6d2cc", "#fbf9f6")


def gold(x, t: Texture):
    g = grey(x)
    tone = 0.42 + 0.45 * contrast(blur(g, 1.0), 1.1) + 0.55 * relief(g, 1.0, 22)
    glint = 0.8 * t.specks(1.8) * smoothstep(tone, 0.25, 0.6)
    return palette(np.clip(tone + glint, 0, 1), "#1c0d00", "#6b4206", "#c78a12", "#ffd24a", "#fff9d6")


def bronze(x, t: Texture):
    """Brown metal, green where it has weathered."""
    g = grey(x)
    tone = np.clip(0.36 + 0.40 * contrast(blur(g, 1.2), 1.1) + 0.5 * relief(g, 1.4, 22), 0, 1)
    metal = palette(tone, "#0c0a08", "#4a2c14", "#8f5a2c", "#cf935c", "#f3d3a8")
    patina = palette(tone, "#0c1512", "#1f4f44", "#3f9a86", "#8fd0bb", "#d8f3e6")
    green = smoothstep(0.12 + 0.35 * t.blotch() - 0.7 * (tone - 0.4), 0.0, 0.9)[..., None]
    return metal * (1 - green) + patina * green


def lava(x, t: Texture):
    """Black crust with glowing cracks; what is bright flows."""
    g = blur(grey(x), 0.8)
    crack = t.veins() * (1 - smoothstep(g, 0.35, 0.8))
    heat = np.clip(1.05 * g**1.3 + 0.75 * edges(g, 30, 1.2) + 0.40 * crack + 0.04 * t.blotch(), 0, 1)
    return palette(heat, "#0d0302", "#5a0a02", "#c62a03", "#ff8a0a", "#fff3a0")


def ice(x, t: Texture):
    g = grey(x)
    sharp = np.clip(g + 1.8 * (blur(g, 0.8) - blur(g, 3)), 0, 1)
    tone = np.clip(0.15 + 0.75 * sharp + 0.5 * np.abs(relief(g, 1.0, 16)) + 0.22 * t.veins() + 0.05 * t.blotch(), 0, 1)
    return palette(tone, "#0d2d55", "#3f86c2", "#9fd8f2", "#f4fdff")


# --- screens and instruments ------------------------------------------------------------------------------------------


def neon(x):
    g = grey(x)
    line = edges(g, 70, 1.0)
    soft = blur(x, 3)
    top = soft.max(-1, keepdims=True) + 1e-3
    low = soft.min(-1, keepdims=True)
    hue = np.clip((soft - low) / (top - low + 0.06), 0, 1)
    hue = hue + (1 - hue.max(-1, keepdims=True)) * np.float32([0.1, 0.9, 1.0])
    glow = blur(line, 3)
    return np.float32([0.02, 0.01, 0.06]) + hue * (line + 0.7 * glow)[..., None] + 0.35 * (line**3)[..., None]


def cyberpunk(x):
    g = contrast(grey(x), 1.35, 0.45)
    base = palette(np.clip(g, 0, 1), "#07021c", "#3a0a6a", "#d0138f", "#2fd6f0", "#e8ffff")
    line = edges(grey(x), 35, 1.2)[..., None]
    return 0.75 * base + 0.25 * saturate(x, 1.5) * np.float32([0.9, 0.6, 1.2]) + line * np.float32([0.0, 0.45, 0.5])


def thermal(x):
    return palette(np.clip(contrast(blur(grey(x), 2.0), 1.15), 0, 1), "#05003c", "#4b00a8", "#c0127e", "#fb5a1e", "#ffc400", "#ffffe6")


# Strokes of sixteen made-up glyphs in 8 × 8, darkest to brightest, 7 × 6 rows of bits.
_GLYPHS = [
    (0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 4, 0, 0, 0), (0, 0, 4, 0, 4, 0, 0), (0, 0, 0, 14, 0, 0, 0),
    (0, 4, 4, 14, 4, 0, 0), (0, 14, 2, 4, 8, 14, 0), (4, 14, 4, 4, 4, 12, 0), (14, 17, 2, 4, 0, 4, 0),
    (31, 2, 4, 8, 16, 31, 0), (17, 17, 31, 17, 17, 17, 0), (31, 16, 30, 1, 1, 30, 0), (14, 17, 23, 21, 23, 14, 0),
    (31, 21, 31, 4, 31, 4, 31), (31, 17, 31, 17, 31, 17, 31), (31, 27, 31, 21, 31, 27, 31), (31, 31, 31, 31, 31, 31, 31),
]  # fmt: skip
_FONT = np.float32([[[(row >> (6 - c)) & 1 if 0 < c < 7 else 0 for c in range(8)] for row in (*g, 0)] for g in _GLYPHS])


def matrix(x):
    """Green glyphs of a terminal, the brighter the denser."""
    level = np.clip(contrast(cells(grey(x), 8), 1.3), 0, 0.999)
    glyph = _FONT[(level * 16).astype(int)]
    h, w = level.shape
    on = glyph.transpose(0, 2, 1, 3).reshape(h * 8, w * 8)
    bright = enlarge(level, 8)
    return palette(np.clip(0.10 * bright + on * (0.35 + 0.65 * bright), 0, 1), "#000500", "#00b32d", "#c8ffd0")


_BAYER = np.float32([[0, 2], [3, 1]]) / 4 - 0.375


def gameboy(x):
    small = cells(grey(x), 4)
    h, w = small.shape
    dither = np.tile(_BAYER, (h // 2 + 1, w // 2 + 1))[:h, :w]
    level = np.clip(np.round(np.clip(contrast(small, 1.3), 0, 1) * 3 + dither), 0, 3) / 3
    return enlarge(palette(level, "#0f380f", "#306230", "#8bac0f", "#9bbc0f"), 4)


def glitch(x, t: Texture):
    """Red and blue torn apart, dark lines, bands of wrong colour."""
    wide = np.pad(x, ((0, 0), (8, 8), (0, 0)), mode="edge")
    w = x.shape[1]
    torn = np.stack([wide[:, 0:w, 0], x[..., 1], wide[:, 16 : 16 + w, 2]], -1)
    torn = contrast(saturate(torn, 1.6), 1.25)
    band = 0.8 * smoothstep(t.strokes(0, 9), 0.9, 1.5)[..., None]
    wrong = np.stack([torn[..., 1], 1 - torn[..., 0], torn[..., 2] + 0.4], -1)
    _, v = grid(x, 4)
    return (torn * (1 - band) + wrong * band) * np.where(v[..., None] > 0, 0.62, 1.1)


def nightvision(x, t: Texture):
    g = np.clip(contrast(blur(grey(x), 0.7), 1.3) * 0.9 + 0.08 + 0.06 * t.grain(), 0, 1)
    _, v = grid(x, 4)
    return palette(g * np.where(v > 0, 0.78, 1.0), "#001a05", "#0f8a26", "#7dff6a", "#f0ffd8")


def xray(x):
    g = 1 - grey(x)
    g = np.clip(g**1.2 + 1.2 * (g - blur(g, 4)), 0, 1)
    return palette(g, "#02040a", "#1c3f66", "#86b7dd", "#f6fcff")


def psychedelic(x, t: Texture):
    """Brightness becomes the colours of the rainbow, loud and flowing."""
    g = blur(grey(x), 2.5)
    phase = 2 * np.pi * (1.25 * g[..., None] + 0.07 * t.blotch()[..., None] + np.float32([0, 1 / 3, 2 / 3]))
    return np.clip(0.5 + 0.62 * np.sin(phase), 0, 1) * (0.80 + 0.20 * x)


# --- film, light and weather ------------------------------------------------------------------------------------------


def sepia(x, t: Texture):
    worn = 0.025 * t.grain() + 0.10 * t.specks(2.1)
    return palette(np.clip(0.08 + 0.86 * contrast(grey(x), 0.92) + worn, 0, 1), "#2a1708", "#8a6238", "#d8b887", "#fbf0d6")


def noir(x, t: Texture):
    g = smoothstep(contrast(grey(x), 1.4, 0.48), 0.1, 0.9) + 0.045 * t.grain()
    return np.repeat(g[..., None], 3, -1)


def sunset(x):
    """Violet shadows, pink and orange light."""
    warm = palette(np.clip(grey(x), 0, 1), "#1a0a48", "#6d1f7e", "#e0407a", "#ff8f4a", "#ffe08a")
    return 0.78 * warm + 0.22 * x


def night(x, t: Texture):
    """Dark blue, lamps where it was brightest, stars."""
    g = grey(x)[..., None]
    dim = (0.35 * x + 0.65 * g) * np.float32([0.22, 0.32, 0.62]) + np.float32([0.0, 0.01, 0.06])
    lamp = smoothstep(g, 0.72, 1.0) * np.float32([0.75, 0.6, 0.25])
    return dim + lamp + 0.85 * t.specks(2.0)[..., None] * np.float32([0.9, 0.95, 1.0])


def autumn(x, t: Texture):
    """Brown shade, gold light, falling leaves in red and yellow."""
    g = grey(x)
    leaf = palette(g, "#1f1407", "#5e3a0c", "#b8741a", "#e3b23c", "#fbeec0")
    green = smoothstep(x[..., 1] - np.maximum(x[..., 0], x[..., 2]), -0.12, 0.06)[..., None]
    warm = x * np.float32([1.15, 0.92, 0.5])
    ground = (0.62 + 0.38 * green) * leaf + (0.38 - 0.38 * green) * warm
    fallen = t.specks(1.5)[..., None]
    return ground * (1 - 0.9 * fallen) + fallen * np.float32([0.82, 0.22, 0.04])


def winter(x, t: Texture):
    """Cold light, snow on what faces up, snowflakes."""
    g = grey(x)
    _, dy = slope(blur(g, 1.2))
    snow = smoothstep(g, 0.40, 0.8) + smoothstep(dy, 0.012, 0.045) + t.specks(1.5)
    snow = np.clip(snow, 0, 1)[..., None]
    cold = (0.25 * x + 0.75 * g[..., None]) * np.float32([0.72, 0.90, 1.12]) * 0.75 + np.float32([0.10, 0.15, 0.24])
    return cold * (1 - snow) + snow * np.float32([0.97, 0.985, 1.0])


def underwater(x, t: Texture):
    """Blue-green depth, light that plays over everything, bubbles."""
    g = blur(grey(x), 1.0)
    deep = palette(np.clip(g + 0.10 * t.veins() + 0.05 * t.blotch(), 0, 1), "#01121f", "#03485f", "#12938f", "#8fe6cf")
    return 0.85 * deep + 0.15 * blur(x, 1.0) * np.float32([0.3, 1.0, 1.0]) + 0.35 * t.specks(2.0)[..., None]


def vaporwave(x):
    g = contrast(grey(x), 1.1)
    _, v = grid(x, 8)
    tone = palette(np.clip(g, 0, 1), "#2b1055", "#7a35c8", "#ff6ad5", "#ffb8de", "#8ff7ff")
    return tone * np.where(v > 0.5, 0.80, 1.0)[..., None]


def candlelight(x, t: Texture):
    g = grey(x)[..., None]
    tone = np.clip(contrast(g, 1.35, 0.55), 0, 1) ** 1.3
    glow = tone * (1 + 0.10 * t.blotch()[..., None])
    return (0.4 * x + 0.6) * glow * np.float32([1.0, 0.58, 0.18]) + np.float32([0.06, 0.02, 0.0])


def blossom(x, t: Texture):
    """Rose light and drifting petals."""
    g = grey(x)
    rose = 0.65 * palette(np.clip(contrast(g, 1.05), 0, 1), "#4a1230", "#c2487f", "#f79ac0", "#ffd9e8", "#fffafc") + 0.35 * saturate(x, 1.1)
    petal = t.specks(1.5)[..., None]
    return rose * (1 - 0.9 * petal) + petal * np.float32([1.0, 0.78, 0.88])


# --- tints by colour word ---------------------------------------------------------------------------------------------

TINTS = {
    "red": ("#1a0000", "#c01010", "#ffe0d8"),
    "orange": ("#1a0a00", "#e87400", "#fff0d8"),
    "yellow": ("#1a1500", "#e0c000", "#fffce0"),
    "green": ("#001505", "#1f9a30", "#e4ffe0"),
    "turquoise": ("#00181a", "#00a8a0", "#e0fffc"),
    "blue": ("#00061e", "#1848d8", "#e0ecff"),
    "purple": ("#0e001a", "#7a1fc0", "#f4e4ff"),
    "pink": ("#1e0010", "#f0459a", "#ffe8f4"),
}


def tint(x, colour: str):
    return 0.85 * palette(np.clip(grey(x), 0, 1), *TINTS[colour]) + 0.15 * x


# Structure: what a second look (light, weather, tint) can be laid over.
STRUCTURE = (
    pencil, charcoal, ink, chalkboard, blueprint, oil, watercolour, pointillism, comic, popart, halftone, linocut,
    pixel, mosaic, stainedglass, bricks, stitches, marble, gold, bronze, lava, ice, neon, thermal, matrix, gameboy,
    glitch, xray, psychedelic,
)  # fmt: skip
LIGHT = (sepia, noir, sunset, night, autumn, winter, underwater, vaporwave, candlelight, blossom, cyberpunk, nightvision, pastel)

LOOKS = {look.__name__: look for look in STRUCTURE + LIGHT}


# Those whose grain comes from the noise.
TEXTURED = tuple(name for name, look in LOOKS.items() if len(inspect.signature(look).parameters) == 2)


def apply(name: str, x: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
    """The look of that name; 'natural' is the picture itself, 'tint:red' a tint, 'oil+autumn' one over the other.

    `noise` [C, H/8, W/8] is what the painter will be given; without it textured looks have no grain.
    """
    texture = Texture(noise, x)
    for part in name.split("+"):
        if part.startswith("tint:"):
            x = tint(x, part[5:])
        elif part != "natural":
            x = LOOKS[part](x, texture) if part in TEXTURED else LOOKS[part](x)
        x = np.clip(x, 0, 1).astype(np.float32)
    return x

"""Where training pictures come from: photographs inside Python packages, and scenes drawn by procedures."""

from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import skimage
import sklearn

SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.__file__).parent / "datasets" / "images"
MATPLOTLIB = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data"

# Seen in training; the number is how often, relative to the others.
TRAINING = {
    SKIMAGE / "astronaut.png": 5,
    SKLEARN / "china.jpg": 4,
    SKLEARN / "flower.jpg": 2,
    SKIMAGE / "rocket.jpg": 2,
    SKIMAGE / "motorcycle_left.png": 3,
    SKIMAGE / "motorcycle_right.png": 1,
    SKIMAGE / "camera.png": 2,
    SKIMAGE / "hubble_deep_field.jpg": 1,
    SKIMAGE / "retina.jpg": 1,
    SKIMAGE / "ihc.png": 1,
    SKIMAGE / "coins.png": 1,
    SKIMAGE / "clock_motion.png": 1,
    SKIMAGE / "page.png": 1,
    SKIMAGE / "grass.png": 1,
    SKIMAGE / "gravel.png": 1,
    SKIMAGE / "brick.png": 1,
}
# Never seen in training: a face, an animal, a still life.
HELD_OUT = {
    "hopper": MATPLOTLIB / "grace_hopper.jpg",
    "chelsea": SKIMAGE / "chelsea.png",
    "coffee": SKIMAGE / "coffee.png",
}


@lru_cache(maxsize=None)
def load(path: Path) -> np.ndarray:
    """[H, W, 3] u8 RGB."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(f"{path} is not a readable picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def held_out(name: str, size: int) -> np.ndarray:
    """The middle square of a held-out photograph, [size, size, 3] f32 in [0, 1]."""
    picture = load(HELD_OUT[name])
    height, width = picture.shape[:2]
    side = min(height, width)
    # A portrait's face is in the upper part.
    top = (height - side) // (4 if height > width else 2)
    left = (width - side) // 2
    square = picture[top : top + side, left : left + side]
    how = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
    return cv2.resize(square, (size, size), interpolation=how).astype(np.float32) / 255


def _colour(rng: np.random.Generator) -> np.ndarray:
    hsv = np.uint8([[[rng.integers(180), rng.integers(20, 230), rng.integers(30, 255)]]])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32) / 255


def _shade(size: int, rng: np.random.Generator) -> np.ndarray:
    """A smooth gradient between three colours."""
    corners = np.stack([_colour(rng) for _ in range(4)]).reshape(2, 2, 3)
    return cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR)


def _grain(size: int, rng: np.random.Generator) -> np.ndarray:
    """Cloudy texture over several octaves, [size, size, 1] in about [-0.5, 0.5]."""
    total = np.zeros((size, size), np.float32)
    for octave in range(2, 7):
        cells = rng.standard_normal((2**octave, 2**octave)).astype(np.float32)
        total += cv2.resize(cells, (size, size), interpolation=cv2.INTER_CUBIC) * 0.75**octave
    return total[..., None] * 0.5


def _figure(canvas: np.ndarray, rng: np.random.Generator) -> None:
    """A person by procedure: shoulders, neck, head, hair, eyes, mouth."""
    size = canvas.shape[0]
    skin = np.array([0.95, 0.78, 0.66]) * rng.uniform(0.35, 1.05)
    cloth, hair = _colour(rng), _colour(rng) * 0.5
    x, y = rng.uniform(0.3, 0.7) * size, rng.uniform(0.3, 0.6) * size
    r = rng.uniform(0.1, 0.26) * size

    def ellipse(cx, cy, rx, ry, colour):
        cv2.ellipse(canvas, ((float(cx), float(cy)), (float(2 * rx), float(2 * ry)), 0.0), [float(c) for c in colour], -1, cv2.LINE_AA)

    ellipse(x, y + 2.7 * r, 1.9 * r, 1.5 * r, cloth)
    ellipse(x, y + 1.1 * r, 0.4 * r, 0.6 * r, skin * 0.8)
    ellipse(x, y - 0.15 * r, 1.02 * r, 1.2 * r, hair)
    ellipse(x, y + 0.1 * r, 0.82 * r, 1.02 * r, skin)
    ellipse(x + 0.28 * r, y + 0.1 * r, 0.5 * r, 0.8 * r, skin * 0.9)
    for side in (-1, 1):
        ellipse(x + side * 0.34 * r, y - 0.05 * r, 0.17 * r, 0.09 * r, (0.95, 0.95, 0.95))
        ellipse(x + side * 0.34 * r, y - 0.05 * r, 0.08 * r, 0.09 * r, (0.1, 0.08, 0.08))
        ellipse(x + side * 0.34 * r, y - 0.25 * r, 0.22 * r, 0.05 * r, hair)
    ellipse(x, y + 0.22 * r, 0.09 * r, 0.18 * r, skin * 0.75)
    ellipse(x, y + 0.58 * r, 0.3 * r, 0.08 * r, (0.6, 0.2, 0.2))


def scene(size: int, rng: np.random.Generator) -> np.ndarray:
    """Shapes, bands, words and people over gradients: what photographs in the packages have too little of."""
    canvas = _shade(size, rng)
    if rng.random() < 0.5:
        canvas = canvas + _grain(size, rng) * rng.uniform(0.1, 0.6)
    canvas = np.ascontiguousarray(np.clip(canvas, 0, 1), np.float32)
    for _ in range(rng.integers(2, 12)):
        colour = [float(c) for c in _colour(rng)]
        kind = rng.integers(5)
        a, b = (tuple(int(v) for v in rng.integers(-size // 8, size * 9 // 8, 2)) for _ in range(2))
        if kind == 0:
            cv2.ellipse(canvas, ((float(a[0]), float(a[1])), (float(rng.uniform(0.05, 0.6) * size), float(rng.uniform(0.05, 0.6) * size)), float(rng.uniform(0, 180))), colour, -1, cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(canvas, a, b, colour, -1 if rng.random() < 0.6 else 3)
        elif kind == 2:
            cv2.line(canvas, a, b, colour, int(rng.integers(1, 10)), cv2.LINE_AA)
        elif kind == 3:
            corners = rng.integers(0, size, (int(rng.integers(3, 6)), 2)).astype(np.int32)
            cv2.fillPoly(canvas, [corners], colour, cv2.LINE_AA)
        else:
            word = "".join(chr(c) for c in rng.integers(65, 91, 5))
            ink = np.zeros((size, size), np.uint8)
            cv2.putText(ink, word, (a[0] // 2, max(a[1], 16)), cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.4, 2.0)), 255, int(rng.integers(1, 4)), cv2.LINE_AA)
            cover = ink[..., None].astype(np.float32) / 255
            canvas = np.ascontiguousarray(canvas * (1 - cover) + cover * np.float32(colour))
    if rng.random() < 0.6:
        _figure(canvas, rng)
    if rng.random() < 0.5:
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.4, 1.5)))
    # Light from one side, so that flat shapes have volume.
    if rng.random() < 0.5:
        canvas = canvas * (0.6 + 0.8 * cv2.resize(rng.random((2, 2)).astype(np.float32), (size, size))[..., None])
    return canvas


def _crop(size: int, rng: np.random.Generator) -> np.ndarray:
    paths = list(TRAINING)
    weights = np.array([TRAINING[path] for path in paths], np.float64)
    picture = load(paths[rng.choice(len(paths), p=weights / weights.sum())])
    height, width = picture.shape[:2]
    # From a detail enlarged a little to the whole picture: cameras show things at every scale.
    side = int(min(height, width) * np.exp(rng.uniform(np.log(0.22), 0)))
    top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    cut = picture[top : top + side, left : left + side]
    how = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
    return cv2.resize(cut, (size, size), interpolation=how).astype(np.float32) / 255


def picture(size: int, rng: np.random.Generator) -> np.ndarray:
    """One training picture, [size, size, 3] f32 in [0, 1], with the light and colour of another day each time."""
    drawn = rng.random() < 0.25
    image = scene(size, rng) if drawn else _crop(size, rng)
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < 0.05:
        image = image[::-1]
    image = np.clip(image, 0, 1)
    if rng.random() < 0.8:
        image = image ** rng.uniform(0.6, 1.6)
        image = (image - 0.5) * rng.uniform(0.7, 1.2) + 0.5 + rng.uniform(-0.12, 0.12)
    if rng.random() < 0.5:
        image = image * rng.uniform(0.8, 1.15, 3)
    if rng.random() < 0.3:
        image = image[..., rng.permutation(3)]
    if rng.random() < 0.3:
        grey = image.mean(-1, keepdims=True)
        image = grey + (image - grey) * rng.uniform(0, 1.6)
    if rng.random() < 0.3:
        # Sensor noise of a dim room.
        image = image + rng.standard_normal(image.shape) * rng.uniform(0.0, 0.04)
    return np.ascontiguousarray(np.clip(image, 0, 1), np.float32)

"""What the looks are drawn with: small steps on pictures [H, W, 3] f32 RGB in [0, 1] and on their brightness [H, W]."""

from functools import lru_cache

import cv2
import numpy as np

GREY = np.float32([0.299, 0.587, 0.114])


def grey(x: np.ndarray) -> np.ndarray:
    return x @ GREY


def blur(x: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(x, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


def slope(g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Horizontal and vertical change per pixel."""
    return cv2.Scharr(g, cv2.CV_32F, 1, 0) / 32, cv2.Scharr(g, cv2.CV_32F, 0, 1) / 32


def edges(g: np.ndarray, gain: float, sigma: float = 1.0) -> np.ndarray:
    """Soft outlines, 0 flat, 1 at a clear edge."""
    dx, dy = slope(blur(g, sigma))
    return 1 - np.exp(-gain * np.maximum(np.hypot(dx, dy) - 0.006, 0))


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def palette(g: np.ndarray, *stops: str) -> np.ndarray:
    """Colour a grey picture by equally spaced colours, '#rrggbb'."""
    colours = np.array([[int(s[i : i + 2], 16) for i in (1, 3, 5)] for s in stops], np.float32) / 255
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(g, at, colours[:, c]) for c in range(3)], -1).astype(np.float32)


def saturate(x: np.ndarray, gain: float) -> np.ndarray:
    g = grey(x)[..., None]
    return g + (x - g) * gain


def contrast(x: np.ndarray, gain: float, middle: float = 0.5) -> np.ndarray:
    return (x - middle) * gain + middle


def smooth(x: np.ndarray, times: int = 1, sigma: float = 0.12, reach: float = 4.0) -> np.ndarray:
    """Flatten surfaces, keep edges."""
    for _ in range(times):
        x = cv2.bilateralFilter(x, 9, sigma, reach, borderType=cv2.BORDER_REFLECT_101)
    return x


def cells(x: np.ndarray, side: int) -> np.ndarray:
    """The mean colour of each cell, at one value a cell."""
    h, w = x.shape[:2]
    return cv2.resize(x, (w // side, h // side), interpolation=cv2.INTER_AREA)


def enlarge(x: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(x, (x.shape[1] * side, x.shape[0] * side), interpolation=cv2.INTER_NEAREST)


@lru_cache(maxsize=None)
def _grid(h: int, w: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Position inside the cell, from -1 to 1."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    half = side / 2
    return ((x % side) + 0.5 - half) / half, ((y % side) + 0.5 - half) / half


def grid(x: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    return _grid(x.shape[0], x.shape[1], side)


def relief(g: np.ndarray, sigma: float, gain: float) -> np.ndarray:
    """Light from the upper left over the brightness as a height, about 0 where flat."""
    dx, dy = slope(blur(g, sigma))
    return np.tanh((dx + dy) * gain)

"""Texture that comes from the noise, so that another seed is another sheet of paper, other brush strokes, other snowflakes.

The painter sees the noise of a picture in its input (`painter.SIGMA_MAX` of it at the last timestep). A look may use it: what grain there is
follows from the noise cell by cell, which a convolution can learn, and a fixed seed on a still scene stays still. Four latent
channels hold nothing of the picture (`autoencoder.build`): only there can the noise be told from what the camera sees.
"""

from functools import lru_cache

import cv2
import numpy as np

# The latent channels that hold noise alone.
QUIET = (28, 29, 30, 31)


def _unit(field: np.ndarray, deviation: float) -> np.ndarray:
    return (field / deviation).astype(np.float32)


@lru_cache(maxsize=None)
def _stroke(angle: float, length: int) -> np.ndarray:
    """A short line as a filter, sum of squares 1."""
    kernel = np.zeros((length, length), np.float32)
    middle, reach = (length - 1) / 2, length / 2
    dx, dy = np.cos(np.radians(angle)) * reach, -np.sin(np.radians(angle)) * reach
    cv2.line(kernel, (round(middle - dx), round(middle - dy)), (round(middle + dx), round(middle + dy)), 1.0, 1, cv2.LINE_AA)
    return kernel / np.sqrt(np.square(kernel).sum())


class Texture:
    """Fields over a picture [8h, 8w, 3] from its noise [C, h, w]; about N(0, 1) on even surfaces, weaker in detail, 0 without noise."""

    def __init__(self, noise: np.ndarray | None, picture: np.ndarray):
        self.size = (picture.shape[1], picture.shape[0])
        self.cells = self.calm = None
        if noise is not None:
            a, b, c, d = (np.asarray(noise[channel], np.float32) for channel in QUIET)
            # Four channels side by side: one value for 4 × 4 pixels.
            self.cells = np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], 1).reshape(2 * a.shape[0], 2 * a.shape[1])
            light = picture.mean(-1)
            detail = np.abs(light - cv2.GaussianBlur(light, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT_101))
            # A face stays a face: where there is detail, less.
            self.calm = 0.35 + 0.65 * np.exp(-np.square(cv2.GaussianBlur(detail, (0, 0), 5.0, borderType=cv2.BORDER_REFLECT_101) / 0.035))

    def _enlarged(self, cells: np.ndarray) -> np.ndarray:
        return cv2.resize(cells, self.size, interpolation=cv2.INTER_CUBIC) * self.calm

    def _none(self) -> np.ndarray:
        return np.zeros(self.size[::-1], np.float32)

    def grain(self) -> np.ndarray:
        """Specks of 4 pixels."""
        return self._none() if self.cells is None else _unit(self._enlarged(self.cells), 0.75)

    def blotch(self) -> np.ndarray:
        """Soft patches of about 16 pixels."""
        if self.cells is None:
            return self._none()
        soft = cv2.GaussianBlur(self.cells, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT_101)
        return _unit(self._enlarged(soft), 0.14)

    def strokes(self, angle: float, length: int = 9) -> np.ndarray:
        """Streaks 4 pixels wide and 4 × `length` long, at an angle in degrees against the horizontal."""
        if self.cells is None:
            return self._none()
        return _unit(self._enlarged(cv2.filter2D(self.cells, -1, _stroke(angle, length), borderType=cv2.BORDER_REFLECT_101)), 0.8)

    def specks(self, rare: float) -> np.ndarray:
        """Round dots of 4 to 8 pixels where the noise is highest, 0 to 1; the rarer the higher `rare` (1.5: one in fifteen)."""
        if self.cells is None:
            return self._none()
        peak = np.clip((self.cells - rare) / 0.5, 0, 1)
        return np.clip(1.6 * self._enlarged(peak), 0, 1)

    def veins(self) -> np.ndarray:
        """Winding lines, 0 to 1: where the patches change sign."""
        return self.calm * np.exp(-np.square(self.blotch() / 0.4)) if self.cells is not None else self._none()

"""Captioned sheets of every look on every held-out photograph."""

from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from . import photos
from .pack import Pack
from .wordings import spoken


def bytes_of(picture: np.ndarray) -> np.ndarray:
    return np.round(picture * 255).astype(np.uint8)


def caption(picture: np.ndarray, text: str) -> np.ndarray:
    bar = np.full((22, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(bar, text[:38], (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([bar, bytes_of(picture)])


def sheet(pack: Pack, size: int, path: Path, names: list[str], steps: int = 1, captions: bool = True, per_row: int = 7) -> None:
    """The photographs first, then a column a look, its wording above."""
    pictures = [photos.held_out(name, size) for name in photos.HELD_OUT]

    def column(text: str, made) -> np.ndarray:
        return np.concatenate([caption(made[0], text) if captions else bytes_of(made[0]), *(bytes_of(m) for m in made[1:])])

    columns = [column("(the photograph)", pictures)]
    for name in tqdm(names, desc=path.name, unit="look"):
        columns.append(column(spoken(name), pack.paint_all(pictures, [spoken(name)] * len(pictures), steps)))
    while len(columns) % per_row:
        columns.append(np.full_like(columns[0], 255))
    rows = [np.concatenate(columns[i : i + per_row], 1) for i in range(0, len(columns), per_row)]
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.concatenate(rows)[..., ::-1]
    # Pictures of 512 are shown at half size: the file belongs into a repository.
    shown = cv2.resize(whole, None, fx=256 / size, fy=256 / size, interpolation=cv2.INTER_AREA) if size > 256 else whole
    cv2.imwrite(str(path), shown, [cv2.IMWRITE_JPEG_QUALITY, 78])

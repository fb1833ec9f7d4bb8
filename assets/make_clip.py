#!/usr/bin/env python3
"""Make assets/clip.mp4: twelve seconds that stand in for a camera and loop without a seam.

Slow pans and zooms over photographs that come inside scikit-image and scikit-learn,
cross-faded; nothing is downloaded. Needs ffmpeg on the PATH and models/train/requirements.txt.
"""

import argparse
import subprocess
from pathlib import Path

import cv2
import numpy as np
import skimage
import sklearn
from tqdm import tqdm

SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.__file__).parent / "datasets" / "images"

# picture, seconds, and the view (centre x, centre y, height; fractions of the picture) at start and end
SHOTS = [
    (SKIMAGE / "astronaut.png", 3.2, (0.44, 0.33, 0.56), (0.47, 0.42, 0.80)),
    (SKIMAGE / "chelsea.png", 2.4, (0.42, 0.50, 0.98), (0.52, 0.44, 0.72)),
    (SKIMAGE / "coffee.png", 2.0, (0.44, 0.50, 0.86), (0.56, 0.50, 0.98)),
    (SKLEARN / "china.jpg", 2.4, (0.36, 0.55, 0.80), (0.62, 0.52, 0.80)),
    (SKLEARN / "flower.jpg", 2.0, (0.50, 0.50, 0.98), (0.54, 0.47, 0.66)),
]
FADE_S = 0.6


def view(picture: np.ndarray, place: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut the view `place` out of the picture, BGR u8, at sub-pixel positions so that slow motion does not jitter."""
    height, width = picture.shape[:2]
    scale = size[1] / (place[2] * height)
    half_w = size[0] / 2 / scale
    half_h = size[1] / 2 / scale
    # The view stays inside the picture: a mirror never shows a frame around the world.
    x = np.clip(place[0] * width, half_w, width - half_w)
    y = np.clip(place[1] * height, half_h, height - half_h)
    move = np.float32([[scale, 0, size[0] / 2 - scale * x], [0, scale, size[1] / 2 - scale * y]])
    return cv2.warpAffine(picture, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def frames(size: tuple[int, int], fps: int):
    """Yield the frames of one loop; the last shot fades into the first."""
    pictures = [cv2.imread(str(path)) for path, *_ in SHOTS]
    starts = np.cumsum([0.0] + [seconds for _, seconds, *_ in SHOTS])
    for index in range(round(starts[-1] * fps)):
        # Begin after the fade, so that the first picture anybody sees is a whole one.
        now = index / fps + FADE_S
        mixed = np.zeros((size[1], size[0], 3), np.float32)
        for shot, (picture, start) in enumerate(zip(pictures, starts)):
            seconds = SHOTS[shot][1]
            for moment in (now - starts[-1], now, now + starts[-1]):
                age = moment - start
                if not 0 <= age < seconds + FADE_S:
                    continue
                weight = min(1.0, age / FADE_S, (seconds + FADE_S - age) / FADE_S)
                progress = age / (seconds + FADE_S)
                place = np.array(SHOTS[shot][2]) * (1 - progress) + np.array(SHOTS[shot][3]) * progress
                mixed += weight * view(picture, place, size)
        yield np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("clip.mp4"))
    parser.add_argument("--size", default="640x480", help="width x height")
    parser.add_argument("--fps", type=int, default=30)
    args = parser.parse_args()
    size = tuple(int(side) for side in args.size.split("x"))
    encode = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", args.size,
              "-r", str(args.fps), "-i", "-", "-c:v", "libx264", "-preset", "slow", "-crf", "22", "-pix_fmt", "yuv420p",
              "-g", str(args.fps), "-movflags", "+faststart", "-threads", "1", str(args.out)]
    with subprocess.Popen(encode, stdin=subprocess.PIPE) as ffmpeg:
        for frame in tqdm(list(frames(size, args.fps)), desc="clip", unit="frame"):
            ffmpeg.stdin.write(frame.tobytes())
        ffmpeg.stdin.close()
    if ffmpeg.returncode:
        raise SystemExit(f"ffmpeg failed with {ffmpeg.returncode}")
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

"""Size, speed and faithfulness of the pack in fp32, fp16 and int8: which one ships is decided by this table."""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16

from . import photos
from .export import PACK
from .measures import psnr
from .pack import Pack

PARTS = ("vae_encoder", "unet", "vae_decoder")
PROMPTS = ("a pencil drawing", "an oil painting", "a snowy winter", "stained glass", "")


class Calibration(CalibrationDataReader):
    def __init__(self, feeds: list[dict[str, np.ndarray]]):
        self.rest = iter(feeds)

    def get_next(self):
        return next(self.rest, None)


def feeds(pack: Pack, part: str) -> list[dict[str, np.ndarray]]:
    """What each part sees of training photographs, for the ranges of int8."""
    rng = np.random.default_rng(3)
    out = []
    for prompt in PROMPTS:
        picture = photos.picture(256, rng)
        clean = pack.encode(picture)
        noise = rng.standard_normal(clean.shape).astype(np.float32)
        embedding = pack.embed(prompt)
        made = pack.paint_latent(clean, noise, embedding)
        out.append({
            "vae_encoder": {"sample": np.ascontiguousarray(picture.transpose(2, 0, 1)[None] * 2 - 1)},
            "unet": {"sample": (0.989 * clean + 0.148 * noise).astype(np.float32), "timestep": np.array([999], np.int64), "encoder_hidden_states": embedding},
            "vae_decoder": {"latent_sample": made / np.float32(pack.scale)},
        }[part])  # fmt: skip
    return out


def convert(pack: Pack, folder: Path) -> dict[str, Path]:
    """Copies of the pack: fp16 weights; int8 with quantise/dequantise pairs, calibrated, of all parts and of the UNet alone; int8
    with ranges found at run time."""
    packs = {"fp32": PACK}
    for name in ("fp16", "int8", "int8, UNet only", "int8, dynamic"):
        packs[name] = folder / name.replace(" ", "_").replace(",", "")
        shutil.copytree(PACK, packs[name])
    for part in PARTS:
        source, file = PACK / part / "model.onnx", f"{part}/model.onnx"
        onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), packs["fp16"] / file)
        quantize_static(source, packs["int8"] / file, Calibration(feeds(pack, part)), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"],
                        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)  # fmt: skip
        quantize_dynamic(source, packs["int8, dynamic"] / file, weight_type=QuantType.QUInt8)
    shutil.copyfile(packs["int8"] / "unet/model.onnx", packs["int8, UNet only"] / "unet/model.onnx")
    return packs


def milliseconds(folder: Path, part: str, size: int, threads: int, seconds: float) -> float:
    """The best of as many runs as the time allows."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(folder / part / "model.onnx"), options, providers=["CPUExecutionProvider"])
    latent = np.random.default_rng(0).standard_normal((1, 32, size // 8, size // 8)).astype(np.float32)
    feed = {
        "vae_encoder": {"sample": np.zeros((1, 3, size, size), np.float32)}, "vae_decoder": {"latent_sample": latent},
        "unet": {"sample": latent, "timestep": np.array([999], np.int64), "encoder_hidden_states": np.zeros((1, 32, 96), np.float32)},
    }[part]  # fmt: skip
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, feed)
        best = min(best, 1e3 * (time.perf_counter() - start))
    return best


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each graph at each size")
    parser.add_argument("--only", nargs="*", help="these formats")
    args = parser.parse_args(arguments)
    pack = Pack()
    with tempfile.TemporaryDirectory() as folder:
        packs = convert(pack, Path(folder))
        picture = photos.held_out("chelsea", 256)
        wanted = pack.paint(picture, PROMPTS[0])
        print("\n| format | files | " + " | ".join(f"{size}²: encoder + UNet + decoder" for size in args.sizes) + " | against fp32 |\n" + "|---" * (3 + len(args.sizes)) + "|")
        for name, where in packs.items():
            if args.only and name not in args.only:
                continue
            cells = [[milliseconds(where, part, size, args.threads, args.seconds) for part in PARTS] for size in args.sizes]
            size = sum((where / part / "model.onnx").stat().st_size for part in (*PARTS, "text_encoder"))
            same = psnr(Pack(where).paint(picture, PROMPTS[0]), wanted)
            print(f"| {name} | {size / 1e6:.1f} MB | " + " | ".join(" + ".join(f"{v:.1f}" for v in c) + f" = {sum(c):.1f} ms" for c in cells) + f" | {'' if name == 'fp32' else f'{same:.1f} dB'} |", flush=True)


if __name__ == "__main__":
    main()

"""Measure the pack that ships: on photographs and wordings never seen in training. Writes models/evaluation/."""

import argparse
import datetime
import json
import platform
import time
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from . import looks, photos, prompts
from .export import MODELS
from .pack import Pack

OUT = MODELS / "evaluation"

# One request a look in words of its own, written without looking at the generator's carriers.
ASKED = {
    "pencil": "could somebody sketch me with a pencil", "charcoal": "a dark charcoal drawing of an old sailor", "ink": "doodled with a blue ballpoint pen in my notebook", "chalkboard": "the teacher drew me on the blackboard with chalk",
    "blueprint": "an engineer's blueprint of my kitchen", "oil": "van gogh would have painted me", "watercolour": "delicate watercolour on wet paper", "pointillism": "thousands of coloured dots like seurat",
    "comic": "I'd love to be in a comic book", "popart": "Andy Warhol pop art", "halftone": "front page of a newspaper from the fifties", "linocut": "a japanese woodcut", "pixel": "an 8 bit video game hero",
    "mosaic": "a roman mosaic on a villa floor", "stainedglass": "the stained glass of a gothic cathedral", "bricks": "build me from lego", "stitches": "grandma made an embroidery of us", "marble": "a greek marble statue in the museum",
    "gold": "everything king midas touches becomes gold", "bronze": "cast in bronze for the town square", "lava": "the floor is lava and we are burning", "ice": "trapped inside frozen ice", "neon": "las vegas neon lights", "thermal": "seen by a thermal camera",
    "matrix": "neo sees the matrix", "gameboy": "an old gameboy from 1989", "glitch": "a glitch in the video signal", "xray": "the doctor took an x-ray", "psychedelic": "a psychedelic trip at woodstock", "sepia": "an old sepia photograph of my great grandfather",
    "noir": "a detective in a film noir", "sunset": "walking along the shore at sunset", "night": "moonlight in the middle of the night", "autumn": "colourful autumn leaves", "winter": "deep snow in the winter", "underwater": "diving underwater with fish",
    "vaporwave": "vaporwave aesthetic", "candlelight": "dinner by candlelight", "blossom": "under the cherry blossom in japan", "cyberpunk": "cyberpunk hacker of the future", "nightvision": "a soldier with night vision goggles", "pastel": "soft pastel colours",
}  # fmt: skip
UNKNOWN = ["", "zxqv blorp", "my holiday in Portugal was expensive", "東京 タワー", "¿qué hora es?", "the quarterly report is due", "hello how are you today", "a photograph of a bus"]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a - b).mean() + 1e-12))


def nearest(made: np.ndarray, references: dict[str, np.ndarray]) -> str:
    return min(references, key=lambda name: float(np.square(made - references[name]).mean()))


def spoken(name: str) -> str:
    """The plainest wording."""
    return prompts.EXAMPLES.get(name, "a " + prompts.WORDS[name][0][0])


def held_out_wording(name: str, rng: np.random.Generator) -> str:
    return prompts._fill(str(rng.choice(prompts.HELD_OUT_CARRIERS)), rng, t=str(rng.choice(prompts.WORDS[name][0])))


def caption(picture: np.ndarray, text: str) -> np.ndarray:
    bar = np.full((22, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(bar, text[:38], (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([bar, np.round(picture * 255).astype(np.uint8)])


def sheet(pack: Pack, size: int, path: Path, names: list[str], per_row: int = 7) -> None:
    """Every look on every held-out photograph, the wording above; the photographs first."""
    pictures = [photos.held_out(name, size) for name in photos.HELD_OUT]
    columns = [np.concatenate([caption(p, "(the photograph)") if i == 0 else np.round(p * 255).astype(np.uint8) for i, p in enumerate(pictures)])]
    for name in tqdm(names, desc=path.name, unit="look"):
        made = [pack.paint(p, spoken(name)) for p in pictures]
        columns.append(np.concatenate([caption(made[0], spoken(name)), *(np.round(m * 255).astype(np.uint8) for m in made[1:])]))
    while len(columns) % per_row:
        columns.append(np.full_like(columns[0], 255))
    rows = [np.concatenate(columns[i : i + per_row], 1) for i in range(0, len(columns), per_row)]
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.concatenate(rows)[..., ::-1]
    # Pictures of 512 are shown at half size: the file belongs into a repository.
    shown = cv2.resize(whole, None, fx=256 / size, fy=256 / size, interpolation=cv2.INTER_AREA) if size > 256 else whole
    cv2.imwrite(str(path), shown, [cv2.IMWRITE_JPEG_QUALITY, 78])


def evaluate(size: int, quick: bool, threads: int) -> dict:
    pack = Pack(threads=threads)
    names = list(looks.LOOKS)
    pictures = {name: photos.held_out(name, size) for name in photos.HELD_OUT}
    references = {p: {name: looks.apply(name, x) for name in [*names, "natural"]} for p, x in pictures.items()}
    rng = np.random.default_rng(7)
    result: dict = {"size": size, "date": datetime.date.today().isoformat(), "machine": f"{platform.machine()}, {platform.system()}", "looks": {}}

    result["autoencoder_psnr_photographs"] = float(np.mean([psnr(pack.decode(pack.encode(x)), x) for x in pictures.values()]))
    result["autoencoder_psnr_looks"] = float(np.mean([psnr(pack.decode(pack.encode(r[n])), r[n]) for r in references.values() for n in names]))

    tests = {"plain": lambda n: spoken(n), "held_out_carrier": lambda n: held_out_wording(n, rng), "own_words": lambda n: ASKED[n]}
    hits: dict[str, list[bool]] = {test: [] for test in tests}
    for name in tqdm(names, desc=f"looks at {size}", unit="look"):
        row: dict = {"prompt": spoken(name), "nearest": {}, "misses": []}
        for test, wording in tests.items():
            right = []
            for picture, x in pictures.items():
                text = wording(name)
                made = pack.paint(x, text)
                found = nearest(made, references[picture])
                right.append(found == name)
                if found != name:
                    row["misses"].append(f"{picture}: '{text}' → {found}")
                if test == "plain":
                    row.setdefault("psnr", []).append(psnr(made, references[picture][name]))
            row["nearest"][test] = sum(right)
            hits[test] += right
        row["psnr"] = float(np.mean(row["psnr"]))
        result["looks"][name] = row
    result["nearest"] = {test: [sum(h), len(h)] for test, h in hits.items()}
    if not quick:
        for steps in (2, 4):
            right = [nearest(pack.paint(x, spoken(n), steps=steps), references[p]) == n for n in names for p, x in pictures.items()]
            result["nearest"][f"{steps}_steps"] = [sum(right), len(right)]
    result["empty_prompt_psnr"] = float(np.mean([psnr(pack.paint(x, ""), x) for x in pictures.values()]))
    result["unknown_text_psnr"] = {text: float(np.mean([psnr(pack.paint(x, text), x) for x in pictures.values()])) for text in UNKNOWN}
    # Strength: the distance from the source never falls as it rises.
    rising = []
    for name in names:
        x = pictures["hopper"]
        away = [float(np.abs(pack.paint(x, spoken(name), strength=s) - pack.paint(x, "", strength=0.0)).mean()) for s in (0.1, 0.25, 0.5, 0.75, 1.0)]
        rising.append(all(b >= a - 0.003 for a, b in zip(away, away[1:])))
    result["strength_monotonic"] = [sum(rising), len(rising)]
    pairs = [("oil+autumn", "oil painting in autumn colours"), ("pencil+tint:red", "a pencil drawing in red"), ("pixel+night", "pixel art at night"), ("comic+sunset", "a comic at sunset"), ("mosaic+underwater", "an underwater mosaic"), ("stitches+winter", "embroidery in the snow")]
    right = []
    for look, text in pairs:
        for p, x in pictures.items():
            both = {look: looks.apply(look, x), **{part: looks.apply(part, x) for part in look.split("+")}, "natural": x}
            right.append(nearest(pack.paint(x, text), both) == look)
    result["two_looks"] = [sum(right), len(right)]
    return result


def latency(sizes=(256, 512), rounds: int = 60) -> dict:
    """Milliseconds a graph, one after another, two threads."""
    pack = Pack(threads=2)
    rng = np.random.default_rng(0)
    out = {}
    for size in sizes:
        latent = rng.standard_normal((1, 32, size // 8, size // 8)).astype(np.float32)
        picture = rng.random((1, 3, size, size)).astype(np.float32)
        feeds = {"vae_encoder": {"sample": picture}, "unet": {"sample": latent, "timestep": np.array([999], np.int64), "encoder_hidden_states": pack.embed("a pencil drawing")}, "vae_decoder": {"latent_sample": latent}}
        out[size] = {}
        for part, feed in feeds.items():
            times = []
            for _ in range(rounds):
                start = time.perf_counter()
                pack.sessions[part].run(None, feed)
                times.append((time.perf_counter() - start) * 1e3)
            out[size][part] = {"best": min(times), "p50": float(np.median(times))}
    return out


def table(results: list[dict], times: dict | None) -> str:
    lines = ["# Evaluation of the starter pack", "", "Held-out photographs: " + ", ".join(photos.HELD_OUT) + ". *Nearest*: of all looks' references on the same photograph, the output is closest (mean squared error) to its own.", ""]
    for r in results:
        lines += [f"## {r['size']} × {r['size']} ({r['date']}, {r['machine']})", "", "| measure | value |", "|---|---|"]
        lines += [f"| autoencoder, photographs | {r['autoencoder_psnr_photographs']:.1f} dB |", f"| autoencoder, looks | {r['autoencoder_psnr_looks']:.1f} dB |", f"| empty prompt against the photograph | {r['empty_prompt_psnr']:.1f} dB |", f"| text it does not know, worst of {len(r['unknown_text_psnr'])} | {min(r['unknown_text_psnr'].values()):.1f} dB |"]
        lines += [f"| nearest look, {test.replace('_', ' ')} | {a} of {b} |" for test, (a, b) in r["nearest"].items()]
        lines += [f"| strength monotonic | {r['strength_monotonic'][0]} of {r['strength_monotonic'][1]} looks |", f"| two looks at once, nearer to both than to either | {r['two_looks'][0]} of {r['two_looks'][1]} |", ""]
        lines += ["| look | plain | held-out carrier | own words | PSNR to reference | misses |", "|---|---|---|---|---|---|"]
        for name, row in r["looks"].items():
            n = row["nearest"]
            lines.append(f"| {name} | {n['plain']}/3 | {n['held_out_carrier']}/3 | {n['own_words']}/3 | {row['psnr']:.1f} dB | {'; '.join(row['misses'][:2])} |")
        lines.append("")
    if times:
        lines += ["## Milliseconds a stage (ONNX Runtime, fp32, 2 threads, p50 / best)", "", "| size | encoder | unet | decoder | sum of p50 |", "|---|---|---|---|---|"]
        for size, t in times.items():
            lines.append(f"| {size} | " + " | ".join(f"{t[s]['p50']:.1f} / {t[s]['best']:.1f}" for s in ("vae_encoder", "unet", "vae_decoder")) + f" | {sum(v['p50'] for v in t.values()):.1f} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512])
    parser.add_argument("--quick", action="store_true", help="one step only")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sheet-only", action="store_true")
    parser.add_argument("--latency", action="store_true", help="time the stages too; wants an idle machine")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    pack = Pack(threads=args.threads)
    for size in args.sizes:
        sheet(pack, size, args.out / f"sheet_{size}.jpg", list(looks.LOOKS))
    if args.sheet_only:
        return
    # Several steps are measured at the first size only: they take most of the time.
    results = [evaluate(size, args.quick or size != args.sizes[0], args.threads) for size in args.sizes]
    text = table(results, latency() if args.latency else None)
    (args.out / "table.md").write_text(text)
    (args.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()

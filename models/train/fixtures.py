"""Parity fixtures for other runtimes: models/fixtures/, from the pack as it ships. Formulae: README.md there."""

import argparse
import json
import shutil
from pathlib import Path

import cv2
import numpy as np

from . import photos
from .export import MODELS, PACK
from .pack import Pack, start_timestep

SIZE = 256
# (name, prompt, steps, strength)
CASES = [
    ("full", "a pencil drawing", 1, 1.0),
    ("half", "a pencil drawing", 1, 0.5),
    ("two_steps", "neon lights", 2, 1.0),
    ("four_steps_partly", "an oil painting in autumn colours", 4, 0.8),
    ("natural", "", 1, 1.0),
]


def fixtures(models: Path) -> None:
    out = models / "fixtures"
    if out.exists():
        for old in out.iterdir():
            if old.suffix in (".npy", ".png", ".json"):
                old.unlink()
    out.mkdir(parents=True, exist_ok=True)
    pack = Pack(models / PACK.name)
    picture = np.round(photos.held_out("chelsea", SIZE) * 255).astype(np.uint8)
    cv2.imwrite(str(out / "input.png"), picture[..., ::-1])
    clean = pack.encode(picture.astype(np.float32) / 255)
    noise = np.random.default_rng(42).standard_normal(clean.shape).astype(np.float32)
    # Latents before the scaling factor: exactly what the vae_encoder graph gives.
    np.save(out / "encoded.npy", (clean / np.float32(pack.scale)).astype(np.float32))
    np.save(out / "noise.npy", noise)
    cases = []
    for name, prompt, steps, strength in CASES:
        embedding = pack.embed(prompt)
        latent = pack.paint_latent(clean, noise, embedding, steps, strength)
        np.save(out / f"{name}.latent.npy", latent.astype(np.float32))
        if name == "full":
            np.save(out / "embedding.npy", embedding)
        if name in ("full", "natural"):
            decoded = pack.decode(latent)
            cv2.imwrite(str(out / f"{name}.png"), np.round(decoded * 255).astype(np.uint8)[..., ::-1])
        timesteps = pack.timesteps(steps, strength)
        kept = [float(pack.scheduler.alphas_cumprod[t]) for t in timesteps]
        cases.append({"name": name, "prompt": prompt, "ids": pack.ids(prompt)[0].tolist(), "steps": steps, "strength": strength, "start_timestep": start_timestep(strength), "timesteps": timesteps, "alphas_cumprod": kept, "latent": f"{name}.latent.npy"})
    more = ["", "Make me look like an OIL PAINTNG!", "zxqv", "crème brûlée", "a " * 50]
    tokens = [{"text": text, "ids": pack.ids(text)[0].tolist()} for text in more]
    (out / "cases.json").write_text(json.dumps({"pack": "starter", "scaling_factor": pack.scale, "input": "input.png", "noise": "noise.npy", "encoded": "encoded.npy", "embedding": "embedding.npy (of the case 'full')", "cases": cases, "tokens": tokens}, indent=1, ensure_ascii=False) + "\n")
    shutil.copyfile(__file__.replace("fixtures.py", "fixtures_readme.md"), out / "README.md")
    print(f"{out.name}: {sum(p.stat().st_size for p in out.iterdir()) / 1e6:.2f} MB")


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS, help="where starter/ lies and fixtures/ goes")
    fixtures(parser.parse_args(arguments).models.resolve())


if __name__ == "__main__":
    main()

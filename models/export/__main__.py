"""Turns a diffusers directory into a pack: `python -m export DIRECTORY --out models/NAME` in models/."""

import argparse
import sys
from pathlib import Path

from .check import TOLERANCE
from .errors import ExportError
from .pack import export
from .quiet import quiet
from .source import SCHEDULERS, open_source


def arguments(given=None):
    """What the command takes."""
    parser = argparse.ArgumentParser(prog="python -m export", description="Turns a diffusers directory of Stable Diffusion's family into a pack for Mirror, and checks each graph against PyTorch.")
    parser.add_argument("directory", type=Path, help="a diffusers directory: it has a model_index.json")
    parser.add_argument("--out", type=Path, required=True, help="the pack's directory; it must not be there yet")
    parser.add_argument("--dtype", choices=list(TOLERANCE), default="fp32", help="weights: fp32 (default), fp16 for graphics cards, int8 for processors")
    parser.add_argument("--vae", type=Path, help="another autoencoder's directory, such as a download of taesd")
    parser.add_argument("--scheduler", choices=SCHEDULERS, help="another scheduler than the directory's own")
    parser.add_argument("--tolerance", type=float, help="the largest difference from PyTorch, relative to the largest value; " + ", ".join(f"{value:g} for {dtype}" for dtype, value in TOLERANCE.items()))
    parser.add_argument("--external-above", type=int, metavar="BYTES", help="graphs larger than this keep their weights in a file beside them (default: some 2 GB, the most that one file can hold)")
    parser.add_argument("--fixtures", action="store_true", help="also paint with diffusers' own pipelines, into fixtures/ of the pack, for comparing (slow for large networks)")
    return parser.parse_args(given)


def run(options):
    """Exports; gives the command's exit status."""
    try:
        source = open_source(options.directory, options.vae)
        # Loading the libraries takes longer than finding out that a name was misspelt.
        from tqdm import tqdm

        quiet()
        total = len(source.parts()) + 1
        with tqdm(total=total, desc="export", unit="graph", disable=None, dynamic_ncols=True) as bar:
            export(
                source, options.out, options.dtype, options.scheduler, options.tolerance, options.external_above,
                say=lambda line: tqdm.write(line, file=sys.stdout), bar=bar.update,
            )  # fmt: skip
        if options.fixtures:
            from .fixtures import fixtures

            fixtures(source, options.out / "fixtures")
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.out} is ready: make run PACK={options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(run(arguments()))

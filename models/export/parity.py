"""Miniature packs of every family, and the pack that ships, with what diffusers paints with them: `python -m export.parity OUT` in models/.

`--against FOLDER` compares with those that are committed, and fails where they differ by more than rounding.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import torch

from . import graph_pipeline, miniature
from .compare import report
from .errors import ExportError
from .fixtures import fixtures, painted
from .pack import export
from .quiet import quiet
from .source import open_source

EULER, ANCESTRAL, DDIM, LCM = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "DDIMScheduler", "LCMScheduler"
DPM, TCD, PNDM = "DPMSolverMultistepScheduler", "TCDScheduler", "PNDMScheduler"
TRAILING, SAMPLE = {"timestep_spacing": "trailing"}, {"prediction_type": "sample"}
# As Stable Diffusion 1.x and 2.x come with it.
PLMS = {"skip_prk_steps": True}
WHOLE = [(DDIM, {}), (EULER, {}), (ANCESTRAL, TRAILING), (LCM, {}), (TCD, {}), (DPM, {}), (PNDM, PLMS)]
SCHEDULERS = {
    "sd15": WHOLE,
    "sd21": WHOLE,
    "sdxs": [(EULER, {}), (EULER, SAMPLE), (DDIM, SAMPLE), (DPM, SAMPLE)],
    "sdxl": [(EULER, {}), (ANCESTRAL, TRAILING), (LCM, {}), (DPM, {})],
    "lcm": [(LCM, {}), (LCM, SAMPLE)],
}
# Of the pack that ships every prediction type, but for the two schedulers that cannot predict the sample in diffusers either.
STARTER = Path(__file__).resolve().parent.parent / "starter"
PREDICTIONS = [{"prediction_type": kind} for kind in ("sample", "epsilon", "v_prediction")]
OF_STARTER = [(name, {**options, **prediction}) for name, options in WHOLE for prediction in PREDICTIONS if not (name in (PNDM, ANCESTRAL) and prediction == SAMPLE)]
# Sides of its latents in the fixtures: 32 channels each.
STARTER_SIDE = 4
# The weights of one pack lie beside the graph, as those of large networks do.
EXTERNAL = {"sdxl": 100_000}


def write(out, only=None):
    """All packs with their fixtures, or only one of them; of the one that ships the fixtures alone."""
    with tempfile.TemporaryDirectory() as folder:
        for name, schedulers in SCHEDULERS.items():
            if only not in (None, name):
                continue
            print(f"== {name}", flush=True)
            directory = Path(folder) / name
            miniature.write(name, directory)
            source = open_source(directory)
            export(source, out / name, largest=EXTERNAL.get(name))
            count = fixtures(source, out / name / "fixtures", schedulers)
            print(f"{count} cases", flush=True)
    if only in (None, STARTER.name):
        print(f"== {STARTER.name}", flush=True)
        count = painted(*graph_pipeline.pipelines(STARTER, STARTER_SIDE), out / STARTER.name / "fixtures", OF_STARTER)
        print(f"{count} cases", flush=True)


def main():
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m export.parity", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path, help="the committed fixtures")
    parser.add_argument("--only", choices=[*SCHEDULERS, STARTER.name], help="one of the packs: the one that ships, after it was trained anew")
    options = parser.parse_args()
    quiet()
    # Networks this small are slower on more threads, and rounding depends on how many there are.
    torch.set_num_threads(1)
    try:
        write(options.out, options.only)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return report(options.out, options.against) if options.against else 0


if __name__ == "__main__":
    sys.exit(main())

"""The pack that ships back into checkpoints, so that a training can go on without those of the last one.

What only a training needs is not in a pack and begins anew: the optimiser's state, and which looks a text means
(`painter.Painter.meaning`), which is learned within minutes. Every part is run beside the graph that it came from.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import nn
from tqdm import tqdm

from . import autoencoder, export, painter
from .graphs import Unet
from .run import CACHE, save_state

# Counted on from here, so that the pictures drawn next are not those of the first training.
STEP = 100_000


def _constants(path: Path) -> dict[str, np.ndarray]:
    return {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}


@torch.no_grad()
def read(job: export.Job, path: Path) -> None:
    """Give the module of a job the weights of an exported graph.

    The exporter transposes some weights and renames them. So the module is exported once with random weights, which are then
    looked for: where a weight has gone there, it is in the graph that ships as well.
    """
    weights = dict(job.module.named_parameters())
    generator = torch.Generator().manual_seed(0)
    for value in weights.values():
        value.normal_(generator=generator)
    with tempfile.TemporaryDirectory() as folder:
        export.graph(job, Path(folder))
        places = {np.ascontiguousarray(value).tobytes(): name for name, value in _constants(Path(folder) / "model.onnx").items()}
    shipped = _constants(path)
    for name, value in weights.items():
        straight, turned = (places.get(np.ascontiguousarray(copy).tobytes()) for copy in (value.numpy(), value.numpy().T))
        if place := straight or turned:
            found = shipped[place].T if turned and not straight else shipped[place]
            value.copy_(torch.from_numpy(found.copy()).view_as(value))
        elif not (isinstance(job.module, Unet) and ("norm2" in name or "time_emb_proj" in name)):
            raise SystemExit(f"{path}: there is no {name}; the pack is of another net than this training's")


@torch.no_grad()
def unsteer(lean: Unet) -> None:
    """`steer` back into the layers that it was made of: the gain and offset of a normalisation become 1 and 0, and the rest says the same."""
    weights, biases = lean.steer.weight.split(lean.widths), lean.steer.bias.split(lean.widths)
    for index, resnet in enumerate(lean.resnets):
        gain, offset = 2 * index, 2 * index + 1
        resnet.norm2.weight.fill_(1)
        resnet.norm2.bias.zero_()
        resnet.time_emb_proj.weight.copy_(torch.cat([weights[gain], weights[offset]]))
        resnet.time_emb_proj.bias.copy_(torch.cat([biases[gain] - 1, biases[offset]]))


@torch.no_grad()
def differs(job: export.Job, path: Path) -> float:
    """The largest difference between a module and a graph on the job's inputs."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    said = session.run([job.output], {name: value.numpy() for name, value in job.inputs.items()})[0]
    return float(np.abs(job.module(*job.inputs.values()).numpy() - said).max())


def unpack(pack: Path, cache: Path) -> None:
    torch.manual_seed(4)
    vae, net = autoencoder.build().eval(), painter.Painter().eval()
    for job in tqdm(export.jobs(vae, net), desc="unpack", unit="graph"):
        path = pack / job.name / "model.onnx"
        read(job, path)
        if isinstance(job.module, Unet):
            unsteer(job.module)
            # A module made of the net that came out, not the one that was filled.
            job.module = Unet(net).eval()
        worst = differs(job, path)
        assert worst < 1e-3, f"{job.name}: what was read differs from the graph by {worst}"
        tqdm.write(f"{job.name}: largest difference from the graph {worst:.1e}")
    # The graph has the gain of the painter's input folded in (`Painter.fold`).
    with torch.no_grad():
        net.unet.conv_in.weight.div_(net.gain)
    save_state(cache / "autoencoder.pt", vae, None, 0.0, STEP)
    save_state(cache / "painter.pt", net, None, 0.0, STEP)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=export.MODELS, help="where starter/ lies")
    parser.add_argument("--fresh", action="store_true", help="overwrite the checkpoints that are there")
    args = parser.parse_args(arguments)
    if (CACHE / "painter.pt").exists() and not args.fresh:
        raise SystemExit(f"{CACHE / 'painter.pt'} is there: trainings go on from it; --fresh overwrites it with the pack's")
    unpack(args.models.resolve() / export.PACK.name, CACHE)
    print(f"checkpoints in {CACHE}")


if __name__ == "__main__":
    main()

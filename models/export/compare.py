"""Do fixtures that were made anew agree with the committed ones? `python -m export.compare OURS COMMITTED` in models/."""

import json
import sys
from pathlib import Path

import numpy
import onnx

# What another processor's rounding may change, relative to the largest value.
ROUNDING = 1e-4
# And where a run begins at a signal of zero: diffusers takes sigma for 4096 there, and the picture is what is left of noise so much
# larger (4096 times the 1.2e-7 of an f32).
ROUNDING_ZERO_SNR = 5e-4


def report(ours, committed):
    """Prints what differs between two files or folders; gives the command's exit status."""
    faults = list(folders(ours, committed)) if ours.is_dir() else [fault for fault in [differs(ours, committed)] if fault]
    for fault in faults:
        print(f"error: {committed}: {fault}", file=sys.stderr)
    if not faults:
        print(f"{committed} is what diffusers does today")
    return 1 if faults else 0


def folders(ours, committed):
    """What differs between two folders."""
    names = {path.relative_to(folder) for folder in (ours, committed) for path in folder.rglob("*") if path.is_file()}
    for name in sorted(names):
        if not (ours / name).is_file():
            yield f"{name} is no longer made"
        elif not (committed / name).is_file():
            yield f"{name} is missing"
        elif (fault := differs(ours / name, committed / name)) is not None:
            yield f"{name}: {fault}"


def differs(ours, committed):
    """What is different, or None."""
    match ours.suffix:
        case ".npy":
            return far(numpy.load(ours), numpy.load(committed))
        case ".onnx":
            return graphs(onnx.load(ours), onnx.load(committed))
        case ".onnx_data":
            return None  # compared with its graph
        case ".json":
            return values(json.loads(ours.read_text()), json.loads(committed.read_text()), "")
        case _:
            return None if ours.read_bytes() == committed.read_bytes() else "another content"


def graphs(one, other):
    """The same operators, and weights that are the same but for rounding."""
    if [node.op_type for node in one.graph.node] != [node.op_type for node in other.graph.node]:
        return "another graph"
    pairs = zip(one.graph.initializer, other.graph.initializer, strict=True)
    faults = (far(onnx.numpy_helper.to_array(tensor), onnx.numpy_helper.to_array(same)) for tensor, same in pairs)
    return next((f"weights: {fault}" for fault in faults if fault), None)


def values(one, other, where, rounding=ROUNDING):
    """Two JSON values, numbers but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        if isinstance(config := one.get("config"), dict) and config.get("rescale_betas_zero_snr"):
            rounding = ROUNDING_ZERO_SNR
        return next((fault for key in one if (fault := values(one[key], other[key], f"{where}.{key}", rounding))), None)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next((fault for index in range(len(one)) if (fault := values(one[index], other[index], f"{where}[{index}]", rounding))), None)
    if isinstance(one, float) and isinstance(other, float | int):
        return None if abs(one - other) <= rounding * max(abs(other), 1.0) else f"{where} is {one}, was {other}"
    return None if one == other else f"{where} is another"


def far(one, other):
    """How far two arrays are apart, if that is more than rounding: of whole numbers 1 is."""
    if one.shape != other.shape:
        return f"shapes {one.shape} and {other.shape}"
    if one.size == 0:
        return None
    apart = numpy.abs(one.astype(numpy.float64) - other.astype(numpy.float64))
    allowed = 1 if one.dtype == numpy.uint8 else ROUNDING * max(float(numpy.abs(other.astype(numpy.float64)).max()), 1e-6)
    return None if apart.max() <= allowed else f"differs by {apart.max():.2e}, and may by {allowed:.2e}"


if __name__ == "__main__":
    sys.exit(report(Path(sys.argv[1]), Path(sys.argv[2])))

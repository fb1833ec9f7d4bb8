"""Holds a graph against PyTorch."""

import numpy
import onnxruntime
import torch

from .errors import ExportError

# The largest difference, relative to the largest value, that an output may have.
TOLERANCE = {"fp32": 1e-4, "fp16": 2e-2, "int8": 2e-1}


def check(graph, path, tolerance):
    """Runs graph and module on pictures of three sizes and on two rows; gives the largest relative difference of each
    output."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = dict.fromkeys(graph.outputs, 0.0)
    for inputs in [graph.inputs, smaller(graph.inputs), doubled(graph.inputs)]:
        with torch.no_grad():
            expected = graph.module(*inputs.values())
        expected = [expected] if isinstance(expected, torch.Tensor) else expected
        got = session.run(graph.outputs, feeds(session, inputs))
        for name, ours, theirs in zip(graph.outputs, got, expected, strict=True):
            worst[name] = max(worst[name], difference(ours, theirs.float().numpy(), f"{path}: {name}"))
    bad = {name: value for name, value in worst.items() if not value <= tolerance}
    if bad:
        listed = ", ".join(f"{name} by {value:.1e}" for name, value in bad.items())
        raise ExportError(f"{path} differs from PyTorch: {listed} of the largest value, and may by {tolerance:.0e}")
    return worst


def smaller(inputs):
    """Pictures whose sides are multiples of 8."""
    return {name: value[..., : value.shape[-2] // 8 * 8, : value.shape[-1] // 8 * 8] if value.ndim == 4 else value for name, value in inputs.items()}


def doubled(inputs):
    """Two rows, and pictures of three times the width."""
    wide = {}
    for name, value in inputs.items():
        value = torch.cat([value, value.flip(-1)])
        wide[name] = torch.cat([value, value.flip(-1), value], -1) if value.ndim == 4 else value
    return wide


def feeds(session, inputs):
    """The inputs as the graph takes them."""
    types = {"tensor(float)": numpy.float32, "tensor(float16)": numpy.float16, "tensor(int64)": numpy.int64}
    return {port.name: inputs[port.name].numpy().astype(types[port.type]) for port in session.get_inputs()}


def difference(ours, theirs, what):
    """The largest difference, relative to the largest value of PyTorch's."""
    if ours.shape != theirs.shape:
        raise ExportError(f"{what} has the shape {ours.shape}, in PyTorch {theirs.shape}")
    ours = ours.astype(numpy.float32)
    if not numpy.isfinite(ours).all():
        raise ExportError(f"{what} is not finite: these weights may not fit fp16; export with --dtype fp32")
    return float(numpy.abs(ours - theirs).max() / max(numpy.abs(theirs).max(), 1e-12))

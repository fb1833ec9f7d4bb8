"""Writes one graph to disk."""

import logging
import tempfile
from pathlib import Path

import onnx
import torch

OPSET = 17
# A protobuf file ends at 2 GiB; some room is left for the graph itself.
LARGEST = 2**31 - 2**26


def write(graph, path, dtype, largest=LARGEST):
    """Traces a graph into `path`. Weights that make it larger than `largest` bytes go into `path`_data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tracing-") as folder:
        traced = Path(folder) / "model.onnx"
        torch.onnx.export(
            graph.module, tuple(graph.inputs.values()), str(traced), input_names=list(graph.inputs), output_names=graph.outputs,
            dynamic_axes=graph.axes, opset_version=OPSET, dynamo=False, do_constant_folding=True,
        )  # fmt: skip
        model = onnx.load(traced)
        clean(model)
        if dtype == "int8":
            plain = Path(folder) / "plain.onnx"
            save(model, plain, largest)
            del model
            quantize(plain, path, largest)
        else:
            save(model, path, largest)


def clean(model):
    """Short names: the exporter's say which Python module a tensor came from, and make half of a small file."""
    model.doc_string = ""
    graph = model.graph
    keep = {value.name for value in [*graph.input, *graph.output]}
    names = {}

    def short(name):
        return name if not name or name in keep else names.setdefault(name, f"t{len(names)}")

    for index, node in enumerate(graph.node):
        node.name, node.doc_string = f"n{index}", ""
        for side in (node.input, node.output):
            side[:] = [short(name) for name in side]
        if any(attribute.type == onnx.AttributeProto.GRAPH for attribute in node.attribute):
            raise RuntimeError(f"{node.op_type} holds a graph of its own: such names cannot be shortened")
    for tensor in graph.initializer:
        tensor.name = short(tensor.name)
    # Sizes of inner tensors are inferred again when the graph is opened.
    del graph.value_info[:]


def save(model, path, largest):
    """Writes a model, with its weights beside it where it is too large."""
    # Not the model's own ByteSize: that fails where it matters, above 2 GiB.
    if sum(part.ByteSize() for part in [*model.graph.initializer, *model.graph.node]) > largest:
        data = path.with_name(path.name + "_data")
        data.unlink(missing_ok=True)
        onnx.save_model(model, str(path), save_as_external_data=True, all_tensors_to_one_file=True, location=data.name, size_threshold=1024)
        onnx.checker.check_model(str(path))
    else:
        onnx.checker.check_model(model)
        onnx.save_model(model, str(path))


def quantize(plain, path, largest):
    """Weights of the matrix products in 8 bits, one scale a column; activations are quantized as they come.

    Seven bits of weight are used: with eight, processors without VNNI overflow when they add (ONNX Runtime, "Quantize
    ONNX models", reduce_range). Convolutions stay as they are: the dynamic kind is for matrix products.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    large = plain.with_name(plain.name + "_data").exists()
    options = {"MatMulConstBOnly": True}
    # It advises to optimize the graph first, which ONNX Runtime does whenever it opens one.
    logging.disable(logging.WARNING)
    quantize_dynamic(
        str(plain), str(path), op_types_to_quantize=["MatMul", "Gemm"], per_channel=True, reduce_range=True, weight_type=QuantType.QInt8,
        use_external_data_format=large, extra_options=options,
    )  # fmt: skip
    logging.disable(logging.NOTSET)


def size(path):
    """Bytes of a graph and of its weights."""
    return sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))

"""The listener as a ggml file, in the layout that `whisper_model_load` of whisper.cpp reads, and back.

Magic, eleven numbers, mel filters, token table, then one tensor after another: dimensions, name, type, data; dimensions count from
the innermost. One form for all matrices (the file's `ftype`), f16 for the convolutions, f32 for biases, norms and positions.
"""

import argparse
import struct
from pathlib import Path

import numpy as np

from . import LISTENER, OUT, mel, quantise, vocabulary
from .listen import FORM, load
from .listener import Listener
from .render import VOICE_CACHE

MAGIC = 0x67676D6C
FIELDS = ("vocab", "audio_ctx", "audio_state", "audio_head", "audio_layer", "text_ctx", "text_state", "text_head", "text_layer", "mels", "ftype")
# ggml.h: GGML_QNT_VERSION 2 × GGML_QNT_VERSION_FACTOR 1000, added to the ftype of quantised files.
QUANTISED = 2000


def form_of(name: str, shape: tuple[int, ...], form: str) -> str:
    """What whisper.cpp expects of a tensor in a file of this form."""
    if name.endswith("positional_embedding") or len(shape) == 1 or name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        return "f32"
    return ("f32" if form == "f32" else "f16") if len(shape) == 3 else form


def tensors(net: Listener) -> dict[str, np.ndarray]:
    """By whisper.cpp's names, the token table whole."""
    found = {}
    for name, value in net.state_dict().items():
        if name.startswith("sounding"):
            continue
        value = value.detach().cpu().float().numpy()
        if name == "decoder.token_embedding.weight":
            whole = np.zeros((vocabulary.SIZE, value.shape[1]), np.float32)
            whole[net.rows] = value
            value = whole
        elif name in ("encoder.conv1.bias", "encoder.conv2.bias"):
            value = value[:, None]
        found[name] = value
    return found


def write(path: Path, net: Listener, form: str = FORM) -> None:
    size = net.size
    if form.startswith("q") and size.width % quantise.BLOCK:
        raise ValueError(f"{form} wants a width of a multiple of {quantise.BLOCK}, not {size.width}")
    ftype = quantise.TYPES[form][1] + (QUANTISED if form.startswith("q") else 0)
    head = (vocabulary.SIZE, size.audio_positions, size.width, size.heads, size.audio_layers, size.text_positions, size.width, size.heads, size.text_layers, mel.BANDS, ftype)
    filters, table = mel.filters(), vocabulary.table()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(struct.pack("<I11i", MAGIC, *head))
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        file.write(struct.pack("<i", len(table)))
        for token in table:
            file.write(struct.pack("<i", len(token)) + token)
        for name, value in tensors(net).items():
            kind = form_of(name, value.shape, form)
            file.write(struct.pack("<3i", value.ndim, len(name), quantise.TYPES[kind][0]) + struct.pack(f"<{value.ndim}i", *reversed(value.shape)) + name.encode() + quantise.pack(value, kind))
    part.replace(path)


def read(path: Path) -> tuple[dict[str, int], np.ndarray, list[bytes], dict[str, np.ndarray]]:
    """(head, mel filters, tokens, tensors as f32) of a file."""
    data, place = path.read_bytes(), 0

    def take(form: str) -> tuple:
        nonlocal place
        values = struct.unpack_from("<" + form, data, place)
        place += struct.calcsize("<" + form)
        return values

    def raw(count: int) -> bytes:
        nonlocal place
        place += count
        return data[place - count : place]

    assert take("I")[0] == MAGIC, f"{path} is not a ggml file"
    head = dict(zip(FIELDS, take("11i")))
    bands, bins = take("2i")
    filters = np.frombuffer(raw(bands * bins * 4), np.float32).reshape(bands, bins)
    table = [raw(take("i")[0]) for _ in range(take("i")[0])]
    names = {number: form for form, (number, _) in quantise.TYPES.items()}
    found = {}
    while place < len(data):
        count, length, number = take("3i")
        shape = tuple(reversed(take(f"{count}i")))
        name, kind = raw(length).decode(), names[number]
        found[name] = quantise.unpack(raw(quantise.size(int(np.prod(shape)), kind)), kind, shape)
    return head, filters, table, found


def main(arguments=None, cache: Path = VOICE_CACHE, out: Path = OUT) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--form", choices=list(quantise.TYPES), default=FORM)
    args = parser.parse_args(arguments)
    path = out / LISTENER
    write(path, load(cache / "listener.pt"), args.form)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")

"""The two networks back from the files that ship: what is measured is what the mirror runs."""

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from . import ggml, rephraser
from .listener import Listener
from .listener import Size as ListenerSize
from .rephraser import Rephraser


def listener(path: Path) -> Listener:
    """Rows of the token table that are not zero are those in use. Without the phones, which only the training knows."""
    head, _, _, tensors = ggml.read(path)
    table = tensors["decoder.token_embedding.weight"]
    rows = [int(row) for row in np.flatnonzero(np.abs(table).max(1))]
    size = ListenerSize(head["audio_state"], head["audio_head"], head["audio_layer"], head["text_layer"], head["audio_ctx"], head["text_ctx"])
    net = Listener(rows, size)
    state = {name: torch.from_numpy(value.copy()) for name, value in tensors.items()}
    state["decoder.token_embedding.weight"] = state["decoder.token_embedding.weight"][rows]
    for name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        state[name] = state[name][:, 0]
    net.load_state_dict(state)
    return net.eval()


def read(path: Path) -> tuple[Rephraser, Tokenizer]:
    """The rephraser and its vocabulary."""
    from gguf import GGUFReader
    from gguf.quants import dequantize

    file = GGUFReader(path)
    field = {name: one.contents() for name, one in file.fields.items()}
    tokens, merges = field["tokenizer.ggml.tokens"], field["tokenizer.ggml.merges"]
    size = rephraser.Size(
        len(tokens), field["llama.embedding_length"], field["llama.attention.head_count"], field["llama.block_count"], field["llama.feed_forward_length"], field["llama.context_length"]
    )
    net = Rephraser(size)
    net.load_state_dict({tensor.name: torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).astype(np.float32)) for tensor in file.tensors})
    words = rephraser.reader()
    kept = {token: index for index, token in enumerate(tokens) if not token.startswith("[unused")}
    whole = json.loads(words.to_str())
    whole["model"] = {**whole["model"], "vocab": kept, "merges": [merge.split(" ") for merge in merges]}
    made = Tokenizer.from_str(json.dumps(whole))
    made.add_special_tokens(list(rephraser.SPECIALS))
    return net.eval(), made

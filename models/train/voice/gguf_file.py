"""The rephraser as a GGUF file of the llama architecture, with its vocabulary and its chat template inside."""

import json
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer

from . import OUT, REPHRASER, chat, quantise
from .render import VOICE_CACHE
from .rephrase import FORM, load
from .rephraser import Block, Norm, Rephraser


def _vocabulary(words: Tokenizer, size: int) -> tuple[list[str], list[int], list[str]]:
    """Tokens, their types and the merges, as llama.cpp's "gpt2" model wants them; filled up to the table's size."""
    model = json.loads(words.to_str())["model"]
    tokens = [token for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1])]
    kinds = [gguf.TokenType.CONTROL if token in (chat.PAD, chat.BEGIN, chat.END) else gguf.TokenType.NORMAL for token in tokens]
    more = size - len(tokens)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return tokens + [f"[unused{i}]" for i in range(more)], kinds + [gguf.TokenType.UNUSED] * more, merges


def write(path: Path, net: Rephraser, words: Tokenizer, form: str = FORM) -> None:
    size = net.size
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(str(part), "llama")
    writer.add_name("Mirror's rephraser")
    writer.add_description("What was said to a mirror, as a description of a picture; trained from nothing on generated sentences.")
    writer.add_license("Apache-2.0")
    writer.add_context_length(size.context)
    writer.add_embedding_length(size.width)
    writer.add_block_count(size.layers)
    writer.add_feed_forward_length(size.hidden)
    writer.add_head_count(size.heads)
    writer.add_head_count_kv(size.heads)
    writer.add_layer_norm_rms_eps(Norm.EPS)
    writer.add_rope_dimension_count(size.width // size.heads)
    writer.add_rope_freq_base(Block.BASE)
    writer.add_vocab_size(size.vocabulary)
    writer.add_file_type({"f32": gguf.LlamaFileType.ALL_F32, "f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}[form])
    tokens, kinds, merges = _vocabulary(words, size.vocabulary)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    ids = {token: words.token_to_id(token) for token in (chat.PAD, chat.BEGIN, chat.END)}
    # Nothing comes before the first turn; the end of a turn ends the answer.
    writer.add_bos_token_id(ids[chat.BEGIN])
    writer.add_eos_token_id(ids[chat.END])
    writer.add_pad_token_id(ids[chat.PAD])
    writer.add_add_bos_token(False)
    writer.add_chat_template(chat.TEMPLATE)
    kind = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}[form]
    for name, value in net.state_dict().items():
        value = value.detach().cpu().float().numpy()
        if value.ndim == 1 or form == "f32":
            writer.add_tensor(name, value)
        elif form == "f16":
            writer.add_tensor(name, value.astype(np.float16))
        else:
            data = np.frombuffer(quantise.pack(value, form), np.uint8).reshape(len(value), -1)
            writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(path)


def main(arguments=None, cache: Path = VOICE_CACHE, out: Path = OUT) -> None:
    path = out / REPHRASER
    write(path, *load(cache))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")

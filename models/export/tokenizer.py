"""CLIP's tokenizer in miniature: 529 words, of which 0 is "!" and the last is the end of the text, as in CLIP."""

import json

START, END = "<|startoftext|>", "<|endoftext|>"
MERGES = ["n e", "ne o", "neo n</w>", "l i", "li g", "lig h", "ligh t", "light s</w>", "a t</w>", "t h", "th e</w>", "i t", "' s</w>", "o i", "oi l</w>"]


def words():
    """The 256 printable stand-ins of bytes in CLIP's order, alone and at a word's end, what the merges make, and the ends."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = [chr(code) for code in printable] + [chr(256 + index) for index in range(256 - len(printable))]
    return letters + [letter + "</w>" for letter in letters] + [merge.replace(" ", "") for merge in MERGES] + [START, END]


def write(folder, tokens, pad, legacy):
    """Writes it as old packs have it. `legacy`: the padding token stands in special_tokens_map.json, as in SD 2's."""
    folder.mkdir(parents=True)
    vocabulary = {word: index for index, word in enumerate(words())}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": tokens, "bos_token": START, "eos_token": END, "unk_token": END}
    if legacy:
        config["pad_token"] = END
        (folder / "special_tokens_map.json").write_text(json.dumps({"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": pad}, indent=1) + "\n")
    else:
        config["pad_token"] = pad
        flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
        config["added_tokens_decoder"] = {str(vocabulary[token]): {"content": token, **flags} for token in sorted({pad, START, END})}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")

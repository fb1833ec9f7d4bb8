"""The conversation with the rephraser: ChatML, a system message, what was heard, one line of answer."""

import re
from pathlib import Path

# The template that llama.cpp knows as "chatml"; the node applies the one that is in the file.
TEMPLATE = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
BEGIN, END, PAD = "<|im_start|>", "<|im_end|>", "<|pad|>"

# The picture itself again; leave the picture alone, since nothing was wished; refused.
NATURAL, NOTHING, REFUSED = "natural", "none", "refused"

_SYSTEM = Path(__file__).resolve().parents[3] / "nodes" / "rephrase" / "system.txt"
_OTHER = "Describe in one line the picture that is asked for. Answer none where no picture is asked for, and refused where it is not fit for everybody."


def systems() -> list[str]:
    """The node's own system message first, where it is; people edit it, so there is another."""
    return [*([_SYSTEM.read_text().strip()] if _SYSTEM.exists() else []), _OTHER]


def prompt(heard: str, system: str = "") -> str:
    """The text before the answer."""
    head = f"{BEGIN}system\n{system}{END}\n" if system else ""
    # Somebody who says a marker of ours does not end their turn with it.
    heard = re.sub(r"<\|.*?\|>", " ", heard)
    return f"{head}{BEGIN}user\n{heard}{END}\n{BEGIN}assistant\n"

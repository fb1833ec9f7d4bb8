"""The starter voice pack: a listener for whisper.cpp and a rephraser for llama.cpp, trained from nothing."""

from pathlib import Path

# Where the pack ships, and its two files, by the names that the nodes look for.
OUT = Path(__file__).resolve().parents[2] / "starter" / "voice"
LISTENER, REPHRASER = "whisper.bin", "rephrase.gguf"

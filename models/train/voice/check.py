"""The two files say what the networks say: read back in NumPy, and by whisper.cpp and llama.cpp where Python has them.

    pip install pywhispercpp xllamacpp     # whisper.cpp 1.8 and llama.cpp, only for this check
"""

import argparse
import ctypes
import importlib.util
from pathlib import Path

import numpy as np
import torch

from . import LISTENER, OUT, REPHRASER, chat, listen, mel, reference, rephrase, vocabulary
from .render import VOICE_CACHE


def _sound() -> np.ndarray:
    """Two seconds of a gliding buzz with a little noise: any sound does."""
    time = np.arange(2 * mel.RATE) / mel.RATE
    buzz = sum(np.sin(2 * np.pi * k * (110 * time + 20 * time**2)) / k for k in range(1, 20))
    return (0.1 * buzz + 0.01 * np.random.default_rng(0).standard_normal(len(time))).astype(np.float32)


def filters() -> float:
    """The mel filters against whisper's own."""
    return float(np.abs(mel.filters() - np.load(vocabulary.assets() / "mel_filters.npz")["mel_80"]).max())


class _Aheads(ctypes.Structure):
    _fields_ = [("count", ctypes.c_size_t), ("heads", ctypes.c_void_p)]


class _Parameters(ctypes.Structure):
    """whisper_context_params of whisper.h."""

    _fields_ = [("use_gpu", ctypes.c_bool), ("flash_attn", ctypes.c_bool), ("gpu_device", ctypes.c_int), ("dtw", ctypes.c_bool), ("preset", ctypes.c_int), ("n_top", ctypes.c_int), ("aheads", _Aheads), ("dtw_mem_size", ctypes.c_size_t)]  # fmt: skip


def whisper_cpp(path: Path, sound: np.ndarray, tokens: list[int]) -> np.ndarray | None:
    """The last logits [51864] of whisper.cpp over 30 s, or None where it is not installed."""
    if not importlib.util.find_spec("_pywhispercpp"):
        return None
    # Importing it loads what the library itself needs.
    import _pywhispercpp

    folder = Path(_pywhispercpp.__file__).parent
    library = next(iter(sorted([*folder.glob("pywhispercpp.libs/libwhisper*"), *folder.glob("libwhisper*")])), None)
    if library is None:
        return None
    lib = ctypes.CDLL(str(library))
    lib.whisper_context_default_params.restype = _Parameters
    lib.whisper_init_from_file_with_params.argtypes, lib.whisper_init_from_file_with_params.restype = [ctypes.c_char_p, _Parameters], ctypes.c_void_p
    lib.whisper_pcm_to_mel.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_float), ctypes.c_int, ctypes.c_int]
    lib.whisper_encode.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    lib.whisper_decode.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_int), ctypes.c_int, ctypes.c_int, ctypes.c_int]
    lib.whisper_get_logits.argtypes, lib.whisper_get_logits.restype = [ctypes.c_void_p], ctypes.POINTER(ctypes.c_float)
    lib.whisper_free.argtypes = [ctypes.c_void_p]
    silent = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    lib.whisper_log_set(silent, None)
    parameters = lib.whisper_context_default_params()
    # Its flash attention on a CPU also attends to the padding of the keys (to a multiple of 256); whisper-rs leaves it off too.
    parameters.use_gpu = parameters.flash_attn = False
    context = lib.whisper_init_from_file_with_params(str(path).encode(), parameters)
    assert context, f"whisper.cpp does not load {path}"
    assert not lib.whisper_pcm_to_mel(context, sound.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), len(sound), 1)
    assert not lib.whisper_encode(context, 0, 1)
    assert not lib.whisper_decode(context, (ctypes.c_int * len(tokens))(*tokens), len(tokens), 0, 1)
    logits = np.ctypeslib.as_array(lib.whisper_get_logits(context), (len(tokens), vocabulary.SIZE))[-1].copy()
    lib.whisper_free(context)
    return logits


@torch.no_grad()
def listener(cache: Path, out: Path) -> None:
    net, sound = listen.load(cache / "listener.pt"), _sound()
    read = reference.Whisper(out / LISTENER)
    tokens = [vocabulary.START, vocabulary.NO_TIMESTAMPS, *vocabulary.encode("make me look like a comic book")]
    for positions in (128, net.size.audio_positions):
        logs = mel.log_mel(torch.from_numpy(sound)[None], 2 * positions)
        ours = net(logs, torch.tensor([[net.row_of[token] for token in tokens]]))[0][0, :, :-1].numpy()
        theirs = read.decode(tokens, read.encode(logs[0].numpy()))
        difference, scale = np.abs(ours - theirs[:, net.rows]).max(), np.abs(ours).max()
        print(f"{LISTENER} read back, {positions} positions: logits differ by {difference:.1e} of {scale:.1f}")
        assert difference < 1e-3 * scale and not np.delete(theirs, net.rows, 1).any()
    heard = whisper_cpp(out / LISTENER, sound, tokens)
    if heard is None:
        print("whisper.cpp: not installed (pip install pywhispercpp), not compared")
        return
    alike = np.corrcoef(heard[net.rows], ours[-1])[0, 1]
    print(f"whisper.cpp over 30 s: logits differ by {np.abs(heard[net.rows] - ours[-1]).max():.2f} of {scale:.1f}, correlation {alike:.5f}")
    # It rounds the activations to 8 bits as well.
    assert alike > 0.995, alike


@torch.no_grad()
def rephraser(cache: Path, out: Path) -> None:
    net, words = rephrase.load(cache)
    read = reference.Llama(out / REPHRASER)
    for system in ("", chat.systems()[0]):
        ids = words.encode(chat.prompt("Make me look like a comic book.", system)).ids
        ours, theirs = net(torch.tensor([ids]))[0].numpy(), read.logits(ids)
        difference, scale = np.abs(ours - theirs).max(), np.abs(ours).max()
        print(f"{REPHRASER} read back, {len(ids)} tokens: logits differ by {difference:.1e} of {scale:.1f}")
        assert difference < 1e-3 * scale
    if not importlib.util.find_spec("xllamacpp"):
        print("llama.cpp: not installed (pip install xllamacpp), not compared")
        return
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(out / REPHRASER)
    parameters.n_ctx, parameters.warmup, parameters.n_parallel, parameters.verbosity = 1024, False, 1, -1
    server, same = xllamacpp.Server(parameters), 0
    asked = ["make me look like a comic book", "Could you paint the room in oil?", "what time is it", "turn everything into Lego, please!", "it's 1989, isn't it?  Über-neon", "back to normal"]
    for heard in asked:
        messages = [{"role": "system", "content": chat.systems()[0]}, {"role": "user", "content": heard}]
        reply = server.handle_chat_completions({"messages": messages, "max_tokens": 24, "temperature": 0.0})
        theirs = reply["choices"][0]["message"]["content"].strip()
        count = len(words.encode(chat.prompt(heard, chat.systems()[0])).ids)
        assert reply["usage"]["prompt_tokens"] == count, f"llama.cpp reads {heard!r} as {reply['usage']['prompt_tokens']} tokens, not {count}"
        ours = net.answer(words, [chat.prompt(heard, chat.systems()[0])], most=24)[0].strip()
        same += theirs == ours
        print(f"llama.cpp, with the file's own chat template: {heard!r} → {theirs!r}" + ("" if theirs == ours else f", here {ours!r}"))
    # 8-bit activations may tip a choice between two equal ones, above all in a net that is hardly trained.
    assert same >= len(asked) - 2, f"{same} of {len(asked)} answers are the same"


def main(arguments=None, cache: Path = VOICE_CACHE, out: Path = OUT) -> None:
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    print(f"mel filters differ from whisper's by {filters():.1e}")
    assert filters() < 1e-7
    listener(cache, out)
    rephraser(cache, out)

"""eSpeak NG by its library: speech with the moment at which each phone begins, which the program does not tell.

Numbers and layout: speak_lib.h of espeak-ng 1.51.
"""

import ctypes
from functools import cache
from threading import Lock

import numpy as np

_SYNCHRONOUS, _PHONEME_EVENTS, _UTF8, _CHARACTER = 2, 1, 1, 1
_LIST_ENDS, _PHONEME = 0, 7
_SPEED, _PITCH = 1, 3


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("number", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    ]


class _Voice(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        *[(name, ctypes.c_ubyte) for name in ("gender", "age", "variant", "reserved")],
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The library has one voice at a time for the whole process, so `say` speaks one sentence at a time."""

    def __init__(self):
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._lock = Lock()
        self._sound: list[np.ndarray] = []
        self._begins: list[tuple[str, int]] = []
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
        if self.rate <= 0:
            raise RuntimeError("eSpeak NG finds no data: apt-get install espeak-ng")
        # The library keeps the address only: the object has to live as long.
        self._callback = _CALLBACK(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    @staticmethod
    @cache
    def open() -> "Espeak":
        return Espeak()

    def _hear(self, samples, count, events) -> int:
        if samples and count > 0:
            self._sound.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _LIST_ENDS:
            if events[index].type == _PHONEME:
                self._begins.append((events[index].name.decode(errors="replace"), events[index].sample))
            index += 1
        return 0

    def say(self, voice: str, text: str, words_a_minute: int, pitch: int) -> tuple[np.ndarray, int, list[tuple[str, float]]]:
        """Sound [N] i16, its rate in Hz, and (phone, second at which it ends). voice: "accent+variant"; pitch 0 to 99."""
        with self._lock:
            self._sound, self._begins = [], []
            # Some accents are names and some are languages; the program tries both as well.
            if self._library.espeak_SetVoiceByName(voice.encode()) and self._library.espeak_SetVoiceByProperties(ctypes.byref(_Voice(languages=voice.encode()))):
                raise RuntimeError(f"eSpeak NG has no voice {voice}")
            self._library.espeak_SetParameter(_SPEED, words_a_minute, 0)
            self._library.espeak_SetParameter(_PITCH, pitch, 0)
            spoken = text.encode()
            if self._library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken) + 1), 0, _CHARACTER, 0, _UTF8, None, None):
                raise RuntimeError(f"eSpeak NG does not say: {text}")
            sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.int16)
            ends = [begin for _, begin in self._begins[1:]] + [len(sound)]
            return sound, self.rate, [(name or "_", end / self.rate) for (name, _), end in zip(self._begins, ends)]

"""Kokoro's voices are vectors: the published ones, blends of them, and those made for a user.

A voice is a pack of 510 styles, ``float32[510, 256]``, one for each number of phonemes; the first half of a style is the
voice's timbre, the second its prosody (``StyleTTS 2``: the decoder's and the predictor's half). So a voice can be written as

* a name: ``zf_xiaoxiao``;
* a blend: ``zf_xiaoxiao+zf_xiaoyi`` (the mean), ``zf_xiaoxiao:3+zf_xiaoyi`` (three parts and one);
* timbre and prosody of two: ``am_onyx|jm_kumo`` speaks Japanese as ``jm_kumo`` does, with the voice of ``am_onyx``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vivavoce.errors import EngineError, WeightsError
from vivavoce.types import Language, Sex

ROWS = 510
SIZE = 256
TIMBRE = 128
"""A style's first values, which make the timbre."""

LANGUAGES: Mapping[str, Language] = MappingProxyType({"a": "en", "b": "en", "j": "ja", "z": "zh"})
"""First letter of a voice's name → its language (``a`` American, ``b`` British English)."""

_PARTNERS: Mapping[Sex, Mapping[str, str]] = MappingProxyType(
    {"female": {"z": "zf_xiaoxiao", "j": "jf_alpha"}, "male": {"z": "zm_yunyang", "j": "jm_kumo"}}
)
"""Whose prosody a voice made from English ones borrows where it speaks another language."""

_BLENDS = 64
"""Blends kept ready: half a megabyte each."""

Pack = NDArray[np.float32]
"""``float32[510, 256]``: a style for each number of phonemes."""

_Number = TypeVar("_Number", np.float16, np.float32)


class Styles:
    """The packs of the published voices, and of those given names since."""

    def __init__(self, builtin_voices: Mapping[str, Pack]) -> None:
        self.builtin_voices = MappingProxyType(dict(builtin_voices))
        self._own: dict[str, Mapping[str, NDArray[np.float16]]] = {}
        self._blended = lru_cache(_BLENDS)(self._blend)

    def add(self, name: str, pack: NDArray[np.float16], sex: Sex) -> None:
        """From now on ``name`` is a voice with these styles, ``float16[510, 256]``. Replaces one of this name.

        It speaks English as it is, Chinese and Japanese with the prosody of a voice of that language and ``sex``: its own
        would carry an English speaker's tones. Raises ``EngineError`` for what is no pack.
        """
        if pack.shape != (ROWS, SIZE) or not np.isfinite(pack).all():
            raise EngineError("kokoro", f"a voice is finite numbers of shape {[ROWS, SIZE]}, not {list(pack.shape)}")
        borrowed = {letter: self._builtin_voice(name).astype(np.float16) for letter, name in _PARTNERS[sex].items()}
        self._own[name] = {"a": pack, **{letter: hybrid(pack, prosody) for letter, prosody in borrowed.items()}}

    def remove(self, name: str) -> None:
        """``name`` is no voice any more; it need not have been one."""
        self._own.pop(name, None)

    def letter(self, voice: str, language: Language) -> str:
        """Which of ``LANGUAGES`` the voice speaks ``language`` as. Raises ``EngineError`` if it does not."""
        if voice in self._own:
            letters = [letter for letter in self._own[voice] if LANGUAGES[letter] == language]
            if not letters:
                raise EngineError("kokoro", f"there is no voice '{voice}' for language '{language}'")
            return letters[0]
        for name in (*_names(voice.partition("|")[0]), *_names(_prosody(voice))):
            self._builtin_voice(name)
        languages = [LANGUAGES.get(name[0]) for name in _names(_prosody(voice))]
        if languages != [language] * len(languages):
            raise EngineError("kokoro", f"there is no voice '{voice}' for language '{language}'")
        return _prosody(voice)[0]

    def row(self, voice: str, letter: str, phonemes: int) -> NDArray[np.float32]:
        """``float32[1, 256]``: the style for an utterance of so many phonemes. Raises ``EngineError``.

        The original pipeline takes row len - 1.
        """
        at = min(phonemes, ROWS) - 1
        if voice in self._own:
            return self._own[voice][letter][at : at + 1].astype(np.float32)
        return self.pack(voice)[at : at + 1]

    def pack(self, voice: str) -> Pack:
        """All styles of a published voice or a blend. Raises ``EngineError``."""
        return self.builtin_voices[voice] if voice in self.builtin_voices else self._blended(voice)

    def _blend(self, voice: str) -> Pack:
        if "|" in voice:
            timbre, prosody = voice.split("|")
            return hybrid(self.pack(timbre), self.pack(prosody))
        parts = [part.partition(":") for part in voice.split("+")]
        weights = np.array([float(weight or 1) for _, _, weight in parts], np.float32)
        packs = np.stack([self._builtin_voice(name) for name, _, _ in parts])
        return np.tensordot(weights / weights.sum(), packs, axes=1).astype(np.float32)

    def _builtin_voice(self, name: str) -> Pack:
        if name not in self.builtin_voices:
            raise EngineError("kokoro", f"there is no voice '{name}'")
        return self.builtin_voices[name]


def hybrid(timbre: NDArray[_Number], prosody: NDArray[_Number]) -> NDArray[_Number]:
    """A voice with the timbre of one and the prosody of the other."""
    return np.concatenate([timbre[:, :TIMBRE], prosody[:, TIMBRE:]], axis=1)


def read_builtin_voices(folder: Path) -> dict[str, Pack]:
    """The published voices (``*.bin``) in ``folder``. Raises ``WeightsError`` when there are none."""
    builtin_voices = {
        file.stem: np.fromfile(file, np.dtype("<f4")).reshape(ROWS, SIZE).astype(np.float32)
        for file in sorted(folder.glob("*.bin"))
    }
    if not builtin_voices:
        raise WeightsError(f"No Kokoro voice (*.bin) in {folder}; run `vivavoce models pull kokoro-voices`.")
    return builtin_voices


def _prosody(voice: str) -> str:
    return voice.rpartition("|")[2]


def _names(blend: str) -> list[str]:
    return [part.partition(":")[0] for part in blend.split("+")]

"""The server of ``fuzzed_texts.py``: all of the real speakers but their networks, so that a clause is a short noise.

The language model repeats the last message, so that a client says what is spoken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hibari import Hibari
from numpy.typing import NDArray

from vivavoce.cli import app
from vivavoce.engines.kokoro.model import MAX_TOKENS, KokoroModel
from vivavoce.errors import EngineError
from vivavoce.types import Samples

SOUND: Samples = np.full(240, 0.1, np.float32)


def kokoro_sound(
    model: KokoroModel, phonemes: str, style: Callable[[int], NDArray[np.float32]], *_: Any, **__: Any
) -> Samples:
    """``KokoroModel.synthesize`` with its checks, without its networks."""
    ids = model.tokens(phonemes)
    if len(ids) > MAX_TOKENS:
        raise EngineError("kokoro", f"{len(ids)} phonemes")
    if ids:
        style(len(ids))
    return SOUND if ids else SOUND[:0]


def hibari_sound(model: Hibari, phonemes: str, *_: Any, **__: Any) -> Samples:
    """``Hibari.from_phonemes`` likewise."""
    return SOUND if len(model.ids(phonemes)) else SOUND[:0]


if __name__ == "__main__":
    KokoroModel.synthesize = kokoro_sound  # type: ignore[method-assign, assignment]
    Hibari.from_phonemes = hibari_sound
    app()

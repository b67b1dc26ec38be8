"""What goes to and fro with models that hear and speak for themselves: sound in messages, sound in replies. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

MOST_HEARD_S = 120.0
"""Of sound in one prompt (5 MB as base64): a longer turn is read, and so are the oldest where several are too long together."""

_BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class MessageAudio:
    """How a message of the user's sounds, for models that hear; others read its content, which is a transcript of it.

    ``clips`` are mono PCM16, little-endian, at ``rate_hz``, in the order in which they were said. ``text`` is what of the
    message was written, not said: the model is told it as well.
    """

    clips: tuple[bytes, ...]
    rate_hz: int
    text: str = ""

    @property
    def seconds(self) -> float:
        """How long all clips are."""
        return sum(map(len, self.clips)) / _BYTES_PER_SAMPLE / self.rate_hz


@dataclass(frozen=True, slots=True)
class SpokenText:
    """More words of a reply that the model speaks itself. Their sound comes about when they do, mostly a little later."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class SpokenAudio:
    """More of the sound of such a reply: ``float32[n]`` in [-1, 1] at ``rate_hz``."""

    samples: NDArray[np.float32]
    rate_hz: int


@dataclass(frozen=True, slots=True)
class SpokenTokens:
    """More of the sound of such a reply as tokens of the model's codec, for an ``AudioTokenDecoder``."""

    tokens: tuple[int, ...]


Spoken: TypeAlias = SpokenText | SpokenAudio | SpokenTokens
"""What a model yields that speaks for itself."""

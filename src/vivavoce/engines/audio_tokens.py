"""What turns the audio tokens of a model that speaks into sound: the vocoder behind it, an engine of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from vivavoce.closing import Closeable
from vivavoce.types import Samples


@dataclass(frozen=True, slots=True)
class AudioTokenOptions:
    """How to decode: with which of the decoder's ``voices``; ``None``: its first one."""

    voice: str | None = None


class AudioTokenDecoder(Closeable, Protocol):
    """Turns the codec's tokens, as a model writes them, into speech.

    The codebook is the one of the model it belongs to (Step-Audio 2: 6561 entries at 25 a second); indices beyond it are
    padding, which whoever reads the model's answer has dropped.
    """

    rate_hz: int

    @property
    def voices(self) -> Collection[str]:
        """The voices it has reference clips of, by name, the one that speaks unless another is asked for first."""

    def decode(self, tokens: AsyncIterator[Sequence[int]], options: AudioTokenOptions) -> AsyncIterator[Samples]:
        """Yield the speech of one reply, ``float32[n]`` at ``rate_hz``, while its tokens come in: the tokens arrive in runs of
        any length, and all of them are spoken when they end.

        It is an async generator; closing it stops the work within one step. Raises ``EngineError``.
        """

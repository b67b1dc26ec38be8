"""One reply: its tokens come in, in runs of any length, its sound goes out chunk by chunk, the same however they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vivavoce.engines.token2wav.flow import Check, Flow, FlowPast, Voice
from vivavoce.engines.token2wav.vocoder import FRAME_SAMPLES, NO_PHASE, Vocoder
from vivavoce.types import Samples

OVERLAP_FRAMES = 8
"""The vocoder sees a chunk's end without what follows: so much is made again with the next chunk, and faded over. 160 ms."""

_OVERLAP_SAMPLES = OVERLAP_FRAMES * FRAME_SAMPLES


@dataclass(frozen=True, slots=True)
class Networks:
    """What turns tokens into sound, ``chunk_tokens`` at a time."""

    flow: Flow
    vocoder: Vocoder
    chunk_tokens: int


@dataclass(frozen=True, slots=True)
class _Overlap:
    """The end of the chunk before. ``phase``: of its source, before it."""

    mel: Tensor
    source: Tensor
    speech: Tensor
    phase: Tensor


class SpeechStream:
    """The reply's state."""

    def __init__(self, networks: Networks, voice: Voice) -> None:
        self._networks = networks
        self._voice = voice
        self._tokens: list[int] = []
        self._past: FlowPast | None = None
        self._overlap: _Overlap | None = None
        self._random = torch.Generator().manual_seed(0)
        self._ended = False

    def add(self, tokens: Sequence[int]) -> None:
        """The next tokens. Raises ``ValueError`` for one that is not in the codebook."""
        entries = self._networks.flow.config.vocab_size
        if wrong := next((token for token in tokens if not 0 <= token < entries), None):
            raise ValueError(f"there is no audio token {wrong} in a codebook of {entries}")
        self._tokens += tokens

    def end(self) -> None:
        """There are no more tokens."""
        self._ended = True

    @property
    def ready(self) -> bool:
        """Whether there is a chunk to make."""
        return bool(self._tokens) if self._ended else len(self._tokens) >= self._window

    @property
    def finished(self) -> bool:
        """Whether all has been made."""
        return self._ended and not self._tokens

    @property
    def _window(self) -> int:
        return self._networks.chunk_tokens + self._networks.flow.lookahead

    @torch.inference_mode()
    def chunk(self, check: Check) -> Samples:
        """The next chunk's sound, ``float32[n]``, when one is ``ready``. Raises what ``check`` raises."""
        last = len(self._tokens) < self._window
        seen = torch.tensor(self._tokens[: self._window])
        mel, past = self._networks.flow.chunk(self._voice, self._past, seen, last, check)
        check()
        sound = self._sound(mel, last)
        self._past = past
        del self._tokens[: len(self._tokens) if last else self._networks.chunk_tokens]
        return sound.numpy()

    def _sound(self, mel: Tensor, last: bool) -> Tensor:
        vocoder, overlap = self._networks.vocoder, self._overlap
        if overlap is not None:
            mel = torch.cat((overlap.mel, mel))
        source, phases = vocoder.source(mel, NO_PHASE if overlap is None else overlap.phase, self._random)
        if overlap is not None:
            source[:_OVERLAP_SAMPLES] = overlap.source
        speech = vocoder(mel, source)
        if overlap is not None:
            speech[:_OVERLAP_SAMPLES] = speech[:_OVERLAP_SAMPLES] * _FADE_IN + overlap.speech * (1 - _FADE_IN)
        if last:
            return speech
        self._overlap = _Overlap(
            mel[-OVERLAP_FRAMES:],
            source[-_OVERLAP_SAMPLES:],
            speech[-_OVERLAP_SAMPLES:],
            phases[:, -OVERLAP_FRAMES - 1],
        )
        return speech[:-_OVERLAP_SAMPLES]


_FADE_IN = torch.sin(torch.linspace(0.0, torch.pi / 2, _OVERLAP_SAMPLES)) ** 2
"""The rise of a Hann window. Published is a Hamming window, which begins at 8 %, and is 0.7 dB too loud with its fall."""

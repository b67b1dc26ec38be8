"""One model for all: who comes together is heard together, and nobody suffers from another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from vivavoce.engines.fake import FakeSpeechDetector, FakeVadStream
from vivavoce.errors import EngineError
from vivavoce.runtime.vad_batcher import TOGETHER, VadBatcher
from vivavoce.types import Samples

QUIET, LOUD = np.zeros(512, np.float32), np.full(512, 0.5, np.float32)
SPOILT = np.full(512, np.nan, np.float32)


class Stream(FakeVadStream):
    def probability(self, frame: Samples) -> float:
        if np.isnan(frame).any():
            raise EngineError("test", "not finite")
        return super().probability(frame)


class Detector(FakeSpeechDetector):
    def __init__(self) -> None:
        self.calls: list[int] = []

    def probabilities(self, streams: Sequence[Any], frames: Sequence[Samples]) -> list[float]:
        self.calls.append(len(streams))
        return super().probabilities(streams, frames)


async def test_those_of_one_turn_of_the_loop_are_heard_together() -> None:
    detector = Detector()
    vad = VadBatcher(detector)
    frames = [LOUD if number % 3 else QUIET for number in range(TOGETHER + 8)]
    heard = await asyncio.gather(*(vad.probability(Stream(), frame) for frame in frames))
    assert heard == [float(number % 3 > 0) for number in range(len(frames))]
    assert detector.calls == [TOGETHER, 8]
    assert await vad.probability(Stream(), LOUD) == 1.0
    assert detector.calls == [TOGETHER, 8, 1]


async def test_a_frame_that_cannot_be_heard_fails_alone() -> None:
    vad = VadBatcher(Detector())
    heard = await asyncio.gather(
        *(vad.probability(Stream(), frame) for frame in (LOUD, SPOILT, QUIET)), return_exceptions=True
    )
    assert (heard[0], heard[2]) == (1.0, 0.0)
    assert isinstance(heard[1], EngineError)


async def test_who_has_gone_is_not_heard() -> None:
    detector = Detector()
    vad = VadBatcher(detector)
    gone = asyncio.create_task(vad.probability(Stream(), LOUD))
    stays = asyncio.create_task(vad.probability(Stream(), LOUD))
    asyncio.get_running_loop().call_soon(gone.cancel)
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await stays == 1.0


async def test_a_bug_reaches_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector()
    monkeypatch.setattr(detector, "probabilities", None)
    heard = await asyncio.gather(
        *(VadBatcher(detector).probability(Stream(), LOUD) for _ in range(2)), return_exceptions=True
    )
    assert all(isinstance(one, TypeError) for one in heard)

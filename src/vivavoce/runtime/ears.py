"""One model hears for everybody: frames that are there in the same turn of the event loop are heard together.

A frame alone costs the model a tenth of a millisecond, thirty at once cost half as much each. The busier the loop, the more
come together; in an idle one nobody waits.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from vivavoce.engines.base import SpeechDetector, SpeechStream
from vivavoce.errors import EngineError
from vivavoce.types import Samples

log = logging.getLogger(__name__)

TOGETHER = 32
"""Frames in one call of the model: about 2 ms, which is how long the loop may stand still."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    stream: SpeechStream
    frame: Samples
    heard: asyncio.Future[float]

    def hear_alone(self) -> None:
        """Without the others."""
        try:
            self.heard.set_result(self.stream.probability(self.frame))
        except Exception as error:  # noqa: BLE001 - it is raised where the probability is awaited
            self.heard.set_exception(error)


class Ears:
    """The voice activity detector of a process, shared by its conversations."""

    def __init__(self, detector: SpeechDetector) -> None:
        self.detector = detector
        self._waiting: list[_Waiting] = []

    async def probability(self, stream: SpeechStream, frame: Samples) -> float:
        """The probability in [0, 1] that the stream's next ``frame`` is speech. One frame of a stream at a time.

        Raises ``EngineError``.
        """
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._hear)
        heard: asyncio.Future[float] = loop.create_future()
        self._waiting.append(_Waiting(stream, frame, heard))
        return await heard

    def _hear(self) -> None:
        now, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._hear)
        now = [one for one in now if not one.heard.done()]
        if not now:
            return
        try:
            probabilities = self.detector.probabilities([one.stream for one in now], [one.frame for one in now])
        except EngineError:
            for one in now:  # only who is to blame shall suffer
                one.hear_alone()
        except Exception as bug:
            log.exception("voice activity detection failed")
            for one in now:
                one.heard.set_exception(bug)
        else:
            for one, probability in zip(now, probabilities, strict=True):
                one.heard.set_result(probability)

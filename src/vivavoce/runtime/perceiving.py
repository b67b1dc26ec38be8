"""A perceiver beside the recogniser: it listens while the words are being decoded, and is waited for only a moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import replace

from vivavoce.engines.base import Perceiver
from vivavoce.errors import EngineError
from vivavoce.types import Samples, Transcript, TranscriptDelta
from vivavoce.voice_facts import Perceived, PerceiveOptions, SpeechEncoding

log = logging.getLogger(__name__)

PATIENCE_S = 0.015
"""How long after its transcript an utterance waits for what was perceived; later it is not known."""

ALL = PerceiveOptions()


class Perceiving:
    """One for all sessions of a process. ``patience_s``: how long an utterance waits for it when its transcript is there.
    ``options`` are what this server may infer."""

    def __init__(self, perceiver: Perceiver, patience_s: float = PATIENCE_S, options: PerceiveOptions = ALL) -> None:
        self._perceiver = perceiver
        self._options = options
        self._patience_s = patience_s

    async def beside(
        self,
        samples: Samples,
        rate_hz: int,
        events: AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None],
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """What a recogniser yields, its transcript with what was ``perceived`` in ``samples``.

        The perceiver begins with the encoding; where it needs none, at once. One that fails is logged: the words go on.
        """
        task: asyncio.Task[Perceived] | None = None

        def begin(encoding: SpeechEncoding | None) -> asyncio.Task[Perceived]:
            return asyncio.create_task(self._perceiver.perceive(samples, rate_hz, encoding, self._options))

        if self._perceiver.network is None:
            task = begin(None)
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, SpeechEncoding):
                        task = task or begin(event)
                    elif isinstance(event, Transcript):
                        task = task or begin(None)
                        yield replace(event, perceived=await self._perceived(task)) if event.text else event
                    else:
                        yield event
        finally:
            if task is not None:
                task.cancel()

    async def _perceived(self, task: asyncio.Task[Perceived]) -> Perceived | None:
        done, _ = await asyncio.wait((task,), timeout=self._patience_s)
        if not done:
            log.info("what was perceived came too late")
            return None
        try:
            return task.result()
        except EngineError as error:
            log.warning("perception: %s", error)
            return None

    def close(self) -> Awaitable[None] | None:
        """Close the perceiver."""
        return self._perceiver.close()

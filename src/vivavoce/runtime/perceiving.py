"""Perceivers beside the recogniser: they listen while the words are being decoded, and are waited for only a moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace

import msgspec

from vivavoce.closing import CloseStack
from vivavoce.engines.base import Perceiver
from vivavoce.errors import EngineError
from vivavoce.intents.feelings import WordsReader
from vivavoce.perception.notes import may_be_sure
from vivavoce.perception.together import together
from vivavoce.types import Samples, Transcript, TranscriptDelta
from vivavoce.voice_facts import Perceived, PerceiveOptions, SpeechEncoding

log = logging.getLogger(__name__)

PATIENCE_S = 0.015
"""How long after its transcript an utterance waits for what was perceived; later it is not known."""

WORDLESS_PATIENCE_S = 1.0
"""The same of one without words: what sounds in it is all there is to know, and no answer waits for its words."""

WORDS_PATIENCE_S = 0.2
"""How long it waits for what its words tell of an emotion; then the voice decides."""

ALL = PerceiveOptions()


class Perceiving:
    """One for all sessions of a process. Of what two of the ``perceivers`` hear, the first is believed. ``patience_s``: how
    long an utterance waits for them when its transcript is there. ``options`` are what this server may infer. ``words`` reads
    what the words tell by themselves, where an emotion is heard that may be answered to.
    """

    def __init__(
        self,
        perceivers: Sequence[Perceiver],
        patience_s: float = PATIENCE_S,
        options: PerceiveOptions = ALL,
        words: WordsReader | None = None,
    ) -> None:
        self._words = words
        self._perceivers = perceivers
        self._options = options
        self._patience_s = patience_s

    async def beside(
        self,
        samples: Samples,
        rate_hz: int,
        events: AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None],
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """What a recogniser yields, its transcript with what was ``perceived`` in ``samples``.

        A perceiver begins with the encoding; one that needs none, at once. One that fails is logged: the words go on.
        """
        with self.listening(samples, rate_hz) as listening:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, SpeechEncoding):
                        listening.encoded(event)
                    elif isinstance(event, Transcript):
                        listening.encoded(None)
                        yield replace(event, perceived=await listening.perceived(event.text))
                    else:
                        yield event

    @contextmanager
    def listening(self, samples: Samples, rate_hz: int) -> Iterator[Listening]:
        """Listen to ``samples`` for the length of a ``with`` block."""
        listening = Listening(self._perceivers, samples, rate_hz, self._options, self._patience_s, self._words)
        try:
            yield listening
        finally:
            listening.end()

    async def close(self) -> None:
        """Close the perceivers."""
        async with CloseStack() as stack:
            for perceiver in self._perceivers:
                stack.add(perceiver)


class Listening:
    """The perceivers at work on one utterance. Those that need no encoding have begun."""

    def __init__(
        self,
        perceivers: Sequence[Perceiver],
        samples: Samples,
        rate_hz: int,
        options: PerceiveOptions,
        patience_s: float,
        words: WordsReader | None,
    ) -> None:
        self._words = words
        self._perceivers = perceivers
        self._utterance = samples, rate_hz, options
        self._patience_s = patience_s
        self._tasks: dict[int, asyncio.Task[Perceived]] = {}
        for number, perceiver in enumerate(perceivers):
            if perceiver.network is None:
                self._begin(number, None)

    def encoded(self, encoding: SpeechEncoding | None) -> None:
        """The recogniser's encoding is there, or there will be none: whoever waits for it begins."""
        for number in range(len(self._perceivers)):
            if number not in self._tasks:
                self._begin(number, encoding)

    async def perceived(self, text: str) -> Perceived | None:
        """What they have heard, if they are ready in time, and what ``text``, which was said, tells of it."""
        patience_s = self._patience_s if text else max(self._patience_s, WORDLESS_PATIENCE_S)
        done, late = await asyncio.wait(self._tasks.values(), timeout=patience_s)
        if late:
            log.info("what was perceived came too late")
        found = [self._result(task) for task in self._tasks.values() if task in done]
        heard = [perceived for perceived in found if perceived is not None]
        return await self._with_words(together(heard), text) if heard else None

    async def _with_words(self, heard: Perceived, text: str) -> Perceived:
        """To read the words takes less than to read the instruction they may withhold."""
        if self._words is None or not text or not may_be_sure(heard.emotion):
            return heard
        try:
            async with asyncio.timeout(WORDS_PATIENCE_S):
                return msgspec.structs.replace(heard, words_tell=await self._words.told(text))
        except TimeoutError:
            log.info("what the words tell came too late")
            return heard

    def _begin(self, number: int, encoding: SpeechEncoding | None) -> None:
        samples, rate_hz, options = self._utterance
        work = self._perceivers[number].perceive(samples, rate_hz, encoding, options)
        self._tasks[number] = asyncio.create_task(work)

    def _result(self, task: asyncio.Task[Perceived]) -> Perceived | None:
        try:
            return task.result()
        except EngineError as error:
            log.warning("perception: %s", error)
            return None

    def end(self) -> None:
        """Nobody waits any more."""
        for task in self._tasks.values():
            task.cancel()

"""Which partial transcript of a conversation is under way, with a recogniser that is as slow as the test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import numpy as np
import pytest

from vivavoce.engines.fake import FAILURE, FakeRecognizer
from vivavoce.runtime.partial_transcriber import PartialTranscriber
from vivavoce.runtime.recognition import Recognition
from vivavoce.scheduling import Ticket, Urgency
from vivavoce.session.inputs import PartialTranscript
from vivavoce.session.outputs import AwaitPartialTranscript, TranscribePartially
from vivavoce.types import Samples, TranscribeOptions, Transcript, TranscriptDelta

RATE_HZ = 16_000


class Slow(FakeRecognizer):
    """Hears when it is let: the lengths of what it was asked, in seconds, are in ``begun``."""

    def __init__(self) -> None:
        self.begun: list[float] = []
        self._let = asyncio.Semaphore(0)

    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        self.begun.append(len(samples) / RATE_HZ)
        await self._let.acquire()
        async for event in super().transcribe(samples, options):
            yield event

    async def hear(self) -> None:
        """Come to the end of what is under way."""
        self._let.release()
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def partial(seconds: int, *, prompt: str | None = None) -> TranscribePartially:
    samples = np.full(seconds * RATE_HZ, 0.3, np.float32)
    return TranscribePartially("item", seconds * RATE_HZ, samples, None, prompt)


class Conversation:
    """Asks for partial transcripts, and remembers what came of them: the seconds read, ``None`` for one that could
    not be made.
    """

    def __init__(self, recognition: Recognition, group: asyncio.TaskGroup) -> None:
        self.read: list[int] = []
        self.failed: list[int] = []
        self.partials = PartialTranscriber(
            recognition, self, receive=self._take, spawn=lambda work: group.create_task(work())
        )

    def _take(self, result: PartialTranscript) -> None:
        (self.failed if result.transcript is None else self.read).append(result.until // RATE_HZ)

    async def ask(self, seconds: int, *, prompt: str | None = None) -> None:
        self.partials.request(partial(seconds, prompt=prompt))
        await settle()


@pytest.fixture
async def group() -> AsyncIterator[asyncio.TaskGroup]:
    async with asyncio.TaskGroup() as group:
        yield group


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def talk(slow: Slow, group: asyncio.TaskGroup) -> Conversation:
    return Conversation(Recognition(slow), group)


async def test_a_newer_reading_takes_the_place_of_an_older_one(slow: Slow, talk: Conversation) -> None:
    await talk.ask(1)
    await talk.ask(2)
    assert slow.begun == [1, 2]
    await slow.hear()
    assert talk.read == [2]


async def test_a_recogniser_slower_than_the_pauses_finishes_readings(slow: Slow, talk: Conversation) -> None:
    """Four pauses while it hears once: it is not made to begin anew each time, and the newest is the next."""
    for seconds in range(1, 13):
        await talk.ask(seconds)
        if seconds % 4 == 0:
            await slow.hear()
    await slow.hear()
    await slow.hear()
    assert talk.read[-1] == 12
    assert len(talk.read) >= 3
    assert talk.read == sorted(talk.read)


async def test_the_reading_a_turn_ended_with_does_not_wait_for_an_older_one(slow: Slow, talk: Conversation) -> None:
    for seconds in (1, 2, 3, 4):
        await talk.ask(seconds)
    assert slow.begun == [1, 2], "the second is not replaced again"
    talk.partials.finish(AwaitPartialTranscript("item", 4 * RATE_HZ))
    await settle()
    assert slow.begun == [1, 2, 4]
    await slow.hear()
    assert talk.read == [4]


async def test_the_reading_a_turn_ended_with_goes_before_what_others_are_saying(
    slow: Slow, group: asyncio.TaskGroup
) -> None:
    recognition = Recognition(slow)
    holder, ended, speaking = (Conversation(recognition, group) for _ in range(3))
    await holder.ask(9)
    await speaking.ask(1)
    await ended.ask(2)
    ended.partials.finish(AwaitPartialTranscript("item", 2 * RATE_HZ))
    for _ in range(3):
        await slow.hear()
    assert slow.begun == [9, 2, 1]


async def test_a_reading_that_is_not_known_any_more_could_not_be_made(talk: Conversation) -> None:
    talk.partials.finish(AwaitPartialTranscript("item", 5 * RATE_HZ))
    assert talk.failed == [5]


async def test_a_failing_recogniser_says_nothing(slow: Slow, talk: Conversation) -> None:
    await talk.ask(1, prompt=FAILURE)
    await slow.hear()
    assert (talk.read, talk.failed) == ([], [1])
    await talk.ask(2)
    await slow.hear()
    assert talk.read == [2]


async def test_a_busy_recogniser_reads_later(slow: Slow, group: asyncio.TaskGroup) -> None:
    """It used to say at once that it had no time, which was taken for silence."""
    recognition = Recognition(slow)
    talk = Conversation(recognition, group)
    long = group.create_task(
        recognition.piece(np.full(20 * RATE_HZ, 0.3, np.float32), TranscribeOptions(), Ticket(Urgency.LONG, "other"))
    )
    await settle()
    await talk.ask(1)
    assert (slow.begun, talk.read, talk.failed) == ([20], [], [])
    await slow.hear()
    await slow.hear()
    await long
    assert talk.read == [1]

"""Recordings become text piece by piece, and wait for those who talk live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from vivavoce.engines.fake import FAILURE, FakeRecognizer, FakeSpeechDetector
from vivavoce.errors import EngineError
from vivavoce.runtime.long_audio import Segment, recognise, transcribe_turn
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.vad_batcher import VadBatcher
from vivavoce.scheduling import Ticket, Urgency, WorkOwner
from vivavoce.types import Samples, TranscribeOptions, Transcript, TranscriptDelta

RATE_HZ = 16_000


class Listening(FakeRecognizer):
    """Remembers what it was asked; can be held."""

    def __init__(self) -> None:
        self.asked: list[TranscribeOptions] = []
        self.begun: asyncio.Queue[float] = asyncio.Queue()
        self.go = asyncio.Event()
        self.go.set()

    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        self.asked.append(options)
        self.begun.put_nowait(len(samples) / RATE_HZ)
        await self.go.wait()
        async for event in super().transcribe(samples, options):
            yield event


def loud(duration_s: float) -> Samples:
    return np.full(int(duration_s * RATE_HZ), 0.3, np.float32)


def quiet(duration_s: float) -> Samples:
    return np.zeros(int(duration_s * RATE_HZ), np.float32)


async def segments(recognizer: FakeRecognizer, samples: Samples, **how: Any) -> list[Segment]:
    reading = recognise(Recognition(recognizer), VadBatcher(FakeSpeechDetector()), samples, TranscribeOptions(**how))
    return [one async for one in reading]


async def test_pieces_are_timed_against_the_recording() -> None:
    recording = np.concatenate([quiet(1), loud(2), quiet(3), loud(1), quiet(2)])
    first, second = await segments(Listening(), recording)
    assert (first.text, second.text) == ("I heard 2000 milliseconds.", "I heard 1000 milliseconds.")
    assert first.start_ms == pytest.approx(800, abs=40)
    assert first.end_ms == pytest.approx(3200, abs=40)
    assert second.start_ms == pytest.approx(5800, abs=40)


async def test_words_are_timed_against_the_recording_and_bound_their_segment() -> None:
    [only] = await segments(Listening(), np.concatenate([quiet(4), loud(2), quiet(1)]), words=True)
    assert "".join(word.text for word in only.words) == only.text
    assert only.words[0].start_ms == only.start_ms == pytest.approx(4000, abs=40)
    assert only.words[-1].end_ms == only.end_ms == pytest.approx(6000, abs=40)
    assert all(word.start_ms < word.end_ms for word in only.words)


@pytest.mark.parametrize("nothing", [quiet(0), quiet(0.01), quiet(40)])
async def test_silence_is_not_even_recognised(nothing: Samples) -> None:
    recognizer = Listening()
    assert await segments(recognizer, nothing) == []
    assert recognizer.asked == []


async def test_the_prompt_carries_over_a_pause_but_not_a_long_one() -> None:
    recognizer = Listening()
    await segments(recognizer, np.concatenate([loud(1), quiet(2), loud(1), quiet(6), loud(1)]), prompt="Vivavoce")
    carried = [asked.prompt or "" for asked in recognizer.asked]
    assert carried[0] == carried[2] == "Vivavoce"
    assert carried[1].startswith("Vivavoce I heard 1")


async def test_short_pieces_keep_the_language_heard_before() -> None:
    recognizer = Listening()
    await segments(recognizer, np.concatenate([loud(1), quiet(2), loud(1), quiet(2), loud(6)]))
    assert [asked.language for asked in recognizer.asked] == [None, "en", None]
    await segments(recognizer, loud(1), language="zh", translate=True, temperature=0.4)
    assert recognizer.asked[-1] == TranscribeOptions("zh", None, words=False, translate=True, temperature=0.4)


async def test_a_failure_is_an_engine_error() -> None:
    with pytest.raises(EngineError):
        await segments(Listening(), loud(1), prompt=FAILURE)


async def test_live_work_waits_for_one_piece_at_most() -> None:
    recognizer = Listening()
    recognition = Recognition(recognizer)
    vad, order = VadBatcher(FakeSpeechDetector()), list[str]()

    async def file(name: str) -> None:
        recording = np.concatenate([part for _ in range(3) for part in (loud(1), quiet(2))])
        async with aclosing(recognise(recognition, vad, recording, TranscribeOptions())) as heard:
            while await anext(heard, None):
                order.append(name)

    async def live() -> None:
        await recognition.piece(loud(3), TranscribeOptions(), Ticket(Urgency.LIVE, object()))
        order.append("live")

    recognizer.go.clear()
    files = [asyncio.create_task(file(name)) for name in ("a", "b")]
    assert await recognizer.begun.get() < 2, "a piece is under way"
    talk = [asyncio.create_task(live()) for _ in range(2)]
    await asyncio.sleep(0)
    recognizer.go.set()
    await asyncio.gather(*files, *talk)
    assert order[1:3] == ["live", "live"], "those who talk are next, no other piece"
    assert (order.count("a"), order.count("b")) == (3, 3)


async def said(recognizer: FakeRecognizer, samples: Samples, **how: Any) -> list[TranscriptDelta | Transcript]:
    recognition, vad = Recognition(recognizer), VadBatcher(FakeSpeechDetector())
    return [event async for event in transcribe_turn(recognition, vad, samples, TranscribeOptions(**how), object())]


async def test_what_was_said_is_recognised_as_a_whole_if_it_is_short() -> None:
    recognizer = Listening()
    assert await said(recognizer, loud(25)) == [Transcript("I heard 25000 milliseconds.", "en")]
    assert recognizer.begun.qsize() == 1


async def test_what_was_said_at_length_comes_in_pieces() -> None:
    recognizer = Listening()
    *deltas, whole = await said(recognizer, np.concatenate([loud(12), quiet(1), loud(14), quiet(1)]), language="zh")
    assert whole == Transcript("I heard 12000 milliseconds. I heard 14000 milliseconds.", "zh")
    assert "".join(delta.text for delta in deltas) == whole.text
    assert len(deltas) == recognizer.begun.qsize() == 2


async def test_long_silence_is_no_words() -> None:
    recognizer = Listening()
    assert await said(recognizer, quiet(60)) == [Transcript("", "en")]
    assert recognizer.begun.empty()


async def test_long_work_of_one_yields_to_what_another_waits_for() -> None:
    """A turn of minutes in one conversation, short ones and readings in another."""
    recognizer = Listening()
    recognition, vad, order = Recognition(recognizer), VadBatcher(FakeSpeechDetector()), list[str]()
    long = np.concatenate([part for _ in range(8) for part in (loud(11), quiet(1))])

    async def at_length() -> None:
        async with aclosing(transcribe_turn(recognition, vad, long, TranscribeOptions(), "long")) as events:
            async for event in events:
                order.append("long" if isinstance(event, TranscriptDelta) else "over")

    async def live(urgency: Urgency, name: str) -> None:
        await recognition.piece(loud(1), TranscribeOptions(), Ticket(urgency, "live"))
        order.append(name)

    recognizer.go.clear()
    talking_at_length = asyncio.create_task(at_length())
    assert await recognizer.begun.get() > 10, "a piece is under way"
    others = [asyncio.create_task(live(Urgency.LIVE, "reading")), asyncio.create_task(live(Urgency.ENDED_TURN, "turn"))]
    await asyncio.sleep(0)
    recognizer.go.set()
    await asyncio.gather(talking_at_length, *others)
    assert order == ["long", "turn", "reading", *["long"] * 7, "over"]


@pytest.mark.parametrize("pauses", [False, True])
async def test_forty_long_items_of_one_owner_cost_another_one_short_piece(pauses: bool) -> None:
    """Read as a whole, and as urgently as somebody's turn, each of them cost it 25 s of reading."""
    recognizer = Listening()
    recognition, vad = Recognition(recognizer), VadBatcher(FakeSpeechDetector())
    item = np.concatenate([part for _ in range(4) for part in (loud(5.7), quiet(0.3))]) if pauses else loud(24)
    done = list[str]()

    async def read(samples: Samples, whose: WorkOwner, *, live: bool) -> None:
        async for event in transcribe_turn(recognition, vad, samples, TranscribeOptions(), whose, live=live):
            if isinstance(event, Transcript):
                done.append(str(whose.owner))

    recognizer.go.clear()
    items = [asyncio.create_task(read(item, WorkOwner("greedy", "session"), live=False)) for _ in range(40)]
    assert await recognizer.begun.get() <= 15.5, "what cannot be interrupted is short"
    turn = asyncio.create_task(read(loud(3), WorkOwner("other", "session"), live=True))
    await asyncio.sleep(0)
    recognizer.go.set()
    await turn
    assert recognizer.begun.get_nowait() == 3, "the turn is next"
    assert done == ["other"]
    await asyncio.gather(*items)

"""The reply road: order, overlap, cancellation, bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from vivavoce.engines.fake import FAILURE, FakeLanguageModel, FakeSynthesizer
from vivavoce.errors import EngineError
from vivavoce.runtime.clause_synthesis import UNREADABLE
from vivavoce.runtime.reply import CLAUSES_AHEAD, ReplyRequest, reply
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    ReplyEnd,
    ReplyEvent,
    Samples,
    SpeakOptions,
    Speech,
    TextDelta,
)


class Paced(FakeLanguageModel):
    """Says sentences, and waits for leave after each one."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(1)
        self.sentences = sentences
        self.leave = asyncio.Semaphore(0)
        self.said = 0
        self.waiting = asyncio.Event()
        self.closed = False

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        try:
            for sentence in self.sentences:
                yield TextDelta(sentence)
                self.said += 1
                if self.leave.locked():
                    self.waiting.set()
                await self.leave.acquire()
            yield GenerationEnd("stop", 7, 3, 5)
        finally:
            self.closed = True


class Slow(FakeSynthesizer):
    """Speaks when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.leave = asyncio.Semaphore(0)
        self.closed = False

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        try:
            await self.leave.acquire()
            yield np.zeros(240, np.float32)
        finally:
            self.closed = True


def request(text: str = "hello there", voice: str | None = "fake") -> ReplyRequest:
    return ReplyRequest((Message("user", text),), GenerationOptions(), voice)


async def replied(*args: object, **kwargs: object) -> list[ReplyEvent]:
    events: list[ReplyEvent] = []

    async def emit(event: ReplyEvent) -> None:
        events.append(event)

    await reply(request(*args, **kwargs), FakeLanguageModel(1), FakeSynthesizer(), emit)  # type: ignore[arg-type]
    return events


async def test_clauses_join_to_the_reply_and_each_is_cut_before_it_is_spoken() -> None:
    events = await replied("One two three. Four five six! Seven eight nine?")
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    cuts = [event for event in events if isinstance(event, ClauseCut)]
    assert text == "".join(cut.text for cut in cuts) == "You said: One two three. Four five six! Seven eight nine?"
    assert [cut.index for cut in cuts] == list(range(len(cuts)))
    assert len(cuts) > 1
    for cut in cuts:
        first = next(at for at, event in enumerate(events) if isinstance(event, Speech) and event.index == cut.index)
        assert events.index(cut) < first
    assert isinstance(events[-1], ReplyEnd)
    assert [event for event in events if isinstance(event, GenerationEnd)]
    spoken = [event.index for event in events if isinstance(event, ClauseSpoken)]
    assert spoken == list(range(len(cuts)))


async def test_a_reply_that_has_begun_is_gone_on_with() -> None:
    events: list[ReplyEvent] = []

    async def emit(event: ReplyEvent) -> None:
        events.append(event)

    messages = (Message("user", "One two three."), Message("assistant", "You said: One two"))
    begun = ReplyRequest(messages, GenerationOptions(continue_last_message=True), "fake", prefix=" One two")
    await reply(begun, FakeLanguageModel(1), FakeSynthesizer(), emit)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == " One two three."
    events.clear()
    await reply(replace(begun, messages=()), FakeLanguageModel(1), FakeSynthesizer(), emit)
    assert [event.text for event in events if isinstance(event, ClauseCut)] == [" One two"]
    assert not [event for event in events if isinstance(event, GenerationEnd)]


async def test_text_only_is_not_spoken() -> None:
    assert not [event for event in await replied(voice=None) if isinstance(event, Speech)]


async def test_the_first_clause_is_spoken_while_the_rest_is_generated() -> None:
    model = Paced(["This is the first sentence. ", "This is the second."])
    spoken = asyncio.Event()

    async def emit(event: ReplyEvent) -> None:
        if isinstance(event, Speech):
            spoken.set()

    model.leave.release()
    task = asyncio.create_task(reply(request(), model, FakeSynthesizer(), emit))
    async with asyncio.timeout(5):
        await spoken.wait()
    assert not model.closed
    model.leave.release()
    await task


async def test_cancelling_stops_both_sides() -> None:
    model, synthesizer = Paced(["This is the first sentence. "] * 3), Slow()
    model.leave.release()

    async def emit(event: ReplyEvent) -> None:
        pass

    task = asyncio.create_task(reply(request(), model, synthesizer, emit))
    async with asyncio.timeout(5):
        await model.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.closed
    assert synthesizer.closed


async def test_generation_waits_for_a_synthesizer_that_is_behind() -> None:
    model, synthesizer = Paced(["This is a whole sentence. "] * (CLAUSES_AHEAD * 3)), Slow()
    for _ in model.sentences:
        model.leave.release()

    async def emit(event: ReplyEvent) -> None:
        pass

    task = asyncio.create_task(reply(request(), model, synthesizer, emit))
    for _ in range(2000):
        await asyncio.sleep(0)
    assert model.said <= CLAUSES_AHEAD + 3
    for _ in model.sentences:
        synthesizer.leave.release()
    await task
    assert model.said == len(model.sentences)


@pytest.mark.parametrize("voice", ["fake", None])
async def test_an_engine_error_comes_out_as_itself(voice: str | None) -> None:
    with pytest.raises(EngineError, match="asked to"):
        await replied(FAILURE, voice=voice)


class Remembering(FakeSynthesizer):
    """Remembers what it is to say, and fails where the text tells it to."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        self.said.append(text)
        async for samples in super().speak(text, options):
            yield samples


async def spoken_of(begun: str, language: str = "en") -> list[str]:
    synthesizer = Remembering()

    async def emit(event: ReplyEvent) -> None:
        pass

    written = ReplyRequest((), GenerationOptions(), "fake", language, prefix=begun)
    await reply(written, FakeLanguageModel(1), synthesizer, emit)
    return synthesizer.said


async def test_text_no_voice_reads_is_told_of_once() -> None:
    said = await spoken_of("Here it is, as you asked.\n안녕하세요.\n감사합니다.\nThat was all of it.")
    assert said == ["Here it is,", "as you asked.", UNREADABLE["en"], "That was all of it."]
    assert (await spoken_of("안녕하세요.", "zh")) == [UNREADABLE["zh"]]
    assert (await spoken_of("안녕하세요.", "ko")) == [UNREADABLE["en"]]


async def test_a_clause_that_fails_does_not_end_the_reply() -> None:
    said = await spoken_of(f"This is the first line.\nAnd now {FAILURE} here.\nThis is the last line.")
    assert said[-1] == "This is the last line."

"""What one conversation has the engines do: who waits for whom, what it costs, what becomes of failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from calls_per_frame import fake_engines, no_tools

from vivavoce.engines.fake import FAILURE
from vivavoce.errors import RateLimitError
from vivavoce.runtime.engine_work import AUDIO_AHEAD_MS, EngineWork
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.session_end import Work
from vivavoce.scheduling import WorkOwner
from vivavoce.session.inputs import Recognised, RecognitionFailed, Replied, ReplyFailed, Scored, SessionInput
from vivavoce.session.outputs import Prefill, ScoreTurn, StartReply, StopReply, Transcribe
from vivavoce.session.status import SessionStatus
from vivavoce.types import GenerationOptions, Message, ReplyEnd, Speech, Transcript

LOUD = np.full(16_000, 0.3, np.float32)


class Quota:
    """Counts tokens; there are none left when it is ``empty``."""

    def __init__(self) -> None:
        self.spent = 0
        self.empty = False

    def require(self) -> None:
        if self.empty:
            raise RateLimitError("No tokens are left.")

    def spend(self, tokens: int) -> None:
        self.spent += tokens


class Conversation:
    """Engine work whose answers are kept."""

    def __init__(self, group: asyncio.TaskGroup, engines: Engines | None = None) -> None:
        self.taken: list[SessionInput] = []
        self.token_quota = Quota()
        self.tasks: list[asyncio.Task[None]] = []
        self.engines = engines or fake_engines()
        self.model = self.engines.language_models["fake"]
        self.preparations = self.engines.preparations

        def spawn(work: Work) -> asyncio.Task[None]:
            self.tasks.append(group.create_task(work()))
            return self.tasks[-1]

        self.work = EngineWork(
            WorkOwner("owner", "session"),
            self.engines,
            self.model,
            0,
            token_quota=self.token_quota,
            tools=no_tools("owner"),
            receive=self.taken.append,
            spawn=spawn,
        )

    async def finished(self) -> None:
        async with asyncio.timeout(10):
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def replied(self, kind: type[object]) -> int:
        return sum(
            isinstance(session_input, Replied) and isinstance(session_input.event, kind) for session_input in self.taken
        )


@asynccontextmanager
async def conversation(engines: Engines | None = None) -> AsyncIterator[Conversation]:
    async with asyncio.TaskGroup() as group:
        yield Conversation(group, engines)


def start_reply(text: str) -> StartReply:
    return StartReply("resp", (Message("user", text),), GenerationOptions(), "alloy", "en")


async def test_a_reply_waits_while_too_much_of_its_speech_waits() -> None:
    async with conversation() as talk:
        talk.work.follow(SessionStatus(queued_ms=AUDIO_AHEAD_MS))
        talk.work.carry_out(start_reply("word " * 50))
        for _ in range(200):
            await asyncio.sleep(0)
        assert talk.replied(Speech) == 1
        talk.work.follow(SessionStatus(queued_ms=AUDIO_AHEAD_MS - 1))
        await talk.finished()
        assert talk.replied(Speech) > 1
        assert talk.replied(ReplyEnd) == 1


async def test_a_stopped_reply_says_no_more_and_its_prompt_is_paid() -> None:
    async with conversation() as talk:
        talk.work.follow(SessionStatus(queued_ms=AUDIO_AHEAD_MS))
        talk.work.carry_out(start_reply("word " * 50))
        for _ in range(200):
            await asyncio.sleep(0)
        count, paid = len(talk.taken), talk.token_quota.spent
        talk.work.carry_out(StopReply("resp"))
        await talk.finished()
        assert len(talk.taken) == count
        assert talk.tasks[0].cancelled()
        assert talk.token_quota.spent >= max(paid, 50)


async def test_a_reply_displaces_a_prefill() -> None:
    async with conversation() as talk:
        prompt = (Message("user", "hello"),)
        talk.work.carry_out(Prefill(prompt, GenerationOptions()))
        talk.work.carry_out(start_reply("hello"))
        await talk.finished()
        assert [task.cancelled() for task in talk.tasks] == [True, False]
        assert talk.replied(ReplyEnd) == 1


async def test_without_tokens_there_is_no_reply() -> None:
    async with conversation() as talk:
        talk.token_quota.empty = True
        talk.work.carry_out(start_reply("hello"))
        await talk.finished()
        assert talk.taken == [ReplyFailed("resp", "No tokens are left.", "rate_limit_exceeded", "rate_limit_error")]
        assert talk.token_quota.spent == 0


async def test_an_engine_that_fails_ends_its_work_only() -> None:
    async with conversation() as talk:
        talk.work.carry_out(start_reply(FAILURE))
        talk.work.carry_out(Transcribe("item", 0, LOUD))
        await talk.finished()
        kinds = {type(session_input) for session_input in talk.taken}
        assert kinds >= {ReplyFailed, Recognised}
        (transcript,) = (session_input for session_input in talk.taken if isinstance(session_input, Recognised))
        assert isinstance(transcript.event, Transcript)
        assert transcript.event.text == "I heard 1000 milliseconds."


async def test_a_recogniser_that_fails_says_so() -> None:
    async with conversation() as talk:
        talk.work.carry_out(Transcribe("item", 0, LOUD, prompt=FAILURE))
        await talk.finished()
        (failed,) = talk.taken
        assert isinstance(failed, RecognitionFailed)
        assert failed.item_id == "item"


async def test_a_pause_is_scored() -> None:
    async with conversation() as talk:
        talk.work.carry_out(ScoreTurn("item", 16_000, LOUD))
        await talk.finished()
        assert talk.taken == [Scored("item", 16_000, 0.1)]


async def test_nothing_begins_when_the_conversation_is_over() -> None:
    async with conversation() as talk:
        talk.work.close()
        with pytest.raises(RuntimeError, match="over"):
            talk.work.carry_out(start_reply("hello"))

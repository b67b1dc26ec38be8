"""Replies made before the end of their turn: never seen before it, the same as others after it, and gone when they are void."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.test_engine_work import Conversation, conversation, start_reply
from vivavoce.engines.fake import FAILURE
from vivavoce.engines.fake.language_model import FakeLanguageModel
from vivavoce.runtime.preparations import Preparations
from vivavoce.session.inputs import PromptEvaluated, Replied, ReplyBegun, SentenceScored
from vivavoce.session.outputs import DropPreparation, Prefill, PrepareReply, StartReply
from vivavoce.sound import MessageAudio
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message, ReplyEnd, Speech


def prepare(text: str, *, score_sentence: bool = True) -> PrepareReply:
    return PrepareReply("item", 16_000, score_sentence, replace(start_reply(text), response_id=""))


async def a_while() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


def seen(talk: Conversation) -> list[object]:
    """What the session was told but for how whole the sentence is and what is counted, which are no parts of the reply."""
    return [taken for taken in talk.taken if not isinstance(taken, SentenceScored | ReplyBegun | PromptEvaluated)]


async def test_nothing_is_seen_before_the_turn_is_over_and_then_all_of_it_at_once() -> None:
    async with conversation() as talk:
        talk.work.carry_out(prepare("What time is it"))
        await a_while()
        assert not seen(talk)
        assert talk.token_quota.spent == 0
        assert any(isinstance(taken, SentenceScored) for taken in talk.taken)
        talk.work.carry_out(start_reply("what time is it?"))
        await asyncio.sleep(0)
        assert talk.replied(Speech)
        await talk.finished()
        assert talk.replied(ReplyEnd) == 1
        assert talk.token_quota.spent > 0
    assert talk.preparations.counts.used == talk.preparations.counts.begun == 1


async def test_it_is_the_reply_that_would_have_been_made() -> None:
    replies = []
    for prepared in (True, False):
        async with conversation() as talk:
            if prepared:
                talk.work.carry_out(prepare("word " * 30))
                await a_while()
            talk.work.carry_out(start_reply("word " * 30))
            await talk.finished()
            replies.append([repr(taken) for taken in seen(talk)])
    assert replies[0] == replies[1]


@pytest.mark.parametrize(
    "answer",
    [
        start_reply("What time is it there"),
        replace(start_reply("What time is it"), voice="echo"),
        replace(start_reply("What time is it"), speed=1.5),
    ],
)
async def test_other_words_or_another_voice_are_answered_anew(answer: StartReply) -> None:
    async with conversation() as talk:
        talk.work.carry_out(prepare("What time is it"))
        await a_while()
        talk.work.carry_out(answer)
        await talk.finished()
        assert talk.replied(ReplyEnd) == 1
    assert (talk.preparations.counts.begun, talk.preparations.counts.used, talk.preparations.counts.discarded) == (
        1,
        0,
        1,
    )


async def test_the_user_goes_on() -> None:
    async with conversation() as talk:
        talk.work.carry_out(prepare("What time is it"))
        await a_while()
        talk.work.carry_out(DropPreparation())
        await talk.finished()
        assert not seen(talk)
        assert talk.token_quota.spent == 0
    assert talk.preparations.counts.discarded == 1


async def test_a_preparation_that_fails_is_tried_again_when_the_turn_is_over() -> None:
    async with conversation() as talk:
        talk.work.carry_out(prepare(FAILURE))
        await a_while()
        assert not seen(talk), "a failure is not seen either"
        talk.work.carry_out(start_reply(FAILURE))
        await talk.finished()
        assert len(seen(talk)) == 1


async def test_a_long_reply_is_made_ahead_only_in_part() -> None:
    async with conversation() as talk:
        talk.work.carry_out(prepare("word, " * 400))
        await a_while()
        assert not talk.tasks[0].done()
        talk.work.carry_out(start_reply("word, " * 400))
        await talk.finished()
        assert talk.replied(ReplyEnd) == 1


async def test_a_reply_somebody_waits_for_comes_first() -> None:
    async with conversation() as talk, conversation(talk.engines) as other:
        talk.work.carry_out(prepare("What time is it"))
        await a_while()
        other.work.carry_out(start_reply("word " * 50))
        await asyncio.sleep(0)
        talk.work.carry_out(prepare("What time is it"))
        assert talk.preparations.counts.refused == 1
        assert talk.preparations.counts.discarded == 1
        await talk.finished()
        await other.finished()


async def test_an_engine_that_wants_no_speculation_is_only_asked_for_replies() -> None:
    async with conversation() as talk:
        talk.model.speculative = False
        talk.work.carry_out(prepare("What time is it"))
        await talk.finished()
    assert talk.preparations.counts.begun == 0


STEPS = st.lists(
    st.tuples(st.sampled_from(["prepare", "start", "drop", "prefill", "wait"]), st.sampled_from(["a b", "A, b.", "c"])),
    max_size=12,
)


@given(STEPS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_whatever_happens_only_replies_that_were_started_are_seen_and_none_is_left(
    steps: list[tuple[str, str]],
) -> None:
    async def run() -> None:
        async with conversation() as talk:
            started = set()
            for number, (kind, text) in enumerate(steps):
                match kind:
                    case "prepare":
                        talk.work.carry_out(prepare(text))
                    case "start":
                        started.add(f"resp_{number}")
                        talk.work.carry_out(replace(start_reply(text), response_id=f"resp_{number}"))
                    case "drop":
                        talk.work.carry_out(DropPreparation())
                    case "prefill":
                        work = start_reply(text)
                        talk.work.carry_out(Prefill(work.messages, work.options))
                    case "wait":
                        await a_while()
                replied = {taken.response_id for taken in talk.taken if isinstance(taken, Replied)}
                assert replied <= started
            talk.work.carry_out(DropPreparation())
            await talk.finished()
        counts = talk.preparations.counts
        assert counts.begun == counts.used + counts.discarded
        assert talk.preparations.idle

    asyncio.run(run())


def measured(talk: Conversation) -> list[object]:
    return [taken for taken in talk.taken if isinstance(taken, ReplyBegun | PromptEvaluated)]


@pytest.fixture
def uncached(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that reads every prompt from its beginning."""
    generate = FakeLanguageModel.generate

    async def reading(
        self: FakeLanguageModel, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        async for event in generate(self, messages, options):
            yield replace(event, cached_tokens=0) if isinstance(event, GenerationEnd) else event

    monkeypatch.setattr(FakeLanguageModel, "generate", reading)


@pytest.mark.usefixtures("uncached")
async def test_what_is_read_in_advance_does_not_count_as_read_after_the_turn() -> None:
    async with conversation() as talk:
        talk.work.carry_out(prepare("What time"))
        await a_while()
        talk.work.carry_out(prepare("What time is it"))
        await a_while()
        assert not measured(talk)
        talk.work.carry_out(start_reply("What time is it"))
        await talk.finished()
        assert measured(talk) == [ReplyBegun("resp", prepared=True, discarded=1), PromptEvaluated("resp", 0)]


@pytest.mark.usefixtures("uncached")
async def test_what_is_read_after_the_turn_counts() -> None:
    async with conversation() as talk:
        for text in ("What time is it", "And where"):
            talk.work.carry_out(start_reply(text))
            await talk.finished()
        assert measured(talk) == [
            ReplyBegun("resp", prepared=False, discarded=0),
            PromptEvaluated("resp", 4),
            ReplyBegun("resp", prepared=False, discarded=0),
            PromptEvaluated("resp", 2),
        ]


@pytest.mark.usefixtures("uncached")
async def test_a_turn_that_ends_while_its_prompt_is_read_waits_for_all_of_it() -> None:
    async with conversation() as talk:
        talk.work.carry_out(prepare("What time is it"))
        talk.work.carry_out(start_reply("What time is it"))
        await talk.finished()
        begun, evaluated = measured(talk)
        assert begun == ReplyBegun("resp", prepared=True, discarded=0)
        assert isinstance(evaluated, PromptEvaluated)
        assert evaluated.tokens >= 4


async def test_a_reply_made_anew_tells_of_what_was_thrown_away_for_it() -> None:
    async with conversation() as talk:
        talk.work.carry_out(prepare("What time"))
        await a_while()
        talk.work.carry_out(start_reply("What time is it"))
        await talk.finished()
        talk.work.carry_out(start_reply("And now?"))
        await talk.finished()
        begun = [taken for taken in talk.taken if isinstance(taken, ReplyBegun)]
        assert [(one.prepared, one.discarded) for one in begun] == [(False, 1), (False, 0)]


def test_no_preparations_where_they_are_switched_off() -> None:
    assert not Preparations(0).admit(lambda: None)


# ---- models that hear


def heard(text: str, *clips: bytes) -> StartReply:
    work = start_reply(text)
    *before, said = work.messages
    return replace(work, messages=(*before, replace(said, audio=MessageAudio(clips, 16_000))))


ONE, ANOTHER = b"\x01\x00" * 800, b"\x02\x00" * 800


@pytest.mark.parametrize(
    ("prepared", "answer", "used"),
    [
        (heard("", ONE), heard("What time is it?", ONE), True),  # made before anybody knew the words
        (heard("", ONE), heard("What time is it?", ONE, ANOTHER), False),
        (heard("", ONE), start_reply("What time is it?"), False),
        (heard("What time is it", ONE), heard("what time is it?", ONE + ANOTHER), True),  # the silence of the pause
        (heard("What time is it", ONE), heard("What time is it there", ONE), False),
    ],
)
async def test_a_reply_to_what_was_heard_is_the_answer_to_it(
    prepared: StartReply, answer: StartReply, *, used: bool
) -> None:
    async with conversation() as talk:
        talk.work.carry_out(PrepareReply("item", 16_000, False, replace(prepared, response_id="")))
        await a_while()
        talk.work.carry_out(answer)
        await talk.finished()
        assert talk.replied(ReplyEnd) == 1
    assert talk.preparations.counts.used == used

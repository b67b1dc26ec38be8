"""Thinking while speaking, with a scripted language model: who is asked what, in which order, and what is stopped."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.errors import ClientError, EngineError
from vivavoce.runtime.reasoning import ReasoningModel
from vivavoce.runtime.reasoning_prompts import reasoning_prompt, takes_up
from vivavoce.runtime.think_tags import ThinkTags
from vivavoce.thinking import Thinking
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Message,
    SpeechFlush,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ThinkingMode,
    ThinkingOptions,
    Tool,
)

QUESTION = (
    Message("system", "You are a voice."), Message("user", "What is two and two and two?", reply_language="en")
)  # fmt: skip
PROMPT = reasoning_prompt(QUESTION)
NOTES = ["two", "and", "two", "are", "four", "and", "two", "are", "six", "Result:", "six"]


class Scripted(FakeLanguageModel):
    """Writes notes when it is to think, else speaks; each prompt and its options are kept.

    A word of its first sentence takes ``first_word_s``; behind that sentence it ``adds`` words.
    """

    def __init__(self, *, fails_aside: bool = False, first_word_s: float = 0.002, adds: Sequence[str] = ()) -> None:
        super().__init__(2)
        self._first_word_s = first_word_s
        self._adds = adds
        self.asked: list[tuple[tuple[Message, ...], GenerationOptions]] = []
        self.running = 0
        self._fails_aside = fails_aside

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        self.asked.append((tuple(messages), options))
        self.running += 1
        try:
            if options.aside and self._fails_aside:
                raise EngineError("scripted", "failed")
            begun, word_s = messages[-1].content, 0.004 if options.aside else 0.002
            if "by these notes" in begun or PROMPT.answer in begun:
                left = ["That", "makes", "six."]
            elif PROMPT.first.lstrip() in begun:
                said = begun.partition(PROMPT.first.lstrip())[2].split()
                left = ["Let", "me", "add", "them", "up", "one", "by", "one", "then.", *self._adds][len(said) :]
                word_s = self._first_word_s
            else:
                left = NOTES[len(begun.removeprefix(PROMPT.notes).split()) :]
            for word in left[: options.max_tokens]:
                await asyncio.sleep(word_s)
                yield TextDelta(f"{word} ")
            yield GenerationEnd("length" if len(left) > options.max_tokens else "stop", 10, 5, len(left))
        finally:
            self.running -= 1


def options(mode: ThinkingMode, budget: int = 100, segment: int = 3, speech: int = 2) -> GenerationOptions:
    return GenerationOptions(slot=0, thinking=ThinkingOptions(mode, budget, segment, speech))


async def answered(model: Scripted, wanted: GenerationOptions) -> list[GenerationEvent]:
    async with aclosing(ReasoningModel(model).generate(QUESTION, wanted)) as events:
        return [event async for event in events]


def spoken(events: Sequence[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thought(events: Sequence[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


@pytest.mark.parametrize("mode", ["think-first", "speak-first", "think-before-speak"])
async def test_all_is_thought_and_the_result_is_said_in_every_mode(mode: ThinkingMode) -> None:
    events = await answered(Scripted(), options(mode))
    assert thought(events).split() == NOTES
    assert spoken(events).rstrip().endswith("That makes six.")
    assert [type(event) for event in events].count(ThinkingEnd) == 1
    assert isinstance(events[-1], GenerationEnd)


@pytest.mark.parametrize(
    ("mode", "before"), [("think-first", 3), ("speak-first", 0), ("think-before-speak", len(NOTES))]
)
async def test_so_much_is_thought_before_the_first_word(mode: ThinkingMode, before: int) -> None:
    events = await answered(Scripted(), options(mode))
    first = next(at for at, event in enumerate(events) if isinstance(event, TextDelta))
    assert sum(isinstance(event, ThinkingDelta) for event in events[:first]) == before


async def test_thoughts_and_words_are_interleaved_in_time() -> None:
    kinds = [
        "thought" if isinstance(event, ThinkingDelta) else "word"
        for event in await answered(Scripted(), options("think-first"))
        if isinstance(event, ThinkingDelta | TextDelta)
    ]
    changes = sum(before != after for before, after in itertools.pairwise(kinds))
    assert changes >= 3


@pytest.mark.parametrize(
    ("said", "language", "taken_up"),
    [
        ("What is two and two and two?", "en", True),
        ("A pen costs 3 euros. I buy 7 pens. How much is that?", "en", True),
        ("一支笔3块钱，我买了7支，一共多少钱？", "zh", True),
        ("今天是星期二，再过10天是星期几", "zh", True),
        ("How are you?", "en", False),
        ("你好吗？", "zh", False),
        ("Tell me a story about a bear who lost his way.", "en", False),
        ("我今天丢了工作，心里很难过。", "zh", False),
        ("", "en", False),
        ("Wie viele Minuten dauert die Fahrt im Ganzen?", "de", False),
        ("3つのりんごを2人で分けると、1人いくつですか？", "ja", False),
        ("What is two and two and two?", None, True),
        ("一支笔3块钱，我买了7支，一共多少钱？", None, True),
        ("Wie viele Minuten dauert die Fahrt im Ganzen?", None, False),
        ("Combien de minutes dure le voyage en tout ?", None, False),
    ],
)
def test_a_question_is_taken_up_and_nothing_else(said: str, language: str | None, taken_up: bool) -> None:
    assert takes_up((QUESTION[0], Message("user", said, reply_language=language))) is taken_up


def test_no_question_is_taken_up_where_another_language_may_be_wanted() -> None:
    assert not takes_up((Message("system", "Answer in French."), Message("user", "What is two and two and two?")))


async def test_what_is_no_question_begins_with_the_models_own_words() -> None:
    request = (QUESTION[0], Message("user", "Tell me about the sea and the ships."))
    events = [event async for event in ReasoningModel(Scripted()).generate(request, options("speak-first"))]
    assert spoken(events).startswith("Let me")


async def test_the_first_segment_is_thought_in_the_conversations_slot_and_the_rest_aside() -> None:
    model = Scripted()
    await answered(model, options("think-first"))
    thinking = [
        asked
        for prompt, asked in model.asked
        if PROMPT.answer not in prompt[-1].content and PROMPT.first not in prompt[-1].content
    ]
    assert [(asked.slot, asked.aside) for asked in thinking] == [(0, False), (None, True)]
    assert all(asked.thinking is None for _, asked in model.asked)


async def test_usage_counts_the_thoughts() -> None:
    end = (await answered(Scripted(), options("think-before-speak")))[-1]
    assert isinstance(end, GenerationEnd)
    assert end.output_tokens == len(NOTES) + 3


async def test_words_stand_between_marks_and_behind_all_that_is_thought() -> None:
    model = Scripted()
    words = spoken(await answered(model, options("think-first")))
    last, told = model.asked[-1]
    assert last[-1].content.startswith(PROMPT.notes + " ".join(NOTES))
    assert set(PROMPT.closes) <= set(told.stop)
    first = last[-1].content.partition(PROMPT.first)[2].partition(PROMPT.closes[0])[0]
    assert words.startswith(first)
    assert not any(close in words for close in PROMPT.closes)


async def test_a_sentence_from_before_all_was_thought_is_not_taken_for_the_answer() -> None:
    """It takes longer than all the thoughts."""
    words = spoken(await answered(Scripted(first_word_s=0.02), options("think-first")))
    assert "one then. That makes six." in words


async def test_a_first_sentence_is_spoken_while_it_is_thought_on() -> None:
    events = await answered(Scripted(), options("speak-first", speech=100))
    at = next(at for at, event in enumerate(events) if isinstance(event, SpeechFlush))
    assert spoken(events[:at]).rstrip().endswith("one then.")
    assert thought(events[at:])


async def test_one_sentence_is_said_before_the_answer() -> None:
    words = spoken(await answered(Scripted(adds=["And", "so", "on."]), options("speak-first", speech=100)))
    assert words.split("one by one ")[1].split() == ["then.", "That", "makes", "six."]


async def test_by_all_thoughts_it_is_spoken_where_they_have_been_read() -> None:
    model = Scripted()
    await answered(model, options("think-first"))
    thinking = [asked for _, asked in model.asked if asked.continued_aside]
    assert [asked.slot for asked in thinking] == [0]
    assert model.asked[-1][1].aside


async def test_who_has_nothing_to_think_answers_as_always() -> None:
    class Thoughtless(Scripted):
        @override
        async def generate(
            self, messages: Sequence[Message], options: GenerationOptions
        ) -> AsyncGenerator[GenerationEvent, None]:
            self.asked.append((tuple(messages), options))
            if messages[-1].role == "user":
                yield TextDelta("Six.")
            yield GenerationEnd("stop", 10, 5, 1)

    model = Thoughtless()
    assert spoken(await answered(model, options("think-first"))) == "Six."
    assert model.asked[-1][0] == QUESTION


async def test_the_budget_bounds_what_is_thought() -> None:
    events = await answered(Scripted(), options("think-first", budget=5))
    assert thought(events).split() == NOTES[:5]


async def test_nothing_is_thought_where_it_is_off_or_the_model_thinks_by_itself() -> None:
    for wanted, features in ((options("off"), frozenset()), (options("think-first"), frozenset({"thinking"}))):
        model = Scripted()
        model.features = features  # type: ignore[assignment]
        await answered(model, wanted)
        assert len(model.asked) == 1


async def test_all_is_thought_before_an_answer_that_may_be_a_call() -> None:
    tool = Tool("clock", "", {"type": "object"})
    events = await answered(Scripted(), replace(options("speak-first"), tools=(tool,)))
    first = next(at for at, event in enumerate(events) if isinstance(event, TextDelta))
    assert not any(isinstance(event, ThinkingDelta) for event in events[first:])


async def test_closing_stops_both_streams() -> None:
    model = Scripted()
    events = ReasoningModel(model).generate(QUESTION, options("speak-first"))
    assert await anext(events) == TextDelta(PROMPT.opening)
    await anext(events)
    await asyncio.sleep(0.005)
    assert model.running == 2
    await events.aclose()
    assert model.running == 0


async def test_a_formulation_that_fails_is_an_error_of_the_reply() -> None:
    with pytest.raises(EngineError, match="failed"):
        await answered(Scripted(fails_aside=True), options("speak-first"))


def test_efforts_are_budgets() -> None:
    thinking = Thinking(segment_tokens=64)
    low = thinking.options("minimal", "effort")
    assert low is not None
    assert (low.budget_tokens, low.segment_tokens) == (40, 40)
    assert thinking.options("none", "effort") is None
    with pytest.raises(ClientError) as refused:
        thinking.options("enormous", "reasoning.effort")
    assert refused.value.param == "reasoning.effort"


@given(
    st.lists(st.integers(1, 5), max_size=20), st.sampled_from(["", "<think>two and two</think>", "<think>never ends"])
)
def test_tags_are_understood_wherever_the_text_is_cut(sizes: list[int], tagged: str) -> None:
    text, tags, events = f"{tagged}It is < four.", ThinkTags(), list[GenerationEvent]()
    rest = text
    for size in sizes:
        events += tags.push(rest[:size])
        rest = rest[size:]
    events += [*tags.push(rest), *tags.flush()]
    whole = tagged.removeprefix("<think>").removesuffix("</think>")
    if tagged.endswith("ends"):
        assert (thought(events), spoken(events)) == (f"{whole}It is < four.", "")
    else:
        assert (thought(events), spoken(events)) == (whole, "It is < four.")

"""Which tools a turn can be about: with an embedder whose vectors are made up, and once with the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from vivavoce.engines.base import EngineContext
from vivavoce.engines.e5 import load
from vivavoce.engines.fake import FakeEmbedder
from vivavoce.errors import EngineError
from vivavoce.tools.relevance import SMALL_TALK, Relevance, relevance_of
from vivavoce.types import EmbedOptions, Message, Tool, ToolCall, Vectors

ANY = {"type": "object"}
MUSIC, WEATHER = Tool("play_music", "Play music.", ANY), Tool("get_weather", "Current weather of a city.", ANY)


class Meanings(FakeEmbedder):
    """Texts about music point east, weather north, talk and the rest up."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
        self.asked += texts
        rows = [[float("music" in text), float("weather" in text), 0.5] for text in texts]
        vectors: Vectors = np.array(rows, np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def said(*texts: str) -> list[Message]:
    return [Message("user", text) for text in texts]


async def irrelevant(*messages: Message, embedder: Meanings | None = None) -> frozenset[str]:
    return await Relevance(embedder or Meanings(), -0.2).irrelevant(messages, (MUSIC, WEATHER))


async def test_what_a_turn_cannot_be_about_is_withheld() -> None:
    assert await irrelevant(*said("some music please")) == {"get_weather"}
    assert await irrelevant(*said("hello")) == {"play_music", "get_weather"}


async def test_a_turn_is_also_read_behind_the_one_before() -> None:
    assert await irrelevant(*said("what about the weather", "and in Rome?")) == {"play_music"}


async def test_a_yes_is_read_behind_the_question_it_answers() -> None:
    """Only what the user said was looked at, and "Yes, please." is talk: what had been offered was withheld."""
    offer = Message("assistant", "I see. Shall I play some music?")
    assert await irrelevant(*said("I am tired."), offer, *said("Yes, please.")) == {"get_weather"}
    told = Message("assistant", "I played some music.")
    assert await irrelevant(*said("I am tired."), told, *said("Thanks.")) == {"play_music", "get_weather"}


async def test_instructions_behind_the_conversation_ask_for_something() -> None:
    """With and without a turn of the user; what has been answered is asked for no more."""
    head, orders = Message("system", "Be brief."), Message("system", "Tell the weather in Paris.")
    assert await irrelevant(head, orders) == {"play_music"}
    assert await irrelevant(head, *said("Some music, please."), orders) == frozenset()
    answered = (*said("Some music, please."), Message("assistant", "Here you are."))
    assert await irrelevant(head, *answered, orders) == {"play_music"}


async def test_what_was_called_lately_stays() -> None:
    called = Message("assistant", "", (ToolCall("c", "play_music", "{}"),))
    messages = (*said("music"), called, Message("tool", "ok", tool_call_id="c"), Message("assistant", "Here."))
    assert await irrelevant(*messages, *said("hello", "stop it")) == {"get_weather"}


async def test_an_answer_to_a_functions_output_may_call_anything() -> None:
    called = Message("assistant", "", (ToolCall("c", "play_music", "{}"),))
    assert await irrelevant(*said("hello"), called, Message("tool", "ok", tool_call_id="c")) == frozenset()
    assert await irrelevant(Message("system", "Be brief.")) == frozenset()


async def test_what_tools_are_for_is_read_once() -> None:
    embedder, relevance = Meanings(), None
    relevance = Relevance(embedder, -0.2)
    for _ in range(3):
        await relevance.irrelevant(said("hello"), (MUSIC, WEATHER))
    assert embedder.asked.count("play music: Play music.") == 1
    assert embedder.asked.count(SMALL_TALK[0]) == 1


async def test_after_a_failure_it_is_tried_again() -> None:
    class Failing(Meanings):
        fails = True

        async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
            if self.fails and SMALL_TALK[0] in texts:
                raise EngineError("fake", "no")
            return await super().embed(texts, options)

    embedder = Failing()
    relevance = Relevance(embedder, -0.2)
    with pytest.raises(EngineError):
        await relevance.irrelevant(said("hello"), (MUSIC,))
    embedder.fails = False
    assert await relevance.irrelevant(said("hello"), (MUSIC,)) == {"play_music"}


async def test_only_a_scale_that_is_known_withholds_tools() -> None:
    assert await relevance_of(FakeEmbedder(), -0.065).irrelevant(said("hello"), (MUSIC, WEATHER)) == frozenset()
    assert await relevance_of(Meanings(), None).irrelevant(said("hello"), (MUSIC, WEATHER)) == frozenset()
    ranked = await relevance_of(FakeEmbedder(), None).similarities(["play some music"], (WEATHER, MUSIC))
    assert ranked[0] < ranked[1], "but any embedder can rank"


@pytest.fixture(scope="module")
def real(weights: Callable[[str], Path]) -> Iterator[Relevance]:
    embedder = load(EngineContext(weights=weights, threads=2, capacity=1))
    yield relevance_of(embedder, -0.065)
    embedder.close()


@pytest.mark.real
@pytest.mark.parametrize(
    ("turn", "withheld"),
    [
        ("Put on something by Bach.", {"play_music": False}),
        ("外面冷吗？查一下巴黎的天气。", {"get_weather": False}),
        ("My uncle is a drummer.", {"get_weather": True}),
        ("谢谢你的帮助。", {"play_music": True, "get_weather": True}),
    ],
)
async def test_the_real_scale(real: Relevance, turn: str, withheld: dict[str, bool]) -> None:
    found = await real.irrelevant(said(turn), (MUSIC, WEATHER))
    assert {name: name in found for name in withheld} == withheld


@pytest.mark.real
async def test_the_real_scale_reads_a_yes_behind_its_question(real: Relevance) -> None:
    offered = [*said("I am tired."), Message("assistant", "Shall I play some Bach for you?"), *said("Yes, please.")]
    assert "play_music" not in await real.irrelevant(offered, (MUSIC, WEATHER))

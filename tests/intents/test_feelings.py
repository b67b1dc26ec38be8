"""What words tell of a feeling: with the real embedder, on sentences it was not trained on, and by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from typing_extensions import override

from vivavoce.config import load_config
from vivavoce.engines.base import Embedder
from vivavoce.engines.fake.embedder import FakeEmbedder
from vivavoce.errors import EngineError
from vivavoce.intents.classifier import FEELING_HEADS, IntentClassifier, load_heads
from vivavoce.intents.feelings import WordsReader, together, told_by
from vivavoce.runtime.engines import EngineLoader
from vivavoce.voice_facts import WordsTell


@pytest.fixture(scope="module")
def reader() -> Iterator[WordsReader]:
    engine: Embedder = EngineLoader(load_config()).embedder()
    yield WordsReader(IntentClassifier(engine, load_heads(FEELING_HEADS)))
    engine.close()


@pytest.mark.real
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("My niece won the spelling contest!", "good"),
        ("My purse was stolen on holiday.", "bad"),
        ("How many strings does a violin have?", "plain"),
        ("Turn the fan on.", "plain"),
        ("The man from the insurance was here.", None),
        ("我侄女作文比赛拿了冠军！", "good"),
        ("我的钱包在地铁上被偷了。", "bad"),
        ("小提琴有几根弦？", "plain"),
        ("保险公司的人来过了。", None),
        ("バイオリンの弦は何本ですか？", "plain"),
        ("Thank you. How many strings does a violin have?", "good"),
        ("My grandfather died. How many strings does a violin have?", "bad"),
    ],
)
async def test_what_sentences_tell(reader: WordsReader, text: str, told: WordsTell | None) -> None:
    assert await reader.told(text) == told


@pytest.mark.parametrize(
    ("probabilities", "told"),
    [
        ({"good": 0.9, "bad": 0.1, "plain": 0.0, "open": 0.2}, "good"),
        ({"good": 0.6, "bad": 0.1, "plain": 0.0, "open": 0.7}, None),
        ({"good": 0.95, "bad": 0.1, "plain": 0.0, "open": 0.85}, None),
        ({"good": 0.0, "bad": 0.1, "plain": 0.95, "open": 0.85}, "plain"),
        ({"good": 0.4, "bad": 0.1, "plain": 0.0, "open": 0.2}, None),
        ({"good": 0.0, "bad": 0.1, "plain": 0.8, "open": 0.2}, "plain"),
    ],
)
def test_the_likeliest_is_believed_if_it_is_sure(probabilities: Mapping[str, float], told: WordsTell | None) -> None:
    assert told_by(probabilities) == told


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        (["plain", "bad"], "bad"),
        (["good", None], "good"),
        (["good", "bad"], None),
        ([None, "plain"], "plain"),
        ([], None),
    ],
)
def test_several_sentences_are_one_turn(told: Sequence[WordsTell | None], whole: WordsTell | None) -> None:
    assert together(told) == whole


async def test_of_another_embedder_nothing_is_known() -> None:
    assert await WordsReader(IntentClassifier(FakeEmbedder(), load_heads(FEELING_HEADS))).told("I won!") is None


async def test_a_failure_tells_nothing() -> None:
    class Failing(IntentClassifier):
        @override
        async def probabilities(self, texts: Sequence[str]) -> list[Mapping[str, float]] | None:
            raise EngineError("embedder", "is gone")

    assert await WordsReader(Failing(FakeEmbedder(), load_heads(FEELING_HEADS))).told("I won!") is None

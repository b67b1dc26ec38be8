"""The classifiers with the real embedder, on sentences they were not trained on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vivavoce.config import load_config
from vivavoce.engines.base import Embedder
from vivavoce.engines.fake.embedder import FakeEmbedder
from vivavoce.intents.classifier import IntentClassifier, load_heads
from vivavoce.intents.turn import TurnIntent, identifies, turn_intent
from vivavoce.runtime.engines import EngineLoader
from vivavoce.types import Message


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    engine = EngineLoader(load_config()).embedder()
    yield engine
    engine.close()


async def intent(embedder: Embedder, *texts: str) -> TurnIntent:
    messages = [Message("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]
    found = await turn_intent(IntentClassifier(embedder, load_heads()), messages)
    assert found is not None
    return found


@pytest.mark.real
@pytest.mark.parametrize(
    "text",
    [
        "Cancel my subscription to the magazine.",
        "Rent the large van for me on Saturday.",
        "把我的会员取消了吧。",
        "帮我给花店打个电话订一束玫瑰。",
        "図書館の本の貸出を延長してください。",
    ],
)
async def test_a_request(embedder: Embedder, text: str) -> None:
    assert (await intent(embedder, text)).acts > 0.6


@pytest.mark.real
@pytest.mark.parametrize(
    "text",
    [
        "Can I cancel the subscription whenever I want?",
        "What happens if I bring the van back late?",
        "会员随时都可以取消吗？",
        "订花要提前几天？",
        "本の返却が遅れたらどうなりますか？",
    ],
)
async def test_a_question_about_acting_is_none(embedder: Embedder, text: str) -> None:
    found = await intent(embedder, text)
    assert found.acts < 0.25
    assert found.documents > 0.7


@pytest.mark.real
@pytest.mark.parametrize("text", ["I had a terrible day at school.", "你喜欢下雨天吗？", "Tell me a riddle."])
async def test_talk_wants_no_documents(embedder: Embedder, text: str) -> None:
    assert (await intent(embedder, text)).documents < 0.5


@pytest.mark.real
@pytest.mark.parametrize("text", ["What are today's headlines?", "今天股市怎么样？"])
async def test_what_changes(embedder: Embedder, text: str) -> None:
    assert (await intent(embedder, text)).current > 0.7


@pytest.mark.real
@pytest.mark.parametrize(
    "text",
    [
        "Which seat did you give me again?",
        "What was the fare you mentioned?",
        "How many bags was that?",
        "刚才说的座位号是几来着？",
        "你刚才报的票价是多少？",
    ],
)
async def test_what_came_up_before(embedder: Embedder, text: str) -> None:
    assert (await intent(embedder, text)).recall > 0.7


@pytest.mark.real
@pytest.mark.parametrize(
    "text",
    [
        "How many bags may I take?",
        "What does a seat by the window cost?",
        "What time does the ferry leave?",
        "可以带几个包？",
    ],
)
async def test_what_documents_tell_did_not_come_up(embedder: Embedder, text: str) -> None:
    assert (await intent(embedder, text)).recall < 0.5


@pytest.mark.real
@pytest.mark.parametrize(
    "text", ["What do I still owe the library?", "Is my passport ready to be picked up?", "我借的书什么时候到期？"]
)
async def test_how_something_of_the_users_own_stands(embedder: Embedder, text: str) -> None:
    assert (await intent(embedder, text)).status > 0.5


@pytest.mark.real
async def test_the_answer_to_a_question_continues_the_request(embedder: Embedder) -> None:
    alone = await intent(embedder, "It's 47112.")
    asked = await intent(embedder, "Refund my order, please.", "Which order is it?", "It's 47112.")
    assert asked.acts > 0.6 > alone.acts


async def test_another_embedder_tells_nothing() -> None:
    classifier = IntentClassifier(FakeEmbedder(), load_heads())
    assert await turn_intent(classifier, [Message("user", "Refund it.")]) is None
    assert await turn_intent(classifier, []) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "My number is P three oh eight one.",
        "It is order 47112.",
        "Booking QX742.",
        "I'm member 5512.",
        "会员号3391。",
        "账户六六零二。",
        "合同是8812。",
        "我的编号是P三零八一。",
    ],
)
def test_a_sentence_that_only_gives_a_number(sentence: str) -> None:
    assert identifies(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Refund order 47112.",
        "Then cancel it, number 47112.",
        "Is it 47112?",
        "My number has changed.",
        "I want order 47112 refunded.",
        "取消订单47112。",
        "",
    ],
)
def test_a_sentence_that_asks_for_something(sentence: str) -> None:
    assert not identifies(sentence)

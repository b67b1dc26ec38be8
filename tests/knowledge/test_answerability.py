"""Whether passages tell what is asked: each sign by itself, then with the real embedder on passages of a handbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from knowledge.shelves import open_shelf
from vivavoce.config import load_config
from vivavoce.engines.base import Embedder, EngineContext
from vivavoce.engines.e5 import load as load_embedder
from vivavoce.knowledge.answerability import CALIBRATED, answer_log_odds, in_other_script, shares_words
from vivavoce.knowledge.passages import Passage
from vivavoce.knowledge.sentence_scoring import ScoredSentence, SentenceScorer

CHARGING = Passage(
    0, "An empty battery of the Heron 5 is full after four hours. Use no other charger.", ("Heron 5", "Charging")
)
TYRES = Passage(1, "Pump the tyres of the Heron 5 up to 3 bar. Kerbs may damage the rim.", ("Heron 5", "Tyres"))
WARRANTY = Passage(
    2, "We give three years of warranty on the frame of the Heron 5. Keep the receipt.", ("Heron 5", "Warranty")
)
HERON = [CHARGING, TYRES, WARRANTY]
SHOP = [
    Passage(0, "青禾书店位于人民路20号。店里有两层。", ("青禾书店",)),
    Passage(1, "青禾书店每天上午十点开门，晚上九点关门。节假日照常营业。", ("青禾书店", "营业时间")),
    Passage(2, "会员卡每年30元。会员买书打九折。", ("青禾书店", "会员")),
]


def _lines(*similarities: float) -> list[ScoredSentence]:
    return [ScoredSentence(0, "x", similarity) for similarity in similarities]


def test_what_is_nearer_is_likelier() -> None:
    near, far = (answer_log_odds("battery full", _lines(one, 0.8, 0.8, 0.8), HERON) for one in (0.92, 0.84))
    assert near > far


def test_a_line_that_stands_out_is_likelier_than_one_among_many_alike() -> None:
    alone, among = (answer_log_odds("battery full", _lines(0.9, *[other] * 5), HERON) for other in (0.82, 0.89))
    assert alone > among


def test_words_that_are_not_there_count_against_it() -> None:
    lines = _lines(0.9, 0.85, 0.85, 0.85)
    assert answer_log_odds("When is the battery full?", lines, HERON) > answer_log_odds(
        "When is the saddle soft?", lines, HERON
    )


@pytest.mark.parametrize(
    "other", ["When is the battery of the Heron 7 full?", "When is the battery of the Egret 5 full?"]
)
def test_a_name_or_number_that_is_not_there_counts_against_it(other: str) -> None:
    lines = _lines(0.9, 0.85, 0.85, 0.85)
    assert (
        answer_log_odds("When is the battery of the Heron 5 full?", lines, HERON)
        > answer_log_odds(other, lines, HERON) + 3
    )


def test_nothing_tells_nothing() -> None:
    assert answer_log_odds("Hello?", [], []) == float("-inf")


def test_forms_of_a_word_and_words_of_measure_are_forgiven() -> None:
    lines = _lines(0.9, 0.85, 0.85, 0.85)
    assert answer_log_odds("How long must I charge the batteries?", lines, HERON) == answer_log_odds(
        "charger battery", lines, HERON
    )


def test_a_quick_look_sees_whether_anything_asked_for_is_there() -> None:
    assert shares_words("Is the battery full?", HERON)
    assert not shares_words("My aunt sang yesterday.", HERON)


@pytest.fixture(scope="module")
def embedder(weights: Callable[[str], Path]) -> Iterator[Embedder]:
    engine = load_embedder(EngineContext(weights=weights, threads=1, capacity=1, settings={}))
    yield engine
    engine.close()


@pytest.mark.real
@pytest.mark.parametrize(
    ("question", "passages", "told"),
    [
        ("How long does it take until the battery of the Heron 5 is full?", HERON, True),
        ("What pressure do the tyres of the Heron 5 need?", HERON, True),
        ("How many years of warranty do I get on the frame?", HERON, True),
        ("Does the Heron 5 have a child seat?", HERON, False),
        ("What is the top speed of the Heron 5?", HERON, False),
        ("Who won the elections in Norway?", HERON, False),
        ("青禾书店晚上几点关门？", SHOP, True),
        ("青禾书店的会员卡一年多少钱？", SHOP, True),
        ("青禾书店卖咖啡吗？", SHOP, False),
    ],
)
async def test_real_questions_are_told_apart(
    embedder: Embedder, question: str, passages: list[Passage], told: bool
) -> None:
    lines = await SentenceScorer(embedder).score(question, passages)
    assert (answer_log_odds(question, lines, passages) >= 0) == told


@pytest.mark.real
async def test_it_weighs_only_what_it_was_measured_with(embedder: Embedder, tmp_path: Path) -> None:
    assert embedder.name in CALIBRATED
    assert load_config({"knowledge": {"least_evidence": "off"}}).knowledge.least_evidence is None
    async with open_shelf(tmp_path) as shelf:  # with the fake embedder
        assert not shelf.knowledge.calibrated


@pytest.mark.parametrize(
    ("question", "text", "other"),
    [
        ("How long is it?", "保修期两年。", True),
        ("保修多久？", "The guarantee is two years.", True),
        ("保修多久？", "Aurora的保修期两年。", False),
        ("How long is it?", "The guarantee is two years.", False),
    ],
)
def test_whether_question_and_passages_are_in_different_scripts(question: str, text: str, other: bool) -> None:
    assert in_other_script(question, [Passage(0, text)]) is other
    assert not in_other_script(question, [])

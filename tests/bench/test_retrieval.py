"""The retrieval bench: its corpus is sound, its figures mean what they say, and it can be run without weights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from retrieval_corpus import CorpusQuestion, pages, questions
from retrieval_latency import EACH_LANGUAGE, SpokenQuestion, TurnTimes, asked_aloud, listen
from retrieval_measure import REFUSALS, Answered, Found, answer, find
from retrieval_report import as_json, latency, quality, tables

from knowledge.shelves import OWNER, open_shelf
from vivavoce.engines.fake import FakeLanguageModel, FakeSynthesizer
from vivavoce.knowledge.stores import NewStore
from vivavoce.tools.retrieval import RetrievalTool, retrieval_tool


@pytest.fixture
async def tool(tmp_path: Path) -> AsyncIterator[RetrievalTool]:
    async with open_shelf(tmp_path, least_similarity=0.1) as shelf:
        store = (await shelf.knowledge.stores.create(OWNER, NewStore("bench"))).id
        await shelf.add(store, "# Aurora\n\nThe battery of the Aurora lasts eleven hours.\n")
        await shelf.settled(store)
        yield retrieval_tool(shelf.knowledge, OWNER, store)


def asked(ask: str, file: str | None = "manual.md", half: str = "dev") -> CorpusQuestion:
    return next(
        CorpusQuestion(ask, None, file, "eleven hours", one.answers, half)  # type: ignore[arg-type]
        for one in questions()
        if one.answers
    )


def test_every_question_with_an_answer_names_a_page() -> None:
    texts = {page.file: page.text for page in pages()}
    assert len(texts) == len(pages()) >= 60
    for question in questions():
        assert question.file is None or question.file in texts, question.ask
        assert question.file is None or question.answers, question.ask


def test_there_are_enough_questions_of_both_kinds_in_both_halves() -> None:
    every = questions()
    assert len({(one.before, one.ask) for one in every}) == len(every) >= 60
    for half in ("dev", "test"):
        of_half = [one for one in every if one.half == half]
        assert sum(one.file is None for one in of_half) >= 10
        assert {one.language for one in of_half} == {"en", "zh"}


@pytest.mark.parametrize(
    "said", ["The documents do not say.", "I couldn't find it.", "资料里没有写。", "抱歉，没有相关信息。"]
)
def test_an_honest_answer(said: str) -> None:
    assert REFUSALS.search(said)


@pytest.mark.parametrize("said", ["It weighs 22.5 kilograms.", "水箱容量为1.8升。"])
def test_an_answer_is_no_refusal(said: str) -> None:
    assert not REFUSALS.search(said)


async def test_the_right_passage_has_a_rank_and_others_have_none(tool: RetrievalTool) -> None:
    assert (await find(tool, asked("How long does the battery last?"))).rank == 1
    assert (await find(tool, asked("How long does the battery last?", "other.md"))).rank == 0


async def test_the_model_reads_what_was_found(tool: RetrievalTool) -> None:
    told = await answer(tool, FakeLanguageModel(1), asked("How long does the battery last?"))
    assert "eleven hours" in told.text
    assert told.first_ms > 0


async def test_first_audio_with_a_search_and_without(tool: RetrievalTool) -> None:
    call = asked('call search_documents {"query": "battery"}')
    (heard,) = await listen([call], tool, FakeLanguageModel(1), FakeSynthesizer(), lambda: None)
    assert heard.counts
    assert heard.plain.called_ms is None
    marks = heard.searched
    assert 0 < (marks.called_ms or 0) <= (marks.found_ms or 0) < (marks.audio_ms or 0)
    (no_search,) = await listen([asked("hello")], tool, FakeLanguageModel(1), FakeSynthesizer(), lambda: None)
    assert not no_search.counts


def test_what_is_asked_aloud_is_to_tune_with() -> None:
    aloud = asked_aloud(questions())
    assert [sum(one.language == language for one in aloud) for language in ("en", "zh")] == [EACH_LANGUAGE] * 2
    assert all(one.half == "dev" and one.file is not None for one in aloud)


def test_figures_of_first_audio_leave_out_what_was_not_searched_for() -> None:
    question = asked("x")
    searched = TurnTimes(called_ms=100.0, found_ms=120.0, audio_ms=900.0)
    heard = [
        SpokenQuestion(question, searched, TurnTimes(audio_ms=400.0)),
        SpokenQuestion(question, TurnTimes(audio_ms=9000.0), TurnTimes(audio_ms=100.0)),
    ]
    figures = latency(heard)
    assert (figures["questions"], figures["searched_for"], figures["added_ms"]) == (2, 1, 500.0)
    assert (figures["first_audio_ms"], figures["first_audio_without_the_tool_ms"]) == (900.0, 400.0)


def test_figures_of_quality() -> None:
    there, absent = asked("x"), asked("y", None)
    found = [Found(there, 2, 0.9, 5.0, unasked=True), Found(absent, 0, 0.8, 7.0, unasked=False)]
    answered = [Answered(there, "no idea", False, True, 10.0), Answered(absent, "It is 42.", False, False, 30.0)]
    figures = quality(found, answered)
    assert (figures["right_passage_first"], figures["right_passage_in_3"]) == (0.0, 1.0)
    assert figures["searched_unasked"] == 1.0
    assert (figures["right_answer"], figures["right_or_honest"], figures["absent_refused"]) == (0.0, 0.5, 0.0)
    told = as_json(found, answered, [], None, "large")
    assert told["first_audio"] is None
    assert [turn["rank"] for turn in told["turns"]] == [2, 0]
    assert len(tables(found, answered, [], None)) == 1

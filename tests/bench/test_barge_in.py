"""The barge-in bench: its measures alone, and against a server with fake engines."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from rich.console import Console

from running import RunningServer, running
from scripted_server import Script, scripted_server, tone
from vivavoce.bench.barge_in import (
    BargeInRun,
    audible,
    barge_in,
    by_clock,
    by_recognition,
    played,
    prefix_length,
    run_barge_in,
)
from vivavoce.bench.barge_in_report import BargeInReport, print_barge_in
from vivavoce.bench.questions import Question
from vivavoce.bench.turn import Target
from vivavoce.client.playout import Playout
from vivavoce.config import load_config
from vivavoce.engines.fake import CHARACTER_MS

QUESTION = Question("q", "en", np.concatenate([np.zeros(4800, np.float32), tone(600)]), 800.0)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config(profile="fake")) as started:
        yield started


@pytest.mark.parametrize(
    ("words", "heard", "length"),
    [
        ("a b c d e", "", 0),
        ("a b c d e", "a b c", 3),
        ("a b c d e", "a b c d e", 5),
        ("a b c d e", "a x c", 3),
        ("a b c d e", "a c d", 4),
        ("a b c d e", "a b c d e f g", 5),
        ("a b a b a b", "a b a", 3),
        ("", "a", 0),
    ],
)
def test_the_heard_prefix_is_found_in_spite_of_misheard_words(words: str, heard: str, length: int) -> None:
    assert prefix_length(words.split(), heard.split()) == length


def test_what_was_played_stops_at_its_moment_and_leaves_out_gaps() -> None:
    playout = Playout()
    playout.add(tone(100), 10.0)
    playout.add(tone(100), 10.3)  # 200 ms too late
    for until_s, duration_ms in ((9.0, 0), (10.05, 50), (10.2, 100), (10.35, 150), (11.0, 200)):
        assert len(played(playout, until_s)) == pytest.approx(duration_ms * 24, abs=1)


def test_the_users_speech_begins_where_it_can_be_heard() -> None:
    assert len(audible(QUESTION.samples)) == pytest.approx(600 * 24, abs=2)


async def test_the_clock_counts_a_word_once_half_of_it_is_heard() -> None:
    heard_words = by_clock(50)
    for duration_ms, count in ((0, 0), (90, 0), (100, 1), (340, 1), (350, 2), (5000, 2)):  # "four", "four"
        assert await heard_words(["four", "four"], tone(duration_ms), "en") == count, duration_ms


async def test_an_interrupted_reply_is_measured(server: RunningServer) -> None:
    target = Target(server.ws)
    one = await barge_in(target, QUESTION, 1.5, by_clock(CHARACTER_MS))
    assert not one.failure
    assert 64 <= one.notified_ms < 300
    assert 0 <= one.last_audio_ms <= one.notified_ms
    assert 1.3 < one.words_kept * 5.5 * CHARACTER_MS / 1000 < 2.5
    assert abs(one.difference) <= 1


async def test_what_was_heard_can_be_read_by_the_servers_recogniser(server: RunningServer) -> None:
    heard_words = by_recognition(Target(server.ws))
    assert await heard_words("I heard two thousand milliseconds and more".lower().split(), tone(2000), "en") == 5
    assert await heard_words(["i"], tone(0), "en") == 0


async def test_runs_take_questions_and_delays_in_turn_and_failures_are_named() -> None:
    seen: list[BargeInRun] = []
    script = Script()  # replies for 120 ms and is over before anybody can speak into it
    async with scripted_server(script) as url:
        measures = await run_barge_in(
            Target(url, timeout_s=2.0), [QUESTION], runs=2, heard_words=by_clock(50), on_measure=seen.append
        )
    assert seen == measures
    assert [one.delay_s for one in measures] == [1.5, 2.3]
    assert all(one.failure == "the reply was over before it could be interrupted" for one in measures)
    assert "Cannot reach" in (await barge_in(Target("ws://127.0.0.1:9"), QUESTION, 1.0, by_clock(50))).failure


def test_the_report_passes_within_a_word() -> None:
    exact, near, off = (
        BargeInRun(1.5, notified_ms=100, last_audio_ms=80, words_kept=kept, words_heard=5) for kept in (5, 6, 8)
    )
    assert BargeInReport([exact, near]).passed
    assert not BargeInReport([exact, off]).passed
    assert not BargeInReport([exact, BargeInRun(1.5, failure="no reply")]).passed
    said = io.StringIO()
    report = BargeInReport([exact, near, off, BargeInRun(2.3, failure="no reply")])
    print_barge_in(Console(file=said, width=200), report)
    assert "1 exactly, 1 off by more than a word" in said.getvalue()
    assert "8 words kept, 5 heard" in said.getvalue()
    assert "after 2.3 s: no reply" in said.getvalue()

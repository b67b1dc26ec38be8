"""The contention bench, against a server with fake engines."""

from __future__ import annotations

import io

import numpy as np
import pytest
from contention_measure import Contention, ShortTurn, long_turn, run_contention, together
from contention_report import print_contention
from rich.console import Console

from running import running
from scripted_server import tone
from vivavoce.bench.questions import Question
from vivavoce.bench.turn import Target
from vivavoce.config import load_config

QUESTION = Question("q", "en", np.concatenate([tone(300), np.zeros(2400, np.float32)]), 300.0)


def test_questions_are_said_in_one_turn() -> None:
    both = together([QUESTION, QUESTION], 200)
    assert len(both.samples) == 24 * (400 + 200 + 400)
    assert both.speech_end_ms == 900.0


@pytest.mark.parametrize("seconds", [0.1, 1.0, 7.3])
def test_a_long_turn_is_as_long_as_it_is_wanted(seconds: float) -> None:
    assert len(long_turn([QUESTION], seconds)) == int(seconds * 24_000)


async def test_short_turns_are_measured_alone_and_beside_a_long_one() -> None:
    with running(load_config(profile="fake")) as server:
        found = await run_contention(Target(server.ws), [QUESTION], seconds=60.0, count=1)
    assert len(found.alone) == 1
    assert found.long_s > 0
    # The short turns end after 800 ms of silence, and the fake recogniser takes no time.
    assert all(700 < turn.final_ms < 5_000 for turn in (*found.alone, *found.beside))
    assert all(turn.partial_ms is None or turn.partial_ms > 0 for turn in found.alone)


def test_the_report_shows_both() -> None:
    console = Console(file=io.StringIO(), width=120)
    beside = (ShortTurn(2000.0, 900.0), ShortTurn(None, 1200.0))
    print_contention(console, Contention(208.0, 14.2, alone=(), beside=beside))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 of 2" in shown
    assert "1050" in shown
    assert "1200" in shown

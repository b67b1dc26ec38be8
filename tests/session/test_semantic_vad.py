"""How long a pause may be when it depends on how finished the speaker sounds."""

from __future__ import annotations

import pytest

from session.driving import FRAME_MS, Driven
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import Eagerness, TurnDetection
from vivavoce.session.signals import Scored, ScoreTurn
from vivavoce.turns.patience import SCORED_MS, wait_ms


def listening(eagerness: Eagerness = "auto") -> Driven:
    driven = Driven(TurnDetection(type="semantic_vad", eagerness=eagerness))
    driven.hear(640, 0.9)
    return driven


def score(driven: Driven, probability: float | None) -> None:
    work = driven.commands(ScoreTurn)[-1]
    driven.take(Scored(work.item_id, work.voiced_until, probability))


def silence_until_stopped(driven: Driven, *, most_ms: int = 10_000) -> int:
    """How much silence, beyond what was heard already, ends the turn."""
    silent_ms = 0
    while not driven.events(ev.SpeechStopped):
        assert silent_ms < most_ms
        driven.hear(FRAME_MS, 0.0)
        silent_ms += FRAME_MS
    return silent_ms


@pytest.mark.parametrize("eagerness", ["low", "medium", "high"])
@pytest.mark.parametrize("probability", [0.99, 0.9, 0.3, 0.0, None])
def test_the_wait_is_the_ladders(eagerness: Eagerness, probability: float | None) -> None:
    driven = listening(eagerness)
    driven.hear(192, 0.0)
    assert len(driven.commands(ScoreTurn)) == 1
    score(driven, probability)
    waited_ms = 192 + silence_until_stopped(driven)
    assert abs(waited_ms - max(wait_ms(probability, eagerness), 192)) <= 2 * FRAME_MS


def test_a_pause_is_scored_once_and_not_before_it_is_one() -> None:
    driven = listening()
    driven.hear(SCORED_MS - FRAME_MS, 0.0)
    assert not driven.commands(ScoreTurn)
    driven.hear(320, 0.0)
    assert len(driven.commands(ScoreTurn)) == 1


def test_who_goes_on_is_scored_anew() -> None:
    driven = listening()
    driven.hear(192, 0.0)
    score(driven, 0.99)
    driven.hear(320, 0.9)
    driven.hear(192, 0.0)
    assert len(driven.commands(ScoreTurn)) == 2
    score(driven, 0.2)
    assert 192 + silence_until_stopped(driven) > 1_500, "the score of the earlier pause is void"


def test_a_score_that_comes_too_late_changes_nothing() -> None:
    driven = listening()
    driven.hear(192, 0.0)
    late = driven.commands(ScoreTurn)[-1]
    driven.hear(320, 0.9)
    driven.take(Scored(late.item_id, late.voiced_until, 0.99))
    driven.hear(128, 0.0)
    assert not driven.events(ev.SpeechStopped)

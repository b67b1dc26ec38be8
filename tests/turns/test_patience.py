"""Patience: the surer the end and the more eager the session, the shorter the wait; never beyond the limits."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.protocol.session_config import Eagerness
from vivavoce.turns.patience import SCORED_MS, wait_ms

LIMITS_MS: dict[Eagerness, int] = {"high": 2000, "medium": 4000, "auto": 4000, "low": 8000}

scores = st.floats(0.0, 1.0)
eagernesses = st.sampled_from(get_args(Eagerness))


@given(scores, scores, eagernesses)
def test_a_surer_end_never_waits_longer(one: float, other: float, eagerness: Eagerness) -> None:
    low, high = sorted((one, other))
    assert wait_ms(high, eagerness) <= wait_ms(low, eagerness)


@given(st.none() | scores)
def test_a_more_eager_session_never_waits_longer(score: float | None) -> None:
    assert wait_ms(score, "high") <= wait_ms(score, "medium") <= wait_ms(score, "low")
    assert wait_ms(score, "auto") == wait_ms(score, "medium")


@given(st.none() | scores, eagernesses)
def test_waits_are_bounded(score: float | None, eagerness: Eagerness) -> None:
    assert SCORED_MS < wait_ms(score, eagerness) <= LIMITS_MS[eagerness]


@pytest.mark.parametrize("eagerness", LIMITS_MS)
def test_the_limits_are_reached(eagerness: Eagerness) -> None:
    assert wait_ms(0.0, eagerness) == LIMITS_MS[eagerness]


def test_the_ladder() -> None:
    assert [wait_ms(score, "auto") for score in (1.0, 0.97, 0.96, 0.88, 0.87)] == [250, 250, 640, 640, 1300]


@given(eagernesses)
def test_without_a_score_it_waits_between_the_extremes(eagerness: Eagerness) -> None:
    assert wait_ms(1.0, eagerness) < wait_ms(None, eagerness) < wait_ms(0.0, eagerness)

"""What a key has used in the last minute, on a clock of its own."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import RateLimitError
from vivavoce.http.key_limits import KeyUse
from vivavoce.http.rate_windows import WINDOW_S, FixedWindow, MovingWindow
from vivavoce.permissions import Key, KeyLimits
from vivavoce.runtime.slots import SlotFreed


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(1, 5), st.lists(st.floats(0, 40), max_size=40))
def test_there_are_never_more_events_within_a_minute_and_a_wait_is_long_enough(most: int, steps: list[float]) -> None:
    clock, admitted = Clock(), list[float]()
    window = MovingWindow(clock)
    for step in steps:
        clock.now += step
        wait_s = window.hit("key", most)
        within = [at for at in admitted if at > clock.now - WINDOW_S]
        assert (wait_s == 0) == (len(within) < most)
        if wait_s == 0:
            admitted.append(clock.now)
        else:
            assert within[-most] + WINDOW_S == pytest.approx(clock.now + wait_s)


def test_names_are_counted_apart_and_forgotten() -> None:
    clock = Clock()
    window = MovingWindow(clock)
    assert window.hit("a", 1) == 0
    assert window.hit("b", 1) == 0
    assert window.hit("a", 1) == WINDOW_S
    clock.now += WINDOW_S
    assert window.hit("a", 1) == 0
    assert list(window._events) == ["a"]


def test_what_is_spent_in_excess_counts_until_the_minute_is_over() -> None:
    clock = Clock()
    window = FixedWindow(clock)
    window.spend("key", 5)
    clock.now += 20
    assert window.wait_s("key", 6) == 0
    window.spend("key", 500)
    assert window.wait_s("key", 6) == 40
    clock.now += 40
    assert window.wait_s("key", 6) == 0


@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
def test_a_wall_clock_that_is_set_neither_opens_a_limit_nor_closes_it(
    jump_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    use, real = KeyUse(SlotFreed()), time.time
    key = Key("key-1", "alice", frozenset(), KeyLimits(requests_per_minute=2, tokens_per_minute=100))
    use.count_request(key)
    monkeypatch.setattr(time, "time", lambda: real() + jump_s)
    use.count_request(key)
    with pytest.raises(RateLimitError) as refused:
        use.count_request(key)
    assert 1 <= refused.value.retry_after_s <= 60
    use.spend(key, 100)
    monkeypatch.setattr(time, "time", real)
    with pytest.raises(RateLimitError):
        use.require_tokens(key)

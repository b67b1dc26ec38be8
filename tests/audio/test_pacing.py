"""Paced output: nothing lost, nothing early, the played position true."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.pacing import Pacer


@given(
    pushes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2000)), max_size=20),
    lead_ms=st.integers(100, 3000),
)
def test_nothing_is_lost_and_the_lead_is_bounded(pushes: list[tuple[int, int]], lead_ms: int) -> None:
    pacer = Pacer(rate_hz=1000, lead_ms=lead_ms)
    made = 0
    sent: list[tuple[int, int]] = []
    now = 50.0
    for wait_ms, samples in pushes:
        now += wait_ms / 1000
        made += samples
        played = pacer.played(now)
        sent += pacer.release(made, now)
        assert pacer.played(now) >= played
        assert pacer.sent - pacer.played(now) < lead_ms + 100 + 1
    while (at := pacer.next_release(made, now)) is not None:
        assert at >= now
        now = at + 1e-6
        sent += pacer.release(made, now)
    assert [start for start, _ in sent] == [0, *(end for _, end in sent[:-1])][: len(sent)]
    assert sum(end - start for start, end in sent) == pacer.sent == made
    assert pacer.played(pacer.played_at() + 1e-3) == pacer.sent


def test_the_position_waits_while_there_is_nothing_to_play() -> None:
    pacer = Pacer(rate_hz=1000, lead_ms=1000)
    assert pacer.played(10.0) == 0
    pacer.release(500, 10.0)
    assert pacer.played(10.2) == 200
    assert pacer.played(20.0) == 500
    pacer.release(1000, 20.0)
    assert pacer.played(20.1) == 600
    assert pacer.played_at() == 20.5


def test_the_first_piece_is_short() -> None:
    pacer = Pacer(rate_hz=1000, lead_ms=1000)
    assert pacer.release(250, 10.0) == [(0, 20), (20, 120), (120, 220), (220, 250)]

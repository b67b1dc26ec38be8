from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.playout import AUDIBLE_AMPLITUDE, Playout
from vivavoce.types import Samples

RATE_HZ = 1000  # a millisecond a sample keeps the sums readable


def quiet(count: int) -> Samples:
    return np.zeros(count, np.float32)


def loud(count: int) -> Samples:
    return np.full(count, 0.5, np.float32)


def play(*pieces: tuple[float, Samples]) -> Playout:
    playout = Playout(RATE_HZ)
    for arrived_s, samples in pieces:
        playout.add(samples, arrived_s)
    return playout


def test_pieces_that_come_early_queue_behind_the_one_playing() -> None:
    playout = play((10.0, loud(100)), (10.01, loud(100)), (10.15, loud(100)))
    assert [piece.starts_s for piece in playout.pieces] == pytest.approx([10.0, 10.1, 10.2])
    assert (playout.underruns, playout.gap_ms) == (0, 0.0)


def test_a_piece_that_comes_too_late_is_one_underrun_and_its_gap() -> None:
    playout = play((10.0, loud(100)), (10.25, loud(100)), (10.5, loud(100)))
    assert playout.underruns == 2
    assert playout.gap_ms == pytest.approx(150 + 150)
    assert playout.ends_s == pytest.approx(10.6)
    assert playout.duration_ms == pytest.approx(300)


def test_the_first_audible_sample_is_found_at_its_playout_position_not_at_its_arrival() -> None:
    playout = play((10.0, quiet(100)), (10.02, np.concatenate([quiet(30), loud(10)])))
    assert playout.first_audible_s() == pytest.approx(10.13)
    assert playout.leading_silence_ms() == pytest.approx(130)


def test_a_gap_before_the_first_audible_sample_delays_it() -> None:
    playout = play((10.0, quiet(100)), (10.5, loud(10)))
    assert playout.leading_silence_ms() == pytest.approx(500)


def test_the_threshold_itself_is_audible_and_just_below_is_not() -> None:
    below = np.full(5, AUDIBLE_AMPLITUDE * 0.99, np.float32)
    playout = play((0.0, np.concatenate([below, np.full(5, -AUDIBLE_AMPLITUDE * 1.01, np.float32)])))
    assert playout.first_audible_s() == pytest.approx(0.005)


def test_nothing_played_has_no_times() -> None:
    playout = play((1.0, quiet(0)))
    assert playout.starts_s is None
    assert playout.ends_s is None
    assert playout.first_audible_s() is None
    assert playout.leading_silence_ms() is None
    assert len(playout.samples) == 0


def test_pure_silence_is_never_audible() -> None:
    assert play((1.0, quiet(50))).leading_silence_ms() is None


arrivals = st.lists(st.tuples(st.floats(0.0, 0.5), st.integers(1, 300)), min_size=1, max_size=20)


@given(arrivals)
def test_what_is_played_takes_its_length_plus_its_gaps(steps: list[tuple[float, int]]) -> None:
    playout, now_s = Playout(RATE_HZ), 100.0
    for step_s, count in steps:
        now_s += step_s
        playout.add(loud(count), now_s)
    assert playout.starts_s is not None
    assert playout.ends_s is not None
    played_ms = (playout.ends_s - playout.starts_s) * 1000
    assert played_ms == pytest.approx(playout.duration_ms + playout.gap_ms, abs=0.1)
    assert playout.underruns < len(steps)
    assert len(playout.samples) == sum(count for _, count in steps)


@given(arrivals)
def test_pieces_never_overlap_and_never_sound_before_they_arrive(steps: list[tuple[float, int]]) -> None:
    playout, now_s = Playout(RATE_HZ), 0.0
    for step_s, count in steps:
        now_s += step_s
        playout.add(loud(count), now_s)
    ends_s = 0.0
    for piece in playout.pieces:
        assert piece.starts_s >= piece.arrived_s
        assert piece.starts_s >= ends_s - 1e-9
        ends_s = piece.starts_s + len(piece.samples) / RATE_HZ


@given(st.integers(0, 500), st.lists(st.integers(1, 100), min_size=1, max_size=10))
def test_leading_silence_does_not_depend_on_how_the_audio_was_cut(silence: int, cuts: list[int]) -> None:
    samples = np.concatenate([quiet(silence), loud(50)])
    playout, at = Playout(RATE_HZ), 0
    for size in [*cuts, len(samples)]:
        playout.add(samples[at : at + size], 5.0)
        at += size
    assert playout.leading_silence_ms() == pytest.approx(silence, abs=1e-6)

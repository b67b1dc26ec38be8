"""Long recordings are cut where nobody speaks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.turns.pieces import LONGEST_S, MARGIN_MS, Piece, PieceCutter

RATE_HZ, FRAME = 16_000, 512
MARGIN = MARGIN_MS * RATE_HZ // 1000


def frames(duration_s: float) -> int:
    return round(duration_s * RATE_HZ / FRAME)


def cut(*stretches: tuple[float, float]) -> list[Piece]:
    """Pieces of stretches of (duration in s, probability)."""
    heard = [probability for duration_s, probability in stretches for _ in range(frames(duration_s))]
    return pieces_of(heard)


def pieces_of(heard: list[float]) -> list[Piece]:
    cutter = PieceCutter(rate_hz=RATE_HZ, frame_samples=FRAME)
    return [*cutter.hear(heard), *cutter.finish()]


def test_silence_has_no_pieces() -> None:
    assert cut((60.0, 0.1)) == []
    assert cut() == []


def test_a_piece_is_the_speech_and_a_margin() -> None:
    [piece] = cut((2.0, 0.0), (3.0, 0.9), (2.0, 0.0))
    assert piece.start == frames(2.0) * FRAME - MARGIN
    assert piece.end == (frames(2.0) + frames(3.0)) * FRAME + MARGIN
    assert abs(piece.after_pause_ms - 2000) < 40


def test_short_pauses_stay_within_a_piece_and_long_ones_part() -> None:
    assert len(cut((3.0, 0.9), (0.8, 0.0), (3.0, 0.9))) == 1
    first, second = cut((3.0, 0.9), (2.0, 0.0), (3.0, 0.9))
    assert abs(second.after_pause_ms - 2000) < 40
    assert first.end < second.start


def test_a_piece_that_is_long_enough_ends_at_a_good_pause() -> None:
    assert len(cut((11.0, 0.9), (0.3, 0.0), (3.0, 0.9))) == 1
    assert len(cut((11.0, 0.9), (0.7, 0.0), (3.0, 0.9))) == 2


def test_speech_that_is_too_long_is_cut_in_its_longest_pause() -> None:
    stretches = ((9.0, 0.9), (0.16, 0.2), (7.0, 0.9), (0.22, 0.2), (14.0, 0.9))
    first, second = cut(*stretches)
    pause = sum(frames(duration) for duration, _ in stretches[:3]) * FRAME
    assert pause < first.end <= second.start + MARGIN < pause + 0.3 * RATE_HZ + MARGIN


def test_speech_without_a_pause_is_cut_where_it_sounds_least_like_speech() -> None:
    first, second = cut((18.0, 0.95), (0.16, 0.7), (12.0, 0.95))
    assert first.end == second.start, "not a sample twice, not one lost"
    assert abs(first.end / RATE_HZ - 18.0) < 0.2


def test_a_monologue_is_cut_late() -> None:
    pieces = cut((60.0, 1.0))
    assert len(pieces) == 3
    assert all(former.end == later.start for former, later in pairwise(pieces))


def test_a_pause_at_the_very_end_leaves_nothing_over() -> None:
    pieces = cut((24.9, 0.9), (0.2, 0.2), (3.0, 0.0))
    assert len(pieces) == 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 500), st.sampled_from([0.0, 0.3, 0.45, 0.6, 0.9, 1.0])), max_size=25))
def test_no_speech_is_lost_and_nothing_is_too_long(stretches: list[tuple[int, float]]) -> None:
    heard = [probability for count, probability in stretches for _ in range(count)]
    pieces = pieces_of(heard)
    covered = set()
    for piece in pieces:
        assert 0 <= piece.start < piece.end
        assert piece.end - piece.start <= LONGEST_S * RATE_HZ + FRAME + 2 * MARGIN
        covered |= set(range(max(piece.start, 0) // FRAME, piece.end // FRAME + 1))
    assert all(
        former.start < later.start and former.end - later.start <= 2 * MARGIN for former, later in pairwise(pieces)
    )
    at = 0
    for count, probability in stretches:
        if probability >= 0.5 and count >= 2:
            assert set(range(at, at + count)) <= covered
        at += count

"""Speech boundaries from probabilities."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.turns.detector import Started, Stopped, TurnDetector

FRAME = 512


def boundaries(probabilities: list[float], silence_ms: int = 200) -> list[Started | Stopped]:
    detector = TurnDetector(rate_hz=16_000, frame_samples=FRAME)
    return list(detector.hear(0, probabilities, threshold=0.5, silence_ms=lambda: silence_ms))


def test_speech_between_silences() -> None:
    found = boundaries([0.1] * 5 + [0.9] * 10 + [0.1] * 10)
    assert found == [Started(5 * FRAME), Stopped(22 * FRAME, 15 * FRAME)]


def test_a_short_burst_is_ignored() -> None:
    assert boundaries([0.1, 0.9, 0.1, 0.9, 0.1]) == []


def test_a_dip_above_the_release_level_is_still_speech() -> None:
    assert boundaries([0.9] * 5 + [0.4] * 20) == [Started(0)]


def test_a_pause_begins_where_the_voice_has_ended() -> None:
    probabilities = [0.9] * 10 + [0.1] * 10
    detector = TurnDetector(rate_hz=16_000, frame_samples=FRAME)
    levels = [0.1] * 7 + [0.001] * 13
    found = list(detector.hear(0, probabilities, threshold=0.5, silence_ms=lambda: 200, levels=levels))
    assert found == [Started(0), Stopped(14 * FRAME, 7 * FRAME)]


def test_a_pause_begins_no_more_than_the_hangover_before_it_is_noticed() -> None:
    detector = TurnDetector(rate_hz=16_000, frame_samples=FRAME)
    levels = [0.1] * 2 + [0.001] * 18
    found = list(detector.hear(0, [0.9] * 10 + [0.1] * 10, threshold=0.5, silence_ms=lambda: 200, levels=levels))
    assert found == [Started(0), Stopped(13 * FRAME, 6 * FRAME)]


def test_soft_syllables_are_no_pause() -> None:
    detector = TurnDetector(rate_hz=16_000, frame_samples=FRAME)
    levels = [0.1] * 4 + [0.005] * 16  # 26 dB below
    found = list(detector.hear(0, [0.9] * 10 + [0.1] * 10, threshold=0.5, silence_ms=lambda: 200, levels=levels))
    assert found == [Started(0), Stopped(17 * FRAME, 10 * FRAME)]


@given(st.lists(st.floats(0, 1), max_size=300), st.integers(0, 1000))
def test_starts_and_stops_alternate_and_move_forward(probabilities: list[float], silence_ms: int) -> None:
    found = boundaries(probabilities, silence_ms)
    kinds = [type(boundary) for boundary in found]
    assert kinds == [(Started, Stopped)[index % 2] for index in range(len(found))]
    positions = [boundary.position for boundary in found]
    assert positions == sorted(positions)
    for boundary in found:
        if isinstance(boundary, Stopped):
            assert boundary.position - boundary.voiced_until >= silence_ms * 16


@given(st.lists(st.floats(0, 1), max_size=100), st.integers(1, 99))
def test_the_cut_between_calls_does_not_matter(probabilities: list[float], cut: int) -> None:
    detector = TurnDetector(rate_hz=16_000, frame_samples=FRAME)
    args = {"threshold": 0.5, "silence_ms": lambda: 100}
    first = list(detector.hear(0, probabilities[:cut], **args))  # type: ignore[arg-type]
    rest = list(detector.hear(min(cut, len(probabilities)) * FRAME, probabilities[cut:], **args))  # type: ignore[arg-type]
    assert first + rest == boundaries(probabilities, 100)

"""Sounds: patches and their spectrum against the published network, groups and their times, pieces of a turn put together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vivavoce.perception.sound_groups import (
    CLASSES,
    GROUPS,
    IGNORED,
    LABELS,
    ONCE,
    SPEECH,
    TWICE,
    class_numbers,
    folded,
    music_of,
    sounds_of,
)
from vivavoce.perception.sound_patches import (
    BANDS,
    FRAMES,
    HOP_MS,
    PATCH,
    PATCH_HOP,
    PATCH_MS,
    RATE_HZ,
    log_mel,
    patches,
)
from vivavoce.perception.together import continued, together
from vivavoce.voice_facts import Labelled, Perceived, Sound, SoundKinds

NOW = np.arange(24_000) / RATE_HZ
CHIRP = (0.4 * np.sin(2 * np.pi * (200 * NOW + 400 * NOW**2))).astype(np.float32)


def test_the_spectrum_is_that_of_the_published_network() -> None:
    """Values of the log mel spectrum that TensorFlow computes in the SavedModel the weights are from, for the same chirp."""
    spectrum = log_mel(np.stack(patches(CHIRP)))
    assert spectrum.shape == (3, FRAMES, BANDS)
    reference = {
        (0, 0): (2.2981095, -5.427723, -6.6036897, -6.8414326),
        (0, 30): (-3.5441031, -4.1348023, -6.518968, -6.836235),
        (1, 12): (-5.182968, -0.16696765, -6.345074, -6.825664),
        (2, 24): (-6.3876, -4.3061137, -5.4734435, -6.787613),
    }
    for (patch, frame), values in reference.items():
        assert spectrum[patch, frame, ::16] == pytest.approx(values, abs=2e-3)


@given(st.integers(0, 5 * RATE_HZ))
def test_patches_cover_everything_and_little_more(length: int) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)
    stretches = patches(samples)
    assert {len(stretch) for stretch in stretches} == {PATCH}
    assert np.array_equal(
        np.concatenate([stretch[:PATCH_HOP] for stretch in stretches[:-1]] + [stretches[-1]])[:length], samples
    )
    assert (len(stretches) - 1) * PATCH_HOP < max(length, 1)


@given(st.floats(0.01, 1.0))
def test_a_tone_is_loudest_in_its_band(level: float) -> None:
    tone = (level * np.sin(2 * np.pi * 1000 * NOW[:PATCH])).astype(np.float32)
    spectrum = log_mel(tone[None])[0].mean(axis=0)
    mels = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), BANDS + 2)[1:-1]
    assert abs(mels[int(spectrum.argmax())] - 1127 * np.log1p(1000 / 700)) < mels[1] - mels[0]


def test_every_class_is_of_one_group_or_left_out_on_purpose() -> None:
    counts = Counter(number for ranges in (SPEECH, *GROUPS.values(), IGNORED) for number in class_numbers(ranges))
    assert counts == Counter(range(CLASSES))


def scored(label: str, *scores: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.zeros((len(scores), 1 + len(LABELS)), np.float32)
    rows[:, 1 + LABELS.index(label)] = scores
    return rows


@pytest.mark.parametrize(
    ("scores", "times"),
    [
        ((0.0, 0.35, 0.0), []),
        ((0.0, 0.55, 0.0), [(480, 1440)]),
        ((0.35, 0.35, 0.0), [(0, 1440)]),
        ((0.35, 0.1, 0.35, 0.0), [(0, 1920)]),
        ((0.6, 0.0, 0.0, 0.6), [(0, 960), (1440, 2400)]),
    ],
)
def test_a_sound_is_told_that_is_heard_twice_or_clearly(
    scores: tuple[float, ...], times: list[tuple[int, int]]
) -> None:
    assert [(sound.start_ms, sound.end_ms) for sound in sounds_of(scored("Cough", *scores), 9000)] == times


def test_an_animal_that_is_known_is_not_told_twice() -> None:
    both = np.maximum(scored("Dog", 0.0, 0.8, 0.0), scored("Animal", 0.0, 0.9, 0.0))
    assert [sound.label for sound in sounds_of(both, 2000)] == ["Dog"]
    apart = np.maximum(scored("Dog", 0.8, 0.0, 0.0, 0.0, 0.0), scored("Animal", 0.0, 0.0, 0.0, 0.0, 0.9))
    assert [sound.label for sound in sounds_of(apart, 3000)] == ["Dog", "Animal"]


@given(arrays(np.float32, st.tuples(st.integers(1, 12), st.just(CLASSES)), elements=st.floats(0, 1, width=32)))
def test_whatever_is_scored_sounds_lie_in_the_audio_and_are_sure_enough(
    scores: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    length_ms = (len(scores) - 1) * HOP_MS + PATCH_MS
    groups = folded(scores)
    for sound in sounds_of(groups, length_ms):
        assert 0 <= sound.start_ms < sound.end_ms <= length_ms
        assert sound.score >= (TWICE if sound.end_ms - sound.start_ms > PATCH_MS else ONCE) - 0.005
    music = music_of(groups)
    assert 0 <= min(music.speech, music.singing, music.music) <= max(music.speech, music.singing, music.music) <= 1


DOG = Sound(label="Dog", score=0.8, start_ms=100, end_ms=1000)
QUIET, LOUD = SoundKinds(speech=0.9, singing=0.0, music=0.1), SoundKinds(speech=0.5, singing=0.0, music=0.8)


def test_what_two_hear_is_told_by_the_first() -> None:
    one, other = Perceived(sounds=(DOG,)), Perceived(language=Labelled(label="en", score=0.9), music=QUIET)
    assert together([one, other]) == Perceived(sounds=(DOG,), language=other.language, music=QUIET)


def test_the_second_piece_of_a_turn_begins_later() -> None:
    later = Sound(label="Dog", score=0.8, start_ms=12_100, end_ms=13_000)
    before, after = Perceived(sounds=(DOG,), music=QUIET, female=0.2), Perceived(sounds=(DOG,), music=LOUD, female=0.9)
    both = SoundKinds(speech=0.9, singing=0.0, music=0.8)
    assert continued(before, after, 12_000) == Perceived(sounds=(DOG, later), music=both, female=0.9)
    assert continued(before, None, 12_000) == Perceived(sounds=(DOG,), music=QUIET)
    assert continued(None, after, 12_000) == Perceived(sounds=(later,), music=LOUD, female=0.9)
    assert continued(None, None, 12_000) is None

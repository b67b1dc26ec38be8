"""Captions by speaker: how voices are grouped, and two real voices taking turns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.base import EngineContext
from vivavoce.engines.kokoro.synthesizer import KokoroSynthesizer
from vivavoce.transcription.captions import Caption
from vivavoce.transcription.speakers import SAME_VOICE, Voice, grouped, label, speakers
from vivavoce.types import Samples, SpeakOptions

RATE_HZ = 16_000


def voice(person: int, spread: float = 0.0, seed: int = 0) -> Voice:
    """A direction of one's own, and some noise."""
    direction = np.eye(16)[person] + spread * np.random.default_rng(seed).standard_normal(16) / 4
    return np.asarray(direction / np.linalg.norm(direction), np.float32)


def test_people_are_numbered_in_the_order_they_begin() -> None:
    said_by = [3, 3, 1, 3, 2, 1]
    voices = [voice(person, 0.5, seed) for seed, person in enumerate(said_by)]
    assert grouped(voices, [2.0] * 6) == [0, 0, 1, 0, 2, 1]


def test_voices_below_the_bound_are_of_two_people() -> None:
    for cosine, groups in ((SAME_VOICE + 0.01, [0, 0]), (SAME_VOICE - 0.01, [0, 1])):
        near = np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)
        assert grouped([np.array([1, 0], np.float32), near], [2.0, 2.0]) == groups


def test_a_short_caption_joins_the_nearest_group_and_founds_none() -> None:
    between = voice(0) * 0.4 + voice(1) * 0.5
    voices = [voice(0), voice(1), between / np.linalg.norm(between), voice(5)]
    assert grouped(voices, [2.0, 2.0, 1.0, 1.0]) == [0, 1, 1, 0]


def test_what_is_too_short_has_the_speaker_beside_it() -> None:
    assert grouped([None, voice(0), None, voice(1), None], [0.3, 2.0, 0.3, 2.0, 0.3]) == [0, 0, 0, 1, 1]
    assert grouped([None, None], [0.3, 0.3]) == [0, 0]
    assert grouped([], []) == []


def test_where_nothing_is_clear_what_is_known_founds_groups() -> None:
    assert grouped([voice(0), voice(1), voice(0)], [1.0, 1.0, 1.0]) == [0, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.3, 1.0, 3.0])), max_size=20))
def test_every_caption_has_a_speaker(said: list[tuple[int, float]]) -> None:
    voices = [voice(person) if length_s >= 0.8 else None for person, length_s in said]
    groups = grouped(voices, [length_s for _, length_s in said])
    assert len(groups) == len(said)
    assert sorted(set(groups)) == list(range(len(set(groups))))
    clear = [(person, group) for (person, length_s), group in zip(said, groups, strict=True) if length_s == 3.0]
    assert len(set(clear)) == len({person for person, _ in clear}) == len({group for _, group in clear})


@pytest.mark.parametrize(("group", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")])
def test_labels_are_letters(group: int, name: str) -> None:
    assert label(group) == name


TURNS = (
    "Good morning, what can I do for you today?",
    "I would like to change the date of my appointment.",
    "Certainly, which day would suit you best?",
    "Could we make it Thursday afternoon, please?",
    "Yes.",
    "We have an opening at three o'clock on Thursday.",
    "That sounds very good to me, thank you.",
)


@pytest.mark.real
@pytest.mark.parametrize(
    ("first", "second"),
    [("af_heart", "am_michael"), ("bm_george", "am_puck"), ("af_sky", "bf_emma"), ("am_adam", "am_adam")],
)
async def test_two_voices_that_take_turns_are_told_apart(
    kokoro: KokoroSynthesizer, weights: Callable[[str], Path], first: str, second: str
) -> None:
    from vivavoce.engines.dvector import load

    verifier = load(EngineContext(weights=weights, threads=1, capacity=1))
    sound: list[Samples] = []
    captions: list[Caption] = []
    at = 0
    said_by = ["A", "B", "A", "B", "B", "A", "B"] if first != second else ["A"] * len(TURNS)
    for text, speaker in zip(TURNS, said_by, strict=True):
        pieces = [piece async for piece in kokoro.speak(text, SpeakOptions(first if speaker == "A" else second, "en"))]
        said = np.asarray(soxr.resample(np.concatenate(pieces), kokoro.rate_hz, RATE_HZ), np.float32)
        captions.append(Caption(text, at * 1000 // RATE_HZ, (at + len(said)) * 1000 // RATE_HZ, 0))
        sound += [said, np.zeros(RATE_HZ // 2, np.float32)]
        at += len(said) + RATE_HZ // 2
    try:
        assert await speakers(captions, np.concatenate(sound), RATE_HZ, verifier) == said_by
    finally:
        verifier.close()

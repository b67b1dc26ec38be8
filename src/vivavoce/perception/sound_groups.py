"""What is told of YAMNet's 521 classes: some thirty groups of sounds, each with its times. Pure numpy.

The classes are numbered as in ``yamnet_class_map.csv`` of tensorflow/models, which follows AudioSet's ontology: a kind of thing
is a range of numbers. A class is often mistaken for its neighbour and seldom for another kind, hence groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from vivavoce.perception.sound_patches import HOP_MS, PATCH_MS
from vivavoce.voice_facts import Sound, SoundKinds

CLASSES = 521

SPEECH = "0-4"
SINGING, MUSIC, ANIMAL = "Singing", "Music", "Animal"
KNOWN_ANIMALS = ("Dog", "Cat", "Bird")
"""Where one of them is heard, that it is an animal goes without saying."""

GROUPS: Mapping[str, str] = {
    # people
    "Shouting": "6-11",
    "Laughter": "13-18",
    "Crying": "19, 21-22",
    "Baby cry": "20",
    SINGING: "24-32, 250",
    "Cough": "42-43",
    "Sneeze": "44",
    "Applause": "58, 61-62",
    "Crowd": "63-66",
    # animals
    "Dog": "69-75, 117",
    "Cat": "76-78, 80",
    "Bird": "93-102, 106-116",
    ANIMAL: "67-68, 81-86, 88-92, 103-105, 118-119, 121-124, 126-129, 131",
    # things that sound
    MUSIC: "132-194, 199, 203-249, 251-276",
    "Bell": "87, 195-198, 200-202, 349-350",
    "Telephone": "383-388",
    "Alarm": "304, 313, 382, 389, 392-394",
    # weather and water
    "Wind": "277-279",
    "Thunder": "280-281",
    "Water": "282-289, 364-366, 368, 438-440, 442-447",
    # traffic
    "Vehicle": "294-301, 306-310, 315, 320-321, 337, 342-343, 345-347",
    "Car horn": "302-303, 312",
    "Siren": "316-319, 390-391",
    "Train": "322-328",
    "Aircraft": "329-334",
    # at home and at work
    "Door": "348, 351-353",
    "Typing": "378-380",
    "Machine": "338-341, 362-363, 367, 371, 403-407, 412-419",
    # what may be danger
    "Explosion": "420-427",
    "Glass": "435-437, 464",
}
"""The classes of each group, as ranges. Its label is what clients and language models are told."""

IGNORED = (
    "5, 12, 23, 33-41, 45-57, 59-60, "  # artificial speech, whispering, breath, bodies, steps
    "79, 120, 125, 130, "  # a hiss, a patter, a buzz, a rattle: of anything
    "290-293, 305, 311, 314, 335-336, 344, "  # steam, fire, and things of traffic too quiet to be told
    "354-361, 369-370, 372-377, 381, 395-402, 408-411, "  # taps, squeaks, small things of the household
    "428-434, 441, 448-463, 465-493, "  # thuds, clicks, rustling: noises of no known origin
    "494-520"  # silence, test tones, rooms, noise, loudspeakers
)
"""The other classes: told of nothing, because they name no cause, or were never right in what was listened to."""

TWICE, ONCE = 0.3, 0.5
"""A sound is told that scores so much in two of three successive patches, or in one."""

MOST = 8
"""So many are told of an utterance, the surest first."""


def class_numbers(ranges: str) -> list[int]:
    """The numbers that ``ranges`` such as ``69-75, 117`` stand for."""
    bounds = [part.split("-") for part in ranges.split(",")]
    return [number for bound in bounds for number in range(int(bound[0]), int(bound[-1]) + 1)]


LABELS = tuple(GROUPS)
_COLUMNS = [np.array(class_numbers(ranges)) for ranges in (SPEECH, *GROUPS.values())]


def folded(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """``float32[n, 1 + groups]`` of ``float32[n, CLASSES]``: the highest score of speech, and of each group's classes."""
    return np.stack([scores[:, columns].max(axis=1) for columns in _COLUMNS], axis=1)


def music_of(groups: NDArray[np.float32]) -> SoundKinds:
    """How sure it is that there is speech, singing and music in the audio, of ``folded`` scores: two patches have to agree."""
    pairs = np.minimum(groups[1:], groups[:-1]) if len(groups) > 1 else groups
    speech, singing, music = (
        round(float(pairs[:, column].max()), 2) for column in (0, 1 + LABELS.index(SINGING), 1 + LABELS.index(MUSIC))
    )
    return SoundKinds(speech=speech, singing=singing, music=music)


def sounds_of(groups: NDArray[np.float32], length_ms: int) -> tuple[Sound, ...]:
    """The sounds in ``length_ms`` of audio, of ``folded`` scores: the surest, in the order they begin."""
    found = [
        sound for column, label in enumerate(LABELS, 1) for sound in _stretches(label, groups[:, column], length_ms)
    ]
    known = [sound for sound in found if sound.label in KNOWN_ANIMALS]
    named = [sound for sound in found if sound.label != ANIMAL or not any(_overlap(sound, other) for other in known)]
    surest = sorted(named, key=lambda sound: -sound.score)[:MOST]
    return tuple(sorted(surest, key=lambda sound: sound.start_ms))


def _overlap(one: Sound, other: Sound) -> bool:
    return one.start_ms < other.end_ms and other.start_ms < one.end_ms


def _stretches(label: str, scores: NDArray[np.float32], length_ms: int) -> Iterator[Sound]:
    """Where a sound is heard; one patch without it is no break."""
    loud = scores >= TWICE
    between = (
        np.concatenate(([False], loud[:-2] & loud[2:], [False])) if len(loud) > 2 else np.zeros(len(loud), np.bool_)
    )
    heard = np.concatenate(([False], loud | between, [False]))
    starts, ends = np.flatnonzero(heard[1:] & ~heard[:-1]), np.flatnonzero(heard[:-1] & ~heard[1:])
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        score = float(scores[start:end].max())
        if end - start > 1 or score >= ONCE:
            until_ms = min((end - 1) * HOP_MS + PATCH_MS, length_ms)
            yield Sound(label=label, score=round(score, 2), start_ms=start * HOP_MS, end_ms=until_ms)

"""Who says which caption of a recording: voices of captions, grouped by how alike they are.

A voice is what the speaker verifier makes of a caption's sound. Captions are grouped from the most alike pair on, as long as
the mean similarity of two groups is above a bound (average linkage).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.resample import resample
from vivavoce.engines.base import SpeakerVerifier
from vivavoce.transcription.captions import Caption
from vivavoce.types import Samples

SAME_VOICE = 0.53
"""Mean cosine from which two groups are one person. Measured with the d-vector encoder on 450 dialogues of ten captions each,
put together from nine people's recorded sentences, most of them acted with different emotions: the number of one, two and three
people was right in 85, 77 and 63 % of them. From 0.50 to 0.56 the mean of these varies by 3 %; at 0.45 and 0.60 it is less."""

CLEAR_S = 1.5
"""From this length on a caption can found a group. At the best bound for each length, one in six pairs of 1 s is told wrongly,
one in eight of 1.5 s, one in ten of 2 s."""

Voice = NDArray[np.float32]


async def speakers(captions: Sequence[Caption], samples: Samples, rate_hz: int, verifier: SpeakerVerifier) -> list[str]:
    """The speaker of each caption of a recording (``float32[n]``): ``A``, ``B`` and so on, in the order they begin to speak.

    Captions with less speech than the verifier needs have the speaker of the one next to them. Raises ``EngineError``.
    """
    voices: list[Voice | None] = []
    for caption in captions:
        sound = samples[caption.start_ms * rate_hz // 1000 : caption.end_ms * rate_hz // 1000]
        long_enough = len(sound) >= verifier.min_s * rate_hz
        voices.append(await verifier.embed(resample(sound, rate_hz, verifier.rate_hz)) if long_enough else None)
    lengths_s = [(caption.end_ms - caption.start_ms) / 1000 for caption in captions]
    groups = await asyncio.to_thread(grouped, voices, lengths_s)
    return [label(group) for group in groups]


def grouped(voices: Sequence[Voice | None], lengths_s: Sequence[float]) -> list[int]:
    """The group of each caption, numbered in the order they begin.

    Clear captions found groups; others of a known voice join the nearest one, and those of none (``None``) their neighbour's,
    the one before first.
    """
    clear = [index for index, voice in enumerate(voices) if voice is not None and lengths_s[index] >= CLEAR_S]
    founding = clear or [index for index, voice in enumerate(voices) if voice is not None]
    if not founding:
        return [0] * len(voices)
    vectors = np.stack([voice for index in founding if (voice := voices[index]) is not None])
    found = _linked(vectors @ vectors.T)
    of_caption: dict[int, int] = dict(zip(founding, found, strict=True))
    centres = np.stack([vectors[np.array(found) == group].mean(axis=0) for group in range(max(found) + 1)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    for index, voice in enumerate(voices):
        if voice is not None and index not in of_caption:
            of_caption[index] = int(np.argmax(centres @ voice))
    first = of_caption[min(of_caption)]
    groups: list[int] = []
    for index in range(len(voices)):
        groups.append(of_caption.get(index, groups[-1] if groups else first))
    order = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return [order[group] for group in groups]


def _linked(alike: NDArray[np.float32]) -> list[int]:
    """Groups of average linkage: ``alike`` is the similarity of each two, ``float32[n, n]``. Numbers from 0."""
    count = len(alike)
    alike = alike.astype(np.float64)
    np.fill_diagonal(alike, -np.inf)
    members = {index: [index] for index in range(count)}
    while len(members) > 1:
        one, other = divmod(int(np.argmax(alike)), count)
        if alike[one, other] < SAME_VOICE:
            break
        weights = len(members[one]), len(members[other])
        joined = np.average(alike[[one, other]], axis=0, weights=weights)
        members[one] += members.pop(other)
        alike[one, :] = alike[:, one] = joined
        alike[other, :] = alike[:, other] = alike[one, one] = -np.inf
    groups = [0] * count
    for number, indices in enumerate(members.values()):
        for index in indices:
            groups[index] = number
    return groups


def label(group: int) -> str:
    """``A`` to ``Z``, then ``AA`` and so on."""
    name = ""
    group += 1
    while group:
        group, letter = divmod(group - 1, 26)
        name = chr(ord("A") + letter) + name
    return name

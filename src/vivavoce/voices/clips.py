"""What a clip has to be so that a voice can be made of it: 5 to 10 s, enough speech, loud, clean, and of one person.

Each fault has its own error, so that whoever records knows what to do better. The order is that of the cheapest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.errors import ClientError
from vivavoce.types import Language, Samples
from vivavoce.word_errors import count_errors

SHORTEST_S, LONGEST_S = 5.0, 10.0
"""As documented (audio reference, section 4.1)."""

_TOLERANCE_S = 0.1
"""Codecs add and take away a few frames."""

MIN_SPEECH_S = 4.0
MIN_LEVEL_DB = -42.0
"""RMS of the speech, in dB of full scale."""

MIN_SNR_DB = 10.0
"""Speech against what is heard in its pauses."""

MAX_CLIPPED_SHARE = 0.002
"""Share of the speech that may lie in stretches of ``_CLIPPED_RUN`` samples and more at full scale."""

_FULL_SCALE = 0.985
_CLIPPED_RUN = 3

SPEECH, NO_SPEECH = 0.5, 0.15
"""Probabilities from, and up to which, a frame is speech and is not."""

_MIN_PAUSE_FRAMES = 6

WINDOW_S, HOP_S = 1.6, 0.8
"""The stretches of speech whose voices are compared."""

SAME_SPEAKER = 0.58
"""Two halves of a clip whose voices are further apart than this cosine are of two people (see docs/voices.md)."""

MAX_WORD_ERROR_RATE = 0.5
"""Share of words (characters) in which the given transcript may differ from what was understood."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording (``samples`` at ``rate_hz``) and how likely each frame of ``frame_samples`` is speech."""

    samples: Samples
    rate_hz: int
    probabilities: Sequence[float]
    frame_samples: int

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz

    def speech(self) -> Samples:
        """What is spoken in it, the pauses left out."""
        return self._frames(np.asarray(self.probabilities) >= SPEECH)

    def pauses(self) -> Samples:
        """What surely is not speech."""
        return self._frames(np.asarray(self.probabilities) <= NO_SPEECH)

    def _frames(self, chosen: NDArray[np.bool_]) -> Samples:
        count = len(self.samples) // self.frame_samples
        return self.samples[: count * self.frame_samples].reshape(count, -1)[chosen[:count]].reshape(-1)


def check_length(samples: Samples, rate_hz: int) -> None:
    """Raises ``ClientError`` (``clip_too_short``, ``clip_too_long``)."""
    duration_s = len(samples) / rate_hz
    if duration_s < SHORTEST_S - _TOLERANCE_S:
        raise _fault(
            "clip_too_short", f"The clip is {duration_s:.1f} s long; {SHORTEST_S:g} to {LONGEST_S:g} s are needed."
        )
    if duration_s > LONGEST_S + _TOLERANCE_S:
        raise _fault(
            "clip_too_long", f"The clip is {duration_s:.1f} s long; {SHORTEST_S:g} to {LONGEST_S:g} s are needed."
        )


def check_sound(clip: Clip) -> None:
    """Enough speech, loud enough, not clipped, not noisy. Raises ``ClientError``."""
    speech = clip.speech()
    speech_s = len(speech) / clip.rate_hz
    if speech_s < MIN_SPEECH_S:
        raise _fault(
            "clip_too_little_speech",
            f"There are {speech_s:.1f} s of speech in the clip; at least {MIN_SPEECH_S:g} s are needed.",
        )
    level_db = _decibels(speech)
    if level_db < MIN_LEVEL_DB:
        raise _fault(
            "clip_too_quiet",
            f"The speech is at {level_db:.0f} dB of full scale; at least {MIN_LEVEL_DB:g} dB are needed. Go nearer.",
        )
    share = clipped_share(speech)
    if share > MAX_CLIPPED_SHARE:
        raise _fault(
            "clip_clipped", f"{share:.1%} of the speech is cut off at full scale. Record again with a lower level."
        )
    snr_db = signal_to_noise_db(clip)
    if snr_db < MIN_SNR_DB:
        raise _fault(
            "clip_too_noisy",
            f"The speech is only {snr_db:.0f} dB above its background; at least {MIN_SNR_DB:g} dB are needed.",
        )


def windows(clip: Clip) -> list[Samples]:
    """Stretches of speech whose voices ``check_one_speaker`` compares, each ``WINDOW_S`` long."""
    speech = clip.speech()
    size, hop = int(WINDOW_S * clip.rate_hz), int(HOP_S * clip.rate_hz)
    return [speech[at : at + size] for at in range(0, len(speech) - size + 1, hop)]


def check_one_speaker(voices: NDArray[np.float32]) -> None:
    """``voices``: an embedding a window, ``float32[windows, m]``. Raises ``ClientError`` (``clip_several_speakers``)."""
    if lowest_agreement(voices) < SAME_SPEAKER:
        raise _fault("clip_several_speakers", "More than one person seems to speak in the clip; one voice is needed.")


def lowest_agreement(voices: NDArray[np.float32]) -> float:
    """Cosine of the two groups of windows that differ most; 1 for a single window.

    People take turns, or fall into each other's words, so both splits in time and the two clusters are looked at.
    """
    count = len(voices)
    if count < 2:
        return 1.0
    splits = [np.arange(count) < at for at in range(1, count)]
    split = min(splits, key=lambda first: _agreement(voices, first))
    for _ in range(5):  # two-means from the worst split
        direction, opposite = _direction(voices[split]), _direction(voices[~split])
        nearer = voices @ direction >= voices @ opposite
        if nearer.all() or not nearer.any() or (nearer == split).all():
            break
        split = nearer
    # A group of one window tells little: its own noise makes it differ.
    weight = min(1.0, min(int(split.sum()), int((~split).sum())) / 2)
    return 1.0 - weight * (1.0 - _agreement(voices, split))


def check_transcript(transcript: str, recognized: str, language: Language) -> None:
    """The transcript must be that of the clip. Raises ``ClientError`` (``clip_transcript_mismatch``).

    Recognisers err, and so may names: half of the words may differ.
    """
    wrong, length = count_errors(transcript, recognized, language)
    if not length or wrong / length > MAX_WORD_ERROR_RATE:
        raise ClientError(
            "The given text is not what is said in the clip.", code="clip_transcript_mismatch", param="text"
        )


def clipped_share(samples: Samples) -> float:
    """Share of the samples in stretches at full scale."""
    loud = np.concatenate([[False], np.abs(samples) >= _FULL_SCALE, [False]])
    edges = np.flatnonzero(loud[1:] != loud[:-1])
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= _CLIPPED_RUN].sum()) / max(1, len(samples))


def signal_to_noise_db(clip: Clip) -> float:
    """Speech against its pauses; where there are hardly any pauses, against its quietest moments."""
    pauses = clip.pauses()
    if len(pauses) >= _MIN_PAUSE_FRAMES * clip.frame_samples:
        frames = pauses[: len(pauses) // clip.frame_samples * clip.frame_samples].reshape(-1, clip.frame_samples)
        background = float(np.median((frames**2).mean(axis=1)))  # a breath or a click is no background
    else:
        speech = clip.speech()
        size = clip.rate_hz // 100
        frames = speech[: len(speech) // size * size].reshape(-1, size)
        background = float(np.percentile((frames**2).mean(axis=1), 3))
    return _decibels(clip.speech()) - 10 * float(np.log10(background + 1e-12))


def _agreement(voices: NDArray[np.float32], first: NDArray[np.bool_]) -> float:
    return float(_direction(voices[first]) @ _direction(voices[~first]))


def _direction(voices: NDArray[np.float32]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = voices.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def _decibels(samples: Samples) -> float:
    return 10 * float(np.log10(float((samples**2).mean()) + 1e-12)) if len(samples) else -120.0


def _fault(code: str, message: str) -> ClientError:
    return ClientError(message, code=code, param="file")

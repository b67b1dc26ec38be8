"""Pauses put into recordings: people stop in the middle of a sentence to think, and have not finished. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vivavoce.bench.questions import Question
from vivavoce.client.events import WIRE_RATE_HZ
from vivavoce.client.recording import SPEECH_AMPLITUDE
from vivavoce.types import Samples

MIDDLE = (0.25, 0.75)
"""The part of the speech a pause is put into: there is something to say before it and after it."""

GAP_MS = 40
"""So long a quiet stretch is looked for; what is shorter lies within a word most of the time."""

BACKGROUND_MS = 100
"""The quietest so long stretch of a recording is what its room sounds like."""

STEP_MS = 5

FADE_MS = 10
"""Speech and background are crossfaded, so that no click tells of the cut."""


def paused(questions: Sequence[Question], lengths_ms: Sequence[int]) -> list[Question]:
    """Every question as it is, and then with a pause of each length."""
    return [*questions, *(with_pause(question, length) for length in lengths_ms for question in questions)]


def with_pause(question: Question, length_ms: int) -> Question:
    """``question`` with that much of its own background put into the quietest gap in the middle of its speech."""
    samples = question.samples
    pause = background(samples, _samples(length_ms) + 2 * _samples(FADE_MS))
    cut = gap_at(samples, question.speech_end_ms)
    return replace(
        question,
        samples=_inserted(samples, cut, pause),
        speech_end_ms=question.speech_end_ms + length_ms,
        pause_ms=length_ms,
    )


def gap_at(samples: Samples, speech_end_ms: float) -> int:
    """The middle of the quietest ``GAP_MS`` in the middle part of the speech, as a sample."""
    end = min(_samples(speech_end_ms), len(samples))
    loud = np.flatnonzero(np.abs(samples[:end]) > SPEECH_AMPLITUDE)
    start = int(loud[0]) if len(loud) else 0
    window = _samples(GAP_MS)
    first, last = (round(start + share * (end - start)) - window // 2 for share in MIDDLE)
    first = max(first, 0)
    part = samples[first : max(last, first) + window]
    return first + _quietest(part, window) + min(window, len(part)) // 2


def background(samples: Samples, length: int) -> Samples:
    """``length`` samples of noise as loud as the quietest ``BACKGROUND_MS`` of ``samples``, and with their spectrum.

    The stretch itself repeated would be a tone.
    """
    if not len(samples):
        return np.zeros(length, np.float32)
    window = _samples(BACKGROUND_MS)
    at = _quietest(samples, window)
    quiet = samples[at : at + window].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(quiet))
    bins = length // 2 + 1
    magnitudes = np.interp(np.linspace(0, len(spectrum) - 1, bins), np.arange(len(spectrum)), spectrum)
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, bins)
    noise = np.fft.irfft(magnitudes * np.exp(1j * phases), length)
    level, made = np.sqrt(np.mean(quiet**2)), np.sqrt(np.mean(noise**2))
    return (noise * (level / made if made else 0.0)).astype(np.float32)


def _quietest(samples: Samples, window: int) -> int:
    """Where the quietest ``window`` samples begin; 0 if there are no more than that."""
    if len(samples) <= window:
        return 0
    stretches = sliding_window_view(samples.astype(np.float64), window)[:: _samples(STEP_MS)]
    return int(np.argmin(np.einsum("ij,ij->i", stretches, stretches))) * _samples(STEP_MS)


def _inserted(samples: Samples, cut: int, pause: Samples) -> Samples:
    """``pause`` put in at ``cut``, its ends crossfaded with the speech: the whole is longer by it less both fades."""
    fade = min(_samples(FADE_MS), cut, len(samples) - cut)
    inner = len(pause) - 2 * _samples(FADE_MS)
    pause = pause[: inner + 2 * fade]
    up = np.linspace(0, 1, fade, dtype=np.float32)
    down = 1 - up
    before, after = samples[:cut], samples[cut:]
    return np.concatenate(
        [
            before[: cut - fade],
            before[cut - fade :] * down + pause[:fade] * up,
            pause[fade : fade + inner],
            pause[fade + inner :] * down + after[:fade] * up,
            after[fade:],
        ]
    )


def _samples(milliseconds: float) -> int:
    return round(milliseconds * WIRE_RATE_HZ / 1000)

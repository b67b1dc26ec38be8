"""One utterance heard in steps: encode, tell the language, read, doubt, perhaps hear again. Blocking."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import Protocol

import numpy as np

from vivavoce.engines.base import SpeechDetector
from vivavoce.engines.whisper import guard
from vivavoce.engines.whisper.chinese import Simplifier
from vivavoce.engines.whisper.features import RATE_HZ
from vivavoce.engines.whisper.model import Reading, WhisperModel
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.types import Language, Samples

FULL_CONTEXT_S = 30.0
SILENT_PEAK = 5e-4
"""-66 dB of full scale: below it there is nothing but the noise of a converter."""

SPEECH_PROBABILITY = 0.5
LEAST_SPEECH_S = 0.2
"""What a doubtful text needs in its favour. Words of one syllable have 0.3 s; thunder and horns have none, half a minute
of street noise 0.13 s."""


class AbandonedError(Exception):
    """Nobody waits for this utterance any more."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What to hear: ``samples`` (``float32[n]``, 16 kHz, at most 30 s). ``abandoned`` ends the work after its step."""

    samples: Samples
    language: Language | None
    prompt: str | None
    abandoned: Event

    def check(self) -> None:
        """Between two steps: raise ``AbandonedError`` if nobody waits any more."""
        if self.abandoned.is_set():
            raise AbandonedError


@dataclass(frozen=True, slots=True)
class Heard:
    """The text of an utterance (empty when nothing was said) and its language."""

    text: str
    language: Language | None


class Listener(Protocol):
    """Hears one utterance at a time; the recogniser calls it from its own thread."""

    def hear(self, utterance: Utterance) -> Heard:
        """Blocking. Raises ``AbandonedError``."""


class WhisperListener:
    """Whisper with a second opinion: a voice activity detector when in doubt, the full context against loops."""

    def __init__(self, model: WhisperModel, detector: SpeechDetector, settings: WhisperSettings) -> None:
        self._model = model
        self._detector = detector
        self._settings = settings
        self._simplified = Simplifier()

    def hear(self, utterance: Utterance) -> Heard:
        """Blocking: about 0.2 s of two cores for a short utterance. Raises ``AbandonedError``."""
        if np.abs(utterance.samples).max() < SILENT_PEAK:
            return Heard("", utterance.language)
        encoded = self._model.encode(utterance.samples, self._settings.context_s)
        utterance.check()
        language = utterance.language or self._model.detect(encoded, self._settings.languages)
        reading = self._read(encoded, utterance, language)
        text = "" if self._is_invented(reading, utterance.samples) else self._without_loop(reading, utterance, language)
        return Heard(self._simplified(text) if language == "zh" else text, language)

    def _read(self, encoded: object, utterance: Utterance, language: Language) -> Reading:
        return self._model.read(encoded, language=language, prompt=utterance.prompt, length=len(utterance.samples))

    def _is_invented(self, reading: Reading, samples: Samples) -> bool:
        if not guard.units(reading.text):
            return True
        if not guard.is_doubtful(reading):
            return False
        return guard.is_stock_phrase(reading.text) or self._speech_s(samples) < LEAST_SPEECH_S

    def _without_loop(self, reading: Reading, utterance: Utterance, language: Language) -> str:
        """The text, heard again in Whisper's own 30 s context if it cannot be what was said.

        The full context broke every loop the short one was provoked into; sampling at a higher temperature did not. What
        both contexts agree on was said, however fast.
        """
        if not self._is_loop(reading, utterance.samples):
            return reading.text
        utterance.check()
        encoded = self._model.encode(utterance.samples, FULL_CONTEXT_S)
        utterance.check()
        again = self._read(encoded, utterance, language)
        if self._is_invented(again, utterance.samples):
            return ""
        agreed = guard.units(again.text) == guard.units(reading.text) and not again.cut_off
        if agreed or not self._is_loop(again, utterance.samples):
            return again.text
        return guard.collapse(again.text, self._speech_s(utterance.samples))

    def _is_loop(self, reading: Reading, samples: Samples) -> bool:
        if reading.cut_off:
            return True
        return guard.repeats(reading.text) and not guard.fits(reading.text, self._speech_s(samples))

    def _speech_s(self, samples: Samples) -> float:
        stream, size = self._detector.open(), self._detector.frame_samples
        whole = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
        speech = sum(stream.probability(frame) >= SPEECH_PROBABILITY for frame in whole)
        return speech * size / RATE_HZ

"""One utterance heard in steps: encode, tell the language, read, doubt, perhaps hear again. Blocking."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from itertools import groupby
from threading import Event
from typing import Any, Protocol

import numpy as np

from vivavoce.engines.base import SpeechDetector
from vivavoce.engines.whisper import guard
from vivavoce.engines.whisper.chinese import Simplifier
from vivavoce.engines.whisper.features import RATE_HZ
from vivavoce.engines.whisper.model import Reading, WhisperModel
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.engines.whisper.words import PAUSE_MS, Pause, timed_words
from vivavoce.types import Confidence, Language, Samples, Token, TranscribeOptions, Word

FULL_CONTEXT_S = 30.0
SILENT_PEAK = 5e-4
"""-66 dB of full scale: below it there is nothing but the noise of a converter."""

SPEECH_PROBABILITY = 0.5
HANGOVER_MS = 64
"""How much later than it happens voice activity detection notices that somebody has stopped."""

LEAST_SPEECH_S = 0.2
"""What a doubtful text needs in its favour. Words of one syllable have 0.3 s; thunder and horns have none, half a minute
of street noise 0.13 s."""


class AbandonedError(Exception):
    """Nobody waits for this utterance any more."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What to hear: ``samples`` (``float32[n]``, 16 kHz, at most 30 s). ``abandoned`` ends the work after its step."""

    samples: Samples
    options: TranscribeOptions
    abandoned: Event

    def check(self) -> None:
        """Between two steps: raise ``AbandonedError`` if nobody waits any more."""
        if self.abandoned.is_set():
            raise AbandonedError


@dataclass(frozen=True, slots=True)
class Heard:
    """The text of an utterance (empty when nothing was said), the language spoken, and what ``Transcript`` tells else."""

    text: str
    language: Language | None
    words: tuple[Word, ...] = ()
    tokens: tuple[Token, ...] = ()
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A reading and the encoded audio it was made of."""

    reading: Reading
    encoded: Any


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
            return Heard("", utterance.options.language)
        encoded = self._model.encode(utterance.samples, self._settings.context_s)
        utterance.check()
        language = utterance.options.language or self._model.detect(encoded, self._settings.languages)
        read = self._read(encoded, utterance, language)
        if self._is_invented(read.reading, utterance.samples):
            return Heard("", language)
        read = self._without_loop(read, utterance, language)
        text = read.reading.text
        if language == "zh" and not utterance.options.translate:
            text = self._simplified(text)
        heard = Heard(text, language, confidence=_confidence(read.reading, text))
        if not text or not utterance.options.words:
            return heard
        utterance.check()
        return self._timed(heard, read.encoded, utterance, language)

    def _read(self, encoded: Any, utterance: Utterance, language: Language) -> _Read:
        reading = self._model.read(
            encoded,
            language=language,
            prompt=utterance.options.prompt,
            length=len(utterance.samples),
            translate=utterance.options.translate,
            temperature=utterance.options.temperature,
        )
        return _Read(reading, encoded)

    def _timed(self, heard: Heard, encoded: Any, utterance: Utterance, language: Language) -> Heard:
        """What was heard, and when each word was said."""
        length = len(utterance.samples)
        aligned = self._model.align(
            encoded, heard.text, language=language, length=length, translate=utterance.options.translate
        )
        pauses = _pauses(self._speech(utterance.samples), self._detector.frame_samples)
        words = timed_words([token.timed for token in aligned], pauses, length * 1000 // RATE_HZ)
        return replace(
            heard,
            # Tokens begin as if other text came before: its space is none of the utterance's.
            words=(replace(words[0], text=words[0].text.lstrip()), *words[1:]),
            tokens=tuple(Token(token.id, token.timed.data, token.log_probability) for token in aligned),
        )

    def _is_invented(self, reading: Reading, samples: Samples) -> bool:
        if not guard.units(reading.text):
            return True
        if not guard.is_doubtful(reading):
            return False
        return guard.is_stock_phrase(reading.text) or self._speech_s(samples) < LEAST_SPEECH_S

    def _without_loop(self, read: _Read, utterance: Utterance, language: Language) -> _Read:
        """The reading, or one in Whisper's own 30 s context if its text cannot be what was said.

        The full context broke every loop the short one was provoked into; sampling at a higher temperature did not. What
        both contexts agree on was said, however fast.
        """
        reading = read.reading
        if not self._is_loop(reading, utterance.samples):
            return read
        utterance.check()
        encoded = self._model.encode(utterance.samples, FULL_CONTEXT_S)
        utterance.check()
        full = self._read(encoded, utterance, language)
        again = full.reading
        if self._is_invented(again, utterance.samples):
            return _Read(replace(again, text=""), encoded)
        agreed = guard.units(again.text) == guard.units(reading.text) and not again.cut_off
        if agreed or not self._is_loop(again, utterance.samples):
            return full
        return _Read(replace(again, text=guard.collapse(again.text, self._speech_s(utterance.samples))), encoded)

    def _is_loop(self, reading: Reading, samples: Samples) -> bool:
        if reading.cut_off:
            return True
        return guard.repeats(reading.text) and not guard.fits(reading.text, self._speech_s(samples))

    def _speech_s(self, samples: Samples) -> float:
        return sum(self._speech(samples)) * self._detector.frame_samples / RATE_HZ

    def _speech(self, samples: Samples) -> list[bool]:
        """Whether somebody speaks, frame by frame."""
        stream, size = self._detector.open(), self._detector.frame_samples
        whole = np.pad(samples, (0, -len(samples) % size)).reshape(-1, size)
        return [stream.probability(frame) >= SPEECH_PROBABILITY for frame in whole]


def _confidence(reading: Reading, text: str) -> Confidence:
    data = text.encode()
    return Confidence(reading.log_probability, reading.no_speech, len(data) / len(zlib.compress(data)))


def _pauses(speech: list[bool], frame_samples: int) -> list[Pause]:
    """Where nobody speaks for a while; at the beginning and the end, for however short a time."""
    pauses: list[Pause] = []
    at = 0
    for spoken, frames in groupby(speech):
        start, at = at, at + len(list(frames))
        start_ms, end_ms = (place * frame_samples * 1000 // RATE_HZ for place in (start, at))
        if not spoken and (start == 0 or at == len(speech) or end_ms - start_ms >= PAUSE_MS):
            pauses.append(Pause(max(start_ms - HANGOVER_MS, 0), end_ms))
    return pauses

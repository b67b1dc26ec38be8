"""One utterance heard in steps: encode, tell the language, read, doubt, perhaps hear again. Blocking."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from threading import Event
from typing import Protocol

import numpy as np

from vivavoce.engines.base import SpeechDetector
from vivavoce.engines.mel import RATE_HZ
from vivavoce.engines.utterance_text import UtteranceText, later, together
from vivavoce.engines.whisper import guard
from vivavoce.engines.whisper.chinese import PLAIN_PROMPT, Simplifier
from vivavoce.engines.whisper.homophones import declared_names, with_names
from vivavoce.engines.whisper.model import DecodedText, Encoded, WhisperModel
from vivavoce.engines.whisper.phrases import Phrase, agrees, alike, covers, miscounted, phrases, says_more
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.engines.whisper.words import FRAME_MS, PAUSE_MS, SilentGap, timed_words
from vivavoce.types import Confidence, Language, Samples, Token, TranscribeOptions
from vivavoce.voice_facts import Labelled, SpeechEncoding

FULL_CONTEXT_S = 30.0
SILENT_PEAK = 5e-4
"""-66 dB of full scale: below it there is nothing but the noise of a converter."""

SPEECH_PROBABILITY = 0.5
HANGOVER_MS = 64
"""How much later than it happens voice activity detection notices that somebody has stopped."""

MIN_SPEECH_S = 0.2
"""What a doubtful text needs in its favour. Words of one syllable have 0.3 s; thunder and horns have none, half a minute
of street noise 0.13 s."""


class AbandonedError(Exception):
    """Nobody waits for this utterance any more."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What to hear: ``samples`` (``float32[n]``, 16 kHz, at most 30 s). ``abandoned`` ends the work after its step.

    ``encoded`` is called with the encoder's output before the decoding begins, or not at all where there is nothing to decode.
    """

    samples: Samples
    options: TranscribeOptions
    abandoned: Event
    encoded: Callable[[SpeechEncoding], None] | None = None

    def check(self) -> None:
        """Between two steps: raise ``AbandonedError`` if nobody waits any more."""
        if self.abandoned.is_set():
            raise AbandonedError


class _VoiceActivity:
    """Where somebody speaks in ``samples``: found out once, when it is first asked for."""

    def __init__(self, detector: SpeechDetector, samples: Samples) -> None:
        self._detector = detector
        self._samples = samples

    @cached_property
    def frames(self) -> list[bool]:
        """Whether somebody speaks, frame by frame."""
        stream, size = self._detector.open(), self._detector.frame_samples
        frames = np.pad(self._samples, (0, -len(self._samples) % size)).reshape(-1, size)
        return [stream.probability(frame) >= SPEECH_PROBABILITY for frame in frames]

    @property
    def speech_s(self) -> float:
        """For how long somebody speaks."""
        return sum(self.frames) * self._detector.frame_samples / RATE_HZ


@dataclass(frozen=True, slots=True)
class _Read:
    """A reading, the encoded audio it was made of, and the voice in that."""

    reading: DecodedText
    encoded: Encoded
    voice: _VoiceActivity


class UtteranceListener(Protocol):
    """Hears one utterance at a time; the recogniser calls it from its own thread."""

    def hear(self, utterance: Utterance) -> UtteranceText:
        """Blocking. Raises ``AbandonedError``."""


class WhisperListener:
    """Whisper with a second opinion: a voice activity detector when in doubt, the full context against loops, phrase by
    phrase what a reading leaves out."""

    def __init__(self, model: WhisperModel, detector: SpeechDetector, settings: WhisperSettings) -> None:
        self._model = model
        self._detector = detector
        self._settings = settings
        self._simplified = Simplifier()

    def hear(self, utterance: Utterance) -> UtteranceText:
        """Blocking: about 0.2 s of two cores for a short utterance. Raises ``AbandonedError``."""
        if np.abs(utterance.samples).max() < SILENT_PEAK:
            return UtteranceText("", utterance.options.language)
        encoded = self._model.encode(utterance.samples, self._settings.context_s)
        utterance.check()
        language, probability = utterance.options.language, None
        if language is None:
            language, probability = self._model.detect(encoded, self._settings.languages)
        if utterance.encoded is not None:
            detected = None if probability is None else Labelled(label=language, score=round(float(probability), 4))
            utterance.encoded(
                SpeechEncoding(self._settings.weights, encoded.states, encoded.log_mel_of_audio, detected)
            )
        read = self._read(encoded, utterance, language, self._voice(utterance))
        if self._is_invented(read):
            return UtteranceText("", language)
        phrase_by_phrase = self._phrase_by_phrase(read, utterance, language)
        if phrase_by_phrase is not None:
            return phrase_by_phrase
        return self._text_of(self._without_loop(read, utterance, language), utterance, language)

    def _text_of(self, read: _Read, utterance: Utterance, language: Language) -> UtteranceText:
        text = with_names(
            self._written(read.reading.text, utterance, language), declared_names(utterance.options.prompt)
        )
        result = UtteranceText(text, language, confidence=_confidence(read.reading, text))
        if not text or not utterance.options.words:
            return result
        utterance.check()
        return self._timed(result, read, utterance, language)

    def _written(self, text: str, utterance: Utterance, language: Language) -> str:
        return self._simplified(text) if language == "zh" and not utterance.options.translate else text

    def _phrase_by_phrase(self, read: _Read, utterance: Utterance, language: Language) -> UtteranceText | None:
        """The phrases of the utterance, each read by itself, if that tells more of it than ``read``; or else ``None``.

        Only a reading that leaves a phrase out, repeats itself another number of times than there are phrases, or is a loop
        is doubted: in context words are read better. Translations are not, as their words have another order.
        """
        if utterance.options.translate:
            return None
        reading = read.reading
        found = phrases(read.voice.frames, self._detector.frame_samples, RATE_HZ, len(utterance.samples))
        if len(found) < 2:
            return None
        utterance.check()
        loop = self._is_loop(read)
        uneven = miscounted(reading.text, found)
        if not loop and not uneven and self._covers(read, found, utterance, language):
            return None
        parts = [self._phrase(phrase, utterance, language) for phrase in found]
        apart = together([part for part in parts if part.text], language)
        text = self._written(reading.text, utterance, language)
        better = (
            loop
            or says_more(apart.text, text)
            or (uneven and (agrees(apart.text, text) or alike([part.text for part in parts])))
        )
        return apart if apart.text and better else None

    def _phrase(self, phrase: Phrase, utterance: Utterance, language: Language) -> UtteranceText:
        utterance.check()
        own = replace(
            utterance,
            samples=utterance.samples[phrase.audio_start : phrase.audio_end],
            options=replace(utterance.options, language=language),
            encoded=None,
        )
        encoded = self._model.encode(own.samples, self._settings.context_s)
        read = self._read(encoded, own, language, self._voice(own))
        if self._is_invented(read):
            return UtteranceText("", language)
        result = self._text_of(self._without_loop(read, own, language), own, language)
        return later(result, phrase.audio_start * 1000 // RATE_HZ)

    def _covers(self, read: _Read, found: Sequence[Phrase], utterance: Utterance, language: Language) -> bool:
        """Whether the decoder looked at every phrase while it wrote."""
        aligned = self._model.align(
            read.encoded, read.reading.text, language=language, length=len(utterance.samples), translate=False
        )
        return covers(found, [token.timed.position * FRAME_MS * RATE_HZ // 1000 for token in aligned])

    def _voice(self, utterance: Utterance) -> _VoiceActivity:
        return _VoiceActivity(self._detector, utterance.samples)

    def _read(self, encoded: Encoded, utterance: Utterance, language: Language, voice: _VoiceActivity) -> _Read:
        mandarin = language == "zh" and not utterance.options.translate
        reading = self._model.read(
            encoded,
            language=language,
            prompt=utterance.options.prompt or (PLAIN_PROMPT if mandarin else None),
            length=len(utterance.samples),
            translate=utterance.options.translate,
            temperature=utterance.options.temperature,
        )
        return _Read(reading, encoded, voice)

    def _timed(self, result: UtteranceText, read: _Read, utterance: Utterance, language: Language) -> UtteranceText:
        """What was heard, and when each word was said."""
        length = len(utterance.samples)
        aligned = self._model.align(
            read.encoded, result.text, language=language, length=length, translate=utterance.options.translate
        )
        pauses = _pauses(read.voice.frames, self._detector.frame_samples)
        words = timed_words([token.timed for token in aligned], pauses, length * 1000 // RATE_HZ)
        return replace(
            result,
            # Tokens begin as if other text came before: its space is none of the utterance's.
            words=(replace(words[0], text=words[0].text.lstrip()), *words[1:]),
            tokens=tuple(Token(token.id, token.timed.data, token.log_probability) for token in aligned),
        )

    def _is_invented(self, read: _Read) -> bool:
        reading = read.reading
        if not guard.units(reading.text):
            return True
        if not guard.is_doubtful(reading):
            return False
        return guard.is_stock_phrase(reading.text) or read.voice.speech_s < MIN_SPEECH_S

    def _without_loop(self, read: _Read, utterance: Utterance, language: Language) -> _Read:
        """The reading, or one in Whisper's own 30 s context if its text cannot be what was said.

        The full context broke every loop the short one was provoked into; sampling at a higher temperature did not. What
        both contexts agree on was said, however fast.
        """
        reading = read.reading
        if not self._is_loop(read):
            return read
        utterance.check()
        encoded = self._model.encode(utterance.samples, FULL_CONTEXT_S)
        utterance.check()
        full = self._read(encoded, utterance, language, read.voice)
        again = full.reading
        if self._is_invented(full):
            return replace(full, reading=replace(again, text=""))
        agreed = guard.units(again.text) == guard.units(reading.text) and not again.cut_off
        if agreed or not self._is_loop(full):
            return full
        return replace(full, reading=replace(again, text=guard.collapse(again.text, read.voice.speech_s)))

    def _is_loop(self, read: _Read) -> bool:
        reading = read.reading
        if reading.cut_off:
            return True
        return guard.repeats(reading.text) and not guard.fits(reading.text, read.voice.speech_s)


def _confidence(reading: DecodedText, text: str) -> Confidence:
    data = text.encode()
    return Confidence(reading.log_probability, reading.no_speech, len(data) / len(zlib.compress(data)))


def _pauses(speech: list[bool], frame_samples: int) -> list[SilentGap]:
    """Where nobody speaks for a while; at the beginning and the end, for however short a time."""
    pauses: list[SilentGap] = []
    at = 0
    for is_speech, frames in groupby(speech):
        start, at = at, at + len(list(frames))
        start_ms, end_ms = (place * frame_samples * 1000 // RATE_HZ for place in (start, at))
        if not is_speech and (start == 0 or at == len(speech) or end_ms - start_ms >= PAUSE_MS):
            pauses.append(SilentGap(max(start_ms - HANGOVER_MS, 0), end_ms))
    return pauses

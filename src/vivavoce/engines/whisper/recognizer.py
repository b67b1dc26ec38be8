"""The recogniser all sessions share: one thread, one utterance at a time, first come, first served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np

from vivavoce.engines.base import EngineContext, needs_weights
from vivavoce.engines.silero import WEIGHTS as SILERO
from vivavoce.engines.silero import load as load_silero
from vivavoce.engines.whisper.features import RATE_HZ
from vivavoce.engines.whisper.listener import FULL_CONTEXT_S, Heard, Listener, Utterance, WhisperListener
from vivavoce.engines.whisper.model import WhisperModel
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.engines.whisper.vocabulary import Vocabulary
from vivavoce.engines.whisper.windows import windows
from vivavoce.errors import EngineError
from vivavoce.scripts import blank_between, joined
from vivavoce.types import Confidence, Language, Samples, TranscribeOptions, Transcript, TranscriptDelta, Word


class WhisperRecognizer:
    """Queues utterances for a listener. A long one goes back to the queue's end after every 30 s window."""

    rate_hz = RATE_HZ

    def __init__(self, listener: Listener, vocabulary: Vocabulary, default_language: Language) -> None:
        self._listener = listener
        self._vocabulary = vocabulary
        self._default_language = default_language
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="whisper")
        self._closed = False

    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """Yield one ``Transcript`` of ``samples`` (``float32[n]``, 16 kHz); its text is empty when nothing was said.

        ``options.language`` may carry a region (``zh-CN``). Cancelling before the utterance's turn takes it out of the queue;
        later it ends after the step under way. Raises ``EngineError``.
        """
        _check(samples)
        spoken = self._known(options.language)
        parts: list[Heard] = []
        start = 0
        for window in windows(samples, self.rate_hz):
            heard = await self._hear(Utterance(window, replace(options, language=spoken), Event()))
            if heard.text:
                parts.append(_later(heard, start * 1000 // self.rate_hz))
                spoken = heard.language
            start += len(window)
        yield _together(parts, spoken or self._default_language)

    def _known(self, language: Language | None) -> Language | None:
        if not language:
            return None
        code = language.replace("_", "-").split("-")[0].lower()
        if not self._vocabulary.knows(code):
            raise EngineError("whisper", f"does not know the language '{language}'")
        return code

    async def _hear(self, utterance: Utterance) -> Heard:
        try:
            return await asyncio.wrap_future(self._executor.submit(self._listener.hear, utterance))
        except EngineError:
            raise
        except Exception as error:
            raise EngineError("whisper", f"recognition failed: {error}", retriable=not self._closed) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise EngineError("whisper", "was closed before the utterance had its turn") from None
            raise
        finally:
            utterance.abandoned.set()

    def close(self) -> None:
        """Drop what is queued and stop the thread after the step under way. Idempotent."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)


def _later(heard: Heard, start_ms: int) -> Heard:
    """What was heard in a window that began at ``start_ms``."""
    return replace(
        heard,
        words=tuple(
            replace(word, start_ms=word.start_ms + start_ms, end_ms=word.end_ms + start_ms) for word in heard.words
        ),
    )


def _together(parts: Sequence[Heard], language: Language) -> Transcript:
    """What was heard in consecutive windows, as one."""
    text, words = "", list[Word]()
    for part in parts:
        between = blank_between(text, part.text)
        words += [replace(word, text=between + word.text) for word in part.words[:1]]
        words += part.words[1:]
        text = joined(text, part.text)
    return Transcript(
        text,
        language,
        tuple(words),
        tuple(token for part in parts for token in part.tokens),
        _least_sure([part.confidence for part in parts if part.confidence is not None]),
    )


def _least_sure(confidences: Sequence[Confidence]) -> Confidence | None:
    """An utterance is as sure as its least sure window."""
    if not confidences:
        return None
    return Confidence(
        min(one.log_probability for one in confidences),
        max(one.no_speech for one in confidences),
        max(one.compression for one in confidences),
    )


def _check(samples: Samples) -> None:
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise EngineError("whisper", f"an utterance is float32[n], not {samples.dtype}{list(samples.shape)}")
    if not np.isfinite(samples).all():
        raise EngineError("whisper", "the samples are not finite numbers")


def _weights(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of Whisper and, for its second opinion, of Silero."""
    return WhisperSettings.model_validate(settings).weights, SILERO


@needs_weights(_weights)
def load(context: EngineContext) -> WhisperRecognizer:
    """Entry point: the recogniser, warm. Raises ``WeightsError``, and ``EngineError`` for languages the model does not know."""
    settings = WhisperSettings.model_validate(context.settings)
    model = WhisperModel(context.weights(settings.weights), settings, context.threads)
    unknown = [language for language in settings.languages if not model.vocabulary.knows(language)]
    if unknown:
        raise EngineError("whisper", f"the model does not know these languages: {', '.join(unknown)}")
    listener = WhisperListener(model, load_silero(replace(context, settings={})), settings)
    _warm_up(model, settings)
    return WhisperRecognizer(listener, model.vocabulary, settings.languages[0])


def _warm_up(model: WhisperModel, settings: WhisperSettings) -> None:
    """The first call allocates what all later ones reuse; the first speaker shall not wait for it."""
    silence = np.zeros(RATE_HZ, np.float32)
    for context_s in (FULL_CONTEXT_S, settings.context_s):
        model.read(model.encode(silence, context_s), language=settings.languages[0], prompt=None, length=len(silence))

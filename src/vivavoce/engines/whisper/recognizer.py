"""The recogniser all sessions share: one thread, one utterance at a time, first come, first served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import EngineContext, Recognizer, needs_weights
from vivavoce.engines.mel import RATE_HZ
from vivavoce.engines.silero import WEIGHTS as SILERO
from vivavoce.engines.silero import load as load_silero
from vivavoce.engines.utterance_text import UtteranceText, later, together
from vivavoce.engines.whisper.listener import (
    FULL_CONTEXT_S,
    Utterance,
    UtteranceListener,
    WhisperListener,
)
from vivavoce.engines.whisper.model import WhisperModel
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.engines.whisper.vocabulary import Vocabulary
from vivavoce.engines.windows import windows
from vivavoce.errors import EngineError
from vivavoce.types import Language, Samples, TranscribeOptions, Transcript, TranscriptDelta
from vivavoce.voice_facts import SpeechEncoding


class WhisperRecognizer(Recognizer):
    """Queues utterances for a listener. A long one goes back to the queue's end after every 30 s window."""

    rate_hz = RATE_HZ

    def __init__(self, listener: UtteranceListener, vocabulary: Vocabulary, default_language: Language) -> None:
        self._listener = listener
        self._vocabulary = vocabulary
        self._default_language = default_language
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="whisper")
        self._closed = False

    @override
    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[SpeechEncoding | TranscriptDelta | Transcript, None]:
        """Yield one ``Transcript`` of ``samples`` (``float32[n]``, 16 kHz); its text is empty when nothing was said.

        ``options.language`` may carry a region (``zh-CN``). Cancelling before the utterance's turn takes it out of the queue;
        later it ends after the step under way. The encoding of one longer than a window is that of its first window.
        Raises ``EngineError``.
        """
        _check(samples)
        language = self._supported_language(options.language)
        parts: list[UtteranceText] = []
        start = 0
        for window in windows(samples, self.rate_hz):
            encoding: asyncio.Future[SpeechEncoding] | None = None
            if options.encoding and start == 0:
                encoding = asyncio.get_running_loop().create_future()
            utterance = Utterance(window, replace(options, language=language), Event(), _teller(encoding))
            hearing = self._begin(utterance)
            try:
                if encoding is not None:
                    await asyncio.wait((encoding, hearing), return_when=asyncio.FIRST_COMPLETED)
                    if encoding.done():
                        yield encoding.result()
                window_text = await self._heard(hearing)
            finally:
                utterance.abandoned.set()
                hearing.cancel()
            if window_text.text:
                parts.append(later(window_text, start * 1000 // self.rate_hz))
                language = window_text.language
            start += len(window)
        heard = together(parts, language)
        yield Transcript(heard.text, language or self._default_language, heard.words, heard.tokens, heard.confidence)

    def _supported_language(self, language: Language | None) -> Language | None:
        if not language:
            return None
        code = language.replace("_", "-").split("-")[0].lower()
        if not self._vocabulary.knows(code):
            raise EngineError("whisper", f"does not know the language '{language}'")
        return code

    def _begin(self, utterance: Utterance) -> asyncio.Future[UtteranceText]:
        try:
            return asyncio.wrap_future(self._executor.submit(self._listener.hear, utterance))
        except RuntimeError as error:
            raise EngineError("whisper", "is closed") from error

    async def _heard(self, hearing: asyncio.Future[UtteranceText]) -> UtteranceText:
        try:
            return await hearing
        except EngineError:
            raise
        except Exception as error:
            raise EngineError("whisper", f"recognition failed: {error}", retriable=not self._closed) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise EngineError("whisper", "was closed before the utterance was recognised") from None
            raise

    @override
    def close(self) -> None:
        """Drop what is queued and stop the thread after the step under way. Idempotent."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)


def _teller(encoding: asyncio.Future[SpeechEncoding] | None) -> Callable[[SpeechEncoding], None] | None:
    """What the listener's thread calls to set ``encoding``; nothing where nobody waits for it."""
    if encoding is None:
        return None
    loop = asyncio.get_running_loop()

    def set_result(value: SpeechEncoding) -> None:
        if not encoding.done():
            encoding.set_result(value)

    def tell(value: SpeechEncoding) -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(set_result, value)

    return tell


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

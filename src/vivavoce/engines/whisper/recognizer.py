"""The recogniser all sessions share: one thread, one utterance at a time, first come, first served."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from pydantic import ValidationError

from vivavoce.engines.base import EngineContext
from vivavoce.engines.silero import load as load_silero
from vivavoce.engines.whisper.features import RATE_HZ
from vivavoce.engines.whisper.listener import FULL_CONTEXT_S, Heard, Listener, Utterance, WhisperListener
from vivavoce.engines.whisper.model import WhisperModel
from vivavoce.engines.whisper.settings import WhisperSettings
from vivavoce.engines.whisper.vocabulary import Vocabulary
from vivavoce.engines.whisper.windows import joined, windows
from vivavoce.errors import EngineError
from vivavoce.types import Language, Samples, Transcript, TranscriptDelta


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
        self,
        samples: Samples,
        *,
        language: Language | None = None,
        prompt: str | None = None,
        words: bool = False,
        translate: bool = False,
        temperature: float = 0.0,
    ) -> AsyncGenerator[TranscriptDelta | Transcript, None]:
        """Yield one ``Transcript`` of ``samples`` (``float32[n]``, 16 kHz); its text is empty when nothing was said.

        ``language`` may carry a region (``zh-CN``). Cancelling before the utterance's turn takes it out of the queue;
        later it ends after the step under way. Raises ``EngineError``.
        """
        _check(samples)
        spoken = self._known(language)
        texts: list[str] = []
        for window in windows(samples, self.rate_hz):
            heard = await self._hear(window, spoken, prompt)
            if heard.text:
                texts.append(heard.text)
                spoken = heard.language
        spoken = spoken or self._default_language
        yield Transcript(joined(texts, spoken), spoken)

    def _known(self, language: Language | None) -> Language | None:
        if not language:
            return None
        code = language.replace("_", "-").split("-")[0].lower()
        if not self._vocabulary.knows(code):
            raise EngineError("whisper", f"does not know the language '{language}'")
        return code

    async def _hear(self, samples: Samples, language: Language | None, prompt: str | None) -> Heard:
        abandoned = threading.Event()
        try:
            work = self._executor.submit(self._listener.hear, Utterance(samples, language, prompt, abandoned))
            return await asyncio.wrap_future(work)
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
            abandoned.set()

    def close(self) -> None:
        """Drop what is queued and stop the thread after the step under way. Idempotent."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)


def _check(samples: Samples) -> None:
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise EngineError("whisper", f"an utterance is float32[n], not {samples.dtype}{list(samples.shape)}")
    if not np.isfinite(samples).all():
        raise EngineError("whisper", "the samples are not finite numbers")


def load(context: EngineContext) -> WhisperRecognizer:
    """Entry point: the recogniser, warm.

    Needs the weights of Whisper and, for its second opinion, of Silero. Raises ``WeightsError`` without them and
    ``EngineError`` for settings that do not fit.
    """
    try:
        settings = WhisperSettings(**context.settings)
    except ValidationError as error:
        raise EngineError("whisper", f"settings do not fit: {error}") from error
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

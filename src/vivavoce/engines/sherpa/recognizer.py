"""SenseVoice and Paraformer as recognisers: an utterance is read in one pass, several times as fast as Whisper does it.

[engines]
recognizers = { zh = "sensevoice" }
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from typing_extensions import override

from vivavoce.engines.base import EngineContext, Recognizer, needs_weights
from vivavoce.engines.settings import EngineSettings
from vivavoce.engines.sherpa.families import files_in
from vivavoce.engines.sherpa.hearing import PARAFORMER, SENSE_VOICE, Heard, HearingModel, heard
from vivavoce.engines.sherpa.process import ChildModel, ModelProcess
from vivavoce.engines.utterance_text import UtteranceText, later, together
from vivavoce.engines.windows import windows
from vivavoce.errors import EngineError
from vivavoce.extras import missing_extra
from vivavoce.text.language_codes import language_code
from vivavoce.types import Language, Samples, TranscribeOptions, Transcript
from vivavoce.voice_facts import Labelled, SpeechEncoding

RATE_HZ = 16_000
CHILD = "vivavoce.engines.sherpa.hearing_child"

SILENT_PEAK = 5e-4
"""-66 dB of full scale: below it there is nothing but the noise of a converter."""

SHORTEST_S = 0.5
"""Shorter audio is padded: the networks look at 85 ms at once, and sherpa-onnx does not check that there is so much."""

LANGUAGE_SCORE = 0.9
"""What a language that was tagged counts as: the tag has no score, and is rarely wrong."""

_NO_STATES = np.zeros((0, 0), np.float32)


class ParaformerSettings(EngineSettings):
    """``engines.settings.paraformer``. ``folder``: files of one's own, not the catalogue's."""

    folder: Path | None = None


class SenseVoiceSettings(ParaformerSettings):
    """``engines.settings.sensevoice``. ``language``: what is spoken, where that is always the same; else it finds out.

    ``written_numbers``: figures and punctuation as one writes them; without, the words as they are said.
    """

    language: Literal["auto", "zh", "en", "ja", "ko", "yue"] = "auto"
    written_numbers: bool = True


class HearingProcess:
    """A model in its process, on a thread of its own: one utterance at a time, which uses all threads it is given."""

    def __init__(self, model: HearingModel, child: ChildModel) -> None:
        self.model = model
        self._process = ModelProcess(child)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=model.name)

    def start(self) -> None:
        """Load the model. Blocks. Raises ``EngineError``."""
        self._process.start()

    @property
    def pid(self) -> int | None:
        """The process there is."""
        return self._process.pid

    async def heard(self, samples: Samples) -> Heard:
        """What is said in ``samples`` (``float32[n]``, 16 kHz). Raises ``EngineError``.

        Cancelling takes it out of the queue; an utterance under way is read to its end, which takes a second at most.
        """
        try:
            work = self._executor.submit(self._heard, samples)
        except RuntimeError as error:
            raise EngineError(self.model.name, "is closed") from error
        return await asyncio.wrap_future(work)

    def _heard(self, samples: Samples) -> Heard:
        padded = np.pad(samples, (0, max(0, int(SHORTEST_S * RATE_HZ) - len(samples))))
        answer = self._process.ask({}, padded)
        try:
            if self.model.tags and not answer["language"]:
                raise EngineError(self.model.name, "its network failed")  # it tags whatever it hears, silence too
            return heard(self.model, answer, len(samples) * 1000 // RATE_HZ)
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(self.model.name, f"its process said something else: {type(error).__name__}") from error

    def close(self) -> None:
        """End the process, whatever it does."""
        with closing(self._process):
            self._process.interrupt()
            self._executor.shutdown(wait=True, cancel_futures=True)


class SherpaRecognizer(Recognizer):
    """A recogniser that sherpa-onnx runs. A process that dies is replaced by the next utterance."""

    rate_hz = RATE_HZ

    def __init__(self, process: HearingProcess) -> None:
        self._process = process
        self._model = process.model

    @override
    async def transcribe(
        self, samples: Samples, options: TranscribeOptions
    ) -> AsyncGenerator[SpeechEncoding | Transcript, None]:
        """Yield the ``Transcript``; before it, if it is asked for and the model tags voices, its tags of the first 30 s."""
        hinted = self._check(samples, options)
        parts: list[UtteranceText] = []
        start = 0
        for window in windows(samples, RATE_HZ):
            if np.abs(window).max() >= SILENT_PEAK:
                result = await self._process.heard(window)
                if options.encoding and self._model.tags and start == 0:
                    yield encoding_of(result)
                if result.text:
                    words = result.words if options.words else ()
                    part = UtteranceText(result.text, hinted or result.language, words)
                    parts.append(later(part, start * 1000 // RATE_HZ))
            start += len(window)
        language = next((part.language for part in parts if part.language), None)
        whole = together(parts, hinted or language)
        yield Transcript(whole.text, whole.language or self._model.languages[0], whole.words)

    def _check(self, samples: Samples, options: TranscribeOptions) -> Language | None:
        """The language that was named. Raises ``EngineError``."""
        name = self._model.name
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise EngineError(name, f"an utterance is float32[n], not {samples.dtype}{list(samples.shape)}")
        if not np.isfinite(samples).all():
            raise EngineError(name, "the samples are not finite numbers")
        if options.translate:
            raise EngineError(name, "cannot translate")
        if not options.language:
            return None
        code = language_code(options.language)
        if code not in self._model.languages:
            raise EngineError(name, f"does not know the language '{options.language}'")
        return code

    @override
    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.close()


def encoding_of(result: Heard) -> SpeechEncoding:
    """What a model says of a voice by itself, for the perceiver that reads it."""
    language = Labelled(label=result.dialect, score=LANGUAGE_SCORE) if result.dialect else None
    tags = {"emotion": result.emotion, "event": result.event}
    return SpeechEncoding(SENSE_VOICE.name, _NO_STATES, _NO_STATES, language, tags)


def open_process(model: HearingModel, context: EngineContext, settings: ParaformerSettings) -> HearingProcess:
    """The model, whose process is not started yet. Raises ``EngineError`` and ``WeightsError`` for files that are missing."""
    require_library(model)
    folder = context.weights(model.weights) if settings.folder is None else settings.folder.expanduser()
    options = settings.model_dump(mode="json", exclude={"folder"})
    return HearingProcess(
        model, ChildModel(model.name, CHILD, files_in(folder, model.name, model.files), context.threads, options)
    )


def require_library(model: HearingModel) -> None:
    """Raises ``EngineError`` where sherpa-onnx is not installed."""
    if missing := missing_extra("hearing", "recognisers of sherpa-onnx"):
        raise EngineError(model.name, missing)


def _weights(model: HearingModel, kind: type[ParaformerSettings], settings: Mapping[str, Any]) -> Sequence[str]:
    require_library(model)  # before anything is pulled
    return [model.weights] if kind.model_validate(settings).folder is None else []


@needs_weights(partial(_weights, SENSE_VOICE, SenseVoiceSettings))
def load_sensevoice(context: EngineContext) -> SherpaRecognizer:
    """Entry point: Chinese, Cantonese, English, Japanese and Korean, with the language, the emotion and other sounds."""
    return _load(SENSE_VOICE, context, SenseVoiceSettings.model_validate(context.settings))


@needs_weights(partial(_weights, PARAFORMER, ParaformerSettings))
def load_paraformer(context: EngineContext) -> SherpaRecognizer:
    """Entry point: Chinese, with English words in it; no punctuation."""
    return _load(PARAFORMER, context, ParaformerSettings.model_validate(context.settings))


def _load(model: HearingModel, context: EngineContext, settings: ParaformerSettings) -> SherpaRecognizer:
    process = open_process(model, context, settings)
    try:
        process.start()
    except EngineError:
        process.close()
        raise
    return SherpaRecognizer(process)

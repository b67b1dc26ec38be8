"""A synthesizer whose voices are clips. The clips live here, so that a new process knows them as the old one did."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field
from typing_extensions import override

from vivavoce.audio.silence import trim
from vivavoce.audio.tempo import at_tempo
from vivavoce.engines.base import CloningSynthesizer, EngineContext, needs_weights
from vivavoce.engines.pauses import finish
from vivavoce.engines.phonemes.pieces import pieces as text_pieces
from vivavoce.engines.settings import EngineSettings
from vivavoce.engines.sherpa.cloning_process import CloningProcess
from vivavoce.engines.sherpa.families import POCKET, ZIPVOICE, Family, files_in
from vivavoce.engines.sherpa.process import ChildModel
from vivavoce.engines.sherpa.spelling import Spelling, has_sound, is_foreign, pieces
from vivavoce.errors import ClientError, EngineError
from vivavoce.extras import missing_extra
from vivavoce.text.verbalization import verbalize
from vivavoce.types import Language, Samples, SpeakOptions

RATE_HZ = 24_000

CHILD = "vivavoce.engines.sherpa.child"

MAX_CHARACTERS = 20_000
"""Of a clause, or of what is said in a clip."""

PIECE_CHARACTERS = 120
"""Of text that is spoken in one go: about 7 s, after which it is looked whether it is still wanted."""

_HAN = re.compile(r"[\u3400-\u9fff]")


class CloningSettings(EngineSettings):
    """``engines.settings.zipvoice`` and ``engines.settings.pocket``. ``folder``: files of one's own, not the catalogue's."""

    folder: Path | None = None
    steps: int = Field(default=4, ge=1, le=64)
    """More make it better and slower; the distilled ZipVoice is made for 4."""


@dataclass(frozen=True, slots=True)
class _Clip:
    """``prompt_tokens``: the tokens of what is said in it, for a model that reads tokens."""

    samples: Samples
    rate_hz: int
    prompt_tokens: list[str]


class SherpaSynthesizer(CloningSynthesizer):
    """Speaks with the voices of clips. One process, one request at a time: it uses all threads it is given."""

    rate_hz = RATE_HZ
    voices: Mapping[str, frozenset[Language]] = {}

    def __init__(self, family: Family, process: CloningProcess, steps: int, spelling: Spelling | None) -> None:
        """``spelling`` for a model that reads tokens, else None."""
        self.clones = family.languages if spelling is None else spelling.languages
        self._spelling = spelling
        self._family = family
        self._process = process
        self._steps = steps
        self._clips: dict[str, _Clip] = {}
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=family.name)

    @override
    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """Yield the clause piece by piece. Raises ``EngineError``, also when its process ends.

        A process that ended is started again by the next clause.
        """
        voice, language = options.voice, options.language
        if voice not in self._clips or language not in self.clones:
            raise EngineError(self._family.name, f"there is no voice '{voice}' for language '{language}'")
        if not any(character.isalnum() for character in text):
            return
        if len(text) > MAX_CHARACTERS:
            raise EngineError(self._family.name, f"speaks at most {MAX_CHARACTERS} characters at once")
        clip = self._clips[voice]
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[Samples | None] = asyncio.Queue()
        unwanted = threading.Event()

        def work() -> None:
            try:
                if unwanted.is_set():
                    return
                texts = self._pieces(text, language)
                request = {
                    "pieces": texts,
                    "prompt_tokens": clip.prompt_tokens,
                    "rate_hz": clip.rate_hz,
                    "steps": self._steps,
                    "speed": options.speed,
                }
                with closing(self._process.speak(request, clip.samples, unwanted.is_set)) as answer:
                    for place, samples in answer:
                        if not self._family.paced:
                            samples = at_tempo(samples, self.rate_hz, options.speed)
                        chunk = finish(
                            samples, "".join(texts[place]), self.rate_hz, options.speed / options.style.pauses
                        )
                        loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            finally:
                loop.call_soon_threadsafe(chunks.put_nowait, None)

        working = loop.run_in_executor(self._executor, work)
        try:
            while (chunk := await chunks.get()) is not None:
                if len(chunk):
                    yield chunk
            await working
        finally:
            unwanted.set()

    def _pieces(self, text: str, language: Language) -> Sequence[str | list[str]]:
        """What the process is to say in one go each. Raises ``EngineError`` when there is no word it knows."""
        if self._spelling is None:
            return text_pieces(verbalize(text, "en"), PIECE_CHARACTERS)
        if not has_sound(tokens := self._spelling(text, language)):
            raise EngineError(self._family.name, "knows no word of the text")
        return pieces(tokens)

    @override
    async def add_clone(self, name: str, clip: Samples, rate_hz: int, transcript: str) -> None:
        """Keep the clip, without the silence around it. Raises ``ClientError`` for one this model cannot clone."""
        if len(transcript) > MAX_CHARACTERS:
            raise self._no_clone("its words are too many")
        prompt_tokens: list[str] = []
        if self._spelling is not None:
            language = "zh" if _HAN.search(transcript) else "en"
            prompt_tokens = (
                [] if is_foreign(transcript) else await asyncio.to_thread(self._spelling, transcript, language)
            )
            if not has_sound(prompt_tokens):
                raise self._no_clone("what is said in it has to be known, and to be Chinese or English")
        trimmed = trim(clip, rate_hz)
        if not len(trimmed):
            raise self._no_clone("nothing is heard in it")
        self._clips[name] = _Clip(trimmed, rate_hz, prompt_tokens)

    def _no_clone(self, reason: str) -> ClientError:
        return ClientError(
            f"'{self._family.name}' cannot clone the clip: {reason}.", code="cloning_unavailable", param="kind"
        )

    @override
    def remove_voice(self, name: str) -> None:
        self._clips.pop(name, None)

    @override
    def close(self) -> None:
        """End the process, whatever it does."""
        with closing(self._process):
            self._process.interrupt()
            self._executor.shutdown(wait=True, cancel_futures=True)


def _weights(family: Family, settings: Mapping[str, Any]) -> Sequence[str]:
    _require_libraries(family)  # before anything is pulled
    return [family.weights] if CloningSettings.model_validate(settings).folder is None else []


@needs_weights(partial(_weights, ZIPVOICE))
def load_zipvoice(context: EngineContext) -> SherpaSynthesizer:
    """Entry point: Chinese and English."""
    return _load(ZIPVOICE, context)


@needs_weights(partial(_weights, POCKET))
def load_pocket(context: EngineContext) -> SherpaSynthesizer:
    """Entry point: English."""
    return _load(POCKET, context)


def _require_libraries(family: Family) -> None:
    if missing := missing_extra("cloning", "cloned voices"):
        raise EngineError(family.name, missing)


def _load(family: Family, context: EngineContext) -> SherpaSynthesizer:
    settings = CloningSettings.model_validate(context.settings)
    _require_libraries(family)
    folder = context.weights(family.weights) if settings.folder is None else settings.folder.expanduser()
    files = files_in(folder, family.name, family.files)
    spelling = Spelling(Path(files["tokens"])) if family.spelled else None
    if spelling is not None and not spelling.languages:
        raise EngineError(family.name, f"there are no tokens of Chinese or English in {files['tokens']}")
    process = CloningProcess(ChildModel(family.name, CHILD, files, context.threads))
    try:
        rate_hz = process.start()
        if rate_hz != RATE_HZ:
            raise EngineError(
                family.name, f"speaks at {rate_hz} Hz, not at {RATE_HZ} Hz; is the vocoder the right one?"
            )
    except EngineError as error:
        process.close()
        raise EngineError(family.name, f"{error.message} (files in {folder})") from error
    return SherpaSynthesizer(family, process, settings.steps, spelling)

"""A speaker whose voices are clips. The clips live here, so that a new process knows them as the old one did."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vivavoce.engines.base import EngineContext
from vivavoce.engines.kokoro.numerals import spoken_numbers
from vivavoce.engines.pauses import finish
from vivavoce.engines.sherpa.families import POCKET, ZIPVOICE, Family, files_in
from vivavoce.engines.sherpa.lexicon import Lexicon
from vivavoce.engines.sherpa.process import CloningProcess, Model
from vivavoce.errors import EngineError
from vivavoce.types import Language, Samples

RATE_HZ = 24_000

MOST_CHARACTERS = 100_000
"""Of a clause, or of what is said in a clip."""


class CloningSettings(BaseModel):
    """``engines.settings.zipvoice`` and ``engines.settings.pocket``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    steps: int = Field(default=4, ge=1, le=64)
    """More make it better and slower; the distilled ZipVoice is made for 4."""


class SherpaSpeaker:
    """Speaks with the voices of clips. One process, one request at a time: it uses all threads it is given."""

    rate_hz = RATE_HZ

    def __init__(self, family: Family, process: CloningProcess, steps: int = 4, lexicon: Lexicon | None = None) -> None:
        self.voices: Mapping[str, frozenset[Language]] = {}
        self.clones = family.languages if lexicon is None else lexicon.languages
        self._lexicon = lexicon
        self._family = family
        self._process = process
        self._steps = steps
        self._clips: dict[str, tuple[Samples, int, str]] = {}
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=family.name)

    async def speak(
        self, text: str, *, voice: str, language: Language, speed: float = 1.0
    ) -> AsyncGenerator[Samples, None]:
        """Yield the clause sentence by sentence. Raises ``EngineError``, also when its process ends.

        A process that ended is started again by the next clause.
        """
        if voice not in self._clips or language not in self.clones:
            raise EngineError(self._family.name, f"there is no voice '{voice}' for language '{language}'")
        clip, rate_hz, transcript = self._clips[voice]
        if self._lexicon is not None and language == "zh" and len(text) <= MOST_CHARACTERS:
            text = spoken_numbers(text)
        order = {"text": text, "transcript": transcript, "rate_hz": rate_hz, "steps": self._steps, "speed": speed}
        if not any(character.isalnum() for character in text):
            return
        self._check(text)
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Samples | None] = asyncio.Queue()
        unwanted = threading.Event()

        def work() -> None:
            try:
                if unwanted.is_set():
                    return
                for piece in self._process.speak(order, clip, unwanted.is_set):
                    loop.call_soon_threadsafe(pieces.put_nowait, piece)
            finally:
                loop.call_soon_threadsafe(pieces.put_nowait, None)

        working = loop.run_in_executor(self._executor, work)
        try:
            while (piece := await pieces.get()) is not None:
                if len(said := finish(piece, text, self.rate_hz, speed)):
                    yield said
            await working
        finally:
            unwanted.set()

    def _check(self, text: str) -> None:
        if len(text) > MOST_CHARACTERS:
            raise EngineError(self._family.name, f"speaks at most {MOST_CHARACTERS} characters at once")
        if self._lexicon is not None and not self._lexicon.knows(text):
            raise EngineError(self._family.name, "knows no word of the text")

    async def add_clone(self, name: str, clip: Samples, rate_hz: int, transcript: str) -> None:
        """Keep the clip. Raises ``EngineError`` when the model wants its words and there are none."""
        if self._family.transcribed and not transcript.strip():
            raise EngineError(self._family.name, f"what is said in the clip of the voice '{name}' is not known")
        if not len(clip):
            raise EngineError(self._family.name, f"the clip of the voice '{name}' is empty")
        if len(transcript) > MOST_CHARACTERS:
            raise EngineError(self._family.name, f"the words of the voice '{name}' are too many")
        self._clips[name] = (clip, rate_hz, transcript)

    def remove_voice(self, name: str) -> None:
        """Forget a voice."""
        self._clips.pop(name, None)

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.interrupt()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._process.close()


def load_zipvoice(context: EngineContext) -> SherpaSpeaker:
    """Entry point: Chinese and English."""
    return _load(ZIPVOICE, context)


def load_pocket(context: EngineContext) -> SherpaSpeaker:
    """Entry point: English."""
    return _load(POCKET, context)


def _load(family: Family, context: EngineContext) -> SherpaSpeaker:
    settings = _settings(family, context.settings)
    if find_spec("sherpa_onnx") is None:
        raise EngineError(family.name, "needs sherpa-onnx: install vivavoce[clone]")
    files = files_in(settings.folder.expanduser(), family)
    lexicon = Lexicon(Path(files["lexicon"])) if "lexicon" in files else None
    if lexicon is not None and not lexicon.languages:
        raise EngineError(family.name, f"there are no words in {files['lexicon']}")
    process = CloningProcess(Model(family, files, context.threads))
    try:
        rate_hz = process.start()
        if rate_hz != RATE_HZ:
            raise EngineError(
                family.name, f"speaks at {rate_hz} Hz, not at {RATE_HZ} Hz; is the vocoder the right one?"
            )
    except EngineError as error:
        process.close()
        raise EngineError(family.name, f"{error.message} (files in {settings.folder})") from error
    return SherpaSpeaker(family, process, settings.steps, lexicon)


def _settings(family: Family, given: Mapping[str, Any]) -> CloningSettings:
    try:
        return CloningSettings.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise EngineError(family.name, f"engines.settings.{family.name}.{name}: {first['msg']}") from error

"""Any OpenAI-style ``/audio/speech`` endpoint as a speaker.

[engines]
speakers = ["far", "hibari"]

[engines.instances.far]
engine = "openai"
settings = { url = "http://10.0.0.5:8880/v1", model = "kokoro", voices = { af_heart = ["en"], zf_xiaobei = ["zh"] } }
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, Literal

from pydantic import Field, field_validator
from typing_extensions import override

from vivavoce.audio.resample import Resampler
from vivavoce.audio.silence import EdgeTrimmer, silence
from vivavoce.engines.base import EngineContext, Synthesizer, needs_weights
from vivavoce.engines.openai.wav_stream import NoAudioError, PcmReader
from vivavoce.engines.pauses import pause_ms
from vivavoce.engines.remote.client import RemoteClient
from vivavoce.engines.remote.errors import RemoteError
from vivavoce.engines.remote.settings import RemoteSettings
from vivavoce.errors import EngineError
from vivavoce.types import Language, Samples, SpeakOptions

log = logging.getLogger(__name__)

RATE_HZ = 24_000
VOICES_TIMEOUT_S = 5.0


class SpeechSettings(RemoteSettings):
    """Settings of one speaker elsewhere, beside those of its connection.

    ``voices`` are the other side's voices, cloned ones by their ids: a list, or a table that says which languages each speaks;
    left out, they are asked for (``/audio/voices``). ``languages`` are those of voices of which nothing is said. ``stand_ins``
    says by the names of our voices (``qingchunshaonv``, ``alloy``) which of the other side's speaks in their place.

    ``format`` is what is asked for: ``pcm`` (16 bits, mono, ``rate_hz``) or ``wav``, which says its rate itself. ``body`` are
    fields put into every request, ``omit`` those never sent. ``levelled``: the other side makes all voices equally loud.
    """

    voices: Mapping[str, tuple[Language, ...]] | tuple[str, ...] | None = None
    languages: tuple[Language, ...] = Field(default=("en", "zh", "ja"), min_length=1)
    stand_ins: Mapping[str, str] = Field(default_factory=dict)
    format: Literal["pcm", "wav"] = "pcm"
    rate_hz: int = Field(default=RATE_HZ, ge=8000, le=96_000)
    body: Mapping[str, Any] = Field(default_factory=dict)
    omit: frozenset[str] = frozenset()
    levelled: bool = False

    @field_validator("body")
    @classmethod
    def _check_body(cls, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if taken := sorted({"input", "voice"} & body.keys()):
            raise ValueError(f"'{taken[0]}' comes from the reply and cannot be set")
        return body


class OpenAISynthesizer(Synthesizer):
    """``Synthesizer`` over HTTP; what it says leaves as it comes. ``voices`` are the other side's and the stand-ins."""

    rate_hz = RATE_HZ

    def __init__(
        self, client: RemoteClient, settings: SpeechSettings, voices: Mapping[str, frozenset[Language]]
    ) -> None:
        self._client = client
        self._settings = settings
        self.levelled = settings.levelled
        self.stand_ins = frozenset(settings.stand_ins)
        if unknown := sorted(set(settings.stand_ins.values()) - voices.keys()):
            raise ValueError(f"stand_ins: there is no voice '{unknown[0]}' among {', '.join(voices)}")
        self._voices = {**voices, **{name: voices[other] for name, other in settings.stand_ins.items()}}

    @property
    @override
    def voices(self) -> Mapping[str, frozenset[Language]]:
        return self._voices

    @override
    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """Raises ``RemoteError``, also in the middle of a clause."""
        if options.voice not in self._voices:
            raise EngineError(self._client.engine, f"there is no voice '{options.voice}'")
        if not text.strip():
            return
        spoken = False
        async with aclosing(self._client.retried(lambda: self._attempt(text, options))) as pieces:
            async for piece in pieces:
                spoken = True
                yield piece
        if spoken and (pause := pause_ms(text.strip().translate(_PUNCTUATION)) * options.style.pauses / options.speed):
            yield silence(pause, RATE_HZ)

    async def health(self) -> str | None:
        """Why the other side cannot be used now; ``None``: it answers."""
        return await self._client.health()

    @override
    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def _attempt(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        """One request; the clip without silence at its edges."""
        reader, edges = PcmReader(self._settings.rate_hz), EdgeTrimmer(RATE_HZ)
        resampler: Resampler | None = None
        async with (
            self._client.post("audio/speech", json=self._body(text, options)) as answer,
            aclosing(answer.pieces()) as pieces,
        ):
            async for piece in pieces:
                samples = self._samples(reader, piece)
                answer.progressed()
                resampler = resampler or (Resampler(reader.rate_hz, RATE_HZ) if len(samples) else None)
                if resampler is not None and len(trimmed := edges.push(resampler.push(samples))):
                    yield trimmed
        if resampler is None:
            raise RemoteError(self._client.engine, "sent no audio", repeatable=True)
        for rest in (edges.push(resampler.flush()), edges.finish()):
            if len(rest):
                yield rest

    def _body(self, text: str, options: SpeakOptions) -> dict[str, Any]:
        settings = self._settings
        body: dict[str, Any] = {
            "model": settings.model,
            "input": text,
            "voice": settings.stand_ins.get(options.voice, options.voice),
            "response_format": settings.format,
        }
        if options.speed != 1.0:
            body["speed"] = options.speed
        body |= settings.body
        return {name: value for name, value in body.items() if name not in settings.omit}

    def _samples(self, reader: PcmReader, piece: bytes) -> Samples:
        try:
            return reader.feed(piece)
        except NoAudioError as error:
            log.warning("%s: %s", self._client.engine, error)
            raise RemoteError(self._client.engine, f"sent something that is no {self._settings.format}") from error


_PUNCTUATION = str.maketrans("。！？，；：", ".!?,;:")


def _weights(settings: Mapping[str, Any]) -> Sequence[str]:
    SpeechSettings.model_validate(settings)
    return ()


@needs_weights(_weights)
def load(context: EngineContext) -> OpenAISynthesizer:
    """Entry point. Asks for the voices, unless they are set.

    Raises ``EngineError`` when the other side does not tell its voices, ``pydantic.ValidationError``, and ``ValueError`` for a
    stand-in of a voice that is not there.
    """
    settings = SpeechSettings.model_validate(context.settings)
    client = RemoteClient(context.name or "openai", settings)
    languages = frozenset(settings.languages)
    match settings.voices:
        case None:
            with ThreadPoolExecutor(1) as thread:
                names = thread.submit(asyncio.run, _listed(client.engine, settings)).result()
            voices = dict.fromkeys(names, languages)
        case tuple() as names:
            voices = dict.fromkeys(names, languages)
        case table:
            voices = {name: frozenset(of) or languages for name, of in table.items()}
    return OpenAISynthesizer(client, settings, voices)


async def _listed(engine: str, settings: SpeechSettings) -> list[str]:
    """The voices of the other side: Kokoro-FastAPI, speaches and vLLM-Omni have a list. Raises ``EngineError``."""
    client = RemoteClient(engine, settings)
    try:
        response = await client.get("audio/voices", VOICES_TIMEOUT_S)
        listed = response.json()
    except (EngineError, ValueError):
        listed = None
    finally:
        await client.close()
    entries = listed.get("voices", listed.get("data")) if isinstance(listed, dict) else listed
    names = [
        str(entry.get("id") or entry.get("voice_id") or entry.get("name")) if isinstance(entry, dict) else str(entry)
        for entry in entries or ()
    ]
    if not names:
        raise EngineError(engine, "does not tell its voices: name them in 'voices'")
    return names

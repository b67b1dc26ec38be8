"""How quick the HTTP endpoints are, on the client's clock: speech, transcription, spoken chat.

Everything is asked one at a time over one connection that is already open, as an application would do it.
"""

from __future__ import annotations

import json
import os
import platform
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
import numpy as np

from vivavoce.audio.encoding import encode
from vivavoce.audio.pcm import BYTES_PER_SAMPLE, decode_pcm16
from vivavoce.bench.summary import Spread, spread
from vivavoce.client.address import ServerAddress
from vivavoce.client.connection import http_url
from vivavoce.client.errors import ConnectError
from vivavoce.types import Language, Samples

RATE_HZ = 24_000
WITHIN_S = 300.0

ENGLISH = (
    "The lighthouse keeper climbed the narrow stairs every evening, counting each of the one hundred and twelve steps under "
    "his breath. At the top he polished the great lens until it shone, and lit the lamp as the sun went down behind the "
    "islands. Ships far out at sea saw the beam sweep across the water, and knew that the harbour was near. In winter the "
    "storms came, and the tower shook; but the light went round and round, and nobody who saw it ever thought of the man "
    "who sat beneath it, reading old letters by the fire."
)
CHINESE = (
    "每天傍晚，守灯塔的老人都会沿着狭窄的楼梯慢慢爬上去，一边走一边轻声数着台阶。到了塔顶，他把巨大的镜片擦得闪闪发亮，"
    "等太阳落到海岛后面，就点亮那盏灯。远处海上的船只看到光柱扫过水面，就知道港口已经不远了。"
)
PARAGRAPHS: dict[Language, str] = {"en": ENGLISH, "zh": CHINESE}
QUESTIONS: dict[Language, str] = {"en": "What is a lighthouse for?", "zh": "灯塔是做什么用的？"}

DEFINITION = (
    "first byte = sending the request to the first byte of sound in its answer (PCM16, which has no header; of a chat, to "
    "the first piece of audio); real-time factor = seconds until all was there, by seconds of audio. One request at a time, "
    "over one open connection, on the client's clock."
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One request. ``what``: ``speech``, ``transcription`` or ``chat``; ``first_ms`` is ``None`` where nothing streams."""

    what: str
    language: Language
    first_ms: float | None
    total_s: float
    audio_s: float

    @property
    def factor(self) -> float:
        """Seconds of work for a second of audio."""
        return self.total_s / self.audio_s


@dataclass(frozen=True, slots=True)
class Timing:
    """All requests of a kind in one language."""

    what: str
    language: Language
    first_ms: Spread | None
    factor: Spread | None


@dataclass(slots=True)
class HttpReport:
    """All requests, after one of each kind that did not count."""

    model: str
    measures: list[Measure] = field(default_factory=list)

    @property
    def lines(self) -> list[Timing]:
        """By kind and language, in order of appearance."""
        kinds = list(dict.fromkeys((one.what, one.language) for one in self.measures))
        return [self._line(what, language) for what, language in kinds]

    def _line(self, what: str, language: Language) -> Timing:
        mine = [one for one in self.measures if (one.what, one.language) == (what, language)]
        return Timing(what, language, spread(one.first_ms for one in mine), spread(one.factor for one in mine))

    def as_json(self) -> dict[str, Any]:
        """The whole report as plain JSON values."""
        return {
            "kind": "http",
            "definition": DEFINITION,
            "model": self.model,
            "machine": {"platform": platform.platform(), "python": platform.python_version(), "cpus": os.cpu_count()},
            "lines": [asdict(line) for line in self.lines],
            "requests": [asdict(one) | {"factor": one.factor} for one in self.measures],
        }


class HttpTarget:
    """A server's endpoints; ``voice`` speaks, ``model`` answers chats. Every call raises ``ConnectError``."""

    def __init__(self, client: httpx.AsyncClient, *, model: str, voice: str) -> None:
        self._client = client
        self._model = model
        self._voice = voice

    async def speech(self, text: str, language: Language) -> tuple[Measure, Samples]:
        """Speak ``text``; also what it sounds like, ``float32[n]`` at ``RATE_HZ``."""
        body = {"model": "tts-1", "input": text, "voice": self._voice, "response_format": "pcm"}
        asked_s, first_ms, data = time.perf_counter(), None, bytearray()
        async with self._asked("/v1/audio/speech", json=body) as answer:
            async for piece in answer.aiter_raw():
                first_ms = first_ms if first_ms is not None else (time.perf_counter() - asked_s) * 1000.0
                data += piece
        total_s = time.perf_counter() - asked_s
        return Measure("speech", language, first_ms, total_s, _seconds(data)), decode_pcm16(bytes(data))

    async def transcription(self, samples: Samples, language: Language) -> tuple[Measure, str]:
        """Transcribe a recording (``float32[n]`` at ``RATE_HZ``), sent as a wav; also what was understood."""
        wav = encode(samples, "wav", RATE_HZ)
        fields = {"model": "whisper-1", "language": language, "response_format": "json"}
        asked_s = time.perf_counter()
        async with self._asked("/v1/audio/transcriptions", data=fields, files={"file": ("a.wav", wav)}) as answer:
            text: str = json.loads(await answer.aread())["text"]
        total_s = time.perf_counter() - asked_s
        return Measure("transcription", language, None, total_s, len(samples) / RATE_HZ), text

    async def chat(self, question: Samples, language: Language) -> Measure:
        """Ask a spoken question (``float32[n]`` at ``RATE_HZ``) and hear the whole answer."""
        url = f"data:audio/wav;base64,{b64encode(encode(question, 'wav', RATE_HZ)).decode('ascii')}"
        content = [{"type": "input_audio", "input_audio": {"data": url}}]
        body = {
            "model": self._model,
            "modalities": ["text", "audio"],
            "audio": {"voice": self._voice, "format": "pcm"},
            "stream": True,
            "messages": [{"role": "user", "content": content}],
        }
        asked_s, first_ms, encoded = time.perf_counter(), None, 0
        async with self._asked("/v1/chat/completions", json=body) as answer:
            async for line in answer.aiter_lines():
                audio = _chat_audio(line)
                if audio and first_ms is None:
                    first_ms = (time.perf_counter() - asked_s) * 1000.0
                encoded += len(audio)
        total_s = time.perf_counter() - asked_s
        if first_ms is None:
            raise ConnectError("The chat was answered without audio.")
        return Measure("chat", language, first_ms, total_s, encoded * 3 / 4 / BYTES_PER_SAMPLE / RATE_HZ)

    async def written_answer(self, messages: Sequence[Mapping[str, Any]], *, max_tokens: int) -> dict[str, Any]:
        """The message that answers these, greedily, in text, with how the last of them sounds."""
        body = {
            "model": self._model, "messages": messages, "temperature": 0, "max_tokens": max_tokens,
            "modalities": ["text"], "perception": True,
        }  # fmt: skip
        async with self._asked("/v1/chat/completions", json=body) as answer:
            message: dict[str, Any] = json.loads(await answer.aread())["choices"][0]["message"]
        return message

    @asynccontextmanager
    async def _asked(self, path: str, **body: Any) -> AsyncIterator[httpx.Response]:
        try:
            async with self._client.stream("POST", path, **body) as answer:
                if answer.is_error:
                    raise ConnectError(
                        f"{path}: {answer.status_code} {(await answer.aread()).decode(errors='replace')}"
                    )
                yield answer
        except httpx.HTTPError as error:
            raise ConnectError(f"{path}: {error!r}") from error


def _chat_audio(line: str) -> str:
    """The base64 of a chunk's audio; empty when it has none."""
    data = line.removeprefix("data:").strip()
    if not data.startswith("{"):
        return ""
    choices = json.loads(data).get("choices") or [{}]
    audio: str = ((choices[0].get("delta") or {}).get("audio") or {}).get("data") or ""
    return audio


def _seconds(data: bytearray) -> float:
    return len(data) / BYTES_PER_SAMPLE / RATE_HZ


@asynccontextmanager
async def http_target(server: ServerAddress, *, model: str, voice: str) -> AsyncIterator[HttpTarget]:
    """The endpoints of a server."""
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    async with httpx.AsyncClient(
        base_url=http_url(server.url), headers=headers, timeout=WITHIN_S, verify=server.tls or True, trust_env=False
    ) as client:
        yield HttpTarget(client, model=model, voice=voice)


async def recording_of(target: HttpTarget, language: Language, seconds: float) -> Samples:
    """A recording so long: the paragraph, spoken as often as it takes and cut off."""
    spoken: list[Samples] = []
    while sum(map(len, spoken)) < seconds * RATE_HZ:
        _, samples = await target.speech(PARAGRAPHS[language], language)
        spoken.append(samples)
    return np.concatenate(spoken)[: int(seconds * RATE_HZ)]


async def run_http(
    target: HttpTarget,
    *,
    model: str,
    languages: Sequence[Language],
    kinds: Sequence[str],
    runs: int,
    recordings: dict[Language, Samples],
    on_measure: Callable[[Measure], object],
) -> HttpReport:
    """Ask for every kind in every language, ``runs`` times after one that does not count.

    ``recordings``: what is transcribed, by language; a language without one is left out of that. Raises ``ConnectError``.
    """
    report = HttpReport(model)
    for language in languages:
        _, question = await target.speech(QUESTIONS[language], language)
        for kind in kinds:
            for run in range(runs + 1 if kind != "transcription" or language in recordings else 0):
                match kind:
                    case "speech":
                        measure, _ = await target.speech(PARAGRAPHS[language], language)
                    case "transcription":
                        measure, _ = await target.transcription(recordings[language], language)
                    case _:
                        measure = await target.chat(question, language)
                if run:
                    report.measures.append(measure)
                    on_measure(measure)
    return report

"""``POST /v1/audio/speech``: text to speech, as StepFun's and OpenAI's clients ask for it (audio reference, section 1)."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from vivavoce.audio.encoding import CONTENT_TYPES, wav_header
from vivavoce.errors import ClientError
from vivavoce.http.audio_stream import audio_stream
from vivavoce.http.auth import Owner
from vivavoce.http.core import Core
from vivavoce.http.cors import NOT_APPLIED_HEADER
from vivavoce.http.disconnects import while_connected
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.event_stream import SendEvent, event, event_stream
from vivavoce.http.lifecycle import core_of
from vivavoce.ids import random_id
from vivavoce.protocol.speech import SpeechFile, SpeechFileData, SpeechRequest, SubtitleItem, SubtitleObject
from vivavoce.speech.links import SpeechLinks
from vivavoce.speech.subtitles import Subtitle
from vivavoce.speech.synthesis import FileEvent, OutputFormat, SynthesisEnd, left_undone, synthesized_file
from vivavoce.speech.synthesis_request import SUPPORTED_LANGUAGES, SynthesisRequest, parse_request

router = APIRouter(route_class=ReportingRoute, tags=["audio"])

CLIENT_GONE = 499
"""For the log alone: nobody reads the answer."""

TOKENS_PER_S = 25
"""The rate at which the platform's speech models write audio; what ``usage`` counts is made of it."""

FILES = "/v1/audio/speech/files"

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The audio; or server-sent events (`stream_format: sse`); or where the file is (`return_url`).",
        "content": {
            **{type: {"schema": {"type": "string", "format": "binary"}} for type in CONTENT_TYPES.values()},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
}


@router.post("/v1/audio/speech", response_model=SpeechFile, responses=_ANSWERS)
async def create_speech(request: Request, body: SpeechRequest, owner: Owner) -> Response:
    """Speech from text: as it is made, as events, or as a file with an address."""
    core = core_of(request)
    voice = await core.voices.resolve(owner, body.voice_id)
    languages = core.engines.synthesizer.voices.get(voice, SUPPORTED_LANGUAGES)
    synthesis = parse_request(body, voice, core.config.tiers.aliases, languages)
    undone = synthesis.unsupported + left_undone(synthesis.clauses, synthesis.options, core.engines.synthesizer)
    headers = {NOT_APPLIED_HEADER: ", ".join(undone)} if undone else {}
    try:
        if body.return_url:
            return await _file_answer(request, core, owner, body, synthesis, headers)
        if body.stream_format == "sse":
            return await _events(request, core, owner, body, synthesis, headers)
        content_type = CONTENT_TYPES[body.response_format]
        return await audio_stream(request, _audio(core, owner, synthesis), content_type, headers)
    except ClientDisconnect:
        return Response(status_code=CLIENT_GONE)


@router.get(FILES + "/{name}", response_class=Response, responses=_ANSWERS)
async def speech_file(request: Request, name: str) -> Response:
    """A file of ``return_url``. Its address is all that is needed to have it, until 12 hours are over."""
    core = core_of(request)
    file = await SpeechLinks(core.store).find(name.partition(".")[0])
    headers = {"content-length": str(file.bytes), "cache-control": "private, max-age=3600"}
    audio = await core.store.blobs.open(file.blob)
    return StreamingResponse(audio, media_type=file.content_type, headers=headers)


async def _synthesize_file(
    core: Core, owner: str, synthesis: SynthesisRequest, output_format: OutputFormat, *, subtitles: bool = False
) -> AsyncGenerator[FileEvent, None]:
    """The request's file in a place of its own. Raises ``RateLimitError`` when there is none."""
    async with core.request_slots.hold(owner):
        spoken = synthesized_file(
            synthesis.clauses, synthesis.options, core.engines.synthesizer, output_format, subtitles=subtitles
        )
        async with aclosing(spoken) as pieces:
            async for piece in pieces:
                yield piece


async def _audio(core: Core, owner: str, synthesis: SynthesisRequest) -> AsyncGenerator[bytes, None]:
    async with aclosing(_synthesize_file(core, owner, synthesis, synthesis.output_format)) as pieces:
        async for piece in pieces:
            if isinstance(piece, bytes):
                yield piece


# ---- server-sent events


async def _events(
    request: Request,
    core: Core,
    owner: str,
    body: SpeechRequest,
    synthesis: SynthesisRequest,
    headers: dict[str, str],
) -> Response:
    async def send_all(send: SendEvent) -> None:
        async with aclosing(
            _synthesize_file(core, owner, synthesis, synthesis.output_format, subtitles=body.timestamp)
        ) as pieces:
            async for piece in pieces:
                await send(event(_wire_event(piece, body)))
        await send("data: [DONE]\n\n")

    response = await event_stream(request, send_all, failed=_failure)
    response.headers.update(headers)
    return response


def _wire_event(piece: FileEvent, body: SpeechRequest) -> dict[str, Any]:
    match piece:
        case bytes():
            return {"type": "speech.audio.delta", "audio": b64encode(piece).decode("ascii")}
        case Subtitle():
            data = subtitle_object(piece).model_dump()
            return {"type": "response.subtitle", "event_id": random_id("event"), "data": data}
        case SynthesisEnd(duration_ms=duration_ms):
            return {"type": "speech.audio.done", "audio": "", "usage": _usage(body, duration_ms)}


def _usage(body: SpeechRequest, duration_ms: int) -> dict[str, int]:
    """OpenAI's counts. A character of input is a token; the audio has ``TOKENS_PER_S``."""
    read, spoken = len(body.input), round(duration_ms * TOKENS_PER_S / 1000)
    return {"input_tokens": read, "output_tokens": spoken, "total_tokens": read + spoken}


def _failure(error: ClientError) -> str:
    return event({"type": "speech.audio.error", "error": error.body})


def subtitle_object(subtitle: Subtitle) -> SubtitleObject:
    """A sentence's subtitle as the wire has it."""
    items = [SubtitleItem(text=one.text, start_time=one.start_ms, end_time=one.end_ms) for one in subtitle.items]
    return SubtitleObject(
        text=subtitle.text, request_id=random_id("sentence"), timestamp=int(time.time() * 1000), items=items
    )


# ---- a file with an address


async def _file_answer(
    request: Request,
    core: Core,
    owner: str,
    body: SpeechRequest,
    synthesis: SynthesisRequest,
    headers: dict[str, str],
) -> Response:
    subtitles: list[SubtitleObject] = []
    chunks = _file_chunks(core, owner, synthesis, subtitles if body.timestamp else None)
    content_type = CONTENT_TYPES[body.response_format]
    secret, expires_at = await while_connected(
        request.receive, SpeechLinks(core.store).keep(owner, chunks, content_type)
    )
    url = f"{str(request.base_url).rstrip('/')}{FILES}/{secret}.{body.response_format}"
    answer = SpeechFile(
        created=int(time.time()),
        data=SpeechFileData(url=url, subtitles=subtitles if body.timestamp else None),
        url=url,
        expires_at=expires_at,
    )
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json", headers=headers)


async def _file_chunks(
    core: Core, owner: str, synthesis: SynthesisRequest, subtitles: list[SubtitleObject] | None
) -> AsyncGenerator[bytes, None]:
    """The request's file; a wav knows how long it is. Fills ``subtitles``."""
    wav = synthesis.output_format.format == "wav"
    output_format = OutputFormat("pcm", synthesis.output_format.rate_hz) if wav else synthesis.output_format
    parts: list[bytes] = []
    async with aclosing(
        _synthesize_file(core, owner, synthesis, output_format, subtitles=subtitles is not None)
    ) as pieces:
        async for piece in pieces:
            if isinstance(piece, Subtitle):
                assert subtitles is not None
                subtitles.append(subtitle_object(piece))
            elif isinstance(piece, bytes) and wav:
                parts.append(piece)
            elif isinstance(piece, bytes):
                yield piece
    if wav:
        yield wav_header(output_format.rate_hz, sum(map(len, parts)))
        for piece in parts:
            yield piece
